"""Writes one WavTokenizer (75 tokens/s, 74 million parameters, seeded weights) for every engine of the comparison.

    python export_onnx.py [--output DIRECTORY]

encoder.onnx, .data      wave f32 [1, samples] -> codes i64 [1, frames]; samples must be a multiple of 320
decoder.onnx, .data      codes i64 [1, frames] -> real f32 [1, 641, frames], imag f32 [1, 641, frames] (inverse STFT left out)
decoder.int8.onnx, .data  the decoder with its products in int8 (quantize_dynamic); convolutions too: slower on the web
wavtokenizer.safetensors the same weights under the checkpoint's own names
models.json              versions and what the checks found

The graphs are the upstream modules with everything folded that does not depend on the input, in the peer's favour:
weight norm, the one used row of each AdaLayerNorm, the codebook's norms, and the padding that is zero for whole frames.
They are optimised here, not in the browser, and keep their weights beside them: onnxruntime-web then starts 1.5 times as soon
and needs two thirds of the memory, at the same speed.
"""

import argparse
import contextlib
import json
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / 'tests' / 'vectors'))

import reference  # noqa: E402
import seeded_model  # noqa: E402
import signals  # noqa: E402

CONFIG = seeded_model.FULL_75
OPSET = 17
BANDWIDTH_ID = 0
UNUSED_PREFIX = 'feature_extractor.encodec.decoder.'
NOT_PARAMETERS = ('inited', 'cluster_size', 'embed_avg', 'istft.window')
LEAST_SNR_DB = 80


class Encoder(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.encoder = model.feature_extractor.encodec.encoder
        codebook = model.feature_extractor.encodec.quantizer.vq.layers[0]._codebook.embed
        # |x - e|^2 is smallest where x.e - |e|^2 / 2 is largest: one Gemm and one ArgMax
        self.register_buffer('codewords', codebook.T.contiguous())
        self.register_buffer('half_norms', -0.5 * codebook.square().sum(dim=1))

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        features = self.encoder(wave[:, None])
        return torch.addmm(self.half_norms, features[0].T, self.codewords).argmax(dim=1)[None]


class Decoder(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.register_buffer('codebook', model.feature_extractor.encodec.quantizer.vq.layers[0]._codebook.embed)
        self.backbone = model.backbone
        self.out = model.head.out

    def forward(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = functional.embedding(codes, self.codebook).transpose(1, 2)
        hidden = self.backbone(features, bandwidth_id=torch.tensor([BANDWIDTH_ID]))
        log_magnitude, phase = self.out(hidden).transpose(1, 2).chunk(2, dim=1)
        magnitude = log_magnitude.exp().clip(max=1e2)
        return magnitude * phase.cos(), magnitude * phase.sin()


class FixedLayerNorm(nn.LayerNorm):
    """AdaLayerNorm for one bandwidth: an ordinary layer norm, which the exporter and the peer's optimiser know."""

    def __init__(self, adaptive: nn.Module, row: int):
        super().__init__(adaptive.dim, eps=adaptive.eps)
        self.weight.data.copy_(adaptive.scale.weight[row])
        self.bias.data.copy_(adaptive.shift.weight[row])

    def forward(self, x: torch.Tensor, cond_embedding_id: torch.Tensor) -> torch.Tensor:
        return super().forward(x)


def fold(model: nn.Module, row: int = BANDWIDTH_ID) -> None:
    for module in list(model.modules()):
        if hasattr(module, 'weight_g'):
            nn.utils.remove_weight_norm(module)
        elif nn.utils.parametrize.is_parametrized(module, 'weight'):
            nn.utils.parametrize.remove_parametrizations(module, 'weight')
        for name, child in list(module.named_children()):
            if type(child).__name__ == 'AdaLayerNorm':
                setattr(module, name, FixedLayerNorm(child, row))


@contextlib.contextmanager
def whole_frames():
    """Upstream works out paddings in Python, which a trace would freeze at one length; for whole frames they are constants."""
    conv = reference.upstream().conv
    originals = {name: getattr(conv, name) for name in ('get_extra_padding_for_conv1d', 'pad1d')}
    conv.get_extra_padding_for_conv1d = lambda *_arguments: 0
    conv.pad1d = lambda x, paddings, mode: functional.pad(x, paddings, mode) if any(paddings) else x
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(conv, name, original)


def export(module: nn.Module, example: torch.Tensor, path: Path, inputs: dict, outputs: dict, int8: Path | None = None) -> None:
    with warnings.catch_warnings(), whole_frames(), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        warnings.simplefilter('ignore')  # the legacy exporter announces its successor
        traced = Path(scratch) / path.name
        torch.onnx.export(module.eval(), (example,), traced, dynamo=False, opset_version=OPSET, input_names=list(inputs),
                          output_names=list(outputs), dynamic_axes=inputs | outputs)
        optimise(traced, path)
        if int8:
            quantized = traced.with_name(int8.name)
            quantize_dynamic(traced, quantized, op_types_to_quantize=['MatMul'], weight_type=QuantType.QInt8)
            optimise(quantized, int8)


def optimise(traced: Path, path: Path) -> None:
    """onnxruntime's own fusions that hold on every machine ("extended"), weights in a file of their own."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    options.log_severity_level = 3
    options.add_session_config_entry('session.optimized_model_external_initializers_file_name', path.with_suffix('.data').name)
    options.add_session_config_entry('session.optimized_model_external_initializers_min_size_in_bytes', '1024')
    onnxruntime.InferenceSession(traced, options, providers=['CPUExecutionProvider'])


def run_onnx(path: Path, array: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=['CPUExecutionProvider'])
    return session.run(None, {session.get_inputs()[0].name: array})


def upstream_results(model: nn.Module, seconds: float) -> dict[str, np.ndarray]:
    """Encode and decode of real speech by the untouched upstream model."""
    wave = signals.fixture('speech.wav', stop=int(seconds * signals.SAMPLE_RATE) // CONFIG.hop * CONFIG.hop)
    bandwidth = torch.tensor([BANDWIDTH_ID])
    features, codes = model.encode_infer(torch.from_numpy(wave)[None], bandwidth_id=bandwidth)
    audio = model.decode(features, bandwidth_id=bandwidth)
    return {'wave': wave[None], 'codes': codes[0].numpy(), 'audio': audio.numpy()}


def check(expected: dict[str, np.ndarray], directory: Path, istft: nn.Module) -> dict:
    """Compares the exported graphs with upstream; ends the program when they are not the same model."""
    codes = run_onnx(directory / 'encoder.onnx', expected['wave'])[0]
    real, imag = run_onnx(directory / 'decoder.onnx', expected['codes'])
    audio = istft(torch.complex(torch.from_numpy(real), torch.from_numpy(imag))).numpy()
    differing = int(np.sum(codes != expected['codes']))
    noise = np.sum(np.square(audio - expected['audio'], dtype=np.float64))
    snr = float(10 * np.log10(np.sum(np.square(expected['audio'], dtype=np.float64)) / noise))
    found = {'frames': codes.shape[1], 'distinctCodes': len(np.unique(codes)), 'differingCodes': differing, 'audioSnrDb': round(snr, 1)}
    if differing > codes.shape[1] // 100 or snr < LEAST_SNR_DB:
        raise SystemExit(f'the exported graphs differ from upstream: {found}; expected at most 1 % of the codes and {LEAST_SNR_DB} dB')
    return found


@torch.inference_mode()
def write_models(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / 'models.json').unlink(missing_ok=True)
    model = seeded_model.build(CONFIG)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if not name.startswith(UNUSED_PREFIX)}
    save_file(weights, directory / 'wavtokenizer.safetensors')
    expected = upstream_results(model, seconds=4.2)
    fold(model)
    export(Encoder(model), torch.zeros(1, signals.SAMPLE_RATE), directory / 'encoder.onnx',
           {'wave': {1: 'samples'}}, {'codes': {1: 'frames'}})
    export(Decoder(model), torch.zeros(1, 75, dtype=torch.int64), directory / 'decoder.onnx',
           {'codes': {1: 'frames'}}, {'real': {2: 'frames'}, 'imag': {2: 'frames'}},
           int8=directory / 'decoder.int8.onnx')
    found = check(expected, directory, model.head.istft)
    parameters = sum(tensor.numel() for name, tensor in weights.items() if not name.endswith(NOT_PARAMETERS))
    about = {'config': CONFIG.name, 'seed': CONFIG.seed, 'parameters': parameters, 'opset': OPSET,
             'torch': torch.__version__, 'onnx': onnx.__version__, 'onnxruntime': onnxruntime.__version__, 'againstUpstream': found}
    (directory / 'models.json').write_text(json.dumps(about, indent=2) + '\n')
    print(json.dumps(about))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--output', type=Path, default=HERE / '.cache')
    write_models(parser.parse_args().output)
