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

    def to(self, device):
        self.hz, self.octave = self.hz.to(device), self.octave.to(device)
        return self

    def tensor(self, values):
        return torch.from_numpy(np.asarray(values, np.float32)).to(self.hz.device)

    def __call__(self, batch, rng, samples=()):
        """In place on (B, T, width); the first columns are log-mel and log bands. The first rows, of which the samples (n, T * hop) are
        given too, get a gain alone, and their samples the same."""
        size, width, plain = len(batch), len(self.hz), len(samples)
        level = batch[..., :width]
        nat = math.log(10) / 20
        gain = self.tensor(np.clip(rng.normal(-2, self.gain_db, size), -20, 9))
        if plain:
            samples *= (nat * gain[:plain, None]).exp()
        tilt = self.tensor(rng.normal(0, self.tilt_db, size) * (np.arange(size) >= plain))
        ripple = self.tensor(rng.normal(0, 1.5, size) * (np.arange(size) >= plain))
        phase, rate = self.tensor(rng.random(size)), self.tensor(rng.uniform(.5, 2, size))
        wave = torch.cos(math.pi * rate[:, None] * self.octave + 2 * math.pi * phase[:, None])
        level += nat * (gain[:, None] + tilt[:, None] * self.octave + ripple[:, None] * wave)[:, None]
        self.add_noise(level[plain:], rng)
        limited = (rng.random(size) < self.band_limit) & (np.arange(size) >= plain)
        limit = self.tensor(np.where(limited, rng.uniform(5500, 9000, size), 1e9))
        level += torch.where(self.hz[None] > limit[:, None], -20.0, 0.0)[:, None]
        return batch

    def add_noise(self, level, rng):
        chosen = torch.from_numpy(np.flatnonzero(rng.random(len(level)) < self.noise)).to(level.device)
        if len(chosen) == 0:
            return
        clean = level[chosen]
        loud = clean.amax(-1).quantile(.9, dim=1)
        floor = loud - self.tensor(rng.uniform(3.0, 6.0, len(chosen)))      # 26 to 52 dB below the loudest bands
        slope = self.tensor(rng.uniform(-1.0, .2, len(chosen)))
        jitter = .35 * torch.randn(clean.shape, device=level.device)
        noise = floor[:, None, None] + slope[:, None, None] * self.octave + jitter
        level[chosen] = .5 * torch.logaddexp(2 * clean, 2 * noise)
