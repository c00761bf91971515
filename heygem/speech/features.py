"""Log-mel features of speech: 64 bands, 100 rows a second; row t is centred at t / 100 s."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RATE = 16_000
"""Samples a second that everything in this package works with."""
HOP = 160
ROWS = RATE // HOP
"""Feature rows a second."""
BANDS = 64
FFT = 512
WINDOW = 400
LOWEST, HIGHEST = 60.0, 7600.0
FLOOR = 1e-4
"""Power, relative to the level of the voice, under which differences are no longer seen (-40 dB)."""


def mel_power(samples: np.ndarray) -> np.ndarray:
    """Power in 64 mel bands, (T, 64) float32 with T = n // 160 + 1, of mono 16 kHz samples (n,)."""
    window, bank = _constants()
    padded = np.pad(np.asarray(samples, np.float32), WINDOW // 2)
    spectrum = np.fft.rfft(sliding_window_view(padded, WINDOW)[::HOP] * window, FFT)
    return (spectrum.real**2 + spectrum.imag**2) @ bank


def compress(power: np.ndarray, level: float) -> np.ndarray:
    """Mel power (..., 64) -> features: log of the power relative to ``level``, with a soft floor, about -1.7 to 1.5.

    ``level`` is the mean power of the voice, summed over the bands.
    """
    return (np.log10(power * (BANDS / max(level, 1e-12)) + FLOOR) + 1.5) / 1.5


def triangles(edges: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Filters that rise from each edge to the next and fall to the one after it, 1 at their tops.

    edges: Hz, rising along the first axis; bins: Hz, along the other one.
    """
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


@cache
def _constants() -> tuple[np.ndarray, np.ndarray]:
    """Hann window (400,) and triangular filter bank (257, 64) on the HTK mel scale (Young et al., The HTK Book)."""
    low, high = (2595 * np.log10(1 + edge / 700) for edge in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)  # Hz
    bins = np.linspace(0, RATE / 2, FFT // 2 + 1)[:, None]
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32), triangles(edges, bins).astype(np.float32)
