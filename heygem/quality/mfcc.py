"""Mel-frequency cepstra (Davis and Mermelstein 1980) in the form that SyncNet was trained on: int16 samples, 13 rows of
25 ms each 10 ms, 26 filters on whole bins, the first coefficient replaced by the log energy."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.fft import dct

RATE, WINDOW, HOP, FFT = 16_000, 400, 160, 512
FILTERS, COEFFICIENTS, LIFTER = 26, 13, 22
EMPHASIS = 0.97
_CHUNK = 4096  # rows at once: memory stays flat in the length of the sound


def mfcc(samples: np.ndarray) -> np.ndarray:
    """(T, 13) float32 of mono 16 kHz samples (n,) in -1..1 from t / 100 s on, T = 1 + ceil((n - 400) / 160)."""
    count = 1 + max(0, -(-(len(samples) - WINDOW) // HOP))
    return np.concatenate([_rows(samples, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)])


def _rows(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Rows ``start`` to ``stop``. Behind the end there is silence."""
    first, end = start * HOP, (stop - 1) * HOP + WINDOW
    heard = np.clip(np.rint(samples[max(first - 1, 0) : end] * 32768.0), -32768, 32767)  # in float64 from here on
    heard = np.concatenate([np.zeros(int(first == 0)), heard])
    emphasised = heard[1:] - EMPHASIS * heard[:-1]
    emphasised = np.pad(emphasised, (0, end - first - len(emphasised)))
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(windows, FFT)) ** 2 / FFT
    tiny = np.finfo(float).eps
    bands = np.maximum(power @ _filters().T, tiny)
    rows = np.asarray(dct(np.log(bands), norm="ortho"))[:, :COEFFICIENTS]
    rows *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    rows[:, 0] = np.log(np.maximum(power.sum(axis=1), tiny))
    return rows.astype(np.float32)


@cache
def _filters() -> np.ndarray:
    """(26, 257) triangles between whole bins, evenly spaced on the mel scale from 0 to 8 kHz."""
    mel = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), FILTERS + 2)
    edges = np.floor((FFT + 1) * 700 * (10 ** (mel / 2595) - 1) / RATE)[:, None]
    bins = np.arange(FFT // 2 + 1)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))
