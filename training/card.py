"""The model card: every figure made by the library's own command, none by PyTorch.

python training/card.py MODEL EVAL_DIR WORK_DIR --evaluators DIR [--peers RESULTS.csv] [-o weights/MODEL_CARD.md]

Writes the clips as WAV, runs `wavtok roundtrip` over them, has the evaluators judge the result (their evaluate.py: REF_DIR DEG_DIR),
counts codes, and writes the card. --peers: a table of classical codecs on some of the same clips (columns cond, file and the
measures), from the evaluators' run_baselines.py; their sound is made again by the evaluators' codecs_rt.py (ffmpeg, c2enc and c2dec on
the PATH) for the library's own measures. Judged results are kept in WORK_DIR: delete it to judge anew."""
import argparse
import csv
import json
import math
import os
import subprocess
import sys
from collections import defaultdict

import numpy as np
import soundfile
from safetensors import safe_open

import plot
from agreement import agree, by_library
from export import SOURCES

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..')
MEASURES = [('pesq', 'PESQ-wb', 2), ('stoi', 'STOI', 3), ('distilmos', 'DistilMOS', 2), ('dnsmos', 'DNSMOS', 2), ('spk', 'speaker sim.', 3)]
PAIRS = [('estoi', 'ESTOI', 3), ('melDistance', 'mel dist.', 2), ('f0Correlation', 'F0 corr.', 3), ('voicingF1', 'V/UV F1', 3)]      # of measure.mjs
OWN = [('estoi', 'ESTOI', 3), ('melDistance', 'mel distance', 2), ('f0Correlation', 'F0 correlation', 3), ('voicingF1', 'voiced/unvoiced F1', 3),
       ('stability', 'codes that the decoded audio has again', 3)]
LOWER = ('wer', 'melDistance')
PUBLISHED = {'pesq': 2.37, 'stoi': .914, 'voicingF1': .938}     # WavTokenizer-small, its paper's table, on LibriTTS test-clean
PICTURED = [('e021_ljspeech', 'an English woman (LJ Speech, public domain)'), ('e056_thorsten', 'a German man (Thorsten Müller, CC0)')]
PEERS = ['original', 'opus 6k', 'mp3 8k', 'codec2 3200', 'codec2 2400', 'codec2 1200', 'codec2 700C']


def rows_of(path):
    with open(path, encoding='utf8') as f:
        return list(csv.DictReader(f, delimiter='\t' if path.endswith('.tsv') else ',', quoting=csv.QUOTE_MINIMAL))


def roundtrip(model, eval_dir, work):
    """WAV copies in WORK/wav, decoded clips in WORK/out; the command's own report, one dict a clip."""
    os.makedirs(os.path.join(work, 'wav'), exist_ok=True)
    for name in sorted(os.listdir(eval_dir)):
        stem, kind = os.path.splitext(name)
        if kind.lower() in ('.flac', '.wav'):
            x, rate = soundfile.read(os.path.join(eval_dir, name))
            soundfile.write(os.path.join(work, 'wav', stem + '.wav'), x, rate, subtype='PCM_16')
    command = ['node', os.path.join(ROOT, 'dist/cli/main.js')]
    common = ['--model', model, '--json', '--force']
    wav, out = os.path.join(work, 'wav'), os.path.join(work, 'out') + os.sep
    report = subprocess.run([*command, 'roundtrip', wav, '-o', out, *common], check=True, capture_output=True, text=True).stdout
    codes = os.path.join(work, 'codes') + os.sep
    subprocess.run([*command, 'encode', wav, '-o', codes, '--format', 'npy', *common], check=True, capture_output=True)
    return [json.loads(line) for line in report.splitlines()]


def codebook(work, size):
    """Share of the codebook used, perplexity, tokens."""
    folder = os.path.join(work, 'codes')
    counts = sum(np.bincount(np.load(os.path.join(folder, name)).reshape(-1), minlength=size) for name in os.listdir(folder) if name.endswith('.npy'))
    p = counts[counts > 0] / counts.sum()
    return float((counts > 0).mean()), float(math.exp(-(p * np.log(p)).sum())), int(counts.sum())


def own_measures(model, work):
    """Aggregate of `wavtok eval` over the clips: means and 95 % bootstrap intervals."""
    command = ['node', os.path.join(ROOT, 'dist/cli/main.js'), 'eval', os.path.join(work, 'wav'), '--model', model, '--json', '--force', '-q']
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])['measures']


def own_table(measures):
    lines = ['| measure (`wavtok eval`) | mean | 95 % interval |', '|---|---|---|']
    for key, title, digits in OWN:
        m = measures[key]
        low, high = m.get('interval', (math.nan, math.nan))
        lines.append(f"| {title} | {m['mean']:.{digits}f} | {low:.{digits}f} to {high:.{digits}f} |")
    return '\n'.join(lines)


def judge(eval_dir, work, evaluators):
    path = os.path.join(work, 'judged.csv')
    if not os.path.exists(path):
        command = [sys.executable, os.path.join(evaluators, 'evaluate.py'), eval_dir, os.path.join(work, 'out'), '--csv', path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {os.path.splitext(r['file'])[0]: r for r in rows_of(path)}


def measured(work, folder):
    """The library's measures of FOLDER against WORK/wav by stem, kept beside the folder."""
    path = os.path.join(work, os.path.basename(os.path.normpath(folder)) + '.measured.jsonl')
    if not os.path.exists(path):
        command = ['node', os.path.join(HERE, 'measure.mjs'), os.path.join(work, 'wav'), folder]
        report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with open(path, 'w') as f:
            f.write(report)
    with open(path) as f:
        return {row['file'][:-4]: row for row in map(json.loads, f)}


def peer_sound(cond, stems, eval_dir, work, evaluators):
    """WORK/<cond>/<stem>.wav by the evaluators' own classical codecs, shifted back by the codec's delay as they do."""
    sys.path.insert(0, evaluators)
    import codecs_rt
    import metrics
    kind, arg = next((k, a) for name, k, a in codecs_rt.CONDITIONS if name == cond)
    folder = os.path.join(work, cond.replace(' ', '-'))
    os.makedirs(folder, exist_ok=True)
    for stem in stems:
        path, source = os.path.join(folder, stem + '.wav'), os.path.join(eval_dir, stem + '.flac')
        if not os.path.exists(path):
            x, (y, _) = metrics.load16(source), codecs_rt.run(source, kind, arg)
            soundfile.write(path, metrics.align(x, y), 16000, subtype='PCM_16')
    return folder


def means(rows):
    """Means of the measures and the word error rate (errors capped at a clip's words) of some rows."""
    def mean(key):
        values = [float(r[key]) for r in rows if r.get(key) not in (None, '', 'nan')]
        return sum(values) / len(values) if values else math.nan
    result = {key: mean(key) for key, _, _ in [*MEASURES, *PAIRS]}
    counted = [(float(r['werr']), float(r['words'])) for r in rows if r.get('words') not in (None, '', 'nan', '0')]
    words = sum(w for _, w in counted)
    result['wer'] = 100 * sum(min(e, w) for e, w in counted) / words if words else math.nan
    return result


def line(name, kbps, m):
    cells = [f'{m[key]:.{digits}f}' if math.isfinite(m[key]) else '-' for key, _, digits in [*MEASURES, *PAIRS]]
    return f"| {name} | {kbps} | {' | '.join(cells)} | {m['wer']:.1f} |"


def rows_by_condition(judged, peers, eval_dir, work, evaluators):
    """{condition: {stem: measures}}, 'mini' among them, and the stems that all have."""
    by = defaultdict(dict)
    for r in peers:
        if r['cond'] in PEERS:
            by[r['cond']][os.path.splitext(r['file'])[0]] = r
    shared = sorted(set(judged) & set(by.get('original', {})))
    for cond, rows in by.items():
        folder = os.path.join(work, 'wav') if cond == 'original' else peer_sound(cond, shared, eval_dir, work, evaluators)
        own = measured(work, folder)
        by[cond] = {stem: {**rows[stem], **own[stem]} for stem in shared}
    own = measured(work, os.path.join(work, 'out'))
    by['mini'] = {stem: {**judged[stem], **own[stem]} for stem in judged}
    by['mini beside peers'] = {s: {**by['mini'][s], 'words': by['original'][s]['words'] and by['mini'][s]['words']} for s in shared}      # the same words
    return by, shared


def table(by, shared):
    """Ours and the classical codecs on the clips that both have, then ours on all."""
    head = '| | kbit/s | ' + ' | '.join(title for _, title, _ in [*MEASURES, *PAIRS]) + ' | WER % |\n' + '|---' * (len(MEASURES) + len(PAIRS) + 3) + '|'
    lines = [head]
    if shared:
        lines.append(line(f'**mini** ({len(shared)} clips)', '0.90', means(list(by['mini beside peers'].values()))))
        for cond in PEERS:
            rates = [float(r['kbps']) for r in by[cond].values() if r['kbps'] not in ('', 'nan')]
            lines.append(line(cond, f'{sum(rates) / len(rates):.2f}' if rates else '-', means(list(by[cond].values()))))
    lines.append(line(f"**mini**, all {len(by['mini'])} clips", '0.90', means(list(by['mini'].values()))))
    return '\n'.join(lines)


def beaten(ours, theirs):
    """Two lists of what is better than `theirs` and what is not, each with both numbers."""
    better, worse = [], []
    for key, title, digits in [*MEASURES, ('wer', 'WER %', 1), *PAIRS]:
        if math.isfinite(theirs.get(key, math.nan)):
            wins = ours[key] < theirs[key] if key in LOWER else ours[key] > theirs[key]
            (better if wins else worse).append(f'{title} {ours[key]:.{digits}f} / {theirs[key]:.{digits}f}')
    return better, worse


def goals(by, shared):
    """The goals that training was given, in their order, and how far the file is."""
    ours, of = means(list(by['mini beside peers'].values())), lambda cond: means(list(by[cond].values()))
    words, limit = ours['wer'], of('original')['wer'] + 10
    lines = ['| goal | better (ours / theirs) | not better |', '|---|---|---|',
             f"| word errors within 10 points of the original's | {f'{words:.1f} / {limit:.1f}' if words <= limit else '-'} | {f'{words:.1f} / {limit:.1f}' if words > limit else '-'} |"]
    for title, theirs in [('Codec2 1200', of('codec2 1200')), ('Codec2 3200', of('codec2 3200')), ('Opus 6k', of('opus 6k')),
                          ('WavTokenizer-small, as published for other clips', PUBLISHED)]:
        better, worse = beaten(means(list(by['mini'].values())) if theirs is PUBLISHED else ours, theirs)
        lines.append(f"| better than {title} | {', '.join(better) or '-'} | {', '.join(worse) or '-'} |")
    return '\n'.join(lines)


def pictures(eval_dir, work):
    """Spectrogram pairs in docs/, as Markdown."""
    lines = []
    for stem, title in PICTURED:
        name = f'mini-{stem.split("_")[1]}.png'
        plot.pair(os.path.join(eval_dir, stem + '.flac'), os.path.join(work, 'out', stem + '.wav'), os.path.join(ROOT, 'docs', name))
        lines.append(f'![Spectrograms before and after: {title}](../docs/{name})')
    return '\n\n'.join(lines)


MACHINES = {'cuda': 'one H200 GPU', 'cpu': 'two CPU cores'}


def run_line(run):
    return f"{run['steps']:,} steps in {60 * run['trainingHours']:.0f} minutes on {MACHINES[run['device']]} ({run['audioSeenHours']:.0f} h of audio)"


LICENCES = {'CC-BY-4.0': 'https://creativecommons.org/licenses/by/4.0/', 'CC0-1.0': 'https://creativecommons.org/publicdomain/zero/1.0/'}


def source_line(source):
    licence, known = source['licence'], next((s for s in SOURCES if s['name'] == source['name']), {})
    hours = source.get('hours', known.get('hours'))
    return f"| {source['name']} | {'' if hours is None else f'{hours:.2f}'} | {f'[{licence}]({LICENCES[licence]})' if licence in LICENCES else licence} | {source['by']} |"


def dtype_loss(model, exact, work):
    """What the shipped dtype changes against f32 weights, by the library: codes, and the measures of what is decoded. Not the waveforms'
    distance: a pitch that is rounded to the other quarter of a Hz is another phase from there on."""
    wav = os.path.join(work, 'wav24')       # of agree()
    codes, exact_codes = (by_library(m, wav, os.path.join(work, name))[0] for m, name in ((model, 'as-shipped'), (exact, 'exact')))
    names = sorted(n for n in os.listdir(codes) if n.endswith('.npy'))
    pairs = [(np.load(os.path.join(codes, n)).reshape(-1), np.load(os.path.join(exact_codes, n)).reshape(-1)) for n in names]
    differ, total = sum(int((a != b).sum()) for a, b in pairs), sum(len(a) for a, _ in pairs)
    ours, theirs = own_measures(model, work), own_measures(exact, work)
    beside = ', '.join(f"{title} {ours[key]['mean']:.4f} and {theirs[key]['mean']:.4f}" for key, title, _ in OWN[:3])
    return f'Shipped as f16: against the same weights in f32, {differ} of {total:,} codes differ ({100 * differ / total:.2f} %); {beside}.'


def card(model, eval_dir, work, evaluators, peers, exact=None):
    with safe_open(model, 'pt') as f:
        metadata = f.metadata()
        parameters = sum(math.prod(f.get_slice(k).get_shape()) for k in f.keys())
    config, history = json.loads(metadata['config']), json.loads(metadata['provenance'])
    report = roundtrip(model, eval_dir, work)
    used, perplexity, tokens = codebook(work, config['codebook_size'])
    judged = judge(eval_dir, work, evaluators)
    agreed = agree(model, eval_dir, work)
    by, shared = rows_by_condition(judged, rows_of(peers) if peers else [], eval_dir, work, evaluators)
    seconds = sum(r['audioSeconds'] for r in report)
    text = open(os.path.join(HERE, 'card.md'), encoding='utf8').read()
    stack = lambda c: f"{c['blocks']} blocks of {c['dim']}/{c['hidden']}"
    values = {
        'own': own_table(own_measures(model, work)), 'pictures': pictures(eval_dir, work), **agreed,
        'table': table(by, shared), 'goals': goals(by, shared) if shared else '', 'parameters': f'{parameters / 1e6:.2f} M', 'bytes': f'{os.path.getsize(model) / 1e6:.2f} MB',
        'encoder': stack(config['encoder']), 'decoder': stack(config['decoder']), 'dim': config['codebook_dim'], 'mels': config['front_end']['mels'],
        'bands': config['synth']['bands'], 'training': '; then '.join(map(run_line, history.get('runs') or [{**history, 'device': 'cuda'}])), 'seen': history['audioSeenHours'], 'dtype_loss': dtype_loss(model, exact, work) if exact else '',
        'data_hours': history['dataHours'], 'speakers': f"{history['speakers']:,}", 'date': history['date'],
        'sources': '\n'.join(map(source_line, history['sources'])),
        'used': f'{100 * used:.1f}', 'perplexity': f'{perplexity:.0f}', 'tokens': f'{tokens:,}', 'clips': len(judged), 'minutes': f'{seconds / 60:.1f}',
        'encode_speed': f"{seconds / sum(r['encodeSeconds'] for r in report):.0f}", 'decode_speed': f"{seconds / sum(r['decodeSeconds'] for r in report):.0f}",
    }
    return text.format(**values)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model'); p.add_argument('eval_dir'); p.add_argument('work_dir')
    p.add_argument('--exact', help='the same weights exported in f32: what the shipped dtype costs')
    p.add_argument('--evaluators', required=True); p.add_argument('--peers'); p.add_argument('-o', '--out', default=os.path.join(ROOT, 'weights', 'MODEL_CARD.md'))
    a = p.parse_args()
    text = card(a.model, a.eval_dir, a.work_dir, a.evaluators, a.peers, a.exact)
    with open(a.out, 'w', encoding='utf8') as f:
        f.write(text)
    print(text)


if __name__ == '__main__':
    main()
