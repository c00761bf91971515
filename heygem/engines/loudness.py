"""A tiny engine that paints the loudness on the mouth: it proves the contract and makes the sync visible."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from heygem.engines.base import Style
from heygem.errors import EngineUnavailable
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS
from heygem.media.frame import Frame
from heygem.media.sound import RATE, Sound
from heygem.tick import Tick, silent

LOUD = 0.1
"""Root-mean-square of the sound (full scale 1) that paints the mouth fully."""


def loudness(sound: Sound, fps: Fraction, frames: int) -> np.ndarray:
    """(frames,) float32 0..1: root-mean-square of the sound during each frame, over LOUD."""
    edges = [round(n * RATE / fps) for n in range(frames + 1)]
    pieces = [sound.samples[a:b] for a, b in pairwise(edges)]
    power = [float(np.mean(piece**2)) if piece.size else 0.0 for piece in pieces]
    return np.clip(np.sqrt(power) / LOUD, 0, 1).astype(np.float32)


class LoudnessRenderer:
    def __init__(self, avatar: Avatar, level: np.ndarray, plan: np.ndarray, style: Style) -> None:
        self._avatar, self._plan = avatar, plan
        self._level = np.clip(level * style.strength, 0, 1)

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Paints a white bar over the lips, as opaque as the sound is loud."""
        for t, frame in enumerate(frames, start):
            source = self._plan[t]
            opacity = float(self._level[t] * self._avatar.weight[source])
            lips = self._avatar.landmarks[source][list(LIPS), :2]
            x0, y0 = np.maximum(lips.min(axis=0), 0).astype(int)
            x1, y1 = np.minimum(lips.max(axis=0), (frame.width, frame.height)).astype(int)
            if opacity > 0 and x1 > x0 and y1 > y0:
                picture = frame.rgb((x0, y0, x1, y1)).astype(np.float32)
                frame.paste(x0, y0, (picture + (255 - picture) * opacity).astype(np.uint8))
        return frames

    def report(self) -> dict[str, float]:
        """The share of frames with any sound."""
        return {"speaking": float(np.mean(self._level > 0))}

    def close(self) -> None:
        """Holds nothing."""


class LoudnessEngine:
    version, batch = "1", 8

    def __init__(self, name: str = "loudness") -> None:
        self.name = name

    def warm(self) -> None:
        """Has nothing to load."""

    def listen(self, sound: Sound, fps: Fraction, frames: int, tick: Tick = silent) -> np.ndarray:
        """The loudness of each frame, (frames,) 0..1."""
        return loudness(sound, fps, frames)

    def begin(
        self, avatar: Avatar, speech: np.ndarray, plan: np.ndarray, style: Style, tick: Tick = silent
    ) -> LoudnessRenderer:
        return LoudnessRenderer(avatar, speech, plan, style)

    def device(self, style: Style) -> str:
        if style.device == "cuda":
            raise EngineUnavailable(engine=self.name, reason="it has no GPU part")
        return "CPU"
