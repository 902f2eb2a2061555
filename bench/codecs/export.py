"""Writes residual codecs and vocoders of their published sizes, seeded weights, for every engine of the comparison.

    python export.py OUTPUT_DIR [NAME ...]

Each NAME of tests/vectors/full_models.py becomes
NAME.safetensors           the weights under the published names
NAME.encode.onnx, .data    wave f32 [1, channels, samples] -> codes i64 [codebooks, frames], of a clip of 10 s in whole frames; SNAC's
                           codebooks, which have other rates, one after the other: [codes]; none of a vocoder
NAME.decode.onnx, .data    codes i64 -> wave f32 [samples]; of a model that ends in an inverse STFT, which ONNX has not: real f32, imag
                           f32 [1, bins, frames]
NAME.json                  what a harness has to know, versions, and what the check against PyTorch found

In the peer's favour: lengths are constants, weight norm is folded, the nearest codeword is one product and one ArgMax with its norms
computed before, and the graphs are optimised here ("extended") with their weights beside them (see bench/peers/export_onnx.py).
"""

import argparse
import json
import math
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional
from transformers import EncodecModel
from transformers.models.mimi import modeling_mimi

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / 'tests' / 'vectors'), str(HERE.parent / 'peers')]

import export_onnx as peers  # noqa: E402
import full_models  # noqa: E402
import signals  # noqa: E402

OPSET = 17
SECONDS = 10
LEAST_SNR_DB = 80
LEAST_EQUAL_CODES = 0.99


class Graph(nn.Module):
    """A function of a model as a module, which is what the exporter takes."""

    def __init__(self, model: nn.Module, function: Callable[[torch.Tensor], torch.Tensor | tuple[torch.Tensor, ...]]):
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        return self.function(x)


def fold(codec: full_models.Codec) -> None:
    peers.fold(codec.model, codec.row)
    for book in codec.books:
        entries = book.embed.detach()
        book.quantize = nearest(entries.T.contiguous(), -0.5 * entries.square().sum(1))
    if codec.books or not codec.encode:
        return
    for quantizer in codec.model.quantizer.quantizers:
        quantizer.decode_latents = by_direction(quantizer)


def nearest(columns: torch.Tensor, half_norms: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """|x - e|^2 is smallest where x.e - |e|^2 / 2 is largest."""
    return lambda x: torch.addmm(half_norms, x, columns).argmax(-1)


def by_direction(quantizer: nn.Module) -> Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """DAC's and SNAC's search by cosine: the length of x changes no choice."""
    columns = functional.normalize(quantizer.codebook.weight.detach()).T.contiguous()

    def decode_latents(hidden):
        indices = torch.matmul(hidden.transpose(1, 2), columns).argmax(2)
        return quantizer.codebook(indices).transpose(1, 2), indices

    return decode_latents


def constant_mask(config, inputs_embeds: torch.Tensor, **_) -> torch.Tensor:
    """Mimi's attention looks back `sliding_window` rows; what transformers makes the mask with has no ONNX."""
    rows = torch.arange(int(inputs_embeds.shape[1]))
    distance = rows[:, None] - rows
    hidden = (distance < 0) | (distance >= config.sliding_window)
    return torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.float32).min)[None, None]


def repeated(x: torch.Tensor, repeats: int, dim: int) -> torch.Tensor:
    """repeat_interleave along the last dimension; its own export to ONNX makes another shape."""
    assert dim == -1
    return x[..., None].expand(*x.shape, repeats).flatten(-2)


def overlap_added(parts: list[torch.Tensor], stride: int) -> torch.Tensor:
    """EnCodec's, by sums; its own assigns to slices, which becomes a scatter of single samples."""
    starts = [stride * index for index in range(len(parts))]
    total = starts[-1] + int(parts[-1].shape[-1])
    ramp = torch.linspace(0, 1, int(parts[0].shape[-1]) + 2)[1:-1]
    weight = 0.5 - (ramp - 0.5).abs()

    def placed(part: torch.Tensor, start: int) -> torch.Tensor:
        return functional.pad(part, (start, total - start - int(part.shape[-1])))

    weights = [weight[: int(part.shape[-1])] for part in parts]
    whole = sum(placed(weight, start) for weight, start in zip(weights, starts))
    return sum(placed(part * weight, start) for part, weight, start in zip(parts, weights, starts)) / whole


def export(graph: nn.Module, example: torch.Tensor, path: Path, outputs: list[str]) -> None:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        warnings.simplefilter('ignore')  # the legacy exporter announces its successor; tracing warns of constants, which are meant
        traced = Path(scratch) / path.name
        torch.onnx.export(graph.eval(), (example,), traced, dynamo=False, opset_version=OPSET, input_names=['input'], output_names=outputs)
        path.with_suffix('.data').unlink(missing_ok=True)
        peers.optimise(traced, path)


def check(found: dict) -> None:
    if found.get('equalCodes', 0) < LEAST_EQUAL_CODES * found.get('codes', 0) or not found['audioSnrDb'] >= LEAST_SNR_DB:
        raise SystemExit(f'the exported graphs differ from PyTorch: {found}')


def decoder_input(codec: full_models.Codec, wave: torch.Tensor) -> torch.Tensor:
    if codec.encode:
        return codec.encode(wave)
    if codec.mel is not None:
        return codec.mel(wave[0])[..., : wave.shape[-1] // codec.hop]
    return torch.randint(1024, (codec.codebooks, wave.shape[-1] // codec.hop))


def heard(codec: full_models.Codec, outputs: list[np.ndarray]) -> np.ndarray:
    if codec.istft is None:
        return outputs[0]
    real, imag = map(torch.from_numpy, outputs)
    return codec.istft(torch.complex(real, imag))[0].numpy()


def write(name: str, directory: Path) -> None:
    codec = full_models.CODECS[name]()
    full_models.write_weights(codec, directory / f'{name}.safetensors')
    unit = codec.hop * math.lcm(*codec.strides or [], codec.window or 1)
    samples = codec.clip or SECONDS * codec.rate // unit * unit
    speech = torch.from_numpy(np.resize(signals.fixture('speech.wav'), samples))
    wave = torch.stack([speech, speech.roll(-codec.rate)][: codec.channels])[None]
    codes = decoder_input(codec, wave)
    audio = codec.decode(codes).numpy()
    fold(codec)
    modeling_mimi.create_sliding_window_causal_mask = constant_mask
    torch.Tensor.repeat_interleave = repeated
    EncodecModel._linear_overlap_add = staticmethod(overlap_added)
    found = {}
    if codec.encode:
        export(Graph(codec.model, codec.encode), wave, directory / f'{name}.encode.onnx', ['output'])
        equal = int((peers.run_onnx(directory / f'{name}.encode.onnx', wave.numpy())[0] == codes.numpy()).sum())
        found = {'codes': codes.numel(), 'equalCodes': equal, 'distinctCodes': len(codes.unique())}
    outputs = ['real', 'imag'] if codec.spectrum else ['output']
    export(Graph(codec.model, codec.spectrum or codec.decode), codes, directory / f'{name}.decode.onnx', outputs)
    noise = heard(codec, peers.run_onnx(directory / f'{name}.decode.onnx', codes.numpy())) - audio
    power = [np.square(values, dtype=np.float64).sum() for values in (audio, noise)]
    found['audioSnrDb'] = round(float(10 * np.log10(power[0] / power[1])), 1)
    check(found)
    about = {
        'name': name, 'tasks': ['encode', 'decode'] if codec.encode else ['decode'], 'rate': codec.rate, 'hop': codec.hop,
        'channels': codec.channels, 'codebooks': codec.codebooks, 'samples': samples,
        'frames': samples // codec.hop if codec.strides else codes.shape[-1], 'codes': list(codes.shape),
        'strides': codec.strides or [1] * codec.codebooks, 'dim': codes.shape[1] if codec.mel is not None else None,
        'centred': codec.mel is not None, 'againstPyTorch': found, 'torch': torch.__version__,
        'onnxruntime': onnxruntime.__version__, 'opset': OPSET,
    }  # fmt: skip
    (directory / f'{name}.json').write_text(json.dumps(about, indent=2) + '\n')
    print(json.dumps(about))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('output', type=Path)
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(full_models.CODECS))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or full_models.CODECS:
        if not (options.output / f'{name}.json').exists():
            write(name, options.output)


if __name__ == '__main__':
    main()
