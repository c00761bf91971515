"""Pictures of a person's lower face, kept in a file: the material from which new mouths are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from heygem.faces.shape import eye_centres, mean_face
from heygem.media.frame import Box, Frame

BUDGET = 80 << 20
"""Bytes of pictures that an avatar keeps."""
_SPOOL = 3 * BUDGET  # while nobody knows yet whom the user wants


def lower_face(landmarks: np.ndarray, width: int, height: int) -> Box:
    """Even-sided box px from just under the eyes to below the chin round landmarks (468, 3), with room for the jaw to
    move, in a picture of even ``width`` and ``height``."""
    points = landmarks[_below_eyes(), :2]
    left, right = eye_centres(landmarks)
    room = 0.28 * float(np.linalg.norm(right - left))
    x0, y0 = (np.floor((points.min(axis=0) - room) / 2) * 2).astype(int).tolist()
    x1, y1 = (np.ceil((points.max(axis=0) + room) / 2) * 2).astype(int).tolist()
    return max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)


@cache
def _below_eyes() -> np.ndarray:
    return np.flatnonzero(mean_face()[:, 1] > 0.45)


@dataclass(frozen=True)
class Mouths:
    """``frames`` (M,) int64, rising: where the pictures come from; ``boxes`` (M, 4) int32 px: x0, y0, x1, y1;
    ``pixels`` (bytes,) uint8: all pictures, one behind the other, mapped from a file."""

    frames: np.ndarray
    boxes: np.ndarray
    pixels: np.ndarray
    offsets: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "offsets", np.concatenate([[0], np.cumsum(picture_bytes(self.boxes))]))

    def __len__(self) -> int:
        return len(self.frames)

    def picture(self, k: int) -> Frame:
        """Box ``boxes[k]`` of frame ``frames[k]`` at native resolution, read-only."""
        x0, y0, x1, y1 = self.boxes[k]
        return Frame(self.pixels[self.offsets[k] : self.offsets[k + 1]].reshape((y1 - y0) * 3 // 2, x1 - x0))


def picture_bytes(boxes: np.ndarray) -> np.ndarray:
    """Bytes of each picture of ``boxes`` (M, 4): three halves of a byte a pixel."""
    sides = boxes.astype(np.int64)
    return (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1]) * 3 // 2


@dataclass
class _Segment:
    """About a second of one track in one file, less where the pictures are huge. ``traits`` (n, 3): gap, width of the
    mouth, turn of the head."""

    path: Path
    track: int
    frames: list[int] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    traits: list[tuple[float, float, float]] = field(default_factory=list)
    bytes: int = 0

    @property
    def reach(self) -> np.ndarray:
        """(6,) the range of mouths in here, in comparable units."""
        seen = np.array(self.traits) / (0.25, 0.3, 40.0)
        return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


class Spool:
    """Takes pictures of all tracks as they come and never holds more than a bounded number of bytes on disk.

    Over budget, the second that adds least goes: of the two most alike the one with the smaller range of mouths. Whole
    seconds stay together, because neighbouring mouths are worth more than scattered ones.
    """

    def __init__(self, folder: Path, length: int, budget: int = _SPOOL) -> None:
        self._folder, self._length, self._budget = folder, length, budget
        self._open: dict[int, _Segment] = {}
        self._segments: list[_Segment] = []
        self._count = 0

    def add(self, track: int, frame: int, box: Box, picture: Frame, traits: tuple[float, float, float]) -> None:
        """A picture of ``track``. Frames of a track rise. ``traits``: gap, width of the mouth, turn of the head."""
        last = self._open.get(track)
        full = last is not None and (len(last.frames) >= self._length or last.bytes >= BUDGET // 8)
        if last is None or full or last.frames[-1] != frame - 1:
            last = _Segment(self._folder / f"{self._count}.yuv", track)
            self._open[track] = last
            self._segments.append(last)
            self._count += 1
        with last.path.open("ab") as file:
            file.write(picture.data.data)
        last.frames.append(frame)
        last.boxes.append(box)
        last.traits.append(traits)
        last.bytes += picture.data.size
        if sum(segment.bytes for segment in self._segments) > self._budget:
            self._drop(_poorest(self._largest_track()))

    def pack(
        self, tracks: set[int], wanted: np.ndarray, out: Path, budget: int = BUDGET
    ) -> tuple[np.ndarray, np.ndarray]:
        """Writes the pictures of ``tracks`` from frames that ``wanted`` (N,) bool names into one file, within budget.

        Returns frames (M,) int64 and boxes (M, 4) int32.
        """
        chosen = [segment for segment in self._segments if segment.track in tracks and wanted[segment.frames].any()]
        while sum(segment.bytes for segment in chosen) > budget and len(chosen) > 1:
            chosen.remove(_poorest(chosen))
        frames: list[int] = []
        boxes: list[Box] = []
        with out.open("wb") as file:
            for segment in sorted(chosen, key=lambda segment: segment.frames[0]):
                pixels = Mouths(np.array(segment.frames), np.array(segment.boxes), np.fromfile(segment.path, np.uint8))
                for k in np.flatnonzero(wanted[segment.frames]):
                    file.write(pixels.picture(int(k)).data.data)
                    frames.append(segment.frames[k])
                    boxes.append(segment.boxes[k])
        return np.array(frames, np.int64), np.array(boxes, np.int32).reshape(-1, 4)

    def _largest_track(self) -> list[_Segment]:
        sums: dict[int, int] = {}
        for segment in self._segments:
            sums[segment.track] = sums.get(segment.track, 0) + segment.bytes
        largest = max(sums, key=lambda track: sums[track])
        return [segment for segment in self._segments if segment.track == largest]

    def _drop(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        if self._open.get(segment.track) is segment:
            del self._open[segment.track]
        segment.path.unlink()


def _poorest(segments: list[_Segment]) -> _Segment:
    """Of the two segments that are most alike, the one with the smaller range of mouths."""
    reach = np.array([segment.reach for segment in segments])
    apart = np.linalg.norm(reach[:, None] - reach[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    a, b = np.unravel_index(int(apart.argmin()), apart.shape)
    spread = np.linalg.norm(reach[:, 3:] - reach[:, :3], axis=1)
    return segments[int(a if spread[a] < spread[b] else b)]
