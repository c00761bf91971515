"""Another background: the person is cut out and laid over a blur of the old one, a colour, a picture or a film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from heygem.faces.matte import Matter
from heygem.finish.base import BLUR, PERSON, Finish
from heygem.finish.key import Keyer, levels
from heygem.media.frame import Frame
from heygem.media.probe import probe_video
from heygem.media.reader import VideoReader, count_frames

_SOFTNESS = 0.018  # sigma of the blur as a share of the longer side, about that of a portrait lens
_MOST_KEPT = 32 << 20  # bytes of frames that the reader of a background keeps
_PURE = 4  # how much more pure colours count than mixed ones
_ALL = 1 - 1e-6  # from here on a person covers
_LARGE = 1000  # longer side in px from which a blur is computed at an eighth of the size
_SMALL = 4  # what is smooth anyway is computed at a quarter of the size


def check(wish: Finish) -> None:
    """Raises OptionInvalid for a screen without a colour, and for the file of a background as ``probe_video`` does."""
    if wish.cutout != PERSON:
        Keyer(wish.cutout)
    if path := wish.files.get("background"):
        probe_video(path)


class Background:
    """Effect. ``warnings`` tells of frames in which there was nothing to be cut out."""

    name = "background"

    def __init__(self, wish: Finish, size: tuple[int, int], fps: Fraction) -> None:
        self._plate = _plate(wish, size, fps)
        self._key = None if wish.cutout == PERSON else wish.cutout
        self._cutter: Matter | Keyer = Keyer(self._key) if self._key else Matter()
        self._frames = self._empty = 0
        self.note = f"chroma key of {self._key}" if self._key else "MediaPipe selfie segmentation"

    @property
    def warnings(self) -> list[str]:
        if 2 * self._empty <= self._frames:
            return []
        what = f"the colour {self._key} was not found" if self._key else "no person was found"
        return [f"{what} in {self._empty} of {self._frames} frames"]

    def __call__(self, number: int, frame: Frame) -> Frame:
        alpha = self._cutter(frame)
        self._frames += 1
        self._empty += not self._cutter.found
        return laid_over(frame, alpha, self._plate(number, frame, alpha))

    def close(self) -> None:
        self._cutter.close()
        self._plate.close()


class _Plate(Protocol):
    """What stands behind the person."""

    def __call__(self, number: int, frame: Frame, alpha: np.ndarray) -> Frame:
        """A frame of the same size as ``frame``. It is only read."""
        ...

    def close(self) -> None: ...


def _plate(wish: Finish, size: tuple[int, int], fps: Fraction) -> _Plate:
    if wish.background == BLUR:
        return _Blur()
    if path := wish.files.get("background"):
        return _Film(path, size, fps)
    return _Colour(wish.background, size)


class _Colour:
    def __init__(self, colour: str, size: tuple[int, int]) -> None:
        self._frame = Frame.plain(*size, levels(colour))

    def __call__(self, number: int, frame: Frame, alpha: np.ndarray) -> Frame:
        return self._frame

    def close(self) -> None:
        pass


class _Film:
    """A picture, or a video that begins again where it is too short, at its own pace, cut to the shape of the frame."""

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction) -> None:
        self._reader = VideoReader(path, _MOST_KEPT)
        self._count = count_frames(path)
        self._pace = self._reader.info.fps / fps
        self._size = size
        self._shown = -1
        self._frame = Frame.blank(*size)

    def __call__(self, number: int, frame: Frame, alpha: np.ndarray) -> Frame:
        wanted = int(number * self._pace) % self._count
        if wanted != self._shown:
            self._frame = covering(next(self._reader.frames([wanted])), self._size)
            self._shown = wanted
        return self._frame

    def close(self) -> None:
        self._reader.close()


class _Blur:
    """The old background out of focus. The person does not shine into it: only what surrounds them is averaged."""

    def __call__(self, number: int, frame: Frame, alpha: np.ndarray) -> Frame:
        longest = max(frame.width, frame.height)
        by = _SMALL if longest < _LARGE else 2 * _SMALL
        sigma = _SOFTNESS * longest / by
        small = _small(frame, by)
        size = small.shape[1], small.shape[0]
        near = cv2.dilate(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.ones((3, 3), np.uint8))
        outside = 1 - near
        free = (outside > 0.5).astype(np.uint8)
        usual = np.array(cv2.mean(small, free if free.any() else None)[:3], np.float32)
        weighted = cv2.GaussianBlur(small * outside[..., None], (0, 0), sigma)
        weights = cv2.GaussianBlur(outside, (0, 0), sigma)[..., None]
        blurred = (weighted + 0.01 * usual) / (weights + 0.01)
        plate = Frame.blank(frame.width, frame.height)
        for plane, mine in zip(plate.planes(), cv2.split(np.rint(blurred).astype(np.uint8)), strict=True):
            cv2.resize(mine, plane.shape[::-1], dst=plane, interpolation=cv2.INTER_LINEAR)
        return plate

    def close(self) -> None:
        pass


def covering(frame: Frame, size: tuple[int, int]) -> Frame:
    """The frame scaled and cut at two sides so that it covers ``size`` (w, h)."""
    scale = max(size[0] / frame.width, size[1] / frame.height)
    wide, high = min(round(size[0] / scale / 2) * 2, frame.width), min(round(size[1] / scale / 2) * 2, frame.height)
    x, y = (frame.width - wide) // 4 * 2, (frame.height - high) // 4 * 2
    fitted = Frame.blank(*size)
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    for mine, plane in zip(fitted.planes(), frame.views((x, y, x + wide, y + high)), strict=True):
        cv2.resize(plane, mine.shape[::-1], dst=mine, interpolation=kind)
    return fitted


def laid_over(frame: Frame, alpha: np.ndarray, plate: Frame) -> Frame:
    """A new frame: ``frame`` where ``alpha`` (h, w) float32 is 1, bit-equal, ``plate`` where it is 0, a mix between.

    In the mix the old background is taken out of the colours first (blur fusion: Forte, Pitié 2021): a bright wall
    leaves no bright rim behind dark hair.
    """
    out = plate.copy()
    x, y, wide, high = cv2.boundingRect((alpha > 0).view(np.uint8))
    if not wide:
        return out
    box = x & ~1, y & ~1, x + wide + 1 & ~1, y + high + 1 & ~1
    inside = np.ascontiguousarray(alpha[box[1] : box[3], box[0] : box[2]])
    part = frame.cut(box)
    person, around = _nearby(part, inside)
    half = cv2.resize(inside, (inside.shape[1] // 2, inside.shape[0] // 2), interpolation=cv2.INTER_AREA)
    planes = zip(out.views(box), part.planes(), (inside, half, half), cv2.split(person), cv2.split(around), strict=True)
    for mine, seen, share, inner, outer in planes:
        _mix(mine, seen, share, inner, outer)
    return out


def _nearby(part: Frame, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean colours of person and background round every place, (h / 4, w / 4, 3) float32 each."""
    small = _small(part, _SMALL)
    share = cv2.resize(alpha, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    radius = max(round(max(alpha.shape) / 50 / _SMALL), 2)
    reach = (2 * radius + 1, 2 * radius + 1)
    means = []
    for weight in (cv2.pow(share, _PURE), cv2.pow(1 - share, _PURE)):
        total = cv2.blur(weight, reach)[..., None] + 1e-3
        means.append((cv2.blur(small * weight[..., None], reach) + 1e-3 * small) / total)
    return means[0], means[1]


def _small(frame: Frame, by: int) -> np.ndarray:
    """(h / by, w / by, 3) float32 Y, U, V."""
    size = max(frame.width // by, 1), max(frame.height // by, 1)
    return cv2.merge([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in frame.planes()]).astype(np.float32)


def _mix(under: np.ndarray, seen: np.ndarray, share: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> None:
    """Lays the plane ``seen`` over ``under``, in place. inner, outer: the colours of person and background nearby."""
    cv2.copyTo(seen, (share >= _ALL).view(np.uint8), under)
    rows, columns = np.divmod(np.flatnonzero((share > 0) & (share < _ALL)), share.shape[1])
    near = rows * inner.shape[0] // share.shape[0], columns * inner.shape[1] // share.shape[1]
    a, colour, mine, theirs = share[rows, columns], seen[rows, columns], inner[near], outer[near]
    person = np.clip(mine + a * (colour - a * mine - (1 - a) * theirs), 0, 255)
    under[rows, columns] = np.rint(a * person + (1 - a) * under[rows, columns])
