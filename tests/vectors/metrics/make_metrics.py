"""Writes expected.json: what the reference package of each metric says of the fixtures and of seeded numbers.

`python make_metrics.py`, packages in requirements.txt, about 20 s. The degraded clips, scores, embeddings and codes are made by
formulas that tests/metrics/inputs.ts repeats, so that only figures are stored.
"""

import json
import math
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import auraloss
import jiwer
import librosa
import mir_eval
import numpy as np
import pysptk
import scipy.linalg
import scipy.stats
import soundfile
import torch
import torchmetrics.functional.audio as torch_audio
from nltk.lm.models import InterpolatedLanguageModel
from nltk.lm.smoothing import KneserNey
from pystoi import stoi
from sklearn.metrics import mutual_info_score, roc_curve
from sklearn.metrics.cluster import contingency_matrix

from inputs import seeded_codes, uniform

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / 'fixtures'
CLIPS = {'speech-16k': 16000, 'speech-de': 24000, 'speech-44k-stereo': 44100}


# ---- inputs, as in tests/metrics/inputs.ts -----------------------------------------------------------------------------------
def degrade(x: np.ndarray) -> np.ndarray:
    late = np.concatenate([np.zeros(5), x[:-5]])
    return (0.8 * np.floor(64 * x) / 64 + 0.1 * late + 0.01).astype(np.float32).astype(np.float64)


# ---- signals -----------------------------------------------------------------------------------------------------------------
def magnitudes(x: np.ndarray, n: int, hop: int) -> np.ndarray:
    return np.abs(librosa.stft(x, n_fft=n, hop_length=hop, window='hann', center=True, pad_mode='reflect'))


def mel_distance(x, y, rate, windows, mels, power, weight) -> float:
    total = 0.0
    for n, bands in zip(windows, mels):
        basis = librosa.filters.mel(sr=rate, n_fft=n, n_mels=bands, dtype=np.float64)
        a, b = basis @ magnitudes(x, n, n // 4), basis @ magnitudes(y, n, n // 4)
        logs = [np.log10(np.maximum(m, 1e-5) ** power) for m in (a, b)]
        total += np.abs(logs[0] - logs[1]).mean() + weight * np.abs(a - b).mean()
    return total


def stft_distance(x, y) -> float:
    total = 0.0
    for n in (2048, 512):
        a, b = magnitudes(x, n, n // 4), magnitudes(y, n, n // 4)
        logs = [np.log10(np.maximum(m, 1e-5) ** 2) for m in (a, b)]
        total += np.abs(logs[0] - logs[1]).mean() + np.abs(a - b).mean()
    return total


def log_spectral_distance(x, y) -> float:
    a, b = (np.log10(magnitudes(s, 2048, 512) ** 2 + 1e-10) for s in (x, y))
    return np.sqrt(((a - b) ** 2).mean(axis=0)).mean()


def mel_cepstra(x, rate, alpha) -> np.ndarray:
    n = 2 ** math.ceil(math.log2(rate / 25))
    power = magnitudes(x, n, math.floor(rate / 200 + 0.5)) ** 2 + 1e-10
    return np.array([pysptk.sp2mc(np.ascontiguousarray(frame), 24, alpha) for frame in power.T])


def cepstral_distortion(a: np.ndarray, b: np.ndarray) -> dict:
    frame = 10 / math.log(10) * np.sqrt(2 * ((a[:, None, 1:] - b[None, :, 1:]) ** 2).sum(-1))
    cost, path = librosa.sequence.dtw(C=frame)
    return {'mcd': np.diag(frame).mean(), 'mcd_dtw': cost[-1, -1] / len(path)}


def pitch_track(x, rate) -> tuple[np.ndarray, np.ndarray]:
    n = 2 ** math.ceil(math.log2(2 * rate / 50 + 1))
    f0, _, voiced = librosa.pyin(x, fmin=50, fmax=550, sr=rate, frame_length=n, hop_length=round(rate / 100))
    return f0, voiced


def f0_agreement(a: np.ndarray, b: np.ndarray) -> dict:
    va, vb = ~np.isnan(a), ~np.isnan(b)
    both = va & vb
    gross = np.abs(b[both] / a[both] - 1) > 0.2
    cents = 1200 * np.log2(b[both] / a[both])
    tp, fp, fn = both.sum(), (vb & ~va).sum(), (va & ~vb).sum()
    return {
        'frames': len(a),
        'voicedFrames': int(both.sum()),
        'gpe': gross.mean(),
        'vde': (va != vb).mean(),
        'ffe': (gross.sum() + (va != vb).sum()) / len(a),
        'rmseCents': np.sqrt((cents**2).mean()),
        'rmseHz': np.sqrt(((b[both] - a[both]) ** 2).mean()),
        'correlation': scipy.stats.pearsonr(np.log(a[both]), np.log(b[both])).statistic,
        'voicingF1': 2 * tp / (2 * tp + fp + fn),
    }


def signal_metrics(name: str, rate: int) -> dict:
    audio, found = soundfile.read(FIXTURES / f'{name}.wav', always_2d=True)
    assert found == rate
    x = audio[:, 0]
    y = degrade(x)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    ratio = lambda **options: torch_audio.scale_invariant_signal_distortion_ratio(ty, tx, **options).item()
    loss = auraloss.freq.MultiResolutionSTFTLoss().double()
    alpha = float(pysptk.util.mcepalpha(rate))
    (f0, voiced), (degraded_f0, _) = pitch_track(x, rate), pitch_track(y, rate)
    return {
        'sampleRate': rate,
        'snr': torch_audio.signal_noise_ratio(ty, tx).item(),
        'siSdr': ratio(zero_mean=False),
        'siSnr': ratio(zero_mean=True),
        'sdr': mir_eval.separation.bss_eval_sources(x[None], y[None])[0][0],
        'stoi': stoi(x, y, rate),
        'estoi': stoi(x, y, rate, extended=True),
        'melTraining': mel_distance(x, y, rate, [32, 64, 128, 256, 512, 1024, 2048], [5, 10, 20, 40, 80, 160, 320], 1, 0),
        'melEvaluation': mel_distance(x, y, rate, [2048, 512], [150, 80], 2, 1),
        'multiScaleStft': stft_distance(x, y),
        'multiResolutionStft': loss(ty[None, None], tx[None, None]).item(),
        'logSpectral': log_spectral_distance(x, y),
        'melAlpha': alpha,
        **cepstral_distortion(mel_cepstra(x, rate, alpha), mel_cepstra(y, rate, alpha)),
        'f0': [None if math.isnan(hz) else round(hz, 9) for hz in f0],
        'voiced': [round(p, 9) for p in voiced],
        'f0Agreement': f0_agreement(f0, degraded_f0),
    }


# ---- tokens ------------------------------------------------------------------------------------------------------------------
def grams(clip, order):
    padded = ['<s>'] * (order - 1) + clip
    for t in range(order - 1, len(padded)):
        for n in range(1, order + 1):
            yield tuple(padded[t - n + 1 : t + 1])


class WithUniformFloor(KneserNey):
    """NLTK's smoothing, its unigrams interpolated with a uniform distribution over the codebook."""

    def __init__(self, vocabulary, counter, size, **options):
        super().__init__(vocabulary, counter, **options)
        self.size = size

    def unigram_score(self, word):
        count, total = self._continuation_counts(word)
        kept = sum(1 for w in self.counts[1] if self._continuation_counts(w)[0] > 0)
        return (max(count - self.discount, 0) + self.discount * kept / self.size) / total


def nltk_bits(train, test, size, order, discount) -> float:
    params = {'size': size, 'order': order, 'discount': discount}
    model = InterpolatedLanguageModel(WithUniformFloor, order, params=params)
    model.fit([list(grams(clip, order)) for clip in train], vocabulary_text=['<s>', *map(str, range(size))])
    scores = {}
    bits = []
    for clip in test:
        padded = ['<s>'] * (order - 1) + clip
        for t in range(order - 1, len(padded)):
            gram = tuple(padded[t - order + 1 : t + 1])
            if gram not in scores:
                scores[gram] = -math.log2(model.unmasked_score(gram[-1], gram[:-1]))
            bits.append(scores[gram])
    return sum(bits) / len(bits)


def modified_bits(train, test, size, order) -> float:
    """Chen and Goodman's formulas by dictionaries, one table per order."""
    raw = [Counter() for _ in range(order + 1)]
    for clip in train:
        for gram in grams(clip, order):
            raw[len(gram)][gram] += 1
    tables = [None] + [Counter(g[1:] for g in raw[n + 1]) if n < order else raw[n] for n in range(1, order + 1)]
    discounts = [None]
    for n in range(1, order + 1):
        c = Counter(tables[n].values())
        with np.errstate(all='ignore'):
            y = np.float64(c[1]) / (c[1] + 2 * c[2])
            d = [r - (r + 1) * y * c[r + 1] / np.float64(c[r]) for r in (1, 2, 3)]
        sound = all(0 <= v <= i + 1 for i, v in enumerate(d))
        discounts.append(d if sound else [0.5, 1, 1.5])
    totals, freed = Counter(), defaultdict(float)
    for n in range(1, order + 1):
        for gram, count in tables[n].items():
            totals[gram[:-1]] += count
            freed[gram[:-1]] += discounts[n][min(count, 3) - 1]

    def probability(gram):
        n = len(gram)
        lower = 1 / size if n == 1 else probability(gram[1:])
        if not totals[gram[:-1]]:
            return lower
        count = tables[n][gram]
        kept = max(count - discounts[n][min(count, 3) - 1], 0) if count else 0
        return (kept + freed[gram[:-1]] * lower) / totals[gram[:-1]]

    bits = []
    for clip in test:
        padded = ['<s>'] * (order - 1) + clip
        bits += [-math.log2(probability(tuple(padded[t - order + 1 : t + 1]))) for t in range(order - 1, len(padded))]
    return sum(bits) / len(bits)


def token_metrics() -> dict:
    size = 40
    clips = [seeded_codes(600, size, 1), seeded_codes(400, size, 2)]
    other = [seeded_codes(600, 16, 3), seeded_codes(400, 16, 4)]
    flat, flat_other = sum(clips, []), sum(other, [])
    counts = np.bincount(flat, minlength=size)
    first = sum([clip[:-1] for clip in clips], [])
    second = sum([clip[1:] for clip in clips], [])
    bits = lambda *labels: scipy.stats.entropy(contingency_matrix(*labels).ravel(), base=2)
    entropy = scipy.stats.entropy(counts, base=2)
    words = [[str(code) for code in clip] for clip in clips]
    train, test = [words[0], words[1][:200]], [words[1][200:]]
    phones = [code * code % 7 for code in flat_other]
    return {
        'size': size,
        'used': int((counts > 0).sum()),
        'entropy': entropy,
        'perplexity': 2**entropy,
        'temporalConditional': bits(first, second) - bits(first, [0] * len(first)),
        'temporalInformation': mutual_info_score(first, second) / math.log(2),
        'codebookConditional': bits(flat, flat_other) - bits(flat, [0] * len(flat)),
        'codebookInformation': mutual_info_score(flat, flat_other) / math.log(2),
        'repeatRate': float(np.mean(np.array(first) == np.array(second))),
        'kneserNeySingle': {order: nltk_bits(train, test, size, order, 0.75) for order in (2, 3)},
        'kneserNeyModified': {order: modified_bits(train, test, size, order) for order in (1, 2, 3, 4)},
        'phonePurity': contingency_matrix(phones, flat).max(axis=0).sum() / len(flat),
        'clusterPurity': contingency_matrix(phones, flat).max(axis=1).sum() / len(flat),
        'pnmi': mutual_info_score(phones, flat) / scipy.stats.entropy(np.bincount(phones)),
    }


# ---- embeddings and text -------------------------------------------------------------------------------------------------------
def equal_error_rate() -> float:
    targets, impostors = uniform(57, 5), uniform(83, 6) * 0.8 - 0.1
    labels = np.r_[np.ones(57), np.zeros(83)]
    fpr, tpr, _ = roc_curve(labels, np.r_[targets, impostors], drop_intermediate=False)
    return scipy.optimize.brentq(lambda x: 1 - x - np.interp(x, fpr, tpr), 0, 1)


def frechet(count: int) -> float:
    a = uniform(count * 12, 7).reshape(count, 12)
    b = (uniform(count * 12, 8) * uniform(count * 12, 9)).reshape(count, 12)
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(ca @ cb)
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root.real))


TEXTS = [
    ('serve in a chafing dish with thin slices of dry toast', 'serve in the shaving dish with slices of of dry toast'),
    ('produced the block books', 'block books produced by the'),
    ('a', 'b c d'),
    ('gleich', 'gleich'),
]


def text_metrics() -> list[dict]:
    result = []
    for reference, hypothesis in TEXTS:
        words = jiwer.process_words(reference, hypothesis)
        result.append(
            {
                'reference': reference,
                'hypothesis': hypothesis,
                'wer': words.wer,
                'cer': jiwer.process_characters(reference, hypothesis).cer,
                'errors': words.substitutions + words.deletions + words.insertions,
            }
        )
    return result


def main() -> None:
    warnings.simplefilter('ignore')
    expected = {
        'signals': {name: signal_metrics(name, rate) for name, rate in CLIPS.items()},
        'tokens': token_metrics(),
        'equalErrorRate': equal_error_rate(),
        'frechet': {count: frechet(count) for count in (200, 9)},
        'texts': text_metrics(),
    }
    text = json.dumps(expected, separators=(',', ':'), default=float)
    (HERE / 'expected.json').write_text(text.replace('},', '},\n') + '\n')
    print(len(text), 'characters')


if __name__ == '__main__':
    main()
