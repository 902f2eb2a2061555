"""A checkpoint small enough for the repository (about 25 MB), and back.

python training/state.py pack RUN_DIR/last.pt training/state/mini.safetensors
python training/state.py unpack training/state/mini.safetensors RUN_DIR/last.pt

Kept: averaged weights (f16), their distance to the last step (f16), second moments of AdamW (8 bits, logarithmic, six
steps an octave around the tensor's mean); first moments restart at zero (they forget in ten steps). Resuming from here is close, not bit-exact; RUN_DIR/last.pt is exact."""
import json
import os
import sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from config import MiniConfig
from model import Mini

STEPS_PER_OCTAVE, MIDDLE = 6, 160


def quantize_moment(v):
    """Non-negative tensor -> (uint8 logarithm, scale)."""
    scale = v.mean().clamp(min=1e-30)
    return (torch.log2((v / scale).clamp(min=1e-30)) * STEPS_PER_OCTAVE + MIDDLE).round().clamp(0, 255).to(torch.uint8), scale


def restore_moment(q, scale):
    return torch.exp2((q.float() - MIDDLE) / STEPS_PER_OCTAVE) * scale


def moment_names(config, saved_groups):
    """Parameter name of every optimizer index: matrices first, then vectors, as Run orders them."""
    named = list(Mini(config).named_parameters())
    names = [n for n, p in named if p.ndim > 1] + [n for n, p in named if p.ndim < 2]
    if len(names) != sum(len(g['params']) for g in saved_groups):
        raise ValueError('the optimizer does not belong to this model')
    return names


def pack(checkpoint, out):
    s = torch.load(checkpoint, map_location='cpu', weights_only=False)
    names, values = moment_names(MiniConfig.from_dict(s['config']), s['optimizer']['param_groups']), {}
    for name, average in s['average'].items():
        if name in ('quantizer.counts', 'quantizer.sums', 'quantizer.started'):
            continue
        values['average.' + name] = average.half()
        values['distance.' + name] = (s['model'][name] - average.half().float()).half()
    for name in ('quantizer.counts', 'quantizer.sums'):
        values['model.' + name] = s['model'][name]
    for i, name in enumerate(names):
        if i in s['optimizer']['state']:
            values['moment.' + name], values['scale.' + name] = quantize_moment(s['optimizer']['state'][i]['exp_avg_sq'])
    meta = {k: s[k] for k in ('config', 'options', 'step', 'seconds', 'hours', 'speakers', 'numpy_rng')}
    meta['groups'] = s['optimizer']['param_groups']
    os.makedirs(os.path.dirname(out) or '.', exist_ok=True)
    save_file({k: v.contiguous() for k, v in values.items()}, out, {'format': 'wavtok-training-state', 'meta': json.dumps(meta)})


def unpack(path, out):
    with safe_open(path, 'pt') as f:
        meta, values = json.loads(f.metadata()['meta']), {k: f.get_tensor(k) for k in f.keys()}
    config = MiniConfig.from_dict(meta['config'])
    model = Mini(config)
    average = {k[8:]: v.float() for k, v in values.items() if k.startswith('average.')}
    last = {k: v + values['distance.' + k].float() for k, v in average.items()}
    quantizer = {k[6:]: v for k, v in values.items() if k.startswith('model.')}
    started = {'quantizer.started': torch.tensor(True)}
    moments, shapes = {}, dict(model.named_parameters())
    for i, name in enumerate(moment_names(config, meta['groups'])):
        if 'moment.' + name not in values:      # never trained: frozen
            continue
        v = restore_moment(values['moment.' + name], values['scale.' + name])
        moments[i] = {'step': torch.tensor(float(meta['step'])), 'exp_avg': torch.zeros_like(shapes[name].data), 'exp_avg_sq': v}
    os.makedirs(os.path.dirname(out) or '.', exist_ok=True)
    torch.save({**{k: meta[k] for k in ('config', 'options', 'step', 'seconds', 'hours', 'speakers', 'numpy_rng')},
                'model': {**last, **quantizer, **started}, 'average': {**average, **quantizer, **started},
                'optimizer': {'state': moments, 'param_groups': meta['groups']},
                'torch_rng': torch.Generator().manual_seed(meta['step']).get_state()}, out)


if __name__ == '__main__':
    tasks = {'pack': pack, 'unpack': unpack}
    if len(sys.argv) != 4 or sys.argv[1] not in tasks:
        sys.exit(__doc__)
    tasks[sys.argv[1]](sys.argv[2], sys.argv[3])
    print(f'{sys.argv[3]}: {os.path.getsize(sys.argv[3]) / 1e6:.1f} MB')
