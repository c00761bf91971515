"""The sound as Wav2Lip hears it: 80 mel bands in decibels, 80 columns a second, 16 of them for each frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import get_window

from heygem.speech.features import triangles

RATE, HOP, WINDOW = 16_000, 200, 800
BANDS, COLUMNS = 80, 16
PER_SECOND = RATE // HOP
EMPHASIS = 0.97
LOWEST, HIGHEST = 55.0, 7600.0
"""Hz."""
QUIETEST, LOUDEST, REFERENCE = -100.0, 0.0, 20.0
"""Decibels that become -4 and 4, after 20 were taken off."""
LIMIT = 4.0
_CHUNK = 4096  # columns at once: memory stays flat in the length of the sound


def mel(samples: np.ndarray) -> np.ndarray:
    """(80, T) float32, -4..4, T = n // 200 + 1, of mono 16 kHz samples (n,); column t is centred at t / 80 s.

    The sound is mirrored at both ends.
    """
    count = len(samples) // HOP + 1
    made = np.empty((BANDS, count), np.float32)
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        made[:, start:stop] = _columns(samples, start, stop)
    return made


def _columns(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Columns ``start`` to ``stop``, in float64."""
    heard = _emphasised(samples, start * HOP - WINDOW // 2, (stop - 1) * HOP + WINDOW // 2)
    windows = sliding_window_view(heard, WINDOW)[::HOP] * get_window("hann", WINDOW)
    bands = filter_bank(RATE, WINDOW, BANDS, LOWEST, HIGHEST) @ np.abs(np.fft.rfft(windows)).T
    level = 20 * np.log10(np.maximum(bands, 10 ** (QUIETEST / 20))) - REFERENCE
    return np.clip(2 * LIMIT * (level - QUIETEST) / (LOUDEST - QUIETEST) - LIMIT, -LIMIT, LIMIT)


def _emphasised(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Each sample less 0.97 of the one before it, float64; what lies outside is the sound mirrored at its ends."""
    last = len(samples) - 1
    at = np.arange(start, stop) % max(2 * last, 1)
    at = np.minimum(at, 2 * last - at)
    heard = np.asarray(samples[at], float)
    return heard - EMPHASIS * np.where(at > 0, samples[at - 1], 0)


@dataclass(frozen=True, eq=False)
class Windows:
    """What is heard in each frame: ``windows[start:stop]`` is (n, 80, 16) float32, a copy of these columns alone.

    mel: (80, T). starts: (frames,) the first column of each frame.
    """

    mel: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, frames: slice | np.ndarray) -> np.ndarray:
        return sliding_window_view(self.mel, COLUMNS, axis=1)[:, self.starts[frames]].swapaxes(0, 1)


def windows(mel: np.ndarray, fps: Fraction, frames: int) -> Windows:
    """The 0.2 s from each frame on, of mel (80, T); frames behind the end hear the last ones.

    Where the sound is shorter than that, silence follows it.
    """
    heard = np.pad(mel, ((0, 0), (0, max(0, COLUMNS - mel.shape[1]))), constant_values=-LIMIT)
    each = float(PER_SECOND) / float(fps)  # rounded as where the network was trained
    starts = (np.arange(frames) * each).astype(np.int64)
    return Windows(heard, np.minimum(starts, heard.shape[1] - COLUMNS))


@cache
def filter_bank(rate: int, fft: int, bands: int, lowest: float, highest: float) -> np.ndarray:
    """(bands, fft // 2 + 1) triangles of equal area, evenly spaced on the scale of Slaney's Auditory Toolbox (1998).

    lowest, highest: Hz.
    """
    low, high = _slaney(np.array([lowest, highest]))
    edges = _hertz(np.linspace(low, high, bands + 2))[:, None]
    bins = np.linspace(0, rate / 2, fft // 2 + 1)
    return triangles(edges, bins) * 2 / (edges[2:] - edges[:-2])


_KNEE, _STEP, _GROWTH = 1000.0, 200 / 3, np.log(6.4) / 27
"""Slaney's scale is even up to 1000 Hz, with steps of 66.7 Hz; from there on 27 steps are a factor of 6.4."""


def _slaney(hertz: np.ndarray) -> np.ndarray:
    return np.where(hertz < _KNEE, hertz / _STEP, _KNEE / _STEP + np.log(np.maximum(hertz, _KNEE) / _KNEE) / _GROWTH)


def _hertz(steps: np.ndarray) -> np.ndarray:
    above = np.maximum(steps - _KNEE / _STEP, 0)
    return np.where(above > 0, _KNEE * np.exp(above * _GROWTH), steps * _STEP)
