"""Where people are in a picture, to the pixel as far as a small network and the picture's own edges tell."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from heygem.faces.runtime import quiet
from heygem.faces.track import Cuts
from heygem.media.frame import Box, Frame

SIDE = 256
"""The network's input in px."""
LOOK = 25
"""Every so many pictures all of the picture is looked at, for people who came in."""
LEAST = 0.005
"""Least share of the picture that counts as somebody."""
_FINE = 800  # longer side in px up to which the edges are followed pixel by pixel; beyond, by means of two or four
_MARGIN = 0.12  # of the extent of the people, on each side of the part that is looked at
_CALM, _MOVING = 0.25, 6.0  # how much of a new mask counts where nothing moves; grey levels that are a movement
_REACH, _EDGE = 2.0, 3e-4  # radius in px of the network, and contrast squared, in which edges are looked for
_NONE, _FULL = 0.2, 0.8  # what lies below or above is nobody or somebody for certain


class Matter:
    """Cuts people out of the pictures of one video, given in order.

    MediaPipe's selfie segmentation (general model, inside the MediaPipe wheel), looked at through a window that follows
    the people, calmed over time, drawn along the edges of the luma (guided filter: He, Sun, Tang 2013). Single hairs,
    glass and fast hands come out soft or not at all.
    """

    def __init__(self) -> None:
        with quiet():
            from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

            self._net: Any = SelfieSegmentation(model_selection=0)
            self._net.process(np.zeros((SIDE, SIDE, 3), np.uint8))
        self._cuts = Cuts()
        self._window: Box | None = None
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # mask and luma of the picture before, shrunk
        self._pictures = 0
        self.found = False
        """Whether the last picture shows somebody."""

    def __call__(self, frame: Frame) -> np.ndarray:
        """(h, w) float32: 1 where people are, 0 where they are not, in between at their edges."""
        luma = _shrunk_luma(frame)
        if self._cuts.here(frame):
            self._last = self._window = None
        moved = None if self._last is None else cv2.blur(cv2.absdiff(luma, self._last[1]), (5, 5))
        mask = self._looked(frame, (luma.shape[1], luma.shape[0]), moved)
        if moved is not None and self._last is not None:
            mask = _mixed(self._last[0], mask, moved)
        self._last = mask, luma
        self._window = self._following(mask, frame)
        self._pictures += 1
        self.found = float((mask > 0.5).mean()) >= LEAST
        window = self._window or (0, 0, frame.width, frame.height)
        pixel = max(window[2] - window[0], window[3] - window[1]) / SIDE * luma.shape[1] / frame.width
        return _along_edges(mask, luma, frame.planes()[0], max(round(_REACH * pixel), 2))

    def close(self) -> None:
        """Frees the network. Safe to call twice."""
        if self._net is not None:
            self._net.close()
            self._net = None

    def _looked(self, frame: Frame, size: tuple[int, int], moved: np.ndarray | None) -> np.ndarray:
        """The mask of the network, float32, ``size`` (w, h). moved: grey levels (h, w) since the picture before."""
        if self._window is None or moved is None:
            mask = self._whole(frame, size)
            self._window = self._following(mask, frame)
            if self._window is None:
                return mask
        else:
            look = self._pictures % LOOK == 0 or self._stirs_outside(moved, frame.width / size[0])
            mask = self._whole(frame, size) if look else np.zeros(size[::-1], np.float32)
        # each side by its own scale: four rows become one, and of the last few none is left
        sides = zip(self._window, size * 2, (frame.width, frame.height) * 2, strict=True)
        x0, y0, x1, y1 = (round(edge * small / large) for edge, small, large in sides)
        part = cv2.resize(self._mask(frame.cut(self._window).small((SIDE, SIDE))), (x1 - x0, y1 - y0))
        if part.max() < 0.5:  # who was there has left: what is found elsewhere is not mixed with that
            self._last = self._window = None
            return self._whole(frame, size)
        mask[y0:y1, x0:x1] = part
        return mask

    def _stirs_outside(self, moved: np.ndarray, by: float) -> bool:
        """Does anything move where nobody is looked for?"""
        assert self._window is not None
        x0, y0, x1, y1 = (round(edge / by) for edge in self._window)
        stirs = (moved >= _MOVING).view(np.uint8)
        return cv2.countNonZero(stirs) - cv2.countNonZero(stirs[y0:y1, x0:x1]) >= LEAST * moved.size

    def _whole(self, frame: Frame, size: tuple[int, int]) -> np.ndarray:
        return cv2.resize(self._mask(frame.small((SIDE, SIDE))), size)

    def _mask(self, rgb: np.ndarray) -> np.ndarray:
        return np.asarray(self._net.process(rgb).segmentation_mask, np.float32)

    def _following(self, mask: np.ndarray, frame: Frame) -> Box | None:
        """The part of the picture to be looked at next; None for all of it. It moves only when it must: the network
        answers a little differently through every window."""
        by = frame.width / mask.shape[1]
        x, y, wide, high = cv2.boundingRect((mask > 0.5).astype(np.uint8))
        if wide * high < LEAST * mask.size:
            return None
        margin = _MARGIN * max(wide, high)
        low = [max(int((edge - margin) * by) & ~1, 0) for edge in (x, y)]
        far = [int((edge + margin) * by) + 1 & ~1 for edge in (x + wide, y + high)]
        goal = low[0], low[1], min(far[0], frame.width), min(far[1], frame.height)
        return self._window if self._window and _serves(self._window, goal, margin * by) else goal


def _mixed(before: np.ndarray, mask: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """The mask, mixed with the one before: the less, the more the picture moved at a place. There is no ghost."""
    trust = np.clip(_CALM + (1 - _CALM) / _MOVING * moved.astype(np.float32), 0, 1)
    return before + trust * (mask - before)


def _serves(window: Box, goal: Box, slack: float) -> bool:
    """Is the window as good as the goal, give or take?"""
    return all(abs(mine - theirs) <= 0.7 * slack for mine, theirs in zip(window, goal, strict=True))


def _shrunk_luma(frame: Frame) -> np.ndarray:
    """(h / by, w / by) uint8 with by 1, 2 or 4."""
    longest = max(frame.width, frame.height)
    by = 1 if longest <= _FINE else 2 if longest < 2 * _FINE else 4
    luma = frame.planes()[0]
    size = frame.width // by, frame.height // by
    return luma.copy() if by == 1 else cv2.resize(luma, size, interpolation=cv2.INTER_AREA)


def _along_edges(mask: np.ndarray, small: np.ndarray, luma: np.ndarray, radius: int) -> np.ndarray:
    """The mask at the size of ``luma``, as a line of it in each neighbourhood (fast guided filter: He, Sun 2015)."""
    alpha = np.zeros(luma.shape, np.float32)
    x, y, wide, high = cv2.boundingRect((mask > 0.02).astype(np.uint8))
    if not wide:
        return alpha
    x0, y0 = max(x - 2 * radius, 0), max(y - 2 * radius, 0)
    x1, y1 = min(x + wide + 2 * radius, mask.shape[1]), min(y + high + 2 * radius, mask.shape[0])
    by = luma.shape[0] // mask.shape[0]
    far = (luma.shape[0] if y1 == mask.shape[0] else y1 * by, luma.shape[1] if x1 == mask.shape[1] else x1 * by)
    fine = np.s_[y0 * by : far[0], x0 * by : far[1]]
    mask, guide = mask[y0:y1, x0:x1], small[y0:y1, x0:x1].astype(np.float32) / 255

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1))

    light, share = mean(guide), mean(mask)
    slope = (mean(guide * mask) - light * share) / (mean(guide * guide) - light * light + _EDGE)
    offset = share - slope * light
    scale = _FULL - _NONE
    slope, offset = mean(slope) / (255 * scale), (mean(offset) - _NONE) / scale
    size = far[1] - x0 * by, far[0] - y0 * by
    sharp = cv2.multiply(cv2.resize(slope, size), luma[fine], dtype=cv2.CV_32F)
    alpha[fine] = np.clip(sharp + cv2.resize(offset, size), 0, 1)
    return alpha
