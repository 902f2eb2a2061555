"""Writes resample.safetensors: short noise and what torchaudio 2.11.0's transforms.Resample (its own code,
defaults) makes of it.

Names are `<from>_to_<to>.x` and `.y`, with `_T<n>` for very short inputs; `.taps` ([new phases, taps],
float32) where small.
"""

import torch

import reference
import store

SEED = 24000
RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000)
SHORT = ((16000, 24000), (44100, 24000), (48000, 24000), (22050, 24000), (24000, 16000))
LARGEST_TAPS = 200


def main() -> None:
    torch.set_num_threads(1)
    resample = reference.torchaudio().transforms.Resample
    generator = torch.Generator().manual_seed(SEED)
    tensors: dict[str, torch.Tensor] = {}

    def add(name: str, old: int, new: int, samples: int) -> None:
        transform = resample(old, new)
        x = torch.randn(samples, generator=generator) * 0.3
        tensors[f'{name}.x'], tensors[f'{name}.y'] = x, transform(x[None])[0]
        taps = transform.kernel[:, 0]
        if taps.numel() <= LARGEST_TAPS and '_T' not in name:
            tensors[f'{name}.taps'] = taps

    for rate in RATES:
        add(f'{rate}_to_24000', rate, 24000, 701)
    add('24000_to_16000', 24000, 16000, 701)
    for old, new in SHORT:
        for samples in (1, 2, 7):
            add(f'{old}_to_{new}_T{samples}', old, new, samples)
    metadata = reference.provenance(
        'make_resample.py', seed=SEED, upstream='torchaudio 2.11.0 transforms.Resample'
    )
    store.save(store.HERE / 'resample.safetensors', tensors, metadata, limit=100_000)


if __name__ == '__main__':
    main()
