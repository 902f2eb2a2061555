"""mini/int8.safetensors: the tiny `mini` of mini/tiny.safetensors with matrices stored as int8 and one scale per row, the rest as halves,
and what PyTorch makes of the weights multiplied out: python make_mini_int8.py

With --weights FILE --wav FILE -o OUT: the same of any `mini` and the first 10 s of any 24 kHz WAV file, not committed."""
import argparse
import json
import sys
import wave
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save as serialize

from store import HERE, with_sorted_metadata

sys.path.insert(0, str(HERE.parent.parent / 'training'))
from codec import Codec  # noqa: E402
from config import MiniConfig  # noqa: E402
from model import Mini  # noqa: E402

MATRICES = ('embed.weight', 'pwconv1.weight', 'pwconv2.weight')


def quantized_rows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole multiples, -127 to 127, of each row's largest magnitude / 127; halves up."""
    flat = values.reshape(len(values), -1)
    scale = (np.abs(flat).max(1).astype(np.float64) / 127).astype(np.float32)
    scale[scale < 1e-37] = 0
    per_scale = np.where(scale > 0, 1 / np.where(scale > 0, scale, 1).astype(np.float64), 0)
    integers = np.floor(flat.astype(np.float64) * per_scale[:, None] + 0.5)
    return integers.astype(np.int8).reshape(values.shape), scale


def multiplied(integers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return integers.astype(np.float32) * scale.reshape(-1, *[1] * (integers.ndim - 1))


def stored(weights: dict) -> tuple[dict, dict]:
    """What the file holds, and the float32 values that this means."""
    held, meant = {}, {}
    for name, value in weights.items():
        if name.endswith(MATRICES):
            held[name], held[f'{name}.scale'] = quantized_rows(value)
            meant[name] = multiplied(held[name], held[f'{name}.scale'])
        else:
            held[name] = value.astype(np.float16)
            meant[name] = held[name].astype(np.float32)
    return held, meant


def read(path: Path) -> tuple[dict, dict, dict]:
    with safe_open(path, 'np') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        metadata = file.metadata()
    weights = {name: value.astype(np.float32) for name, value in tensors.items() if not name.startswith('vectors.')}
    return weights, tensors, metadata


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(240_000), '<i2').astype(np.float32) / 32768


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--weights', type=Path, default=HERE / 'mini' / 'tiny.safetensors')
    parser.add_argument('--wav', type=Path)
    parser.add_argument('-o', '--out', type=Path, default=HERE / 'mini' / 'int8.safetensors')
    options = parser.parse_args()
    torch.set_num_threads(1)
    weights, tensors, metadata = read(options.weights)
    held, meant = stored(weights)
    model = Mini(MiniConfig.from_dict(json.loads(metadata['config'])))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in meant.items()}, strict=False)
    codec = Codec(model)
    samples = torch.from_numpy(samples_of(options.wav) if options.wav else tensors['vectors.samples'])
    latent = model.encode(codec.log_mel(samples)[None])[0]
    codes = codec.encode(samples)
    vectors = {'latent': latent.numpy(), 'codes': codes.numpy().astype(np.int32), 'audio': codec.decode(codes).numpy()}
    if options.wav:
        vectors['samples'] = samples.numpy()
    metadata['provenance'] = json.dumps({'script': 'make_mini_int8.py', 'torch': torch.__version__})
    everything = {**held, **{f'vectors.{name}': value for name, value in vectors.items()}}
    options.out.write_bytes(with_sorted_metadata(serialize(everything, metadata=metadata)))
    print(options.out, options.out.stat().st_size)


if __name__ == '__main__':
    main()
