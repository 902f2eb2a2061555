"""Writes residual codecs of their published sizes, seeded weights, for every engine of the comparison.

    python export.py OUTPUT_DIR [NAME ...]

Each NAME of tests/vectors/full_codecs.py becomes
NAME.safetensors           the weights under the published names
NAME.encode.onnx, .data    wave f32 [1, 1, samples] -> codes i64 [codebooks, frames], of a clip of 10 s in whole frames; SNAC's codebooks,
                           which have other rates, one after the other: [codes]
NAME.decode.onnx, .data    codes i64 -> wave f32 [samples]
NAME.json                  what a harness has to know, versions, and what the check against PyTorch found

In the peer's favour: lengths are constants, weight norm is folded, the nearest codeword is one product and one ArgMax with its norms
computed before, and the graphs are optimised here ("extended") with their weights beside them (see bench/peers/export_onnx.py).
"""

import argparse
import json
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
from transformers.models.mimi import modeling_mimi

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'tests' / 'vectors'))

import full_codecs  # noqa: E402
import signals  # noqa: E402

OPSET = 17
SECONDS = 10
LEAST_SNR_DB = 80
LEAST_EQUAL_CODES = 0.99


class Graph(nn.Module):
    """A function of a model as a module, which is what the exporter takes."""

    def __init__(self, model: nn.Module, function: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def fold(codec: full_codecs.Codec) -> None:
    for module in codec.model.modules():
        if hasattr(module, 'weight_g'):
            nn.utils.remove_weight_norm(module)
        elif nn.utils.parametrize.is_parametrized(module, 'weight'):
            nn.utils.parametrize.remove_parametrizations(module, 'weight')
    for book in codec.books:
        entries = book.embed.detach()
        book.quantize = nearest(entries.T.contiguous(), -0.5 * entries.square().sum(1))
    for quantizer in getattr(codec.model.quantizer, 'quantizers', []):
        if hasattr(quantizer, 'codebook'):
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


def export(graph: nn.Module, example: torch.Tensor, path: Path) -> None:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        warnings.simplefilter('ignore')  # the legacy exporter announces its successor; tracing warns of constants, which are meant
        traced = Path(scratch) / path.name
        torch.onnx.export(graph.eval(), (example,), traced, dynamo=False, opset_version=OPSET, input_names=['input'], output_names=['output'])
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        options.add_session_config_entry('session.optimized_model_external_initializers_file_name', path.with_suffix('.data').name)
        options.add_session_config_entry('session.optimized_model_external_initializers_min_size_in_bytes', '1024')
        path.with_suffix('.data').unlink(missing_ok=True)
        onnxruntime.InferenceSession(traced, options, providers=['CPUExecutionProvider'])


def run_onnx(path: Path, array: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return session.run(None, {session.get_inputs()[0].name: array})[0]


def check(found: dict) -> None:
    if found['equalCodes'] < LEAST_EQUAL_CODES * found['codes'] or not found['audioSnrDb'] >= LEAST_SNR_DB:
        raise SystemExit(f'the exported graphs differ from PyTorch: {found}')


def write(name: str, directory: Path) -> None:
    codec = full_codecs.CODECS[name]()
    full_codecs.write_weights(codec, directory / f'{name}.safetensors')
    unit = codec.hop * max(codec.strides or [1])
    frames = SECONDS * codec.rate // unit * unit // codec.hop
    speech = signals.fixture('speech.wav')
    wave = torch.from_numpy(np.resize(speech, frames * codec.hop))[None, None]
    codes = codec.encode(wave)
    audio = codec.decode(codes)
    fold(codec)
    modeling_mimi.create_sliding_window_causal_mask = constant_mask
    torch.Tensor.repeat_interleave = repeated
    export(Graph(codec.model, codec.encode), wave, directory / f'{name}.encode.onnx')
    export(Graph(codec.model, codec.decode), codes, directory / f'{name}.decode.onnx')
    heard = run_onnx(directory / f'{name}.decode.onnx', codes.numpy())
    noise = np.square(heard - audio.numpy(), dtype=np.float64).sum()
    found = {
        'codes': codes.numel(),
        'equalCodes': int((run_onnx(directory / f'{name}.encode.onnx', wave.numpy()) == codes.numpy()).sum()),
        'distinctCodes': len(codes.unique()),
        'audioSnrDb': round(float(10 * np.log10(np.square(audio.numpy(), dtype=np.float64).sum() / noise)), 1),
    }
    check(found)
    about = {
        'name': name, 'rate': codec.rate, 'hop': codec.hop, 'codebooks': codec.codebooks, 'frames': frames,
        'codes': list(codes.shape), 'strides': codec.strides or [1] * codec.codebooks,
        'againstPyTorch': found, 'torch': torch.__version__, 'onnxruntime': onnxruntime.__version__, 'opset': OPSET,
    }  # fmt: skip
    (directory / f'{name}.json').write_text(json.dumps(about, indent=2) + '\n')
    print(json.dumps(about))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('output', type=Path)
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(full_codecs.CODECS))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or full_codecs.CODECS:
        if not (options.output / f'{name}.json').exists():
            write(name, options.output)


if __name__ == '__main__':
    main()
