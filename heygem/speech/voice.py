"""Voice activity: when does somebody speak, however quiet, noisy or long the recording.

Every band of the speech range is compared with its own noise floor, which follows the recording slowly (minimum
statistics, after Martin 2001). Steady sounds (noise, hum, fans) are their own floor and never count as a voice.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from heygem.speech.features import ROWS

GROUPS = 12
FIRST, LAST = 4, 52
"""Twelve broad bands of four mel bands each are judged, about 250 to 5000 Hz: no mains hum, no hiss."""
SILENCE = -65.0
"""dB of a band under which there is nothing but rounding noise, at any sensible recording level."""
RANGE = 35.0
"""dB under the loudest moments around, below which nothing is a voice."""
SPAN = 10
"""Seconds before and after within which floor and loudest moments are looked for."""
MARGIN, POSSIBLE, CERTAIN = 3.0, 1.0, 3.0
"""dB over the floor that noise reaches by chance; mean rise over that, in the better half of the bands, of a possible
and of a certain voice."""
CLICK = 7
"""Rows over which the median is taken: a knock or a cut is no voice."""
HANG = 0.4
"""Seconds that a voice is held after its last sure moment. In short pauses the network moves the mouth on, as people
do; cutting in at 0.16 s costs a tenth of the agreement with real talkers."""
SOFT = 0.15
"""Seconds of fading in and out. Lips move before they sound, so fading in begins this much earlier."""


def voice_at(voice: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(n,) float32 0..1: a voice activity (T100,) at feature ``rows`` (n,), which may be fractions; its ends hold."""
    return np.interp(rows, np.arange(len(voice)), voice).astype(np.float32)


def speaking(voice: np.ndarray, fps: Fraction, frames: int) -> float:
    """The share of ``frames`` video frames in which somebody speaks."""
    return float(np.mean(voice_at(voice, np.arange(frames) * float(ROWS / fps)) > 0.5))


def loudness(power: np.ndarray) -> np.ndarray:
    """(T, 12) float16 dB in broad speech bands, of mel power (T, 64): all that the voice activity needs to keep."""
    broad = power[:, FIRST:LAST].reshape(len(power), GROUPS, (LAST - FIRST) // GROUPS).mean(axis=2)
    return (10 * np.log10(broad + 1e-12)).astype(np.float16)


def voice_activity(loud: np.ndarray) -> np.ndarray:
    """(T,) float32 0..1: is there a voice, of the loudness (T, 12) at 100 rows a second."""
    from scipy.ndimage import convolve1d, maximum_filter1d, median_filter  # who knows a sound does without

    level = np.maximum(loud.astype(np.float32), SILENCE)
    level = convolve1d(level, (0.25, 0.5, 0.25), axis=0, mode="constant", cval=SILENCE)  # a hum beats with the rows
    level = median_filter(level, (CLICK, 1), mode="constant", cval=SILENCE)
    rise = np.sort(np.clip(level - _floor(level) - MARGIN, 0, 20), axis=1)[:, GROUPS // 2 :].mean(axis=1)
    sure = np.clip((rise - POSSIBLE) / (CERTAIN - POSSIBLE), 0, 1)
    hang, soft = round(HANG * ROWS), round(SOFT * ROWS)
    held = maximum_filter1d(sure, hang + soft + 1, mode="constant", origin=(hang - soft) // 2)
    fade = np.full(soft // 2 * 2 + 1, 1 / (soft // 2 * 2 + 1))
    return convolve1d(held, fade, mode="constant").astype(np.float32)


def talking(voice: np.ndarray) -> np.ndarray:
    """(T,) bool: rows from which a voice is measured. All of them where there is none."""
    spoken = voice > 0.5
    return spoken if spoken.any() else np.ones_like(spoken)


def _floor(level: np.ndarray) -> np.ndarray:
    """Noise floor per band, like ``level``: a low percentile of the quiet moments of the half seconds around."""
    blocks = np.array_split(level, max(1, 2 * len(level) // ROWS))
    quiet, loud = np.stack([np.percentile(block, (20, 95), axis=0) for block in blocks], axis=1)
    quiet[quiet.max(axis=1) <= SILENCE] = np.inf  # digital silence says nothing about the noise of the room
    near = 2 * SPAN
    around = np.sort(_windows(quiet, near, near, np.inf), axis=-1)
    known = np.isfinite(around).sum(axis=-1, keepdims=True)
    lowest = np.take_along_axis(around, known // 10, axis=-1)[..., 0]
    lowest = np.where(np.isfinite(lowest), lowest, SILENCE)
    floor = np.maximum(lowest, _windows(loud, near, near, SILENCE).max(axis=-1) - RANGE)
    return np.repeat(floor, [len(block) for block in blocks], axis=0)


def _windows(rows: np.ndarray, before: int, after: int, beyond: float) -> np.ndarray:
    """View (T, ..., before + 1 + after) of the rows (T, ...) around every row; ``beyond`` is past the ends."""
    padding = ((before, after), *[(0, 0)] * (rows.ndim - 1))
    return sliding_window_view(np.pad(rows, padding, constant_values=beyond), before + 1 + after, axis=0)
