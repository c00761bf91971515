"""A quick look at a video before heavy work: the faces of a few frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heygem.faces.people import WHY, reasons, turn
from heygem.faces.shape import align
from heygem.faces.track import Tracker
from heygem.media.probe import PathLike, VideoInfo
from heygem.media.reader import VideoReader


@dataclass(frozen=True)
class Sighting:
    """A face in a frame: ``box`` (x0, y0, x1, y1) px, ``yaw`` degrees to the side, ``why`` it would be left alone in
    words, empty for a usable face."""

    box: tuple[float, float, float, float]
    yaw: float
    why: str

    @property
    def width(self) -> float:
        """Width of the face in px."""
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class Seen:
    """Frame ``number`` of the video and the faces in it, the largest first."""

    number: int
    faces: tuple[Sighting, ...]

    @property
    def usable(self) -> list[Sighting]:
        """Those that can be made to speak. Their places in this list are the numbers of the option ``face``, as far as
        one frame can tell."""
        return [face for face in self.faces if not face.why]


def spread(info: VideoInfo, frames: int) -> list[int]:
    """The numbers of up to ``frames`` frames spread over a video, as far as its container tells how long it is."""
    last = max((info.frames or round(info.seconds * info.fps)) - 1, 0)
    return np.unique(np.linspace(0, last, frames + 2)[1:-1].round().astype(int)).tolist() if last else [0]


def scan(video: PathLike, frames: int = 8, most: int = 4) -> tuple[Seen, ...]:
    """Up to ``frames`` frames spread over a video, with at most ``most`` faces each.

    None in all of them does not mean that the video has no face: one may show up between the frames that were looked
    at. Raises what the reader raises for files that are no video.
    """
    seen: list[Seen] = []
    with VideoReader(video) as reader, Tracker(most=most) as tracker:
        info = reader.info
        numbers = spread(info, frames)
        for n, frame in zip(numbers, reader.frames(numbers), strict=True):
            tracker.reset()
            faces: list[Sighting] = []
            for face in tracker.follow_all(frame):
                _, pose = align(face.landmarks[None])
                why = WHY[int(reasons(face.landmarks[None], pose, info.width, info.height)[0])]
                faces.append(Sighting(face.box, float(turn(pose)[0]), why))
            seen.append(Seen(n, tuple(sorted(faces, key=lambda one: -one.width))))
    return tuple(seen)
