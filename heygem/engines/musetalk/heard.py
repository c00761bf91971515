"""What a frame hears: ten rows of states round it, as one sequence with marked places."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from heygem.engines.musetalk.pieces import Pieces
from heygem.engines.musetalk.sound import ROWS
from heygem.speech.features import ROWS as VOICED
from heygem.speech.voice import speaking, voice_at

BEFORE, LOOK = 4, 10
"""Rows before a frame that it hears, and all that it hears: 0.2 s."""
SPREAD = 3.0
"""Rows by which smoothness 1 spreads what is heard."""


def windows(states: np.ndarray, fps: Fraction, numbers: np.ndarray, first: bool = False) -> np.ndarray:
    """What the frames ``numbers`` (n,) of a video hear of the states (T, layers, width): (n, 10 layers, width) float32.

    Frame i hears the rows from floor(50 i / fps) - 4 on, with the exact frame rate, so nothing drifts. Beyond the ends
    there is nothing; with ``first``, as version 1.0 was taught, the first and the last row go on there.
    """
    return _laid_out(states, _rows(fps, numbers), first)


@dataclass(frozen=True, eq=False)
class Heard:
    """What one take hears.

    states (T, layers, width), silence (size, layers, width): may be mapped from a file. voice (V,) 0..1, 100 a second:
    does somebody speak. first: as version 1.0 was taught.
    """

    states: np.ndarray
    silence: np.ndarray
    voice: np.ndarray
    fps: Fraction
    frames: int
    first: bool = False

    def exact(self, numbers: np.ndarray) -> np.ndarray:
        """As ``windows``, and as the authors' own program: with whole frames a second, and from more or fewer rows
        before the frame where those are not 25 to 49."""
        fps = Fraction(max(int(self.fps), 1))
        before = BEFORE if self.first else 2 * math.ceil(ROWS / fps)
        return _laid_out(self.states, _rows(fps, numbers) + BEFORE - before, self.first)

    def styled(self, numbers: np.ndarray, strength: float, smoothness: float) -> np.ndarray:
        """As ``windows``, but silence where nobody speaks, and ``strength`` times as far from silence where somebody
        does. Frames behind the end of the sound hear silence."""
        rows = _rows(self.fps, numbers)
        heard = rows[:, 0] < len(self.states)
        middle = len(self.silence) // 2
        quiet = _laid_out(self.silence, np.arange(middle, middle + LOOK)[None], self.first)
        out = np.repeat(quiet, len(numbers), axis=0)
        if heard.any():
            reach = math.ceil(3 * SPREAD * smoothness)
            edges = rows[heard].min() - reach, rows[heard].max() + reach + 1
            low, high = np.clip(edges, 0, len(self.states)).tolist()
            near = self._near(np.arange(low, high), strength, SPREAD * smoothness)
            out[heard] = _laid_out(near, rows[heard] - low, self.first)
        return out

    @property
    def speaking(self) -> float:
        """The share of the frames with a voice."""
        return speaking(self.voice, self.fps, self.frames)

    def _near(self, rows: np.ndarray, strength: float, spread: float) -> np.ndarray:
        """(n, layers, width) float32: the states of neighbouring ``rows`` (n,) as they are wished."""
        from scipy.ndimage import gaussian_filter1d

        still = Pieces(len(self.states), len(self.silence)).joined(rows, self.silence, self.silence)
        said = (self.states[rows[0] : rows[-1] + 1] - still) * self._voice(rows)[:, None, None]
        if spread:
            said = gaussian_filter1d(said, spread, axis=0, mode="nearest", truncate=3)
        return still + strength * said

    def _voice(self, rows: np.ndarray) -> np.ndarray:
        """(n,) float32 0..1: is there a voice at ``rows`` (n,), which may be fractions."""
        return voice_at(self.voice, rows * (VOICED / ROWS))


def _rows(fps: Fraction, numbers: np.ndarray) -> np.ndarray:
    """(n, LOOK) the rows that the frames ``numbers`` (n,) hear; some may lie outside of the sound."""
    at = np.asarray(numbers, np.int64) * (ROWS * fps.denominator) // fps.numerator
    return at[:, None] - BEFORE + np.arange(LOOK)


def _laid_out(states: np.ndarray, rows: np.ndarray, first: bool) -> np.ndarray:
    """(n, LOOK layers, width) float32: the ``rows`` (n, LOOK) one after the other, each with its place marked."""
    out = states[rows.clip(0, len(states) - 1)].astype(np.float32)
    if not first:
        out[(rows < 0) | (rows >= len(states))] = 0
    sequence = out.reshape(len(rows), -1, out.shape[-1])
    return sequence + _places(*sequence.shape[1:])


@cache
def _places(length: int, width: int) -> np.ndarray:
    """(length, width) float32 sines and cosines in turn (Vaswani et al. 2017)."""
    angles = np.arange(length)[:, None] * 10000.0 ** (-np.arange(0, width, 2) / width)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(length, width).astype(np.float32)
