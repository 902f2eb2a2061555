"""What full_models.py's models make of speech, for `npm run parity:codecs`.

    python full_codecs.py CACHE_DIR [NAME ...]

For each NAME of full_models.CODECS CACHE_DIR gets NAME.safetensors, the weights as published files name them, and
NAME/<case>.safetensors: `input` [T] or [T, channels], `codes` [frames, codebooks] (of codebooks of several rates one row for a code of the
first, codebook after codebook), `distances` [frames, codebooks, 2] (the two smallest squared ones at every choice), `audio` of the codes,
and `scales` of segments. A vocoder has no `distances`: its codes are random, or it has `features` [frames, channels] for them.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional

import reference
import signals
import store
from full_models import CODECS, SEED, Codec, write_weights

# fixture, first sample, samples
CASES = {'speech_4s': ('speech.wav', 24_000, 96_000), 'speech_odd': ('speech-de.wav', 12_001, 7211)}
CODEBOOK_SIZE = 1024


def squared(x: torch.Tensor, entries: torch.Tensor) -> torch.Tensor:
    """[n, 2] of x [n, dim]."""
    return (torch.cdist(x.double(), entries.double()) ** 2).topk(2, largest=False).values


def two_nearest(codec: Codec, wave: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Codes, and for each codebook the two smallest squared distances of each of its choices."""
    found: dict[int, list[torch.Tensor]] = {}
    watched = []

    def watch(module, name: str, measure: Callable[[torch.Tensor], torch.Tensor]) -> None:
        index, original = len(watched), getattr(module, name)

        def replaced(x):
            found.setdefault(index, []).append(measure(x))
            return original(x)

        setattr(module, name, replaced)
        watched.append((module, name))

    for book in codec.books:
        watch(book, 'quantize', lambda x, book=book: squared(x, book.embed))
    for quantizer in [] if codec.books else codec.model.quantizer.quantizers:  # DAC's and SNAC's search by cosine
        directions = functional.normalize(quantizer.codebook.weight)
        watch(quantizer, 'decode_latents', lambda x, d=directions: squared(functional.normalize(x[0].T), d))
    codes = codec.encode(wave)
    for module, name in watched:
        delattr(module, name)
    return codes, [torch.cat(parts) for _, parts in sorted(found.items())]


def by_frame(codec: Codec, codes: torch.Tensor, distances: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    if codec.strides is None:
        return codes.T.contiguous(), torch.stack(distances, 1)
    rows = len(distances[0])
    parts = [part.reshape(rows, -1) for part in codes.split([len(part) for part in distances])]
    return torch.cat(parts, 1), torch.cat([part.reshape(rows, -1, 2) for part in distances], 1)


def encoded_case(codec: Codec, x: torch.Tensor) -> dict[str, torch.Tensor]:
    wave = torch.cat([x[None, None], 0.5 * x.flip(0)[None, None]][: codec.channels], 1)
    codes, distances = two_nearest(codec, wave)
    rows, nearest = by_frame(codec, codes, distances)
    values = {'input': wave[0].T.contiguous(), 'codes': rows, 'distances': nearest}
    if codec.scales is None:
        return values | {'audio': codec.decode(codes)}
    scales = codec.scales(wave)
    return values | {'scales': scales, 'audio': codec.decode(codes, scales)}


def vocoder_case(codec: Codec, x: torch.Tensor) -> dict[str, torch.Tensor]:
    if codec.mel is not None:
        frames = codec.mel(x[None])
        return {'input': x, 'features': frames[0].T.contiguous(), 'audio': codec.decode(frames)}
    codes = torch.randint(CODEBOOK_SIZE, (codec.codebooks, len(x) // codec.hop))
    return {'codes': codes.T.contiguous(), 'audio': codec.decode(codes)}


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
        write_weights(codec, options.cache / f'{name}.safetensors')
        for case, (clip, start, samples) in CASES.items():
            x = torch.from_numpy(signals.fixture(clip, start, start + samples))
            values = encoded_case(codec, x) if codec.encode else vocoder_case(codec, x)
            distinct = len(values['codes'][:, 0].unique()) if 'codes' in values else 0
            metadata = reference.provenance('full_codecs.py', model=name, seed=SEED, distinct=distinct)
            store.save(options.cache / name / f'{case}.safetensors', values, metadata)
            print(f'{name} {case}: {distinct} first codes, audio {values["audio"].std():.3g} rms')


if __name__ == '__main__':
    main()
