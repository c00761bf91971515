"""One pass over a video: every face of every frame noted in a file, so that memory stays flat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heygem.faces.detect import Detector
from heygem.faces.landmarks import rgb
from heygem.faces.mouths import Spool, lower_face
from heygem.faces.people import Track, reasons, turn
from heygem.faces.shape import align, gap, width
from heygem.faces.track import Face, Tracker
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.stream import ReadAhead
from heygem.tick import Tick

MOST_FACES = 4
"""Faces that are followed at once."""
_ROW = np.dtype(
    [("frame", "i4"), ("track", "i4"), ("score", "f4"), ("why", "i4"), ("skin", "f4", 3), ("points", "f4", (468, 3))]
)
_CHEEKS = [50, 280, 205, 425, 101, 330, 36, 266]


@dataclass(frozen=True)
class Notes:
    """``rows`` (R,) of frame, track, score, why, skin and points, mapped from a file; ``frames``: how many were looked
    at; ``cuts`` (N,) bool: first frames after a cut; ``pictures``: the lower faces."""

    rows: np.ndarray
    frames: int
    cuts: np.ndarray
    pictures: Spool

    def tracks(self) -> list[Track]:
        """The tracks that have a usable frame."""
        order = np.argsort(self.rows["track"], kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.rows["track"][order])) + 1)
        return [track for rows in groups if (track := self._track(rows)) is not None]

    def _track(self, rows: np.ndarray) -> Track | None:
        usable = self.rows["why"][rows] == 0
        if not usable.any():
            return None
        sample = rows[usable][:: max(int(usable.sum()) // 256, 1)]  # enough for a mean
        points, skin = self.rows["points"][sample], self.rows["skin"][sample]
        wide = points[..., 0].max(axis=1) - points[..., 0].min(axis=1)
        shapes, _ = align(points)
        colour = skin.mean(axis=0) / max(float(skin.mean(axis=0).sum()), 1.0)
        size = float(wide.mean()) * int(usable.sum())
        return Track(self.rows["frame"][rows], rows, shapes.mean(axis=0), colour, usable, size)


def take_notes(reader: VideoReader, folder: Path, tick: Tick, detector: Detector | None = None) -> Notes:
    """Looks at every frame once. The notes live in files in ``folder``, which the caller removes afterwards."""
    info = reader.info
    pictures = Spool(folder, max(round(info.fps), 1))
    cuts: list[bool] = []
    path = folder / "rows"
    with Tracker(detector, MOST_FACES) as tracker, path.open("wb") as file, ReadAhead(reader) as ahead:
        for n, frame in enumerate(ahead):
            faces = tracker.follow_all(frame)
            cuts.append(tracker.cut)
            for face in faces:
                file.write(_row(n, frame, face, pictures).tobytes())
            tick("analyse", n + 1, max(info.frames or 0, n + 1))
    rows = np.memmap(path, _ROW, "r") if path.stat().st_size else np.zeros(0, _ROW)
    return Notes(rows, len(cuts), np.array(cuts, bool), pictures)


def _row(n: int, frame: Frame, face: Face, pictures: Spool) -> np.ndarray:
    """What is worth keeping of one face in frame ``n``; the picture of its lower face goes to ``pictures``."""
    row = np.zeros((), _ROW)
    row["frame"], row["track"], row["score"], row["points"] = n, face.track, face.score, face.landmarks
    shapes, pose = align(face.landmarks[None])
    row["why"] = reasons(face.landmarks[None], pose, frame.width, frame.height)[0]
    if row["why"] == 0:
        box = lower_face(face.landmarks, frame.width, frame.height)
        picture = rgb(frame, box)
        pictures.add(
            face.track, n, box, picture, (float(gap(shapes)[0]), float(width(shapes)[0]), float(turn(pose)[0]))
        )
        x, y = (face.landmarks[_CHEEKS, :2].T - np.array([box[:2]]).T).astype(int)
        row["skin"] = picture[y.clip(0, picture.shape[0] - 1), x.clip(0, picture.shape[1] - 1)].mean(axis=0)
    return row
