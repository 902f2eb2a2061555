"""Writes fairness.json: what scipy, scikit-learn, rapidfuzz and librosa say of a seeded corpus that tests/metrics/fairness.test.ts makes too.

`python make_fairness.py`, packages in requirements.txt, about 5 s.
"""

import itertools
import json
from pathlib import Path

import librosa
import numpy as np
import scipy.stats
from rapidfuzz.distance import Levenshtein
from scipy.spatial.distance import jensenshannon
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from inputs import seeded_codes, uniform

HERE = Path(__file__).resolve().parent
SIZE, FRAMES, TEXTS, SPEAKERS = 32, 60, 3, 4
GROUPS = ['f', 'm', 'n']
SEED = 1


# ---- inputs, as in tests/metrics/fairness.test.ts ----------------------------------------------------------------------------
def rendering(group: int, speaker: int, text: int) -> list[int]:
    """A text's codes; a speaker changes some at random, group m moves others by 5, group n by 5 half as often."""
    u = uniform(2 * FRAMES, 1000 + 10 * speaker + text)
    moved = 0.4 + [0, 0.2, 0.1][group]
    codes = []
    for t, code in enumerate(seeded_codes(FRAMES, SIZE, 10 + text)):
        if u[2 * t] < 0.4:
            code = int(SIZE * u[2 * t + 1] * u[2 * t + 1])
        elif u[2 * t] < moved:
            code = (code + 5) % SIZE
        codes.append(code)
    return codes


def corpus() -> list[dict]:
    return [
        {'group': g, 'speaker': s, 'text': t, 'codes': rendering(g, s, t)}
        for g in range(len(GROUPS))
        for s in range(g * SPEAKERS, (g + 1) * SPEAKERS)
        for t in range(TEXTS)
    ]


def features(seed: int, frames: int) -> np.ndarray:
    return uniform(4 * frames, seed).reshape(frames, 4) - 0.5


# ---- the generator of src/random.ts, for equal folds -------------------------------------------------------------------------
def mulberry32(seed: int):
    state, mask = seed, 2**32 - 1
    while True:
        state = (state + 0x6D2B79F5) & mask
        t = ((state ^ (state >> 15)) * (1 | state)) & mask
        t = ((t + (((t ^ (t >> 7)) * (61 | t)) & mask)) & mask) ^ t
        yield (t ^ (t >> 14)) / 2**32


def shuffled(length: int, numbers) -> list[int]:
    order = list(range(length))
    for i in range(length - 1, 0, -1):
        other = int(next(numbers) * (i + 1))
        order[i], order[other] = order[other], order[i]
    return order


# ---- distribution ------------------------------------------------------------------------------------------------------------
def histogram(clips: list[list[int]], order: int) -> np.ndarray:
    counts = np.zeros(SIZE**order)
    for codes in clips:
        for t in range(order - 1, len(codes)):
            counts[codes[t] if order == 1 else codes[t - 1] * SIZE + codes[t]] += 1
    return counts


def divergence(a: np.ndarray, b: np.ndarray) -> float:
    p, q = ((each + 1 / len(each)) / (each.sum() + 1) for each in (a, b))
    return jensenshannon(p, q, base=2) ** 2


def distribution_gap(entries: list[dict], order: int) -> dict:
    """Groups f and m, p from all 70 splits of their speakers."""
    counts = [
        histogram([e['codes'] for e in entries if e['speaker'] == s], order) for s in range(2 * SPEAKERS)
    ]
    values = []
    for first in itertools.combinations(range(2 * SPEAKERS), SPEAKERS):
        rest = [s for s in range(2 * SPEAKERS) if s not in first]
        values.append(divergence(sum(counts[s] for s in first), sum(counts[s] for s in rest)))
    return {
        'value': values[0],
        'p': np.mean(np.array(values) >= values[0] - 1e-12),
        'chance': np.mean(values),
    }


# ---- same text ---------------------------------------------------------------------------------------------------------------
def distance(a: list[int], b: list[int]) -> float:
    return Levenshtein.normalized_distance(*([k for k, _ in itertools.groupby(c)] for c in (a, b)))


def mean_distance(entries, text, a, b) -> float:
    chosen = [e for e in entries if e['text'] == text]
    return np.mean(
        [
            distance(x['codes'], y['codes'])
            for x, y in itertools.product(chosen, chosen)
            if (x['group'], y['group']) == (a, b) and x['speaker'] != y['speaker']
        ]
    )


def same_text(entries: list[dict]) -> dict:
    means = {pair: [mean_distance(entries, t, *pair) for t in range(TEXTS)] for pair in [(0, 0), (0, 1), (1, 1), (2, 0), (2, 1)]}
    between, f, m = (np.mean(means[pair]) for pair in [(0, 1), (0, 0), (1, 1)])
    return {
        'between': between,
        'within': [f, m],
        'gap': between - (f + m) / 2,
        'orientation': np.mean(means[2, 0]) - np.mean(means[2, 1]),
    }


def warped(a: np.ndarray, b: np.ndarray) -> float:
    cost, path = librosa.sequence.dtw(a.T, b.T, metric='cosine')
    return cost[-1, -1] / len(path)


# ---- probe -------------------------------------------------------------------------------------------------------------------
def frequencies(entries: list[dict]) -> np.ndarray:
    return np.array([histogram([e['codes']], 1) / len(e['codes']) for e in entries])


def fitted(x, y, **options) -> LogisticRegression:
    return LogisticRegression(solver='newton-cg', tol=1e-12, max_iter=1000, **options).fit(x, y)


def logistic(entries: list[dict], groups: int, **options) -> dict:
    chosen = [e for e in entries if e['group'] < groups][2:]  # uneven classes
    x, y = 20 * frequencies(chosen), [e['group'] for e in chosen]
    model = fitted(x, y, **options)
    # Intercepts of three classes may all move together; those that add to 0 are taken.
    centre = model.intercept_.mean() if groups > 2 else 0
    return {
        'options': options,
        'coefficients': model.coef_.round(12).tolist(),
        'intercepts': (model.intercept_ - centre).tolist(),
        'predictions': model.predict(x).tolist(),
    }


def probe(entries: list[dict], groups: int) -> float:
    chosen = [e for e in entries if e['group'] < groups]
    x, y, speaker = frequencies(chosen), np.array([e['group'] for e in chosen]), np.array([e['speaker'] for e in chosen])
    fold, dealt = {}, [0] * groups
    for s in shuffled(groups * SPEAKERS, mulberry32(SEED)):
        fold[s] = dealt[s // SPEAKERS] % SPEAKERS
        dealt[s // SPEAKERS] += 1
    folds = np.array([fold[s] for s in speaker])
    found = np.zeros_like(y)
    for k in range(SPEAKERS):
        train, test = folds != k, folds == k
        scaler = StandardScaler(with_mean=False).fit(x[train])
        model = fitted(scaler.transform(x[train]), y[train], class_weight='balanced')
        found[test] = model.predict(scaler.transform(x[test]))
    return balanced_accuracy_score(y, found)


# ---- means -------------------------------------------------------------------------------------------------------------------
def means() -> dict:
    """One clip a speaker: five of group f, four of m; and an interval of twelve."""
    a, b, many = uniform(5, 5), uniform(4, 6) + 0.3, uniform(12, 7)
    test = scipy.stats.permutation_test(
        (a, b), lambda x, y: abs(x.mean() - y.mean()), alternative='greater', n_resamples=np.inf, vectorized=False
    )
    low, high = scipy.stats.bootstrap(
        (many,), np.mean, n_resamples=200_000, method='percentile', rng=np.random.default_rng(1)
    ).confidence_interval
    return {'difference': a.mean() - b.mean(), 'p': test.pvalue, 'interval': [low, high]}


def main() -> None:
    entries = corpus()
    expected = {
        'divergence': divergence(np.array([5.0, 0, 3, 0]), np.array([0, 2.0, 3, 0])),
        'unigram': distribution_gap(entries, 1),
        'bigram': distribution_gap(entries, 2),
        'editDistance': Levenshtein.distance(entries[0]['codes'], entries[20]['codes'][:45]),
        'sameText': same_text(entries),
        'warped': warped(features(1, 30), features(2, 37)),
        'logistic': [
            logistic(entries, 2, C=1),
            logistic(entries, 2, C=10, class_weight='balanced'),
            logistic(entries, 3, C=1),
            logistic(entries, 3, C=0.5, class_weight='balanced'),
        ],
        'probe': {groups: probe(entries, groups) for groups in (2, 3)},
        'means': means(),
    }
    text = json.dumps(expected, separators=(',', ':'), default=float)
    (HERE / 'fairness.json').write_text(text.replace('},', '},\n') + '\n')
    print(len(text), 'characters')


if __name__ == '__main__':
    main()
