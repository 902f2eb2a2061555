"""Seeded input signals, mono float32 at 24 kHz unless a rate is given."""

import numpy as np
import soundfile

import store

SAMPLE_RATE = 24000


def voiced(samples: int, seed: int) -> np.ndarray:
    """Drifting harmonics under a moving envelope, plus noise: every frame differs from its neighbours."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / SAMPLE_RATE
    pitch = 110 + 40 * np.sin(2 * np.pi * 3.1 * time + random.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    harmonics = sum(np.sin(k * phase + random.uniform(0, 6)) / k for k in range(1, 20))
    envelope = 0.15 + 0.1 * np.sin(2 * np.pi * 21 * time)
    return (envelope * harmonics + 0.04 * random.standard_normal(samples)).astype(np.float32)


def square(samples: int) -> np.ndarray:
    """A 441 Hz square wave at full scale: every sample is -1 or 1."""
    return np.where(np.arange(samples) * 441 % SAMPLE_RATE * 2 < SAMPLE_RATE, 1, -1).astype(np.float32)


def fixture(name: str, start: int = 0, stop: int | None = None) -> np.ndarray:
    """[T] or [T, channels] float32 (int16 / 32768) from tests/fixtures."""
    return soundfile.read(store.FIXTURES / name, dtype='float32', start=start, stop=stop)[0]
