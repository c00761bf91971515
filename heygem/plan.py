"""Which source frame lies under each frame of the result, and how large the result is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

RESOLUTIONS = {"source": None, "720p": 720, "1080p": 1080}
"""Name -> length of the short side in pixels."""
LENGTHS = ("pingpong", "loop", "hold")


def source_plan(source: int, frames: int, length: str) -> np.ndarray:
    """(frames,) int64: the source frame under each output frame, for a source of ``source`` frames."""
    steps = np.arange(frames)
    if length == "loop":
        return steps % source
    if length == "hold" or source == 1:
        return np.minimum(steps, source - 1)
    period = 2 * (source - 1)
    return np.minimum(steps % period, period - steps % period)


def output_size(width: int, height: int, resolution: str) -> tuple[int, int]:
    """Even (width, height) of the result: the short side as the resolution says, the shape kept."""
    short = RESOLUTIONS[resolution]
    if short is None:
        return width, height
    scale = Fraction(short, min(width, height))
    return tuple(2 * round(side * scale / 2) for side in (width, height))  # pyright: ignore[reportReturnType]
