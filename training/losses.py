"""Losses of the band-and-pitch autoencoder."""
import math

import torch
import torch.nn.functional as F

# harmonic: absolute error, not cross-entropy: shares between 0 and 1 out of doubt buzz (PESQ 1.24 -> 1.28 when sharpened by hand).
# delta: more than a little of it holds the trajectories flat.
WEIGHTS = {'bands': 1.0, 'envelope': .5, 'delta': .1, 'pitch': 3.0, 'harmonic': 1.0, 'commitment': .25}


class Losses:
    def __init__(self, config, hz):
        """hz: centre frequencies of the synthesis bands."""
        self.config = config
        self.floor = math.log(config.synth.floor)
        self.by_band = torch.where(hz < 8000, 1.0, .4)
        self.by_share = torch.tensor([1.0, 1.0, 1.0, .6, .3])

    def to(self, device):
        self.by_band, self.by_share = self.by_band.to(device), self.by_share.to(device)
        return self

    def split(self, batch):
        mels, bands = self.config.front_end.mels, self.config.synth.bands
        mel, rest = batch[..., :mels], batch[..., mels:]
        return mel, rest[..., :bands].clamp(min=self.floor), rest[..., bands], rest[..., bands + 1:-1], rest[..., -1]

    def audible(self, target):
        """Weight of every band and frame: full near the clip's loud bands, a fifth from 52 dB below them."""
        loud = target.amax(-1).quantile(.95, dim=1)[:, None, None]
        return (.2 + .8 * torch.sigmoid(target - loud + 6.0)) * self.by_band

    def __call__(self, predicted, batch, commitment):
        """Returns the weighted sum and the parts (plain L1 of log bands in nats among them)."""
        bands, log_f0, logits = predicted
        _, target, target_f0, share, voiced = self.split(batch)
        weight, error = self.audible(target), bands - target
        total = weight.sum()
        pool = lambda v: F.avg_pool1d(v, 8, 4)
        delta = error[:, 1:] - error[:, :-1]
        parts = {
            'bands': (weight * error.abs()).sum() / total,
            'envelope': (pool(weight) * pool(error).abs()).sum() / pool(weight).sum(),
            'delta': (weight[:, 1:] * delta.abs()).sum() / total,
            'pitch': (voiced * (log_f0 - target_f0).abs()).sum() / voiced.sum().clamp(min=1),
            'harmonic': (self.by_share * (torch.sigmoid(logits) - share).abs()).mean(),
            'commitment': commitment,
        }
        loss = sum(WEIGHTS[k] * v for k, v in parts.items())
        parts = {k: v.detach() for k, v in parts.items()}
        parts['l1'] = error.detach().abs().mean()
        wrong = voiced * ((log_f0.detach() - target_f0).abs() > .2)
        parts['gross_pitch'] = wrong.sum() / voiced.sum().clamp(min=1)
        return loss, parts
