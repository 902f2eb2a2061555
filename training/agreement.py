"""PyTorch beside the library on real clips: codes equal but for near-ties, audio of the same codes at 80 dB or better.

python training/agreement.py MODEL EVAL_DIR WORK_DIR       (needs `npm run build`; exit status 1 where they disagree)"""
import argparse
import json
import math
import os
import subprocess
import sys

import numpy as np
import soundfile
import torch

from codec import PITCH_STEPS, Codec

COMMAND = ['node', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'dist/cli/main.js')]
NEAR_TIE = 1e-4         # relative gap of the two best distances
LEAST_SNR = 80.0
PITCH_TIE = 1e-2        # of a step of the pitch grid (1e-5 of F0): where a last bit decides to which side F0 is rounded, and the phase keeps it


def wav_copies(eval_dir, work, rate):
    """WORK/wav24/<stem>.wav at the model's rate, so that neither side resamples; float32."""
    import soxr
    folder = os.path.join(work, 'wav24')
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(eval_dir)):
        stem, kind = os.path.splitext(name)
        if kind.lower() in ('.flac', '.wav'):
            x, own = soundfile.read(os.path.join(eval_dir, name), dtype='float32', always_2d=True)
            x = x.mean(1) if own == rate else soxr.resample(x.mean(1), own, rate)
            soundfile.write(os.path.join(folder, stem + '.wav'), x.astype(np.float32), rate, subtype='FLOAT')
    return folder


def by_library(model, wav, work):
    common = ['--model', model, '--force', '-q']
    codes, audio = (os.path.join(work, name) + os.sep for name in ('agree-codes', 'agree-audio'))
    subprocess.run([*COMMAND, 'encode', wav, '-o', codes, '--format', 'npy', *common], check=True)
    subprocess.run([*COMMAND, 'decode', codes, '-o', audio, '--format', 'float32', *common], check=True)
    return codes, audio


def gaps(codec, x, mine, theirs):
    """Relative gap between the distances of two choices, frame by frame."""
    z = codec.model.encode(codec.log_mel(x)[None])[0]
    distance = lambda k: (z - codec.model.quantizer.codebook[k]).square().sum(-1)
    a, b = distance(mine), distance(theirs)
    return (a - b).abs() / torch.minimum(a, b).clamp(min=1e-12)


def snr_db(want, got):
    n = min(len(want), len(got))
    noise = (want[:n] - got[:n]).double().square().sum().clamp(min=1e-30)
    return 10 * math.log10(float(want[:n].double().square().sum() / noise))


def compare_audio(codec, codes, got):
    """SNR of `got`, and how many pitches had to be rounded to the other side of a near-tie to get there."""
    bands, f0, share = codec.controls(codes)
    sound = lambda pitch: snr_db(codec.synth(bands, pitch.numpy(), share), got)
    _, log_f0, _ = codec.model.decode(codec.model.quantizer.codebook[codes][None])
    steps = (log_f0[0].exp() * PITCH_STEPS).double()
    off = steps - steps.floor() - .5
    ties = torch.nonzero(off.abs() < PITCH_TIE).flatten().tolist()
    best, flipped = sound(f0), 0
    while best < LEAST_SNR and ties:
        def flip(frame):
            other = f0.clone()
            other[frame] += (1 if off[frame] < 0 else -1) / PITCH_STEPS
            return other
        snr, frame = max((sound(flip(frame)), frame) for frame in ties)
        if snr <= best:
            break
        best, f0, flipped = snr, flip(frame), flipped + 1
        ties.remove(frame)
    return best, flipped


@torch.no_grad()
def agree(model, eval_dir, work):
    codec = Codec.load(model)
    wav = wav_copies(eval_dir, work, codec.config.sample_rate)
    codes_at, audio_at = by_library(model, wav, work)
    frames, near, wrong, ties, snr = 0, 0, 0, 0, []
    for name in sorted(os.listdir(wav)):
        stem = name[:-4]
        x = torch.from_numpy(soundfile.read(os.path.join(wav, name), dtype='float32')[0])
        theirs = torch.from_numpy(np.load(os.path.join(codes_at, stem + '.npy')).reshape(-1).astype(np.int64))
        mine = codec.encode(x)
        if len(mine) != len(theirs):
            raise SystemExit(f'{stem}: {len(theirs)} codes by the library, {len(mine)} by PyTorch')
        differ = mine != theirs
        tie = gaps(codec, x, mine, theirs) < NEAR_TIE
        frames, near, wrong = frames + len(mine), near + int((differ & tie).sum()), wrong + int((differ & ~tie).sum())
        got = torch.from_numpy(soundfile.read(os.path.join(audio_at, stem + '.wav'), dtype='float32')[0])
        best, flipped = compare_audio(codec, theirs, got)
        snr.append(best)
        ties += flipped
        if best < LEAST_SNR:
            print(f'{stem}: {best:.1f} dB', file=sys.stderr)
    return {'clips': len(snr), 'codes': frames, 'differAtNearTies': near, 'differOtherwise': wrong, 'pitchTies': ties,
            'worstSnrDb': round(min(snr), 1), 'medianSnrDb': round(float(np.median(snr)), 1)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model'); p.add_argument('eval_dir'); p.add_argument('work_dir')
    a = p.parse_args()
    torch.set_num_threads(1)
    result = agree(a.model, a.eval_dir, a.work_dir)
    print(json.dumps(result))
    sys.exit(int(result['differOtherwise'] > 0 or result['worstSnrDb'] < LEAST_SNR))


if __name__ == '__main__':
    main()
