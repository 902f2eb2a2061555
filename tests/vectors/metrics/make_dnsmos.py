"""Writes dnsmos.json: what speechmos (its own weights, which are not stored here) says of speech-16k.wav, once and five times over:
the windows that its network was given, as first sample, last sample and sum; what the network said; the scores.

    pip install -r requirements-dnsmos.txt && python make_dnsmos.py
"""

import json
import sys
from pathlib import Path

import numpy as np
from speechmos import dnsmos

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import signals  # noqa: E402

RATE = 16_000
SCORES = ('sig_mos', 'bak_mos', 'ovrl_mos')


class Recorder:
    """A session that remembers what went through it."""

    def __init__(self, session):
        self.session = session
        self.windows = []

    def run(self, outputs, feeds):
        result = self.session.run(outputs, feeds)
        [window] = feeds['input_1']
        ends = [float(window[0]), float(window[-1])]
        self.windows.append({'length': len(window), 'ends': ends, 'sum': float(window.sum(dtype=np.float64)), 'raw': result[0][0].tolist()})
        return result


speech = signals.fixture('speech-16k.wav')
cases = []
for times in (1, 5):
    dnsmos.dnsmos = None
    dnsmos.run(speech, RATE)
    recorder = Recorder(dnsmos.dnsmos.onnx_sess)
    dnsmos.dnsmos.onnx_sess = recorder
    scores = dnsmos.run(np.tile(speech, times), RATE)
    cases.append({'times': times, 'windows': recorder.windows, 'scores': [float(scores[name]) for name in SCORES]})
(HERE / 'dnsmos.json').write_text(json.dumps({'speechmos': '0.0.1.1', 'cases': cases}, indent=1) + '\n')
