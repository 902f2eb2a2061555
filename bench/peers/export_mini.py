"""Writes the encoder of the default model for onnxruntime-web, log-mel included.

    python export_mini.py [--output DIRECTORY]

mini_encoder.onnx, .data  wave f32 [1, samples] -> codes i64 [1, frames]; samples must be a multiple of the hop
mini.json                 what the check found

In the peer's favour: convolutions in its own layout, the DFT as one strided convolution with the window folded in, the codebook's
norms folded, the graph optimised here.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'training'))

import features  # noqa: E402
from codec import Codec  # noqa: E402
from export_onnx import export, run_onnx, signals  # noqa: E402

MODEL = ROOT / 'weights' / 'mini-24k-75.safetensors'
LEAST_EQUAL_CODES = 0.99


class MiniEncoder(nn.Module):
    def __init__(self, codec: Codec):
        super().__init__()
        self.model = codec.model
        self.front_end, self.hop = codec.config.front_end, codec.config.hop
        size = self.front_end.n_fft
        angles = 2 * np.pi * np.outer(np.arange(size // 2 + 1), np.arange(size)) / size
        window = features.centred_window(size).double().numpy()
        basis = np.concatenate([np.cos(angles), np.sin(angles)]) * window
        self.register_buffer('basis', torch.from_numpy(basis[:, None].astype(np.float32)))
        self.register_buffer('filters', codec.mel.t().contiguous())
        codebook = codec.model.quantizer.codebook
        self.register_buffer('codewords', codebook.t().contiguous())
        self.register_buffer('half_norms', -0.5 * codebook.square().sum(dim=1))

    def forward(self, wave: torch.Tensor) -> torch.Tensor:
        side = (self.front_end.n_fft - self.hop) // 2
        spectra = functional.conv1d(functional.pad(wave[:, None], (side, side)), self.basis, stride=self.hop)
        real, imaginary = spectra.chunk(2, dim=1)
        magnitudes = (real.square() + imaginary.square()).sqrt().transpose(1, 2)
        log_mel = (magnitudes @ self.filters).clamp(min=self.front_end.floor).log()
        latents = stack(self.model.encoder, (log_mel - self.front_end.shift) * self.front_end.scale)
        return torch.addmm(self.half_norms, latents[0], self.codewords).argmax(dim=1)[None]


def stack(encoder: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """model.Stack with ordinary convolutions, which the exporter knows."""
    embed = encoder.embed
    padded = functional.pad(x.transpose(1, 2), (embed.past, embed.future))
    x = encoder.norm(functional.conv1d(padded, embed.weight, embed.bias).transpose(1, 2))
    for block in encoder.blocks:
        channels, _, taps = block.dwconv.weight.shape
        padded = functional.pad(x.transpose(1, 2), (taps - 1, 0))
        h = functional.conv1d(padded, block.dwconv.weight, block.dwconv.bias, groups=channels).transpose(1, 2)
        x = x + block.gamma * block.pwconv2(functional.gelu(block.pwconv1(block.norm(h))))
    return encoder.head(encoder.final_norm(x))


@torch.inference_mode()
def write_model(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    codec = Codec.load(MODEL)
    path = directory / 'mini_encoder.onnx'
    export(MiniEncoder(codec), torch.zeros(1, codec.config.sample_rate), path, {'wave': {1: 'samples'}}, {'codes': {1: 'frames'}})
    wave = signals.fixture('speech.wav', stop=300 * codec.config.hop)
    expected = codec.encode(torch.from_numpy(wave)).numpy()
    equal = int(np.sum(run_onnx(path, wave[None])[0][0] == expected))
    found = {'frames': len(expected), 'equalCodes': equal}
    if equal < LEAST_EQUAL_CODES * len(expected):
        raise SystemExit(f'the exported graph differs from the model: {found}; expected at least 99 % of the codes')
    (directory / 'mini.json').write_text(json.dumps(found) + '\n')
    print(json.dumps(found))


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--output', type=Path, default=HERE / '.cache')
    write_model(parser.parse_args().output)
