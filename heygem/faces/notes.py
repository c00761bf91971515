"""One pass over a video: every face of every frame noted in a file, so that memory stays flat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from heygem.faces.detect import Detector
from heygem.faces.mouths import Spool, lower_face
from heygem.faces.people import Track, reasons, turn
from heygem.faces.shape import align, gap, width
from heygem.faces.track import Face, Tracker
from heygem.media.frame import Box, Frame
from heygem.media.probe import VideoInfo
from heygem.media.reader import VideoReader
from heygem.media.stream import ReadAhead, WriteBehind
from heygem.tick import Tick

MOST_FACES = 4
"""Faces that are followed at once."""
_ROW = np.dtype(
    [("frame", "i4"), ("track", "i4"), ("score", "f4"), ("why", "i4"), ("skin", "f4", 3), ("points", "f4", (468, 3))]
)
_BATCH = 8
"""Faces that are aligned at once."""
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


@dataclass(frozen=True)
class _Seen:
    """A face in frame ``n`` and its lower part: ``picture`` of ``box``, None where it lies outside."""

    n: int
    face: Face
    box: Box
    picture: Frame | None


def take_notes(reader: VideoReader, folder: Path, tick: Tick, detector: Detector | None = None) -> Notes:
    """Looks at every frame once. The notes live in files in ``folder``, which the caller removes afterwards."""
    info = reader.info
    pictures = Spool(folder, max(round(info.fps), 1))
    cuts: list[bool] = []
    path = folder / "rows"
    with path.open("wb") as file:

        def note(batch: list[_Seen]) -> None:
            file.write(_rows(batch, info, pictures).tobytes())

        batch: list[_Seen] = []
        with Tracker(detector, MOST_FACES) as tracker, ReadAhead(reader) as ahead, WriteBehind(note, 1) as behind:
            for n, frame in enumerate(ahead):
                batch += [_seen(n, frame, face) for face in tracker.follow_all(frame)]
                cuts.append(tracker.cut)
                if len(batch) >= _BATCH:
                    behind.put(batch)
                    batch = []
                tick("analyse", n + 1, max(info.frames or 0, n + 1))
            if batch:
                behind.put(batch)
    rows = np.memmap(path, _ROW, "r") if path.stat().st_size else np.zeros(0, _ROW)
    return Notes(rows, len(cuts), np.array(cuts, bool), pictures)


def _seen(n: int, frame: Frame, face: Face) -> _Seen:
    x0, y0, x1, y1 = box = lower_face(face.landmarks, frame.width, frame.height)
    return _Seen(n, face, box, frame.cut(box) if x0 < x1 and y0 < y1 else None)


def _rows(batch: list[_Seen], info: VideoInfo, pictures: Spool) -> np.ndarray:
    """What is worth keeping of each face; the pictures of the usable ones go to ``pictures``."""
    rows = np.zeros(len(batch), _ROW)
    points = np.stack([seen.face.landmarks for seen in batch])
    shapes, pose = align(points)
    rows["points"], rows["why"] = points, reasons(points, pose, info.width, info.height)
    traits = np.column_stack([gap(shapes), width(shapes), turn(pose)])
    for row, seen, (opening, wide, turned) in zip(rows, batch, traits.tolist(), strict=True):
        row["frame"], row["track"], row["score"] = seen.n, seen.face.track, seen.face.score
        if row["why"] == 0 and seen.picture:
            pictures.add(seen.face.track, seen.n, seen.box, seen.picture, (opening, wide, turned))
            picture = seen.picture.rgb()
            x, y = (seen.face.landmarks[_CHEEKS, :2].T - np.array([seen.box[:2]]).T).astype(int)
            row["skin"] = picture[y.clip(0, picture.shape[0] - 1), x.clip(0, picture.shape[1] - 1)].mean(axis=0)
    return rows
