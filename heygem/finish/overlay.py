"""Lays a picture with transparency over a frame."""

from __future__ import annotations

import cv2
import numpy as np

from heygem.media.frame import Frame

_DARK, _GREY = 16, 128  # luma of black, chroma of all greys


def blend(frame: Frame, rgba: np.ndarray, x: int, y: int, opacity: float = 1.0) -> None:
    """Lays ``rgba`` (h, w, 4) uint8, straight alpha, over the frame, in place, its upper left corner at (x, y).

    It may hang over the edges. Luma under alpha 0, and chroma of 2x2 blocks under alpha 0, stay bit-equal. The work is
    that of the part with any alpha. opacity: 0 to 1, times alpha.
    """
    left, top = max(-x, 0), max(-y, 0)
    shown = rgba[top : max(frame.height - y, 0), left : max(frame.width - x, 0)]
    if not shown.size or opacity <= 0:
        return
    alpha = cv2.extractChannel(shown, 3)
    dx, dy, wide, high = cv2.boundingRect(alpha)
    if not wide:
        return
    part = np.s_[dy : dy + high, dx : dx + wide]
    share = alpha[part].astype(np.float32) * np.float32(opacity / 255)
    paint = shown[part][..., :3] * share[..., None]
    x0, y0 = x + left + dx, y + top + dy
    box = x0 & ~1, y0 & ~1, x0 + wide + 1 & ~1, y0 + high + 1 & ~1
    margins = y0 - box[1], box[3] - y0 - high, x0 - box[0], box[2] - x0 - wide
    if any(margins):  # whole blocks of chroma
        share = cv2.copyMakeBorder(share, *margins, cv2.BORDER_CONSTANT, value=0)
        paint = cv2.copyMakeBorder(paint, *margins, cv2.BORDER_CONSTANT, value=0)
    painted = Frame.of(np.rint(paint).astype(np.uint8))  # colours times alpha: their mean is the right one of a block
    half = cv2.resize(share, (share.shape[1] // 2, share.shape[0] // 2), interpolation=cv2.INTER_AREA)
    for plane, paint, cover, none in zip(
        frame.views(box), painted.planes(), (share, half, half), (_DARK, _GREY, _GREY), strict=True
    ):
        mixed = (1 - cover) * plane + (paint - np.float32(none) * (1 - cover))
        plane[:] = np.clip(np.rint(mixed), 0, 255)
