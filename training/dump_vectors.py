"""Small files with every stage of `mini` for the tests of the library: python training/dump_vectors.py [OUT_DIR] (default tests/vectors/mini)

tiny.safetensors: a complete tiny model (random weights, F32) in the shipped layout, plus input and every intermediate result under `vectors.`.
synth.safetensors: the synthesis at its shipped size (80 bands), from invented controls, with PRNG values and tables."""
import argparse
import json
import os

import numpy as np
import torch
from safetensors.torch import save_file

import features
from codec import PITCH_STEPS, Codec
from config import FrontEndConfig, MiniConfig, StackConfig, SynthConfig
from data import Extractor
from model import Mini
from synth import hash32, interpolate


def tiny_config():
    return MiniConfig(codebook_size=64, codebook_dim=4, front_end=FrontEndConfig(mels=20), encoder=StackConfig(16, 32, 2),
                      decoder=StackConfig(16, 32, 2), synth=SynthConfig(bands=12, min_width=200.0))


def voice_like(count, sample_rate=24000):
    """A gliding harmonic tone that swells, then noise, then silence: float32 (count,)."""
    t = np.arange(count) / sample_rate
    phase = 2 * np.pi * (130 * t + 60 * t * t)
    tone = sum(np.cos(k * phase) / k for k in range(1, 20)) * np.minimum(1, 12 * t) * (t < .2)
    noise = hash32(np.arange(count)).view(np.int32) / 2 ** 31 * ((t >= .2) & (t < .3))
    return torch.from_numpy((.1 * tone + .05 * noise).astype(np.float32))


def synth_stages(synth, log_bands, f0, share):
    h, w = synth.excitation(f0.numpy(), len(f0))
    mixed = (share @ synth.harmonic_spread.t()).clamp(0, 1)
    e = torch.fft.rfft(h * synth.window) * mixed.sqrt() + torch.fft.rfft(w * synth.window) * (1 - mixed).sqrt()
    flat = lambda v: torch.cat([v[:-1, :synth.config.hop].reshape(-1), v[-1]])
    magnitude = (e.abs() @ synth.filters.t()).clamp(min=1e-5)
    return {'harmonics': flat(h), 'noise': flat(w), 'excitation_real': e[:3].real, 'excitation_imag': e[:3].imag, 'excitation_bands': magnitude,
            'log_gain': ((log_bands - magnitude.log()) @ synth.spread.t())[:3], 'audio': synth(log_bands, f0.numpy(), share)}


@torch.no_grad()
def tiny(seed=3):
    torch.manual_seed(seed)
    config = tiny_config()
    model = Mini(config)
    for name, p in model.named_parameters():
        if p.ndim == 1:
            p.add_(.1 * torch.randn_like(p))
    codec = Codec(model)
    x = voice_like(24 * 320 + 100)
    extract = Extractor(config)(x.numpy())
    log_mel, encoder, decoder = codec.log_mel(x), [], []
    z = model.encode(log_mel[None], encoder)[0]
    model.quantizer.codebook.copy_(z[torch.randint(len(z), (config.codebook_size,))] + .05 * z.std(0) * torch.randn(config.codebook_size, config.codebook_dim))
    codes = codec.encode(x)
    model.decode(model.quantizer.codebook[codes][None], decoder)
    bands, f0, share = codec.controls(codes)
    distance = (z[:, None] - model.quantizer.codebook[None]).square().sum(-1).sort(1).values
    v = {'samples': x, 'log_mel': log_mel, 'latent': z, 'codes': codes.int(), 'margin': distance[:, 1] - distance[:, 0],
         'log_bands': bands, 'f0': f0, 'share': share, **synth_stages(codec.synth, bands, f0, share)}
    v.update({f'encoder.{n}': s[0] for n, s in encoder}, **{f'decoder.{n}': s[0] for n, s in decoder})
    v['true_bands'] = torch.from_numpy(extract[:, config.front_end.mels:config.front_end.mels + config.synth.bands])
    weights = {k: p for k, p in model.state_dict().items() if k not in ('quantizer.counts', 'quantizer.sums', 'quantizer.started')}
    return {**weights, **{'vectors.' + k: t for k, t in v.items()}}, config


@torch.no_grad()
def shipped_synth(frames=8, seed=5):
    config = MiniConfig()
    codec, g = Codec(Mini(config)), torch.Generator().manual_seed(seed)
    s = config.synth
    bands = torch.randn(frames, s.bands, generator=g) - 1
    f0 = (140 * torch.exp(.3 * torch.randn(frames, generator=g)) * PITCH_STEPS).round() / PITCH_STEPS
    share = torch.rand(frames, len(s.aperiodicity_hz) - 1, generator=g)
    n = np.arange(-480, -470).tolist() + [0, 1, 2, 1000000, 2 ** 31]
    v = {'log_bands': bands, 'f0': f0, 'share': share, **synth_stages(codec.synth, bands, f0, share),
         'hash_index': torch.tensor(n, dtype=torch.int64), 'hash': torch.from_numpy(hash32(np.array(n)).astype(np.int64)),
         'f0_samples': torch.from_numpy(interpolate(f0.numpy().astype(np.float64), -480, 2000, config.hop)),
         'band_points': torch.tensor(features.band_points(s), dtype=torch.float64), 'window': codec.synth.window,
         'mel_filter_sums': codec.mel.sum(1), 'mel_filter_40': codec.mel[40], 'band_filter_sums': codec.synth.filters.sum(1),
         'spread_row_sums_squared': codec.synth.spread.square().sum(1), 'share_spread': codec.synth.harmonic_spread[::40]}
    return {'vectors.' + k: t for k, t in v.items()}, config


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('out', nargs='?', default=os.path.join(here, '..', 'tests', 'vectors', 'mini'))
    out = p.parse_args().out
    os.makedirs(out, exist_ok=True)
    for name, make in (('tiny', tiny), ('synth', shipped_synth)):
        values, config = make()
        path = os.path.join(out, name + '.safetensors')
        values = {k: v.detach().clone().contiguous() for k, v in values.items()}
        save_file(values, path, {'format': 'wavtok', 'family': 'mini', 'config': json.dumps(config.to_dict()),
                                 'provenance': json.dumps({'script': 'training/dump_vectors.py', 'torch': torch.__version__})})
        print(f'{path}: {os.path.getsize(path) / 1024:.0f} KiB, {len(values)} tensors')


if __name__ == '__main__':
    main()
