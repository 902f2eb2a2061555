"""Writes dmcodec/: a small seeded model of SpeechTokenizer's and DM-Codec's kind, and what the package makes of audio.

The model and the expected values come from the package `speechtokenizer` (requirements-dmcodec.txt), whose modules DM-Codec took over;
DM-Codec itself is in no package index. Two files hold one model: a state dict, as published, and a snapshot as trainers write them.
"""

import importlib
import importlib.util
import json
from pathlib import Path

import torch

import reference
import store
from seeded_codecs import enliven, signal

HERE = store.HERE / 'dmcodec'
RATE = 16_000
HOP = 80
SAMPLES = {'long': 12_003, 'block': 64 * HOP, 'frame': HOP, 'frame_plus_1': HOP + 1, 'frame_minus_1': HOP - 1, 'short': 5, 'one_sample': 1}
CONFIG = {
    'n_filters': 2,
    'strides': [8, 5, 2],
    'dimension': 12,
    'semantic_dimension': 10,
    'bidirectional': True,
    'dilation_base': 2,
    'residual_kernel_size': 3,
    'n_residual_layers': 1,
    'lstm_layers': 2,
    'activation': 'ELU',
    'codebook_size': 64,
    'n_q': 8,
    'sample_rate': RATE,
}


def package() -> type:
    """SpeechTokenizer's class without its trainer, which the package imports first and which needs much that is not used here."""
    root = Path(importlib.util.find_spec('speechtokenizer').origin).parent
    reference.package('speechtokenizer', root)
    return importlib.import_module('speechtokenizer.model').SpeechTokenizer


def seeded(config: dict, seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    with reference.quiet():
        model = package()(config).eval()
    books = [layer._codebook.embed for layer in model.quantizer.vq.layers]
    for layer in model.quantizer.vq.layers:
        layer._codebook.inited.fill_(1)
    enliven(model, model.encoder, books, RATE)
    return model


def expected(model: torch.nn.Module, cases: dict) -> dict:
    tensors = {}
    for case, samples in cases.items():
        x = signal(samples, RATE)
        codes = model.encode(x)
        # codes by frame, as the runtime's stages have them
        tensors |= {
            f'{case}.x': x[0, 0],
            f'{case}.codes': codes[:, 0].T.contiguous(),
            f'{case}.features': model.encoder(x)[0].T.contiguous(),
            f'{case}.audio': model.decode(codes)[0, 0],
            f'{case}.few': model.decode(codes[:3])[0, 0],
        }
        print(case, 'codes in use', [len(set(row.tolist())) for row in codes[:, 0]])
    return tensors


@torch.no_grad()
def main() -> None:
    HERE.mkdir(exist_ok=True)
    model = seeded(CONFIG, seed=3)
    state = model.state_dict()
    torch.save(state, HERE / 'tiny.pt')
    snapshot = {
        'generator': {f'module.{name}': value for name, value in state.items()},
        'discriminators': {'mpd': {'conv.weight': torch.zeros(2, 2)}},
        'optim_g': {'state': {0: {'step': torch.tensor(7.0)}}, 'param_groups': [{'lr': 1e-4, 'params': [0]}]},
        'best_dev_mel_loss': 0.5,
    }
    torch.save(snapshot, HERE / 'snapshot.pt')
    store.save(HERE / 'tiny-expected.safetensors', expected(model, SAMPLES), {'config': json.dumps(CONFIG)})


if __name__ == '__main__':
    main()
