"""Log-mel front end, synthesis bands, pitch and aperiodicity. Frame t of every feature is centred on sample t*hop + hop/2."""
import math

import numpy as np
import torch
import torch.nn.functional as F


def frames(x, n_fft, hop):
    """(B, T) -> (B, ceil(T/hop), n_fft): frame t covers [t*hop - (n_fft-hop)/2, t*hop + (n_fft+hop)/2), zeros outside."""
    count = -(-x.shape[-1] // hop)
    side = (n_fft - hop) // 2
    return F.pad(x, (side, count * hop - x.shape[-1] + side)).unfold(-1, n_fft, hop)


def centred_window(n_fft, window=None):
    """Periodic Hann of `window` samples in the middle of n_fft zeros."""
    side = (n_fft - (window or n_fft)) // 2
    return F.pad(torch.hann_window(window or n_fft), (side, side))


def spectrum(x, n_fft, hop, window=None):
    """(B, T) -> complex (B, L, n_fft/2+1)."""
    return torch.fft.rfft(frames(x, n_fft, hop) * centred_window(n_fft, window).to(x.device))


def hz_to_mel(hz):
    return 2595.0 * math.log10(1.0 + hz / 700.0)


def mel_to_hz(mel):
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def triangles(points, n_fft, sample_rate):
    """Triangular filters with peak 1 over bins; points in Hz, two more than filters. Returns float32 (filters, n_fft/2+1)."""
    hz = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    p = np.asarray(points, np.float64)
    lower, middle, upper = p[:-2, None], p[1:-1, None], p[2:, None]
    rise, fall = (hz - lower) / (middle - lower), (upper - hz) / (upper - middle)
    return torch.from_numpy(np.maximum(0, np.minimum(rise, fall)).astype(np.float32))


def mel_filters(front_end, sample_rate):
    """HTK mel, peak 1: (mels, n_fft/2+1)."""
    top = hz_to_mel(front_end.f_max)
    points = [mel_to_hz(top * i / (front_end.mels + 1)) for i in range(front_end.mels + 2)]
    return triangles(points, front_end.n_fft, sample_rate)


def band_points(synth):
    """Corner frequencies of the synthesis bands: steps of at least min_width, growing as mel, `bands`+2 points up to f_max."""
    def place(step):
        points = [0.0]
        for _ in range(synth.bands + 1):
            hz = points[-1]
            points.append(max(hz + synth.min_width, mel_to_hz(hz_to_mel(hz) + step)))
        return points
    low, high = 0.0, 3000.0
    for _ in range(60):
        step = (low + high) / 2
        low, high = (step, high) if place(step)[-1] < synth.f_max else (low, step)
    return place((low + high) / 2)


def band_filters(synth, sample_rate):
    return triangles(band_points(synth), synth.n_fft, sample_rate)


def log_bands(x, filters, n_fft, hop, floor, window=None):
    """(B, T) -> natural log of filter outputs over magnitudes, (B, L, bands)."""
    return (spectrum(x, n_fft, hop, window).abs() @ filters.to(x.device).t()).clamp(min=floor).log()


HALF_BAND = 31


def decimate2(x):
    """24 kHz -> 12 kHz with a 63-tap windowed sinc."""
    n = torch.arange(-HALF_BAND, HALF_BAND + 1, dtype=torch.float64)
    taps = torch.special.sinc(n / 2) / 2 * torch.hann_window(2 * HALF_BAND + 3, periodic=False, dtype=torch.float64)[1:-1]
    return F.conv1d(x[:, None], (taps / taps.sum()).float()[None, None].to(x.device), stride=2, padding=HALF_BAND)[:, 0]


def correlation(x, sample_rate, hop, f0_min, f0_max, seconds=.08):
    """Normalised autocorrelation (B, L, lags) at half the sample rate, the lags, and the RMS of the frame."""
    y, rate = decimate2(x), sample_rate // 2
    n = int(rate * seconds)
    count = -(-x.shape[-1] // hop)
    step = hop // 2
    y = F.pad(y, (n // 2 - step // 2, n))
    s = y.unfold(-1, n, step)[:, :count]
    s = s - s.mean(-1, keepdim=True)
    lags = torch.arange(int(rate / f0_max) - 1, int(rate / f0_min) + 2)
    size = 1 << (n + int(lags[-1])).bit_length()
    r = torch.fft.irfft(torch.fft.rfft(s, size).abs().square(), size)[..., lags]
    energy = torch.cumsum(s.double() ** 2, -1)
    head, tail = energy[..., n - 1 - lags], energy[..., -1:] - energy[..., lags - 1]
    c = r / ((head + 1e-6) * (tail + 1e-6)).sqrt().float()
    return c, lags, s.square().mean(-1).sqrt()


def best_path(c, lags, candidates=12, jump=3.0, longer=.12):
    """Viterbi over the best candidates a frame; returns lag indices (B, L). `longer` is the cost of an octave down:
    .04 halves the pitch of whole clips, .12 raises the oracle's PESQ on 23 clips from 2.288 to 2.314."""
    local = c[..., 1:-1]
    peak = (local >= c[..., :-2]) & (local >= c[..., 2:])
    value, index = torch.where(peak, local, local - 1).topk(candidates, -1)
    index = index + 1
    log_lag = torch.log2(lags.double().to(c.device))[index].float()
    value = value - longer * (log_lag - log_lag.min())
    score, back = value[:, 0], []
    for t in range(1, c.shape[1]):
        move = score[:, None] - jump * (log_lag[:, t, :, None] - log_lag[:, t - 1, None]).abs()
        best, where = move.max(-1)
        back.append(where)
        score = best + value[:, t]
    last = score.argmax(-1)
    path = [last]
    for where in reversed(back):
        last = where.gather(1, last[:, None])[:, 0]
        path.append(last)
    path = torch.stack(path[::-1], 1)
    return index.gather(2, path[..., None])[..., 0]


def pitch(x, sample_rate, hop, f0_min=55.0, f0_max=500.0, threshold=.45):
    """(B, T) at 24 kHz -> F0 in Hz, correlation at that lag, voiced flag, each (B, L)."""
    c, lags, rms = correlation(x, sample_rate, hop, f0_min, f0_max)
    i = best_path(c, lags)
    at = lambda k: c.gather(2, k[..., None])[..., 0]
    left, mid, right = at(i - 1), at(i), at(i + 1)
    bend = left - 2 * mid + right
    offset = torch.where(bend < -1e-6, .5 * (left - right) / bend.clamp(max=-1e-6), torch.zeros_like(mid)).clamp(-.5, .5)
    f0 = sample_rate / 2 / (lags.to(x.device)[i] + offset)
    return f0, mid, (mid > threshold) & (rms > .003)


def fill_unvoiced(f0, voiced):
    """Log F0 interpolated through unvoiced frames (numpy, one clip); a clip without voice gets 120 Hz."""
    at = np.flatnonzero(voiced)
    if len(at) == 0:
        return np.full(len(f0), math.log(120.0), np.float32)
    return np.interp(np.arange(len(f0)), at, np.log(f0[at])).astype(np.float32)


def harmonicity(x, f0, edges, sample_rate, hop, n_fft=1280):
    """Share of periodic power in each band, (B, L, len(edges)-1): autocorrelation of the band at the pitch lag,
    divided by the window's own, from the power spectrum."""
    power = spectrum(x, n_fft, hop).abs().square()
    hz = torch.arange(n_fft // 2 + 1, device=x.device) * (sample_rate / n_fft)
    window = torch.hann_window(n_fft, dtype=torch.float64)
    own = torch.fft.irfft(torch.fft.rfft(window, 2 * n_fft).abs().square())
    own = (own / own[0])[:n_fft].float().to(x.device)
    lag = sample_rate / f0
    low = lag.floor().long().clamp(max=n_fft - 2)
    decay = own[low] + (own[low + 1] - own[low]) * (lag - low)
    wave = torch.cos(2 * math.pi * hz / f0[..., None])
    out = []
    for a, b in zip(edges[:-1], edges[1:]):
        keep = (hz >= a) & (hz < b)
        p = power[..., keep]
        out.append((p * wave[..., keep]).sum(-1) / p.sum(-1).clamp(min=1e-12) / decay)
    return torch.stack(out, -1).clamp(0, 1)
