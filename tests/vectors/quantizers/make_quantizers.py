"""Writes expected.safetensors (PyTorch, in float64 where distances are compared) and mvq.safetensors (PyPI multi-quantization).

`python make_quantizers.py`, packages in requirements.txt, a few seconds. Inputs and weights are seeded noise.
"""

import sys
import types
from pathlib import Path

import torch
import torch.nn.functional as F
from vector_quantize_pytorch import FSQ

sys.modules.setdefault('h5py', types.ModuleType('h5py'))  # only its training reads files
from multi_quantization import Quantizer  # noqa: E402

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import store  # noqa: E402

SEED = 2510
FRAMES = 150


def nearest(x: torch.Tensor, codebook: torch.Tensor) -> torch.Tensor:
    return torch.cdist(x.double(), codebook.double()).argmin(-1)


def residual(x: torch.Tensor, codebooks) -> tuple[torch.Tensor, torch.Tensor]:
    codes, rest = [], x
    for codebook in codebooks:
        codes.append(nearest(rest, codebook))
        rest = rest - codebook[codes[-1]]
    return torch.stack(codes), sum(codebook[code] for codebook, code in zip(codebooks, codes))


def plain_quantizers(noise) -> dict[str, torch.Tensor]:
    dim, size = 24, 50
    x = noise(FRAMES, dim)
    books = noise(4, size, dim) * torch.tensor([1.0, 0.7, 0.5, 0.35])[:, None, None]
    out = {'x': x, 'codebooks': books, 'vq.codes': nearest(x, books[0])[None]}
    out['rvq.codes'], out['rvq.decoded'] = residual(x, books)

    unit = F.normalize(x.double())
    out['cosine.codes'] = (unit @ F.normalize(books[0].double()).T).argmax(-1)[None]
    out['unit.codes'] = nearest(unit, books[0])[None]

    rest, codes = x, []
    for stage in range(3):
        w_in, b_in, w_out, b_out = noise(8, dim) / 5, noise(8) / 10, noise(dim, 8) / 3, noise(dim) / 10
        book = noise(64, 8)
        z = F.linear(rest, w_in, b_in)
        code = (F.normalize(z.double()) @ F.normalize(book.double()).T).argmax(-1)
        rest = rest - F.linear(book[code], w_out, b_out)
        codes.append(code)
        for name, value in (('in.weight', w_in), ('in.bias', b_in), ('out.weight', w_out), ('out.bias', b_out), ('codebook', book)):
            out[f'factorized.{stage}.{name}'] = value
    out['factorized.codes'], out['factorized.decoded'] = torch.stack(codes), x - rest

    groups = noise(2, 3, size, 8)
    rest, codes = x, []
    for stage in groups:
        found = [nearest(part, book) for part, book in zip(rest.chunk(3, -1), stage)]
        rest = rest - torch.cat([book[code] for book, code in zip(stage, found)], -1)
        codes += found
    out['grouped.codebooks'], out['grouped.codes'], out['grouped.decoded'] = groups, torch.stack(codes), x - rest

    decoded, codes = 0, []
    for name, count in (('semantic', 1), ('acoustic', 3)):
        w_in, w_out, stages = noise(16, dim) / 5, noise(dim, 16) / 4, noise(count, size, 16)
        found, quantized = residual(F.linear(x, w_in), stages)
        codes.append(found)
        decoded = decoded + F.linear(quantized, w_out)
        out |= {f'split.{name}.in': w_in, f'split.{name}.out': w_out, f'split.{name}.codebooks': stages}
    out['split.codes'], out['split.decoded'] = torch.cat(codes), decoded
    return out


def finite_scalars(noise) -> dict[str, torch.Tensor]:
    out = {}
    for levels in ([8, 5, 5, 5], [3, 4, 16, 7, 6]):
        name = 'fsq.' + '_'.join(map(str, levels))
        x = noise(FRAMES, len(levels)) * 1.5
        decoded, codes = FSQ(levels)(x[None])
        out |= {f'{name}.x': x, f'{name}.codes': codes, f'{name}.decoded': decoded[0]}
    return out


def multi_codebooks(noise) -> tuple[dict[str, torch.Tensor], dict[str, dict]]:
    out, cases = {}, {}
    for dim, size, codebooks in ((8, 256, 8), (16, 16, 16), (6, 16, 1), (7, 64, 2)):
        name = f'mvq_{size}x{codebooks}'
        quantizer = Quantizer(dim, size, codebooks).eval()
        quantizer.centers.data += 0.1 * noise(codebooks, size, dim)
        quantizer.logits_scale.data.fill_(0.02)
        quantizer.centers_scale.data.fill_(-0.03)
        x = noise(60, dim)
        for passes in (0, 1, 5):
            out[f'{name}.codes{passes}'] = quantizer.encode(x, refine_indexes_iters=passes, as_bytes=False).T
        codes = out[f'{name}.codes5'].T
        if codebooks > 1:  # upstream packs a single codebook into nothing
            out[f'{name}.bytes'] = quantizer.encode(x, refine_indexes_iters=5, as_bytes=True).int()
        out |= {f'{name}.x': x, f'{name}.decoded': quantizer.decode(codes), f'{name}.centers': quantizer.centers}
        out |= {f'{name}.weight': quantizer.to_logits.weight, f'{name}.bias': quantizer.to_logits.bias}
        cases[name] = {'size': size, 'codebooks': codebooks, 'logitsScale': 0.02, 'centersScale': -0.03}
    return out, cases


def main() -> None:
    torch.manual_seed(SEED)
    torch.set_grad_enabled(False)
    noise = lambda *shape: torch.randn(*shape)
    about = {'script': 'make_quantizers.py', 'seed': SEED, 'torch': torch.__version__}
    store.save(HERE / 'expected.safetensors', plain_quantizers(noise) | finite_scalars(noise), about, limit=160_000)
    tensors, cases = multi_codebooks(noise)
    store.save(HERE / 'mvq.safetensors', tensors, about | cases, limit=250_000)


if __name__ == '__main__':
    main()
