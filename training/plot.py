"""Pictures: python training/plot.py curve RUN_DIR OUT.png | python training/plot.py pair ORIGINAL.flac DECODED.wav OUT.png"""
import json
import math
import os
import sys

import numpy as np


def canvas(rows, columns, height=3.0):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    return plt.subplots(rows, columns, figsize=(4.2 * columns, height * rows), constrained_layout=True, squeeze=False)


def curve(run, out):
    """Losses, pitch and codebook use over training minutes, from RUN_DIR/log.jsonl."""
    with open(os.path.join(run, 'log.jsonl')) as f:
        lines = [json.loads(line) for line in f]
    names = ('loss', 'l1', 'bands', 'delta', 'pitch', 'gross_pitch', 'harmonic', 'perplexity')
    figure, axes = canvas(2, 4)
    for axis, name in zip(axes.flat, names):
        for kind in ('train', 'dev'):
            points = [(row['step'] / 1000, row[name]) for row in lines if row['kind'] == kind and name in row]
            if points:
                axis.plot(*zip(*points), label=kind, linewidth=1)
        axis.set_title(name + (' (nats)' if name == 'l1' else ''))
        axis.set_xlabel('thousand steps')
        axis.grid(alpha=.3)
    axes[0, 0].legend()
    figure.savefig(out, dpi=80)


def pair(original, decoded, out):
    """Spectrograms of two files, one above the other, in dB below the original's maximum."""
    import torch
    from data import load_mono
    from features import spectrum
    figure, axes = canvas(2, 1, 2.4)
    figure.set_figwidth(9)
    top = None
    for axis, path in zip(axes[:, 0], (original, decoded)):
        x = load_mono(path, 24000)
        db = 20 * np.log10(spectrum(torch.from_numpy(x)[None], 1024, 160)[0].abs().numpy() + 1e-5)
        top = db.max() if top is None else top
        axis.imshow(db.T, origin='lower', aspect='auto', vmin=top - 80, vmax=top, extent=(0, len(x) / 24000, 0, 12), cmap='magma')
        axis.set_ylabel('kHz')
        axis.set_title(os.path.basename(path), fontsize=9)
    axes[1, 0].set_xlabel('seconds')
    figure.savefig(out, dpi=80)


if __name__ == '__main__':
    tasks = {'curve': (curve, 2), 'pair': (pair, 3)}
    if len(sys.argv) < 2 or sys.argv[1] not in tasks or len(sys.argv) - 2 != tasks[sys.argv[1]][1]:
        sys.exit(__doc__)
    tasks[sys.argv[1]][0](*sys.argv[2:])
