"""synth.py over batches on any device, with gradients to bands and harmonic shares; F0 has none (the phase adds it up)."""
import math

import torch

from synth import Synth


class SoundMaker(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        synth = Synth(config)
        self.config = config
        for name in ('filters', 'spread', 'window', 'harmonic_spread'):
            self.register_buffer(name, getattr(synth, name).float())

    def harmonics(self, f0, count):
        """f0 (B, L) in Hz -> (B, count) from sample -(n_fft-hop)/2 on."""
        c, hop, rate = self.config.synth, self.config.hop, self.config.sample_rate
        at = (torch.arange(count, device=f0.device, dtype=torch.float64) - (c.n_fft - hop) / 2 - hop / 2) / hop
        at = at.clamp(0, f0.shape[1] - 1)
        low = at.floor().long().clamp(max=f0.shape[1] - 2)
        f = torch.lerp(f0.double()[:, low], f0.double()[:, low + 1], (at - low)[None])
        phase = torch.cumsum(f / rate, 1) % 1.0
        k, s = (c.harmonic_limit / f).floor(), torch.sin(math.pi * phase)
        small = s.abs() < 1e-7
        total = torch.where(small, k, torch.sin(2 * math.pi * (((k + .5) * phase) % 1.0)) / torch.where(small, 1.0, 2 * s) - .5)
        return (total * (2 * f / rate).sqrt()).float()

    def forward(self, log_bands, f0, share):
        """(B, L, bands), (B, L) Hz, (B, L, shares) -> (B, L * hop)."""
        c, hop = self.config.synth, self.config.hop
        size, frames = f0.shape
        count = (frames - 1) * hop + c.n_fft
        with torch.no_grad():
            h = torch.fft.rfft(self.harmonics(f0, count).unfold(1, c.n_fft, hop) * self.window)
            noise = torch.rand(size, count, device=f0.device) * (2 * 3 ** .5) - 3 ** .5
            w = torch.fft.rfft(noise.unfold(1, c.n_fft, hop) * self.window)
        share = (share @ self.harmonic_spread.t()).clamp(1e-3, 1 - 1e-3)
        e = h * share.sqrt() + w * (1 - share).sqrt()
        level = (e.real.square() + e.imag.square() + 1e-12).sqrt() @ self.filters.t()
        gain = log_bands - level.clamp(min=1e-5).log()
        y = torch.fft.irfft(e * (gain @ self.spread.t()).clamp(max=12).exp(), c.n_fft) * self.window
        y = torch.nn.functional.fold(y.transpose(1, 2), (1, count), (1, c.n_fft), stride=(1, hop))[:, 0, 0]
        side = (c.n_fft - hop) // 2
        norm = (self.window ** 2).view(-1, hop).sum(0).roll(-side)
        return (y[:, side:side + frames * hop].view(size, frames, hop) / norm).flatten(1)


def leaves(predicted, rows):
    """Log bands and harmonic logits of the first rows, cut from the network, to ask for gradients at them."""
    return tuple(predicted[i][:rows].detach().float().requires_grad_() for i in (0, 2))


def balanced(loss, predicted, wishes, weight):
    """Scalar to add to `loss`: its gradient at the decoder's outputs is `wishes` (at log bands and harmonic logits of the first rows),
    scaled together so that it has `weight` times the norm of the loss's own at those rows' bands."""
    n = len(wishes[0])
    others, = torch.autograd.grad(loss, predicted[0], retain_graph=True)
    scale = weight * others[:n].norm() / wishes[0].norm().clamp(min=1e-12)
    return sum((predicted[i][:n] * (wish * scale)).sum() for i, wish in zip((0, 2), wishes))
