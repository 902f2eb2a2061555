"""Multiplications and additions of a second of audio, for docs/models.md: thousand millions, encoder and decoder.

    python count_macs.py [NAME ...]

PyTorch's FlopCounterMode counts the models of full_models.py, WavTokenizer's and mini at their published sizes, over 4 s of silence;
two of its operations are one here. LSTMs, which it does not know, are 4 * h * (in + h) a layer, direction and step.
Searches in codebooks and Fourier transforms are left out.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import full_models
import seeded_model

SECONDS = 4
ROOT = Path(__file__).resolve().parent.parent.parent


class LstmCounter:
    """Stands for nn.LSTM.forward: counts, and gives an output of the right shape."""

    def __init__(self) -> None:
        self.macs = 0

    def __enter__(self) -> 'LstmCounter':
        self.original = nn.LSTM.forward
        counter = self

        def forward(self: nn.LSTM, x: torch.Tensor, _state=None):
            hidden, directions = self.hidden_size, 1 + self.bidirectional
            steps = x.shape[0] * x.shape[1]
            inputs = [self.input_size] + [hidden * directions] * (self.num_layers - 1)
            counter.macs += sum(4 * hidden * (size + hidden) * directions * steps for size in inputs)
            return x.new_zeros(*x.shape[:2], hidden * directions), None

        nn.LSTM.forward = forward
        return self

    def __exit__(self, *_) -> None:
        nn.LSTM.forward = self.original


def giga_macs(run: Callable[[], object], seconds: float) -> float:
    with FlopCounterMode(display=False) as counter, LstmCounter() as lstm:
        run()
    return (counter.get_total_flops() / 2 + lstm.macs) / seconds / 1e9


def without_search(codec: full_models.Codec) -> None:
    for book in codec.books:
        book.quantize = lambda x: x.new_zeros(len(x), dtype=torch.long)
    if codec.books or not codec.encode:
        return
    for quantizer in codec.model.quantizer.quantizers:
        quantizer.decode_latents = lambda x, books=quantizer.codebook: (x, x.new_zeros(x.shape[0], x.shape[-1], dtype=torch.long))


def of_codec(name: str) -> tuple[float, float]:
    codec = full_models.CODECS[name]()
    without_search(codec)
    unit = codec.hop * math.lcm(*codec.strides or [], codec.window or 1)
    samples = codec.clip or SECONDS * codec.rate // unit * unit
    seconds = samples / codec.rate
    frames = samples // codec.hop
    wave = torch.zeros(1, codec.channels, samples)
    if codec.encode:
        encoder = giga_macs(lambda: codec.encode(wave), seconds)
        codes = codec.encode(wave)
    else:
        encoder = 0.0
        codes = torch.zeros(1, 100, frames) if codec.mel is not None else torch.zeros(codec.codebooks, frames, dtype=torch.long)
    return encoder, giga_macs(lambda: (codec.spectrum or codec.decode)(codes), seconds)


def of_wavtokenizer(config: seeded_model.Config) -> tuple[float, float]:
    model = seeded_model.build(config)
    frames = SECONDS * 24_000 // config.hop
    wave, features = torch.zeros(1, 1, frames * config.hop), torch.zeros(1, config.dimension, frames)
    encoder = giga_macs(lambda: model.feature_extractor.encodec.encoder(wave), SECONDS)
    return encoder, giga_macs(lambda: model.head.out(model.backbone(features, bandwidth_id=torch.zeros(1, dtype=torch.long))), SECONDS)


def of_mini() -> tuple[float, float]:
    sys.path.insert(0, str(ROOT / 'training'))
    import model as layers
    from codec import Codec

    def depthwise(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
        """As a convolution, which the counter knows; its own is sums of shifted products."""
        padded = functional.pad(x.transpose(1, 2), (self.weight.shape[-1] - 1, 0))
        return functional.conv1d(padded, self.weight, self.bias, groups=x.shape[-1]).transpose(1, 2)

    layers.DepthwiseConv.forward = depthwise
    codec = Codec.load(ROOT / 'weights' / 'mini-24k-75.safetensors')
    frames = SECONDS * codec.config.sample_rate // codec.config.hop
    mel = torch.zeros(1, frames, codec.mel.shape[0])
    latents = torch.zeros(1, frames, codec.model.quantizer.codebook.shape[-1])
    return giga_macs(lambda: codec.model.encode(mel), SECONDS), giga_macs(lambda: codec.model.decode(latents), SECONDS)


MODELS: dict[str, Callable[[], tuple[float, float]]] = {
    'mini': of_mini,
    'wavtokenizer-75': lambda: of_wavtokenizer(seeded_model.FULL_75),
    'wavtokenizer-40': lambda: of_wavtokenizer(seeded_model.FULL_40),
    **{name: lambda name=name: of_codec(name) for name in full_models.CODECS},
}


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(MODELS))
    for name in parser.parse_args().names or MODELS:
        encoder, decoder = MODELS[name]()
        print(f'{name}: {encoder:.3g}, {decoder:.3g}', flush=True)


if __name__ == '__main__':
    main()
