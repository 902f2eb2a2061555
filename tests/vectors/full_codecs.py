"""Residual codecs at their published sizes, seeded weights, as their packages make them (requirements-full-codecs.txt).

    python full_codecs.py CACHE_DIR [NAME ...]

For each NAME of CODECS with Euclidean codebooks CACHE_DIR gets NAME.safetensors, the weights as published files name them, and
NAME/<case>.safetensors: `input`, `codes` [frames, codebooks], `distances` [frames, codebooks, 2] (the two smallest squared ones at every
choice) and `audio` of the codes. bench/codecs exports the same models for its peers.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import DacConfig, DacModel, EncodecConfig, EncodecModel

import reference
import seeded_mimi
import signals
import store
from seeded_codecs import enliven, entries

# fixture, first sample, samples
CASES = {'speech_4s': ('speech.wav', 24_000, 96_000), 'speech_odd': ('speech-de.wav', 12_001, 7211)}
SEED = 20_260_101
# spread of a codebook's entries against the one before it: of 32, the last still tells frames apart
DECAY = 0.97


@dataclasses.dataclass
class Codec:
    rate: int
    hop: int
    codebooks: int
    state: dict[str, torch.Tensor]
    encode: Callable[[torch.Tensor], torch.Tensor]  # [1, 1, T] -> [codebooks, frames]
    decode: Callable[[torch.Tensor], torch.Tensor]  # the inverse, -> [T]
    model: nn.Module
    books: list[nn.Module]  # each with `quantize([n, dim])` and `embed`; empty: searched in another way
    config: dict | None = None  # what the shapes of `state` do not say
    strides: list[int] | None = None  # frames per code of each codebook, where they differ; codes are then a row


def mimi() -> Codec:
    model = seeded_mimi.seeded_model({}, SEED)
    quantizer = model.quantizer
    branches = (quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer)

    latents = seeded_mimi.encoded(model, torch.from_numpy(signals.fixture('speech.wav', 0, 64 * seeded_mimi.FRAME))[None, None])
    for branch in branches:
        frames = branch.input_proj(latents)[0].T
        for stage, book in enumerate(layer.codebook for layer in branch.layers):
            book.embed_sum.copy_(entries(frames, stage, book.embed_sum.shape, DECAY) * book.cluster_usage[:, None])
            book._embed = None

    def whole(wave: torch.Tensor) -> torch.Tensor:
        """Completed by zeros, as moshi does."""
        return nn.functional.pad(wave, (0, -wave.shape[-1] % seeded_mimi.FRAME))

    return Codec(
        rate=24_000,
        hop=seeded_mimi.FRAME,
        codebooks=32,
        state=seeded_mimi.flat_state(model),
        encode=lambda wave: quantizer.encode(seeded_mimi.encoded(model, whole(wave)))[:, 0],
        decode=lambda codes: model.decode(codes[None]).audio_values[0, 0],
        model=model,
        books=[layer.codebook for branch in branches for layer in branch.layers],
    )


def encodec() -> Codec:
    torch.manual_seed(SEED)
    model = EncodecModel(EncodecConfig()).eval()
    books = [layer.codebook for layer in model.quantizer.layers]
    enliven(model, model.encoder, [book.embed for book in books], 24_000, DECAY)
    return Codec(
        rate=24_000,
        hop=320,
        codebooks=32,
        state=model.state_dict(),
        encode=lambda wave: model.quantizer.encode(model.encoder(wave), 24.0)[:, 0],
        decode=lambda codes: model.decoder(model.quantizer.decode(codes[:, None]))[0, 0],
        model=model,
        books=books,
    )


def dmcodec() -> Codec:
    from make_dmcodec import CONFIG, seeded

    sizes = {'n_filters': 64, 'strides': [8, 5, 4, 2], 'dimension': 1024, 'semantic_dimension': 768, 'codebook_size': 1024}
    model = seeded(CONFIG | sizes, SEED)
    return Codec(
        rate=16_000,
        hop=320,
        codebooks=8,
        state=model.state_dict(),
        encode=lambda wave: model.encode(wave)[:, 0],
        decode=lambda codes: model.decode(codes[:, None])[0, 0],
        model=model,
        books=[layer._codebook for layer in model.quantizer.vq.layers],
    )


def dac(rate: int, ratios: list[int], codebooks: int) -> Codec:
    torch.manual_seed(SEED)
    config = {'downsampling_ratios': ratios, 'n_codebooks': codebooks, 'sampling_rate': rate}
    model = DacModel(DacConfig(**config)).eval()
    return Codec(
        rate=rate,
        hop=model.config.hop_length,
        codebooks=codebooks,
        state=model.state_dict(),
        encode=lambda wave: model.encode(wave).audio_codes[0],
        decode=lambda codes: model.decode(audio_codes=codes[None]).audio_values[0],
        model=model,
        books=[],
        config=config,
    )


def snac() -> Codec:
    from snac import SNAC
    from snac.layers import NoiseBlock

    torch.manual_seed(SEED)
    config = {
        'sampling_rate': 24_000, 'encoder_dim': 48, 'encoder_rates': [2, 4, 8, 8], 'decoder_dim': 1024, 'decoder_rates': [8, 8, 4, 2],
        'attn_window_size': None, 'codebook_size': 4096, 'codebook_dim': 8, 'vq_strides': [4, 2, 1], 'noise': True, 'depthwise': True,
    }  # fmt: skip
    model = SNAC(**config).eval()
    for module in model.modules():
        if isinstance(module, NoiseBlock):
            module.forward = lambda x: x
    shares = [4 // stride for stride in config['vq_strides']]

    def split(codes: torch.Tensor) -> list[torch.Tensor]:
        unit = len(codes) // sum(shares)
        return [part[None] for part in codes.split([unit * share for share in shares])]

    return Codec(
        rate=24_000,
        hop=512,
        codebooks=3,
        state=model.state_dict(),
        encode=lambda wave: torch.cat(model.encode(wave), 1)[0],  # codebook after codebook, which have other rates
        decode=lambda codes: model.decode(split(codes))[0, 0],
        model=model,
        books=[],
        config=config,
        strides=config['vq_strides'],
    )


CODECS: dict[str, Callable[[], Codec]] = {
    'mimi': mimi,
    'encodec': encodec,
    'dmcodec': dmcodec,
    'dac-24khz': lambda: dac(24_000, [2, 4, 5, 8], 32),
    'dac-44khz': lambda: dac(44_100, [2, 4, 8, 8], 9),
    'snac-24khz': snac,
}


def write_weights(codec: Codec, path: Path) -> None:
    metadata = {} if codec.config is None else {'config': json.dumps(codec.config)}
    save_file({name: value.contiguous() for name, value in codec.state.items()}, path, metadata)


def two_nearest(codec: Codec, wave: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes by frame, and the two smallest squared distances of each."""
    found = []

    def watched(book):
        def quantize(x):
            found.append((torch.cdist(x.double(), book.embed.double()) ** 2).topk(2, largest=False).values)
            return type(book).quantize(book, x)

        return quantize

    for book in codec.books:
        book.quantize = watched(book)
    codes = codec.encode(wave)
    for book in codec.books:
        del book.quantize
    return codes.T.contiguous(), torch.stack(found, 1)


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cache', type=Path)
    parser.add_argument('names', nargs='*', metavar='NAME', help=', '.join(CODECS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    for name in options.names or CODECS:
        codec = CODECS[name]()
        if not codec.books:
            continue
        write_weights(codec, options.cache / f'{name}.safetensors')
        for case, (clip, start, samples) in CASES.items():
            x = torch.from_numpy(signals.fixture(clip, start, start + samples))
            codes, distances = two_nearest(codec, x[None, None])
            audio = codec.decode(codes.T)
            metadata = reference.provenance('full_codecs.py', model=name, seed=SEED, distinct=len(codes[:, 0].unique()))
            values = {'input': x, 'codes': codes, 'distances': distances, 'audio': audio}
            store.save(options.cache / name / f'{case}.safetensors', values, metadata)
            print(f'{name} {case}: {len(codes[:, 0].unique())} first codes of {len(codes)}, audio {audio.std():.3g} rms')


if __name__ == '__main__':
    main()
