"""Where the vectors go: safetensors files whose metadata says how they were made."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save as serialize

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / 'fixtures'


def to_array(value) -> np.ndarray:
    """float32 for floating point, int32 for integers: the two types that the runtime's tests read."""
    array = value.detach().cpu().numpy() if hasattr(value, 'detach') else np.asarray(value)
    if array.dtype.kind == 'f':
        return np.asarray(array, dtype=np.float32, order='C')
    if array.dtype.kind in 'iu':
        if array.size and np.abs(array.astype(np.int64)).max() > 2**31 - 1:
            raise ValueError('an integer vector does not fit int32')
        return np.asarray(array, dtype=np.int32, order='C')
    raise TypeError(f'no vector type for {array.dtype}')


def with_sorted_metadata(data: bytes) -> bytes:
    """The library writes metadata in a random order; sorted, the same vectors are the same bytes."""
    length = int.from_bytes(data[:8], 'little')
    header = json.loads(data[8 : 8 + length])
    header['__metadata__'] = dict(sorted(header['__metadata__'].items()))
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    return len(text).to_bytes(8, 'little') + text + data[8 + length :]


def save(path: Path, tensors: dict, metadata: dict, limit: int | None = None) -> None:
    """Writes `tensors` in name order; metadata values that are not text become JSON. `limit` is in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    arrays = {name: to_array(tensors[name]) for name in sorted(tensors)}
    path.write_bytes(with_sorted_metadata(serialize(arrays, metadata=text)))
    size = path.stat().st_size
    shown = path.relative_to(HERE) if path.is_relative_to(HERE) else path
    print(f'{shown}: {len(tensors)} tensors, {size} bytes')
    if limit is not None and size > limit:
        raise SystemExit(f'{shown} has {size} bytes; at most {limit} are committed')
