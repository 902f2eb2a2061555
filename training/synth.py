"""Waveform by construction: harmonics + counter-based noise, mixed per bin and scaled per band in the STFT domain.

Reference of the streamable definition in SPEC.md; every frame needs predictions of its neighbours only, nothing is global."""
import numpy as np
import torch

from features import band_filters, centred_window


def hash32(n):
    """Counter-based PRNG: int64 array of sample indices -> uint32 values (lowbias32 after adding 0x9E3779B9)."""
    x = (n.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)
    with np.errstate(over='ignore'):
        x = x + np.uint32(0x9E3779B9)
        x ^= x >> np.uint32(16); x *= np.uint32(0x7FEB352D)
        x ^= x >> np.uint32(15); x *= np.uint32(0x846CA68B)
        x ^= x >> np.uint32(16)
    return x


def white_noise(start, count):
    """Uniform white noise of unit variance for absolute samples [start, start+count), float32."""
    x = hash32(np.arange(start, start + count)).view(np.int32).astype(np.float64)
    return (x * (3 ** .5 / 2 ** 31)).astype(np.float32)


def interpolate(values, start, count, hop):
    """Linear interpolation (float64) of frame values placed at t*hop + hop/2, held constant beyond the ends."""
    n = np.arange(start, start + count)
    return np.interp((n - hop / 2) / hop, np.arange(len(values)), values)


def harmonics(f0, start, count, sample_rate, hop, limit):
    """sqrt(2 f / sample_rate) * sum over k <= limit/f of cos(2 pi k phase); phase = running sum of f/sample_rate modulo 1 in float64.

    Closed form (Dirichlet kernel). The running sum starts at 0 before sample `start`."""
    f = interpolate(np.asarray(f0, np.float32).astype(np.float64), start, count, hop)
    phase = np.cumsum(f / sample_rate) % 1.0
    k = np.floor(limit / f)
    s = np.sin(np.pi * phase)
    small = np.abs(s) < 1e-7
    total = np.where(small, k, np.sin(2 * np.pi * (((k + .5) * phase) % 1.0)) / np.where(small, 1, 2 * s) - .5)
    return (total * np.sqrt(2 * f / sample_rate)).astype(np.float32)


def spread_matrix(filters):
    """(bands, bins) -> (bins, bands): every bin is a weighted mean of the gains of the bands that cover it."""
    up = filters.t().clone()
    empty = up.sum(1) < 1e-6
    centre = (filters * torch.arange(filters.shape[1])).sum(1) / filters.sum(1)
    nearest = (torch.arange(filters.shape[1])[:, None] - centre[None]).abs().argmin(1)
    up[empty, nearest[empty]] = 1
    return up / up.sum(1, keepdim=True)


class Synth:
    def __init__(self, config):
        self.config, c = config, config.synth
        self.filters = band_filters(c, config.sample_rate)
        self.spread = spread_matrix(self.filters)
        self.window = centred_window(c.n_fft, c.window)
        hz = torch.arange(c.n_fft // 2 + 1) * (config.sample_rate / c.n_fft)
        edges = c.aperiodicity_hz
        mid = np.array([(a + b) / 2 for a, b in zip(edges[:-1], edges[1:])])
        weight = np.stack([np.interp(hz.numpy(), mid, row) for row in np.eye(len(mid))], 1)
        self.harmonic_spread = torch.from_numpy(weight.astype(np.float32))       # (bins, aperiodicity bands)

    def excitation(self, f0, frames):
        c, hop = self.config.synth, self.config.hop
        side = (c.n_fft - hop) // 2
        count = (frames - 1) * hop + c.n_fft
        h = harmonics(f0, -side, count, self.config.sample_rate, hop, c.harmonic_limit)
        w = white_noise(-side, count)
        cut = lambda s: torch.from_numpy(s).unfold(0, c.n_fft, hop)
        return cut(h), cut(w)

    def __call__(self, log_bands, f0, harmonic):
        """log_bands (L, bands), f0 in Hz (L,), harmonic share of power (L, aperiodicity bands) in 0..1 -> (L*hop,) float32.

        Gains are spread over bins in the log domain: PESQ of the oracle 2.29 against 2.21 linearly."""
        frames, hop, n = len(f0), self.config.hop, self.config.synth.n_fft
        h, w = self.excitation(f0, frames)
        share = (harmonic @ self.harmonic_spread.t()).clamp(0, 1)
        e = torch.fft.rfft(h * self.window) * share.sqrt() + torch.fft.rfft(w * self.window) * (1 - share).sqrt()
        gain = log_bands - (e.abs() @ self.filters.t()).clamp(min=1e-5).log()
        out = torch.fft.irfft(e * (gain @ self.spread.t()).exp(), n) * self.window
        return overlap_add(out, self.window, hop)


def overlap_add(out, window, hop):
    """(L, n) windowed frames -> (L*hop,): sum over frames divided by the steady-state sum of squared windows (period hop).

    The first and last (n-hop)/2 samples of the sum are dropped. Frames outside the clip count as silence: a short fade at both ends."""
    frames, n = out.shape
    y = torch.nn.functional.fold(out.t()[None], (1, (frames - 1) * hop + n), (1, n), stride=(1, hop))[0, 0, 0]
    side = (n - hop) // 2
    norm = (window ** 2).view(-1, hop).sum(0)
    return (y[side:side + frames * hop].view(frames, hop) / norm.roll(-side)).reshape(-1)
