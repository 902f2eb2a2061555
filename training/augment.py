"""Augmentation of feature batches: a gain, an equaliser, a band limit or stationary noise act on log-mel and log bands alike,
so they cost nothing next to the network. Speed is a property of the shards (data.py --speed)."""
import math

import numpy as np
import torch

from features import band_points, hz_to_mel, mel_to_hz


def centres(config):
    """Centre frequency in Hz of every mel and synthesis band, one row."""
    f = config.front_end
    top = hz_to_mel(f.f_max)
    mel = [mel_to_hz(top * (i + 1) / (f.mels + 1)) for i in range(f.mels)]
    return torch.tensor(mel + band_points(config.synth)[1:-1], dtype=torch.float32)


class Augment:
    def __init__(self, config, gain_db=6.0, tilt_db=4.0, band_limit=.2, noise=.1):
        self.hz, self.gain_db, self.tilt_db, self.band_limit, self.noise = centres(config), gain_db, tilt_db, band_limit, noise
        self.octave = torch.log2(self.hz.clamp(min=100) / 1000) / 3.3

    def __call__(self, batch, rng):
        """In place on (B, T, width); the first columns are log-mel and log bands."""
        size, width = len(batch), len(self.hz)
        level = batch[..., :width]
        nat = math.log(10) / 20
        gain = torch.from_numpy(np.clip(rng.normal(-2, self.gain_db, size), -20, 9)).float()
        tilt = torch.from_numpy(rng.normal(0, self.tilt_db, size)).float()
        ripple, phase, rate = (torch.from_numpy(v).float() for v in (rng.normal(0, 1.5, size), rng.random(size), rng.uniform(.5, 2, size)))
        wave = torch.cos(math.pi * rate[:, None] * self.octave + 2 * math.pi * phase[:, None])
        level += nat * (gain[:, None] + tilt[:, None] * self.octave + ripple[:, None] * wave)[:, None]
        self.add_noise(level, rng)
        limit = torch.from_numpy(np.where(rng.random(size) < self.band_limit, rng.uniform(5500, 9000, size), 1e9)).float()
        level += torch.where(self.hz[None] > limit[:, None], -20.0, 0.0)[:, None]
        return batch

    def add_noise(self, level, rng):
        chosen = torch.from_numpy(np.flatnonzero(rng.random(len(level)) < self.noise))
        if len(chosen) == 0:
            return
        clean = level[chosen]
        loud = clean.amax(-1).quantile(.9, dim=1)
        floor = loud - torch.from_numpy(rng.uniform(3.0, 6.0, len(chosen))).float()      # 26 to 52 dB below the loudest bands
        slope = torch.from_numpy(rng.uniform(-1.0, .2, len(chosen))).float()
        jitter = torch.from_numpy(rng.normal(0, .35, clean.shape).astype(np.float32))
        noise = floor[:, None, None] + slope[:, None, None] * self.octave + jitter
        level[chosen] = .5 * torch.logaddexp(2 * clean, 2 * noise)
