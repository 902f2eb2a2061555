"""Checkpoint -> the file the library loads: averaged weights, config and provenance in one safetensors file.

python training/export.py RUN_DIR/last.pt -o weights/mini-24k-75.safetensors [--dtype f16|f32] [--raw] [--sharpen .3]
An exported file that is not sharpened yet (training/state/mini-24k-75.safetensors) serves as a checkpoint too."""
import argparse
import datetime
import hashlib
import json
import os

import torch
from safetensors import safe_open
from safetensors.torch import save_file

DTYPES = {'f16': torch.float16, 'f32': torch.float32}

SOURCES = [
    {'name': 'Common Voice 6.1 samples, later English and Twi samples', 'licence': 'CC0-1.0', 'by': 'Mozilla Common Voice contributors', 'hours': 7.37},
    {'name': 'LibriSpeech train-clean-100 (one utterance per speaker)', 'licence': 'CC-BY-4.0', 'hours': .86,
     'by': 'LibriSpeech ASR corpus, (c) 2014 Vassil Panayotov, from LibriVox recordings; trimmed, split, levelled, re-encoded'},
    {'name': 'kathleen, kerstin, nathalie (rhasspy voices)', 'licence': 'CC0-1.0', 'by': 'rhasspy', 'hours': 2.34},
    {'name': 'Les fleurs du mal', 'licence': 'public domain', 'by': 'LibriVox volunteers, 2020', 'hours': .83},
]


def tensors(saved, raw, dtype):
    state = saved['model' if raw else 'average']
    bookkeeping = ('quantizer.counts', 'quantizer.sums', 'quantizer.started')
    return {k: v.detach().to(dtype) for k, v in state.items() if k not in bookkeeping}


def sharpen(values, config, amount, width=41):
    """Spectral contrast, folded into the decoder head: bands + amount * (bands - their mean over `width` neighbours).
    Bands are an affine function of the head whose constant the smoothing keeps, so only the head's rows change."""
    bands = config['synth']['bands']
    offset = torch.arange(bands)[:, None] + torch.arange(width)[None] - width // 2
    mean = torch.zeros(bands, bands).scatter_add_(1, offset.clamp(0, bands - 1), torch.full((bands, width), 1 / width))
    contrast = torch.eye(bands) * (1 + amount) - amount * mean
    for name in ('decoder.head.weight', 'decoder.head.bias'):
        values[name] = torch.cat([contrast @ values[name][:bands].float(), values[name][bands:].float()])
    return values


def runs(saved):
    """This run behind those of the file that it began with."""
    o, before = saved['options'], saved.get('started_from') or {}
    first = before.get('runs') or [{k: before[k] for k in ('steps', 'trainingHours', 'audioSeenHours', 'date')} | {'device': 'cuda'}] if before else []
    seen = saved['step'] * o['batch'] * o['frames'] * saved['config']['hop'] / saved['config']['sample_rate'] / 3600
    return [*first, {'steps': saved['step'], 'trainingHours': round(saved['seconds'] / 3600, 2), 'audioSeenHours': round(seen, 1),
                     'date': datetime.date.today().isoformat(), 'device': saved.get('device', 'cuda').split(':')[0]}]


def provenance(saved):
    all_runs = runs(saved)
    total = lambda key: round(sum(r[key] for r in all_runs), 2)
    return {'steps': total('steps'), 'trainingHours': total('trainingHours'), 'dataHours': round(saved['hours'], 2),
            'speakers': saved['speakers'], 'audioSeenHours': round(total('audioSeenHours'), 1), 'runs': all_runs,
            'date': datetime.date.today().isoformat(), 'licence': 'Apache-2.0', 'sources': SOURCES}


def read(checkpoint):
    """A checkpoint of train.py, or what an exported file still has of one: averaged weights, config and provenance."""
    if not checkpoint.endswith('.safetensors'):
        saved = torch.load(checkpoint, map_location='cpu', weights_only=False)
        return saved, provenance(saved)
    with safe_open(checkpoint, 'pt') as f:
        history = json.loads(f.metadata()['provenance'])
        if history.get('sharpen'):
            raise ValueError(f"{checkpoint} is already sharpened by {history['sharpen']}")
        return {'config': json.loads(f.metadata()['config']), 'average': {k: f.get_tensor(k) for k in f.keys()}}, history


def export(checkpoint, out, dtype='f16', raw=False, contrast=0.0):
    saved, history = read(str(checkpoint))
    values = sharpen(tensors(saved, raw, torch.float32), saved['config'], contrast)
    values = {k: v.to(DTYPES[dtype]).contiguous() for k, v in values.items()}
    for name, v in values.items():
        if not torch.isfinite(v).all():
            raise ValueError(f'{name}: not finite in {dtype}')
    os.makedirs(os.path.dirname(out) or '.', exist_ok=True)
    save_file(values, out + '.part', {'format': 'wavtok', 'family': 'mini', 'config': json.dumps(saved['config']),
                                      'provenance': json.dumps({**history, 'sharpen': contrast}, ensure_ascii=False)})
    os.chmod(out + '.part', 0o644)
    os.replace(out + '.part', out)
    with open(out, 'rb') as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    beside = os.path.splitext(out)[0] + '.json'  # the library holds its default weights to it
    with open(beside + '.part', 'w') as f:
        f.write(json.dumps({'file': os.path.basename(out), 'sha256': digest, 'bytes': os.path.getsize(out)}, indent=2) + '\n')
    os.replace(beside + '.part', beside)
    return digest


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('checkpoint'); p.add_argument('-o', '--out', required=True); p.add_argument('--dtype', choices=DTYPES, default='f16')
    p.add_argument('--raw', action='store_true', help='the last step instead of the exponential average')
    p.add_argument('--sharpen', type=float, default=0.0, help='spectral contrast folded into the head; costs nothing at inference')
    a = p.parse_args()
    digest = export(a.checkpoint, a.out, a.dtype, a.raw, a.sharpen)
    print(f'{a.out}: {os.path.getsize(a.out) / 1e6:.2f} MB, sha256 {digest}')
