"""References at the published size: 74 million seeded parameters, upstream's code, real speech.

    python full_parity.py CACHE_DIR [--variant 75 | 40]

For each variant CACHE_DIR gets full-<variant>.ckpt (Lightning layout, float32), full-<variant>.yaml and
full-<variant>/<case>.safetensors with every stage (stages.py names them) of `speech_2s` and `speech_odd` (0.3
s, a length no stride divides). Nothing is written again while torch's version and these scripts stay the
same. One thread: the references depend on no thread count.
"""

import argparse
import hashlib
import resource
import time
from pathlib import Path

import torch

import checkpoint_files
import reference
import seeded_model
import signals
import stages
import store

SOURCES = (
    'full_parity.py',
    'reference.py',
    'seeded_model.py',
    'signals.py',
    'stages.py',
    'checkpoint_files.py',
    'store.py',
)
# fixture, first sample, samples
CASES = {'speech_2s': ('speech.wav', 24000, 48000), 'speech_odd': ('speech-de.wav', 12001, 7211)}
# buffers of the codebook that only training reads
TRAINING_STATE = ('embed_avg', 'cluster_size', 'inited')


def fingerprint() -> str:
    digest = hashlib.sha256(torch.__version__.encode())
    for source in SOURCES:
        digest.update((store.HERE / source).read_bytes())
    return digest.hexdigest()


def write_variant(config: seeded_model.Config, cache: Path) -> None:
    done = cache / f'{config.name}.done'
    if done.exists() and done.read_text() == fingerprint():
        print(f'{config.name}: already in {cache}')
        return
    started = time.monotonic()
    model = seeded_model.build(config)
    parameters = sum(
        tensor.numel()
        for name, tensor in checkpoint_files.inference_state(model).items()
        if not name.endswith(TRAINING_STATE)
    )
    path = checkpoint_files.write_lightning(model, config, cache)
    print(f'{path.name}: {parameters / 1e6:.2f} M parameters, {path.stat().st_size} bytes')
    for name, (clip, start, samples) in CASES.items():
        result = stages.run(model, signals.fixture(clip, start, start + samples))
        metadata = reference.provenance(
            'full_parity.py',
            model=config.name,
            seed=config.seed,
            case=name,
            frames=len(result['codes']),
            bandwidth_id=0,
            near_ties=stages.near_ties(result['distances']),
            distinct=len(result['codes'].unique()),
            source={'name': clip, 'start': start, 'stop': start + samples},
        )
        store.save(cache / config.name / f'{name}.safetensors', result, metadata)
    done.write_text(fingerprint())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'{config.name}: {time.monotonic() - started:.1f} s, peak memory so far {peak:.0f} MiB')


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('cache', type=Path)
    parser.add_argument('--variant', type=int, choices=(75, 40), help='only this one')
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    for tokens_per_second, config in ((75, seeded_model.FULL_75), (40, seeded_model.FULL_40)):
        if options.variant in (None, tokens_per_second):
            write_variant(config, options.cache)


if __name__ == '__main__':
    main()
