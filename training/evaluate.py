"""Codes and audio of an evaluation folder, codebook health, then the perceptual evaluators.

python training/evaluate.py MODEL EVAL_DIR OUT_DIR [--evaluators DIR] [--clips e001,e016] [--oracle] [-- arguments of the evaluators]
MODEL: a checkpoint of train.py or an exported file. EVAL_DIR: audio files, optionally manifest.tsv with transcripts.
--evaluators: folder with evaluate.py (REF_DIR DEG_DIR) that prints PESQ, STOI, MOS estimates, speaker similarity and word errors.
--oracle: bands, pitch and harmonic shares of the original through the synthesis, without network (the ceiling of the synthesis)."""
import argparse
import os
import subprocess
import sys

import numpy as np
import soundfile
import torch

from codec import Codec
from data import AUDIO_TYPES, Extractor, load_mono


def true_controls(codec, extract, x):
    c, y = codec.config, torch.from_numpy(extract(x))
    mels, bands = c.front_end.mels, c.synth.bands
    rest = y[:, mels:]
    return rest[:, :bands].clamp(min=np.log(c.synth.floor)), rest[:, bands].exp(), rest[:, bands + 1:-1], rest[:, -1] > 0


def run(codec, folder, out, wanted=(), oracle=False):
    """Writes OUT/<stem>.wav; returns means over clips of band and pitch errors, and the use of the codebook."""
    os.makedirs(out, exist_ok=True)
    extract, use, rows = Extractor(codec.config), np.zeros(codec.config.codebook_size, int), []
    for name in sorted(os.listdir(folder)):
        stem, kind = os.path.splitext(name)
        if kind.lower() not in AUDIO_TYPES or (wanted and not any(stem.startswith(w) for w in wanted)):
            continue
        x = load_mono(os.path.join(folder, name), codec.config.sample_rate)
        target, f0, share, voiced = true_controls(codec, extract, x)
        if oracle:
            y = codec.synth(target, f0.numpy(), share)
        else:
            codes = codec.encode(torch.from_numpy(x))
            use += np.bincount(codes.numpy(), minlength=len(use))
            bands, guess, _ = codec.controls(codes)
            cents = 1200 * torch.log2(guess / f0).abs()[voiced]
            rows.append([float((bands - target).abs().mean()), float(cents.median()) if len(cents) else np.nan,
                         float((cents > 240).float().mean()) if len(cents) else np.nan])
            y = codec.decode(codes)
        soundfile.write(os.path.join(out, stem + '.wav'), y[:len(x)].numpy(), codec.config.sample_rate, subtype='PCM_16')
    if oracle:
        return {}
    p = use[use > 0] / use.sum()
    mean = np.nanmean(np.array(rows), 0)
    return {'clips': len(rows), 'tokens': int(use.sum()), 'band_l1_nats': mean[0], 'pitch_error_cents': mean[1], 'gross_pitch': mean[2],
            'utilisation': float((use > 0).mean()), 'perplexity': float(np.exp(-(p * np.log(p)).sum()))}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model'); p.add_argument('eval_dir'); p.add_argument('out_dir')
    p.add_argument('--evaluators'); p.add_argument('--clips', default=''); p.add_argument('--oracle', action='store_true')
    p.add_argument('--raw', action='store_true', help='weights of the last step instead of the average (checkpoints only)')
    a, rest = p.parse_known_args()
    torch.set_num_threads(2)
    report = run(Codec.load(a.model, a.raw), a.eval_dir, a.out_dir, [w for w in a.clips.split(',') if w], a.oracle)
    print('  '.join(f'{k} {v:.4g}' for k, v in report.items()), flush=True)
    if a.evaluators:
        sys.exit(subprocess.call([sys.executable, os.path.join(a.evaluators, 'evaluate.py'), a.eval_dir, a.out_dir,
                                  *(v for v in rest if v != '--')]))


if __name__ == '__main__':
    main()
