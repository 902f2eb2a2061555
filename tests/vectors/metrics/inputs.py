"""Seeded numbers, as in tests/metrics/inputs.ts."""

import numpy as np


def uniform(count: int, seed: int) -> np.ndarray:
    state, out = seed, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state / 2**32)
    return np.array(out)


def seeded_codes(count: int, size: int, seed: int) -> list[int]:
    """Skewed, and every third code or so repeats the one before."""
    u = uniform(2 * count, seed)
    codes = []
    for t in range(count):
        repeats = t > 0 and u[2 * t] < 0.3
        codes.append(codes[-1] if repeats else int(size * u[2 * t + 1] * u[2 * t + 1]))
    return codes
