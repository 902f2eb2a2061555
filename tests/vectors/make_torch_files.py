"""Writes torch/: files of torch.save with everything a reader meets, and files that it must refuse.

expected.json has one object per file: {"kind", "why", "tensors": {name: {"dtype", "shape"}}}. Kinds:
`sound`    loads; names are dict keys joined by "/".
`refused`  must end in an error, quickly, and with nothing executed.
`inert`    holds sound tensors beside something hostile: loading or refusing are both right, executing is not.
`either`   loading these values or refusing are both right: deflated, wrong checksum, the format before zip.

Values are in expected.safetensors as `<file>/<name>`: float32 for floating point, int32 for integers and
bool. Two tensors are too large for it: `wanted` in large.pt follows its "rule", and the values of int64_big
stand in "values" as text.
"""

import io
import json
import struct
import zipfile
from argparse import Namespace
from collections import OrderedDict
from pathlib import PurePosixPath

import numpy as np
import torch

import hostile_pickles
import store

OUT = store.HERE / 'torch'
SEED = 2015
EPOCH = (1980, 1, 1, 0, 0, 0)
expected: dict[str, torch.Tensor] = {}
about: dict[str, dict] = {}


def describe(file: str, kind: str, tensors: dict[str, torch.Tensor], why: str = '', **more) -> None:
    about[file] = {'kind': kind, 'why': why, 'tensors': {}} | more
    for name, tensor in tensors.items():
        entry = {'dtype': str(tensor.dtype).removeprefix('torch.'), 'shape': list(tensor.shape)}
        about[file]['tensors'][name] = entry
        if tensor.numel() > 10000:
            entry['rule'] = 'element n is n / 2 - 100'
        elif tensor.dtype == torch.int64 and tensor.numel() and tensor.abs().max() >= 2**31:
            entry['values'] = [str(value) for value in tensor.flatten().tolist()]
        else:
            value = tensor.detach().clone()
            expected[f'{file}/{name}'] = value.float() if value.is_floating_point() else value.to(torch.int32)


def sample(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator)


def dtypes(generator: torch.Generator) -> dict[str, torch.Tensor]:
    special = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 1e-4, float('inf'), -float('inf')])
    tensors = {
        name: torch.cat([special, sample(generator, 8)]).to(getattr(torch, name))
        for name in ('float32', 'float16', 'bfloat16', 'float64')
    }
    whole = torch.tensor([[0, 1, -1], [127, -128, 77]])
    tensors |= {name: whole.to(getattr(torch, name)) for name in ('int64', 'int32', 'int16', 'int8')}
    tensors['uint8'] = torch.tensor([0, 1, 128, 255], dtype=torch.uint8)
    tensors['bool'] = torch.tensor([[True, False], [False, True]])
    tensors['int64_big'] = torch.tensor([2**53 + 1, -(2**62), 5])
    return tensors


def views(generator: torch.Generator) -> dict[str, torch.Tensor]:
    base = sample(generator, 6, 5)
    return {
        'base': base,
        'row': base[4],
        'column': base[:, 2],
        'slice': base[1:6:2, 1:4:2],
        'transposed': base.T,
        'expanded': base[3].expand(4, 5),
        'reshaped': base.view(3, 2, 5).permute(2, 0, 1),
        'scalar': torch.tensor(2.75),
        'scalar_view': base[5, 4],
        'empty': torch.empty(0),
        'empty_matrix': torch.empty(3, 0),
        'own': sample(generator, 2, 1, 3),
    }


def nested(generator: torch.Generator) -> tuple[dict, dict[str, torch.Tensor]]:
    """An object like a checkpoint with every harmless kind of value, and its tensors by path."""
    linear = torch.nn.Linear(3, 2)
    for parameter in linear.parameters():
        parameter.data = sample(generator, *parameter.shape)
    state = OrderedDict(linear.state_dict())
    tied = torch.nn.Parameter(sample(generator, 2, 2))
    checkpoint = {
        'epoch': 3,
        'huge': 2**70,
        'ratio': 0.125,
        'nothing': None,
        'flags': (True, False),
        'text': 'Grüße, 世界',
        'raw': b'\x00\xff',
        'list': [1, [2, (3,)]],
        'set': {1, 2},
        'state_dict': state,
        'model': {'encoder': {'tied': tied, 'again': tied}},
        'size': torch.Size([2, 3]),
        'dtype': torch.float16,
        'device': torch.device('cpu'),
        'args': Namespace(lr=0.1),
        'path': PurePosixPath('runs/1'),
        'numpy': np.float64(1.5),
        'array': np.arange(3, dtype=np.float32),
    }
    tensors = {f'state_dict/{name}': tensor for name, tensor in state.items()}
    return checkpoint, tensors | {'model/encoder/tied': tied, 'model/encoder/again': tied}


def write_sound(generator: torch.Generator) -> None:
    plain = {
        'weight': sample(generator, 4, 3),
        'bias': sample(generator, 4),
        'half': sample(generator, 5).half(),
    }
    with_view = plain | {'view': plain['weight'][1:3].T}
    wanted = torch.arange(15000) / 2 - 100
    large = {'skipped_before': torch.zeros(2000), 'wanted': wanted, 'skipped_after': torch.ones(3000)}
    checkpoint, tensors = nested(generator)
    for file, value, inside, options in (
        ('dtypes.pt', dtypes(generator), None, {}),
        ('views.pt', views(generator), None, {}),
        ('pytorch_model.bin', OrderedDict(plain), None, {}),
        ('protocol-4.pt', with_view, None, {'pickle_protocol': 4}),
        ('protocol-5.pt', with_view, None, {'pickle_protocol': 5}),
        ('legacy.pt', with_view | dtypes(generator), None, {'_use_new_zipfile_serialization': False}),
        ('large.pt', large, {'wanted': wanted}, {}),
        ('nested.pth', checkpoint, tensors, {}),
    ):
        torch.save(value, OUT / file, **options)
        describe(file, 'either' if file == 'legacy.pt' else 'sound', value if inside is None else inside)
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    (OUT / 'archive-root.pt').write_bytes(buffer.getvalue())
    describe('archive-root.pt', 'sound', plain, 'saved to a stream: the folder in the zip is `archive`')


def rezip(
    source: str,
    target: str,
    method: int = zipfile.ZIP_STORED,
    comment: bytes = b'',
    replace: dict | None = None,
    drop: tuple = (),
) -> None:
    """Copies a zip entry by entry with Python's zipfile, with some entries replaced or left out."""
    with zipfile.ZipFile(OUT / source) as old, zipfile.ZipFile(OUT / target, 'w') as new:
        new.comment = comment
        for entry in old.infolist():
            short = entry.filename.split('/', 1)[1]
            if short not in drop:
                info = zipfile.ZipInfo(entry.filename, EPOCH)
                new.writestr(info, (replace or {}).get(short, old.read(entry)), method)


def write_containers() -> None:
    """Variations of the zip around sound content, and damage to it."""
    source = 'pytorch_model.bin'
    whole = (OUT / source).read_bytes()
    tensors = {name: expected[f'{source}/{name}'] for name in about[source]['tensors']}
    tensors['half'] = tensors['half'].half()
    rezip(source, 'commented.pt', comment=b'a comment after the directory')
    describe('commented.pt', 'sound', tensors, 'zip comment, no alignment of entries')
    rezip(source, 'deflated.pt', zipfile.ZIP_DEFLATED)
    describe('deflated.pt', 'either', tensors, 'entries are deflated')
    directory = whole.rindex(b'PK\x05\x06')
    start = struct.unpack('<I', whole[directory + 16 : directory + 20])[0]
    data = whole.index(b'PK\x01\x02', start)
    # in the directory record of data/0 byte 16 starts the checksum, byte 42 the offset of the local header
    while b'/data/0' not in whole[data + 46 : data + 90]:
        data = whole.index(b'PK\x01\x02', data + 46)
    for file, position, kind, why in (
        ('wrong-crc.pt', 16, 'either', 'checksum of data/0'),
        ('wrong-offset.pt', 42, 'refused', 'offset of data/0'),
    ):
        damaged = bytearray(whole)
        damaged[data + position : data + position + 4] = b'\x11\x22\x33\x04'
        (OUT / file).write_bytes(damaged)
        describe(file, kind, tensors if kind == 'either' else {}, f'{why} in the directory is wrong')
    for file, content, why in (
        ('truncated.pt', whole[: len(whole) // 2], 'the second half is missing'),
        ('truncated-directory.pt', whole[: directory - 40], 'cut inside the central directory'),
        ('truncated-end.pt', whole[: directory + 10], 'cut inside the end record'),
        ('zeros.pt', bytes(2048), '2048 zero bytes'),
        ('empty.pt', b'', 'no bytes'),
        ('html.pt', b'<!DOCTYPE html><html>404</html>', 'a web page saved as a checkpoint'),
        (
            'lfs-pointer.pt',
            b'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n',
            'a Git LFS pointer',
        ),
        ('truncated-legacy.pt', (OUT / 'legacy.pt').read_bytes()[:-100], 'a legacy file without its end'),
    ):
        (OUT / file).write_bytes(content)
        describe(file, 'refused', {}, why)
    for file, options, why in (
        ('no-pickle.pt', {'drop': ('data.pkl',)}, 'no data.pkl'),
        ('no-storage.pt', {'drop': ('data/0',)}, 'the entry of a storage is missing'),
        (
            'short-storage.pt',
            {'replace': {'data/0': b'\0' * 20}},
            'storage 0 holds 20 bytes, its tensor needs 48',
        ),
        ('big-endian.pt', {'replace': {'byteorder': b'big'}}, 'byteorder says big'),
    ):
        rezip(source, file, **options)
        describe(file, 'refused', {}, why)


def write_hostile() -> None:
    storage = struct.pack('<6f', 1, 2, 3, 4, 5, 6)
    tensors = {'state_dict/weight': torch.arange(1.0, 7).view(2, 3)}
    groups = {
        'hostile': hostile_pickles.running_code(),
        'bomb': hostile_pickles.bombs(),
        'broken': hostile_pickles.broken(),
        'tensor': hostile_pickles.tensors(),
        'beside': hostile_pickles.beside_weights(),
    }
    for group, cases in groups.items():
        for name, (pickle, why) in cases.items():
            file = f'{group}-{name}.pt'
            with zipfile.ZipFile(OUT / file, 'w') as archive:
                for entry, content in (
                    ('data.pkl', pickle),
                    ('byteorder', b'little'),
                    ('data/0', storage),
                    ('version', b'3\n'),
                ):
                    archive.writestr(zipfile.ZipInfo(f'{name}/{entry}', EPOCH), content)
            describe(
                file, 'inert' if group == 'beside' else 'refused', tensors if group == 'beside' else {}, why
            )


def main() -> None:
    torch.set_num_threads(1)
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    write_sound(torch.Generator().manual_seed(SEED))
    write_containers()
    write_hostile()
    store.save(
        OUT / 'expected.safetensors',
        expected,
        {
            'script': 'tests/vectors/make_torch_files.py',
            'torch': torch.__version__.split('+')[0],
            'seed': SEED,
        },
    )
    (OUT / 'expected.json').write_text(json.dumps(about, indent=1, ensure_ascii=False) + '\n')
    print(f'{len(about)} files, {sum(path.stat().st_size for path in OUT.iterdir())} bytes')


if __name__ == '__main__':
    main()
