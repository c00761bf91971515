"""Lays a picture with transparency over a frame."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.media.frame import Frame

_DARK, _GREY = 16, 128  # luma of black, chroma of all greys


class Overlay:
    """``rgba`` (h, w, 4) uint8, straight alpha, made ready to be laid over frames of ``size`` (w, h), its upper left
    corner at (x, y). It may hang over the edges. opacity: 0 to 1, times alpha."""

    def __init__(self, rgba: np.ndarray, x: int, y: int, size: tuple[int, int], opacity: float = 1.0) -> None:
        left, top = max(-x, 0), max(-y, 0)
        shown = rgba[top : max(size[1] - y, 0), left : max(size[0] - x, 0)]
        self._paint: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        if not shown.size or opacity <= 0:
            return
        alpha = cv2.extractChannel(shown, 3)
        dx, dy, wide, high = cv2.boundingRect(alpha)
        if not wide:
            return
        part = np.s_[dy : dy + high, dx : dx + wide]
        share = alpha[part].astype(np.float32) * np.float32(opacity / 255)
        colour = shown[part][..., :3] * share[..., None]
        x0, y0 = x + left + dx, y + top + dy
        self._box = x0 & ~1, y0 & ~1, x0 + wide + 1 & ~1, y0 + high + 1 & ~1
        margins = y0 - self._box[1], self._box[3] - y0 - high, x0 - self._box[0], self._box[2] - x0 - wide
        if any(margins):  # whole blocks of chroma
            share = cv2.copyMakeBorder(share, *margins, cv2.BORDER_CONSTANT, value=0)
            colour = cv2.copyMakeBorder(colour, *margins, cv2.BORDER_CONSTANT, value=0)
        half = cv2.resize(share, (share.shape[1] // 2, share.shape[0] // 2), interpolation=cv2.INTER_AREA)
        painted = Frame.of(np.rint(colour).astype(np.uint8))  # times alpha: their mean is the right one of a block
        for plane, cover, none in zip(painted.planes(), (share, half, half), (_DARK, _GREY, _GREY), strict=True):
            straight = none + (plane - np.float32(none)) / np.maximum(cover, np.float32(1 / 512))
            self._paint.append((np.clip(np.rint(straight), 0, 255).astype(np.uint8), 1 - cover, cover))

    def over(self, frame: Frame) -> None:
        """In place. Luma under alpha 0, and chroma of 2x2 blocks under alpha 0, stay bit-equal."""
        if not self._paint:
            return
        for plane, (paint, old, new) in zip(frame.views(self._box), self._paint, strict=True):
            plane[:] = cv2.blendLinear(np.ascontiguousarray(plane), paint, old, new)
