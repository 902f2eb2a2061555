"""Writes causal.safetensors: what causal layers make of seeded inputs, computed by PyTorch in float64.

Names are `<case>.<tensor>`, sizes as JSON in metadata[<case>], activations channels-last, as in make_kernels.py.
Needs nothing but torch.
"""

import json

import torch
import torch.nn.functional as F

import store

SEED = 20260102
generator = torch.Generator().manual_seed(SEED)
tensors: dict[str, torch.Tensor] = {}
settings: dict[str, str] = {}


def randn(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return (torch.randn(*shape, generator=generator) * scale).double()


def add(case: str, named: dict, **about) -> None:
    settings[case] = json.dumps(about)
    for name, tensor in named.items():
        tensors[f'{case}.{name}'] = tensor


def window_attention() -> None:
    for case, frames, window, heads, dim, scale in (
        ('window_attention', 23, 6, 3, 32, 1),
        ('window_attention_wide', 9, 40, 1, 16, 1),
        ('window_attention_one', 4, 1, 2, 16, 1),
        ('window_attention_peaked', 19, 8, 2, 16, 6),
    ):
        q, k, v = (randn(frames, heads, dim, scale=scale) for _ in range(3))
        age = torch.arange(frames)[:, None] - torch.arange(frames)[None]
        seen = (age >= 0) & (age < window)
        y = F.scaled_dot_product_attention(*(x.transpose(0, 1) for x in (q, k, v)), attn_mask=seen)
        add(case, {'q': q, 'k': k, 'v': v, 'y': y.transpose(0, 1)}, T=frames, window=window, heads=heads, dim=dim)


def rotary() -> None:
    """Frequencies are those of a float32 module; their products with the positions are exact."""
    for case, position, dim in (('rotary', 0, 64), ('rotary_late', 90_000_000, 32), ('rotary_odd_root', 1234, 24)):
        frames = 5
        frequencies = (1 / 10000 ** (torch.arange(0, dim, 2).double() / dim)).float().double()
        angles = (position + torch.arange(frames).double())[:, None] * frequencies
        x = randn(frames, 2, dim)
        cosine, sine = (torch.cat([f(angles)] * 2, -1)[:, None] for f in (torch.cos, torch.sin))
        low, high = x.chunk(2, -1)
        y = x * cosine + torch.cat([-high, low], -1) * sine
        add(case, {'x': x, 'y': y, 'cos': angles.cos(), 'sin': angles.sin()}, T=frames, position=position, heads=2, dim=dim)


def transposed() -> None:
    """What is behind the last input's first `stride` outputs is dropped."""
    for case, frames, inner, outer, kernel, stride, groups in (
        ('conv_transpose_k4s2', 7, 5, 3, 4, 2, 1),
        ('conv_transpose_k10s5', 4, 3, 17, 10, 5, 1),
        ('conv_transpose_k3s3', 3, 4, 4, 3, 3, 1),
        ('conv_transpose_k4s2_depthwise', 6, 20, 20, 4, 2, 20),
        ('conv_transpose_k9s3_depthwise', 5, 7, 7, 9, 3, 7),
    ):
        x = randn(frames, inner)
        w = randn(inner, outer // groups, kernel)
        b = randn(outer) if groups == 1 else torch.zeros(outer).double()
        y = F.conv_transpose1d(x.T[None], w, b, stride=stride, groups=groups)[0].T[: frames * stride]
        add(case, {'x': x, 'w': w, 'b': b, 'y': y}, T=frames, inputs=inner, outputs=outer, k=kernel, stride=stride, groups=groups)


def residual_quantizer() -> None:
    frames, size, dim, stages = 41, 37, 9, 4
    books = torch.stack([randn(size, dim, scale=0.7**stage) for stage in range(stages)])
    x = randn(frames, dim)
    rest, codes = x, []
    for book in books:
        codes.append(torch.cdist(rest, book).argmin(-1))
        rest = rest - book[codes[-1]]
    add(
        'residual_quantizer',
        {'x': x, 'books': books, 'codes': torch.stack(codes, 1), 'rest': rest, 'sum': x - rest},
        T=frames, size=size, dim=dim, stages=stages,
    )  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    for group in (window_attention, rotary, transposed, residual_quantizer):
        group()
    about = {'script': 'make_causal.py', 'seed': SEED, 'torch': torch.__version__}
    store.save(store.HERE / 'causal.safetensors', tensors, about | settings, limit=120_000)


if __name__ == '__main__':
    main()
