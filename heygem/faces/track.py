"""Follows faces from picture to picture. Detection runs at the start, after a cut and after a loss; in between the
region of the next picture comes from the landmarks of this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from heygem.faces.detect import BlazeFace, Detector, FaceBox, distinct, find_small, find_turned, overlap
from heygem.faces.landmarks import LandmarkNet, Picture, Region, luma, rgb, shrunk, size

SURE = 0.5
"""Least score of a face that is followed on."""
CERTAIN = 0.98
"""Least score of a face that is taken up, in both looks at it. Faces score above 0.999, lights at night up to 0.95."""
LOOK = 768
"""Longer side in px, about, of the picture in which faces are looked for first."""
PATIENCE = 12
"""While there is no face, tiles and turned pictures are searched only in every so many pictures."""
TURNED = 1
"""Number of the look at turned pictures."""
NEWCOMERS = 25
"""With more than one face to follow, new ones are looked for in every so many pictures."""


@dataclass(frozen=True)
class Face:
    """A face in one picture. ``landmarks`` (468, 3) float32 px of the whole picture, z too; ``score`` 0..1;
    ``track`` stays the same as long as the face is followed without a gap or a cut."""

    landmarks: np.ndarray
    score: float
    track: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 px round the landmarks."""
        (x0, y0), (x1, y1) = self.landmarks[:, :2].min(axis=0), self.landmarks[:, :2].max(axis=0)
        return float(x0), float(y0), float(x1), float(y1)


class Tracker:
    """Follows up to ``most`` faces through the pictures of one video, given in order. A context manager.

        with Tracker() as tracker:
            for frame in reader:
                face = tracker.follow(frame)

    ``reset`` makes it ready for another video: cheaper than a new one.
    """

    def __init__(self, detector: Detector | None = None, most: int = 1) -> None:
        self._net = LandmarkNet()
        self._detector = detector or BlazeFace()
        self._most = most
        self._tracks = 0
        self.reset()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees the networks. Safe to call twice."""
        self._net.close()
        self._detector.close()

    def reset(self) -> None:
        """Forgets the pictures seen so far."""
        self._faces: list[Face] = []
        self._regions: dict[int, Region] = {}  # where each track was looked for last
        self._cuts = Cuts()
        self._since = 0  # pictures since the last search
        self._doubtful = 0  # pictures for which faces that were found upside down are still doubted
        self.cut = False
        """Whether the last picture was the first after a cut. The first of all counts as one."""

    def follow(self, picture: Picture) -> Face | None:
        """The face followed longest, the largest of those that came together; None where none is seen."""
        return min(self.follow_all(picture), key=lambda face: face.track, default=None)

    def follow_all(self, picture: Picture) -> list[Face]:
        """The faces of the next picture, a Frame or (h, w, 3) uint8 RGB, in the order in which they were found."""
        self.cut = cut = self._cuts.here(picture)
        before = [] if cut else self._faces
        self._faces = self._without_doubles([face for old in before if (face := self._next(picture, old))])
        self._since += 1
        if self._doubtful:
            self._turn_upright(picture)
        lost = len(self._faces) < len(before)
        if cut or lost or not self._faces or (len(self._faces) < self._most and self._since >= NEWCOMERS):
            self._search(picture, thorough=cut or lost or self._since >= PATIENCE)
        return list(self._faces)

    def _next(self, picture: Picture, old: Face) -> Face | None:
        """The same face one picture later."""
        goal = Region.of_face(old.landmarks)
        region = self._regions.get(old.track, goal).towards(goal)
        self._regions[old.track] = region
        found = self._net.find(picture, region)
        if found is None or found[1] < SURE:
            return None
        now = Region.of_face(found[0])
        moved = float(np.linalg.norm(now.centre - region.centre))
        if moved > 0.3 * region.side or not 0.7 < now.side / region.side < 1.4:
            return None
        return Face(found[0], found[1], old.track)

    def _search(self, picture: Picture, thorough: bool) -> None:
        """Adds faces that are not followed yet. A thorough search tries turned pictures and tiles if need be."""
        if thorough or len(self._faces) < self._most:
            for number, boxes in enumerate(self._looks(picture, thorough and not self._faces)):
                for box in boxes:
                    self._begin(picture, box)
                if self._faces:
                    self._doubtful = PATIENCE * (number == TURNED)
                    break
        if self._faces or thorough:
            self._since = 0

    def _turn_upright(self, picture: Picture) -> None:
        """A face found upside down gives way to one that is seen upright in its place: the network, asked for an upside
        down face, is sure of one also where the face stands upright."""
        self._doubtful -= 1
        seen = [box for box in next(self._looks(picture, thorough=False)) if abs(box.roll) < np.pi / 4]
        for face in self._faces:
            better = [box for box in seen if overlap(box.box, face.box) > 0.2]
            if better and abs(Region.of_face(face.landmarks).roll) > np.pi / 2:
                self._faces = [other for other in self._faces if other is not face]
                self._begin(picture, better[0])

    def _looks(self, picture: Picture, thorough: bool) -> Iterator[list[FaceBox]]:
        """Where faces may be, one way of looking after the other, the cheapest first; ``TURNED`` is one of them."""
        wide, high = size(picture)
        by = max(round(max(wide, high) / LOOK), 1)
        small = shrunk(picture, (0, 0, wide, high), by)
        grow = np.array([[by, 0.0, 0], [0, by, 0]])
        yield [box.moved(grow) for box in distinct(self._detector.find(small))]
        if thorough:
            yield [box.moved(grow) for box in find_turned(self._detector, small)]
            yield from find_small(self._detector, rgb(picture))

    def _begin(self, picture: Picture, box: FaceBox) -> None:
        if len(self._faces) >= self._most or any(overlap(box.box, face.box) > 0.2 for face in self._faces):
            return
        x0, y0, x1, y1 = box.box
        region = Region(np.array([(x0 + x1) / 2, (y0 + y1) / 2]), 1.5 * box.side, box.roll)
        first = self._net.find(picture, region)
        if first is None or first[1] < CERTAIN:
            return
        found = self._net.find(picture, Region.of_face(first[0]))  # a second look from where a followed face is seen
        if found is not None and found[1] >= CERTAIN:
            self._faces = self._without_doubles([*self._faces, Face(*found, self._tracks)])
            self._tracks += 1

    @staticmethod
    def _without_doubles(faces: list[Face]) -> list[Face]:
        """Two followers may slide onto one face: the older one stays."""
        kept: list[Face] = []
        for face in faces:
            if all(overlap(face.box, other.box) < 0.4 for other in kept):
                kept.append(face)
        return kept


class Cuts:
    """Tells scene cuts by brightness: a small copy of each picture is compared with the last one, place by place and as
    a histogram. Both have to jump: a moving camera changes places only, a flash of light changes the histogram most."""

    def __init__(self) -> None:
        self._last: tuple[np.ndarray, np.ndarray] | None = None

    def here(self, picture: Picture) -> bool:
        """Whether this picture is the first after a cut. The first of all counts as one."""
        small = cv2.resize(luma(picture), (32, 32), interpolation=cv2.INTER_AREA)
        levels = np.bincount(small.reshape(-1) // 16, minlength=16) / small.size
        last, self._last = self._last, (small, levels)
        if last is None:
            return True
        places = float(cv2.absdiff(small, last[0]).mean()) / 255
        histogram = float(np.abs(levels - last[1]).sum()) / 2
        return places > 0.08 and histogram > 0.25
