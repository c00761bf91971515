"""One picture, kept in the video's own form: planes of luma and half-size chroma (yuv420p, BT.709, limited range).

RGB is made for a small box only, and a painted patch goes back as a *difference*, so that what the patch leaves alone
stays equal to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import av

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels; x1 and y1 lie outside."""


def _matrices() -> tuple[np.ndarray, np.ndarray]:
    """(3, 4) RGB -> YCbCr and (3, 4) back, levels 0..255 (ITU-R BT.709-6, 8 bit, limited range)."""
    red, blue = 0.2126, 0.0722
    luma = np.array([red, 1 - red - blue, blue])
    rows = np.stack([luma * 219, (np.eye(3)[2] - luma) * 112 / (1 - blue), (np.eye(3)[0] - luma) * 112 / (1 - red)])
    there = rows / 255
    offset = np.array([[16.0], [128.0], [128.0]])
    back = np.linalg.inv(there)
    return np.hstack([there, offset]).astype(np.float32), np.hstack([back, -back @ offset]).astype(np.float32)


TO_YUV, TO_RGB = _matrices()
"""(3, 4): matrix and offset from RGB to YCbCr and back, levels 0..255 (ITU-R BT.709-6, 8 bit, limited range)."""


class Frame:
    """One upright picture of even size. Mutable; nobody else holds its memory.

    ``data`` is (height * 3 / 2, width) uint8: the rows of Y, then U and V (half width, half height) without gaps.
    """

    __slots__ = ("data", "height", "width")

    def __init__(self, data: np.ndarray) -> None:
        rows, self.width = data.shape
        self.height = rows * 2 // 3
        self.data = data
        assert data.dtype == np.uint8 and data.flags.c_contiguous
        assert self.height % 2 == 0 and self.width % 2 == 0 and self.height * 3 == rows * 2

    @classmethod
    def blank(cls, width: int, height: int) -> Frame:
        """A frame of undefined content."""
        return cls(np.empty((height * 3 // 2, width), np.uint8))

    @classmethod
    def plain(cls, width: int, height: int, levels: tuple[float, float, float]) -> Frame:
        """A frame of one colour: its Y, U, V."""
        frame = cls.blank(width, height)
        for plane, level in zip(frame.planes(), levels, strict=True):
            plane[:] = round(level)
        return frame

    @classmethod
    def of(cls, rgb: np.ndarray) -> Frame:
        """The frame of an (h, w, 3) uint8 RGB picture. An odd last row or column is dropped."""
        height, width = rgb.shape[0] & ~1, rgb.shape[1] & ~1
        rgb = np.ascontiguousarray(rgb[:height, :width])
        frame = cls.blank(width, height)
        y, u, v = frame.planes()
        y[:] = cv2.transform(rgb, TO_YUV[:1])
        chroma = cv2.transform(_halved(rgb), TO_YUV[1:])
        u[:], v[:] = chroma[..., 0], chroma[..., 1]
        return frame

    @classmethod
    def of_picture(cls, picture: av.VideoFrame) -> Frame:
        """A copy of a decoded yuv420p picture, BT.709 limited. An odd last row or column is dropped."""
        frame = cls.blank(picture.width & ~1, picture.height & ~1)
        for mine, plane in zip(frame.planes(), picture.planes, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[arg-type]
            mine[:] = rows[: mine.shape[0], : mine.shape[1]]
        return frame

    def picture(self) -> av.VideoFrame:
        """The frame for an encoder or scaler; where the height is a multiple of four it shares this frame's memory."""
        import av

        if self.height % 4 == 0:
            return av.VideoFrame.from_numpy_buffer(self.data, "yuv420p")
        picture = av.VideoFrame(self.width, self.height, "yuv420p")  # of other heights that drops two rows (PyAV 18.1)
        for mine, plane in zip(self.planes(), picture.planes, strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[arg-type]
            rows[: mine.shape[0], : mine.shape[1]] = mine
        return picture

    def planes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views: Y (h, w), U and V (h/2, w/2)."""
        half = (self.height // 2, self.width // 2)
        flat, luma, chroma = self.data.reshape(-1), self.height * self.width, half[0] * half[1]
        u, v = flat[luma : luma + chroma], flat[luma + chroma :]
        return self.data[: self.height], u.reshape(half), v.reshape(half)

    def copy(self) -> Frame:
        return Frame(self.data.copy())

    def cut(self, box: Box) -> Frame:
        """A copy of an even-sided ``box``, bit-equal."""
        part = Frame.blank(box[2] - box[0], box[3] - box[1])
        for mine, plane in zip(part.planes(), self.views(box), strict=True):
            mine[:] = plane
        return part

    def put(self, x: int, y: int, part: Frame) -> None:
        """Writes ``part`` with its upper left corner at (x, y), both even: the way back from ``cut``."""
        box = x, y, x + part.width, y + part.height
        for mine, plane in zip(self.views(box), part.planes(), strict=True):
            mine[:] = plane

    def rgb(self, box: Box | None = None) -> np.ndarray:
        """(h, w, 3) uint8 RGB copy of a box inside the frame, of everything without one."""
        x0, y0, x1, y1 = box or (0, 0, self.width, self.height)
        outer = self._even((x0, y0, x1, y1))
        y, u, v = self.views(outer)
        size = y.shape[1], y.shape[0]
        # Chroma is repeated, not blended: a box reads the same as its part of the whole picture.
        full = [cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST) for plane in (u, v)]
        rgb = cv2.transform(cv2.merge([y, *full]), TO_RGB)
        if outer == (x0, y0, x1, y1):
            return rgb
        return np.ascontiguousarray(rgb[y0 - outer[1] : y1 - outer[1], x0 - outer[0] : x1 - outer[0]])

    def small(self, size: tuple[int, int]) -> np.ndarray:
        """(h, w, 3) uint8 RGB of the whole picture, shrunk to ``size`` (w, h) by the mean of areas."""
        y, *chroma = self.planes()
        if size[0] <= self.width // 2 and size[1] <= self.height // 2:  # the mean of means, and much sooner
            return cv2.transform(
                cv2.resize(cv2.merge([_halved(y), *chroma]), size, interpolation=cv2.INTER_AREA), TO_RGB
            )
        planes = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (y, *chroma)]
        return cv2.transform(cv2.merge(planes), TO_RGB)

    def paste(self, x: int, y: int, rgb: np.ndarray) -> None:
        """Writes an (h, w, 3) uint8 RGB patch with its upper left corner at (x, y).

        The planes move by the difference between the patch and what ``rgb`` returns there. Luma of unchanged pixels and
        chroma of unchanged 2x2 blocks stay bit-equal.
        """
        box = (x, y, x + rgb.shape[1], y + rgb.shape[0])
        change = cv2.subtract(np.ascontiguousarray(rgb), self.rgb(box), dtype=cv2.CV_32F)
        outer = self._even(box)
        margins = (y - outer[1], outer[3] - box[3], x - outer[0], outer[2] - box[2])
        if any(margins):
            change = cv2.copyMakeBorder(change, *margins, cv2.BORDER_CONSTANT, value=0)
        luma, u, v = self.views(outer)
        _shift(luma, cv2.transform(change, TO_YUV[:1, :3]))
        chroma = cv2.transform(_halved(change), TO_YUV[1:, :3])
        _shift(u, chroma[..., 0])
        _shift(v, chroma[..., 1])

    def blend(self, box: Box, above: Frame, share: np.ndarray) -> None:
        """Lays ``above`` over an even-sided ``box``; share (h / 2, w / 2) float32 0..1: how much of it is seen."""
        fine = cv2.resize(share, (above.width, above.height), interpolation=cv2.INTER_LINEAR)
        for mine, plane, part in zip(self.views(box), above.planes(), (fine, share, share), strict=True):
            mine[:] = cv2.blendLinear(plane, np.ascontiguousarray(mine), part, 1 - part)

    def _even(self, box: Box) -> Box:
        """The smallest box of whole 2x2 blocks around ``box``. ValueError where it is empty or leaves the frame."""
        x0, y0, x1, y1 = box
        if not (0 <= x0 < x1 <= self.width and 0 <= y0 < y1 <= self.height):
            raise ValueError(f"box {box} is not inside {self.width}x{self.height}")
        return x0 & ~1, y0 & ~1, x1 + 1 & ~1, y1 + 1 & ~1

    def views(self, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views of an even-sided ``box``: Y (h, w), U and V (h/2, w/2)."""
        x0, y0, x1, y1 = box
        y, u, v = self.planes()
        half = np.s_[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
        return y[y0:y1, x0:x1], u[half], v[half]


def _halved(picture: np.ndarray) -> np.ndarray:
    """Mean of each 2x2 block."""
    return cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _shift(plane: np.ndarray, change: np.ndarray) -> None:
    """``plane += change`` in place, rounded, kept within 0..255."""
    plane[:] = np.clip(np.rint(plane + change), 0, 255)
