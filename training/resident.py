"""Everything on the accelerator: audio is decoded by all processes at once, features are computed there, batches are gathers.

Speeds are copies of every clip (0.9 speaks slower and lower); the samples stay beside the features for losses that listen."""
import math
import multiprocessing
import time
from collections import defaultdict

import numpy as np
import torch

import features
from data import UNLABELLED, Extractor, clips


def decode(job):
    """Clips of one share of the shards, at every speed: (key, speaker, speed, int16 samples)."""
    import soxr
    root, rate, number, parts, speeds = job
    out = []
    for key, speaker, x in clips(root, rate, number, parts):
        for speed in speeds:
            y = x if speed == 1 else soxr.resample(x, rate * speed, rate)
            if len(y) >= rate // 2:
                out.append((key, speaker, speed, (np.clip(y, -1, 1) * 32767).astype(np.int16)))
    return out


class Resident:
    """Same interface as data.Features, plus the samples of a batch. `keep` chooses speakers."""
    def __init__(self, clip_list, config, device, keep, balance=.5, group_seconds=600):
        self.config, self.device = config, device
        self.extract = Extractor(config)
        mine = [c for c in clip_list if keep(c[1])]
        hop = config.hop
        lengths = np.array([-(-len(c[3]) // hop) for c in mine])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        self.features = torch.empty(int(starts[-1]), self.extract.width, dtype=torch.float16, device=device)
        self.samples = torch.zeros(int(starts[-1]) * hop, dtype=torch.int16, device=device)
        order, at = np.argsort(lengths), 0
        while at < len(order):
            group = order[at:at + max(1, int(group_seconds * config.sample_rate / hop / lengths[order[min(at + 64, len(order) - 1)]]))]
            at += len(group)
            self.add([mine[i][3] for i in group], lengths[group], starts[group])
        by_speaker, weight = defaultdict(list), np.zeros(len(mine))
        for i, (key, speaker, *_) in enumerate(mine):
            by_speaker[key if speaker in UNLABELLED else speaker].append(i)
        for members in by_speaker.values():
            n = lengths[members].astype(float)
            weight[members] = n / n.sum() * n.sum() ** balance
        self.cumulative, self.starts, self.lengths = np.cumsum(weight / weight.sum()), starts[:-1], lengths
        self.speakers, self.hours = len(by_speaker), float(starts[-1] * hop / config.sample_rate / 3600)

    @torch.no_grad()
    def add(self, sounds, lengths, starts):
        hop, frames = self.config.hop, int(max(lengths))
        x = np.zeros((len(sounds), frames * hop), np.int16)
        for row, sound in zip(x, sounds):
            row[:len(sound)] = sound
        x = torch.from_numpy(x).to(self.device)
        y = self.extract.batch(x.float() / 32767).half()
        for i, (n, at) in enumerate(zip(lengths, starts)):
            self.features[at:at + n] = y[i, :n]
            self.samples[at * hop:(at + n) * hop] = x[i, :n * hop]

    def batch(self, size, frames, rng, listening=0):
        """(size, frames, width) float32; with `listening` also the samples (listening, frames * hop) of the first rows."""
        which = np.minimum(np.searchsorted(self.cumulative, rng.random(size)), len(self.cumulative) - 1)
        length = self.lengths[which]
        offset = (rng.random(size) * np.maximum(1, length - frames + 1)).astype(int)
        n = torch.from_numpy(np.minimum(frames, length - offset)).to(self.device)
        first = torch.from_numpy(self.starts[which] + offset).to(self.device)
        t = torch.arange(frames, device=self.device)[None]
        inside = t < n[:, None]
        out = self.features[first[:, None] + torch.minimum(t, n[:, None] - 1)].float()
        bands = self.config.front_end.mels + self.config.synth.bands
        silence = torch.zeros(out.shape[-1], device=self.device)
        silence[:bands] = math.log(Extractor.floor)
        out[..., :bands] = torch.where(inside[..., None], out[..., :bands], silence[:bands])
        out[..., bands + 1:] = torch.where(inside[..., None], out[..., bands + 1:], silence[bands + 1:])
        if not listening:
            return out
        hop = self.config.hop
        s = torch.arange(frames * hop, device=self.device)[None]
        heard = s < n[:listening, None] * hop
        x = self.samples[(first[:listening, None] * hop + torch.minimum(s, n[:listening, None] * hop - 1))]
        return out, torch.where(heard, x.float() / 32767, 0.0)


def load(root, config, device, keep, processes=16, speeds=(1.0, .9, 1.1)):
    """Training set at every speed and the held-out speakers at their own."""
    began, parts = time.time(), 21
    with multiprocessing.get_context('fork').Pool(processes) as pool:
        found = [c for part in pool.imap(decode, [(root, config.sample_rate, i, parts, speeds) for i in range(parts)]) for c in part]
    print(f'{len(found)} clips decoded in {time.time() - began:.0f} s', flush=True)
    train = Resident(found, config, device, keep)
    dev = Resident([c for c in found if c[2] == 1], config, device, lambda speaker: not keep(speaker))
    train.hours /= len(speeds)      # of different audio
    print(f'features of {train.hours + dev.hours:.1f} h at {len(speeds)} speeds ready after {time.time() - began:.0f} s', flush=True)
    return train, dev
