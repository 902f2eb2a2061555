"""Writes transposed.safetensors: trimmed transposed convolutions of seeded inputs, computed by PyTorch in float64.

Names are `<case>.<tensor>`, sizes as JSON in metadata[<case>], activations channels-last, as in make_kernels.py.
Needs nothing but torch.
"""

import json

import torch
import torch.nn.functional as F

import store

generator = torch.Generator().manual_seed(20260103)
tensors: dict[str, torch.Tensor] = {}
settings: dict[str, str] = {}


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator).double()


# EnCodec, not causal: stride - floor(stride / 2) rows dropped in front; DAC: padding ceil(stride / 2), no output padding, so that an
# odd stride leaves a row out; SNAC and X-Codec: the same with output padding stride % 2
for case, frames, inner, outer, kernel, stride, trim, output_padding in (
    ('transposed_k4s2', 7, 5, 3, 4, 2, 1, 0),
    ('transposed_k16s8', 3, 4, 2, 16, 8, 4, 0),
    ('transposed_k10s5_short', 4, 3, 17, 10, 5, 3, 0),
    ('transposed_k10s5_one', 1, 3, 2, 10, 5, 3, 0),
    ('transposed_k10s5', 5, 6, 5, 10, 5, 3, 1),
    ('transposed_k6s3_left', 6, 4, 9, 6, 3, 2, 1),
    ('transposed_k7s3', 6, 4, 3, 7, 3, 2, 0),
    ('transposed_k2s1_short', 6, 4, 3, 2, 1, 1, 0),
):
    x = randn(frames, inner)
    w = randn(inner, outer, kernel)
    b = randn(outer)
    y = F.conv_transpose1d(x.T[None], w, b, stride=stride, padding=trim, output_padding=output_padding)[0].T
    missing = frames * stride - len(y)
    for name, tensor in {'x': x, 'w': w, 'b': b, 'y': y}.items():
        tensors[f'{case}.{name}'] = tensor
    settings[case] = json.dumps(
        {'inputs': inner, 'outputs': outer, 'k': kernel, 'stride': stride, 'trim': trim, 'missing': missing}
    )

store.save(store.HERE / 'transposed.safetensors', tensors, settings, limit=60_000)
