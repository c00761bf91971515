"""A green screen, or one of another colour, told from the person by its colour alone."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.errors import OptionInvalid
from heygem.media.frame import Frame

LEAST = 0.01
"""Least share of the picture that must have the colour for the screen to count as found."""
_PALEST = 24  # least chroma of a hint
_NARROW, _WIDE = 1.2, 0.6  # how fast a colour of another hue stops to be the screen, or light from it
_PERSON, _SCREEN = 0.25, 0.7  # share of the screen's colour below, above which all is person, screen
_DARKEST = 0.4  # a shadow on the screen still has this share of its colour
_FOLLOW = 0.1  # how fast the measured colour follows the light


def levels(colour: str) -> tuple[float, float, float]:
    """Y, U, V of “#rrggbb”."""
    rgb = np.array([[[int(colour[at : at + 2], 16) for at in (1, 3, 5)]] * 2] * 2, np.uint8)
    y, u, v = Frame.of(rgb).planes()
    return float(y[0, 0]), float(u[0, 0]), float(v[0, 0])


class Keyer:
    """Chroma key (after Jack, Video Demystified, 2007). The colour is a hint: the hue next to it that the pictures show
    is measured and followed, so “#00ff00” finds every green screen. Raises OptionInvalid for a colour near grey."""

    def __init__(self, colour: str) -> None:
        _, u, v = levels(colour)
        self._hint = np.array([u - 128, v - 128], np.float32)
        if np.linalg.norm(self._hint) < _PALEST:
            raise OptionInvalid(option="cutout", value=colour, allowed="person, or a strong colour like #00ff00")
        self._screen: tuple[np.ndarray, float] | None = None  # chroma (2,) and luma of the screen
        self.found = False
        """Whether the last picture shows the screen."""

    def __call__(self, frame: Frame) -> np.ndarray:
        """(h, w) float32: 0 where the screen is seen, 1 where it is not. The light that the screen throws on the person
        is taken off the frame."""
        luma, u, v = frame.planes()
        chroma = np.stack([u, v], axis=-1).astype(np.float32) - 128
        light = cv2.resize(luma, u.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        self._measure(chroma, light)
        if self._screen is None:
            return np.ones((frame.height, frame.width), np.float32)
        screen, level = self._screen
        strength = float(np.linalg.norm(screen))
        along, across = _turned(chroma, screen)
        shade = np.clip((light - 16) / max(level - 16, 1), _DARKEST, 1)
        share = (along - _NARROW * np.abs(across)) / (strength * shade)
        alpha = np.clip((_SCREEN - share) / (_SCREEN - _PERSON), 0, 1)
        self.found = float((alpha < 0.5).mean()) >= LEAST
        spill = np.maximum(along - _WIDE * np.abs(across), 0)[..., None] * (screen / strength)
        calm = np.clip(np.rint(chroma - spill) + 128, 0, 255)
        u[:], v[:] = calm[..., 0], calm[..., 1]
        return np.clip(cv2.resize(alpha, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR), 0, 1)

    def close(self) -> None:
        pass

    def _measure(self, chroma: np.ndarray, light: np.ndarray) -> None:
        """Looks for the colour of the screen near the hint."""
        along, across = _turned(chroma, self._hint)
        likely = (along > 0.25 * np.linalg.norm(self._hint)) & (np.abs(across) < 0.5 * along)
        if likely.mean() < LEAST:
            self.found = False
            return
        screen, level = np.median(chroma[likely], axis=0), float(np.median(light[likely]))
        if self._screen is not None:
            before, last = self._screen
            screen, level = before + _FOLLOW * (screen - before), last + _FOLLOW * (level - last)
        self._screen = screen, level


def _turned(chroma: np.ndarray, towards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the chroma (h, w, 2) goes in a direction and beside it."""
    x, y = towards / max(float(np.linalg.norm(towards)), 1e-6)
    return x * chroma[..., 0] + y * chroma[..., 1], x * chroma[..., 1] - y * chroma[..., 0]
