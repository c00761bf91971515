"""What stands before the mouth: hands, cups, papers, microphones that come and go stay on top of the new mouth.

The lower face is seen on a small grid that sticks to the mesh. For every cell the person's own clip tells how it looks
at each opening of the mouth and turn of the head; what disagrees strongly, over more than a few cells and near the
mouth, is no face. What hides the same place for most of the clip is taken for the face.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import cv2
import numpy as np

from heygem.cache import Arrays, Beat
from heygem.engines.mesh.geometry import JAW, PASTES, areas, falloff, frame_triangles, ring, smoothstep
from heygem.engines.mesh.person import Person
from heygem.engines.mesh.warp import rasterise, spread
from heygem.faces.avatar import Avatar
from heygem.faces.mouths import Mouths, lower_face
from heygem.faces.shape import INNER_UPPER, OUTER_LOWER, OUTER_UPPER, OVAL, gap, width
from heygem.media.frame import Box, Frame

LEARNED = 1
"""Version of what is learned of a person: a change makes all that is kept of it stale."""
CELL = 0.045
"""Side of a cell, canonical: 5 px of a face 300 px wide."""
TOP = 0.38
"""Where the grid begins, canonical: above the tip of the nose."""
LOW, HIGH = 0.8, 2.0
"""Deviations from the usual look (root-mean-square of light and two colours) of a thing, at its edge and inside."""
OF_PEAK = 0.2
"""A thing ends where it deviates less than this share of its peak: beyond lies its blurred edge."""
LEAST = 10
"""Cells of the smallest thing; a third of them are above HIGH, and as many near the mouth: the background beyond the
far cheek of a turned head is none."""
NEAR = 0.4
"""Opacity of the mouth picture from which a cell is near the mouth."""
GRAIN = np.array((0.02, 0.008, 0.008), np.float32)
"""Deviations of light and of two colours below which no cell is trusted to stay."""
TAIL = 1.3
"""How much longer than a normal distribution's the tails of skin are."""
FLAT = 0.4
"""A cell that shows less of its area than this, because the cheek turns away, is not judged."""
UNKNOWN = 3.0
"""How much less a deviation says in a frame whose pose or opening lies one usual range beyond the usual."""
MOST, FEWEST = 160, 20
"""Pictures from which a person is learned; from fewer than the second nothing is."""
MOSTLY = 0.6
"""Share of the lips that is hidden when the effect fades out."""
_COLOURS = (np.array(((0.299, 0.701, -0.299), (0.587, -0.587, -0.587), (0.114, -0.114, 0.886))) / 255).astype(
    np.float32
)
"""(3, 3) RGB 0..255 -> light, red - light, blue - light."""
FADE, RELEASE = 0.2, 0.12
"""Seconds in which the effect fades, and in which a place that was hidden opens again."""
STRIDE = 3
"""Of so many mouth pictures one is looked at: nothing comes and goes between them."""


class Grid:
    """C cells of skin and lips that stick to the mesh of one person. ``points`` (487, 2): the mesh in cells."""

    def __init__(self, closed: np.ndarray) -> None:
        flat = np.concatenate([closed[:, :2], ring(closed[None])[0]])
        corner = np.array([flat[:, 0].min(), TOP])
        self.points = (flat - corner) / CELL
        columns, rows = np.ceil(self.points.max(axis=0)).astype(int).tolist()
        triangles = frame_triangles()
        index = rasterise(self.points, triangles, (columns, rows))
        oval = np.zeros(index.shape, np.uint8)
        cv2.fillPoly(oval, [np.round(self.points[list(OVAL)]).astype(np.int32)], 1)
        outside = 2 * (len(JAW) - 1) + 2 * (len(INNER_UPPER) - 1)  # ring and inside come first
        self.face = (index >= outside) & (cv2.erode(oval, np.ones((5, 5)), borderValue=1) > 0)  # the rim is unsure
        self.triangles = triangles[index[self.face]]
        y, x = np.nonzero(self.face)
        self._shares = _shares(self.points[self.triangles], np.column_stack([x, y]))
        self._area = areas(self.points[self.triangles])
        self._around = np.maximum(cv2.blur(self.face.astype(np.float32), (3, 3)), 1e-6)
        weight = falloff(closed, PASTES)[self.triangles]
        self.near = np.einsum("ck,ck->c", weight, self._shares) > NEAR
        lips = np.zeros(index.shape, np.uint8)
        outline = list(OUTER_UPPER) + list(OUTER_LOWER[::-1])
        cv2.fillPoly(lips, [np.round(self.points[outline]).astype(np.int32)], 1)
        self.lips = lips[self.face] > 0

    @cached_property
    def nearest(self) -> np.ndarray:
        """(2, rows, columns) row and column of the nearest cell of each place."""
        from scipy.ndimage import distance_transform_edt  # where nothing is hidden, a take does without

        return np.asarray(distance_transform_edt(~self.face, return_distances=False, return_indices=True))

    def see(self, picture: Frame, points: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Light and two colours (C, 3) of the cells in a picture, and which are seen well, (C,) bool.

        points (468, 2) px in the picture, scale: px of one canonical unit."""
        sides = picture.width, picture.height
        size = np.maximum(np.round(np.array(sides) / max(CELL * scale, 1.0)), 1).astype(int)
        small = picture.small(size.tolist())
        corners = points[self.triangles]
        places = (np.einsum("ckj,ck->cj", corners, self._shares) + 0.5) * (size / sides) - 0.5
        x, y = np.ascontiguousarray(places.T, np.float32)[:, None]
        rgb = cv2.remap(small, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        seen = areas(corners) > FLAT * (CELL * scale) ** 2 * self._area
        return rgb.astype(np.float32) @ _COLOURS, seen

    def things(self, deviation: np.ndarray) -> np.ndarray:
        """(C,) bool: cells that something hides, by their deviation (C,) from how the person looks."""
        calm = np.zeros(self.face.shape, np.float32)
        calm[self.face] = deviation
        calm = np.where(self.face, cv2.blur(calm, (3, 3)) / self._around, 0)
        found = np.zeros(self.face.shape, bool)
        if np.count_nonzero(calm > HIGH) < LEAST / 3:
            return found[self.face]
        near = np.zeros(self.face.shape, bool)
        near[self.face] = self.near
        count, labels = cv2.connectedComponents((calm > LOW).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            thing = labels == number
            high = thing & (calm > HIGH)
            if thing.sum() >= LEAST and high.sum() >= LEAST / 3 and (thing & near).sum() >= LEAST / 3:
                found |= thing & (calm > OF_PEAK * calm[thing].max())
        found = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        _, labels = cv2.connectedComponents(np.pad(1 - found, 1, constant_values=1), connectivity=4)
        return (labels != labels[0, 0])[1:-1, 1:-1][self.face]  # with its holes: all but what is around it


@dataclass(frozen=True)
class Looks:
    """How the cells usually look: linear in a few traits of pose and mouth, (7, C * 3) ``slope``, and how far they
    deviate from that, (C, 3)."""

    middle: np.ndarray
    range: np.ndarray
    slope: np.ndarray
    deviation: np.ndarray

    @classmethod
    def learn(cls, grid: Grid, colours: np.ndarray, seen: np.ndarray, traits: np.ndarray) -> Looks:
        """From n pictures: colours (n, C, 3), seen (n, C) bool, traits (n, 5). Robust: what deviates counts little, and
        what was found hidden in one round counts nothing in the next."""
        middle, reach = np.median(traits, axis=0), np.quantile(np.abs(traits - np.median(traits, axis=0)), 0.95, axis=0)
        looks = cls(middle, reach + 0.02, np.zeros((7, 0)), np.zeros((0, 3)))
        terms, rest = looks._terms(traits), colours - np.median(colours, axis=0)
        usable, level = seen, colours - np.median(rest, axis=1, keepdims=True)
        for half in range(6):
            deviation = 1.4826 * TAIL * _median(np.abs(rest), usable, axis=0) + GRAIN
            deviation[usable.sum(axis=0) < FEWEST / 2] = 1.0  # never seen: never judged
            strength = np.sqrt(((rest / deviation) ** 2).mean(axis=-1))
            if half % 2 == 0 and half:
                usable = seen & ~np.stack([grid.things(row) for row in strength * seen])
            weight = usable / (1 + (strength / 2) ** 4)
            slope = _fit(terms, level, weight).transpose(1, 0, 2).reshape(terms.shape[1], -1)
            looks = cls(middle, reach + 0.02, slope, deviation.astype(np.float32))
            expected = looks.expected(traits)
            level = colours - _median(colours - expected, usable, axis=1)[:, None]
            rest = level - expected
        return looks

    def expected(self, traits: np.ndarray) -> np.ndarray:
        """(n, C, 3) light and colours for traits (n, 5)."""
        return (self._terms(traits) @ self.slope).reshape(-1, *self.deviation.shape)

    def strange(self, colours: np.ndarray, traits: np.ndarray) -> np.ndarray:
        """(C,) how much colours (C, 3) deviate, whatever the light; about 1 is usual at most."""
        rest = colours - self.expected(traits[None])[0]
        rest -= np.median(np.ascontiguousarray(rest.T), axis=1)
        turned = float(np.abs((traits - self.middle) / self.range).max())
        unknown = max(turned - 1, 0)  # turned or opened as never before
        return np.sqrt(((rest / self.deviation) ** 2).mean(axis=-1)) / (1 + UNKNOWN * unknown)

    def _terms(self, traits: np.ndarray) -> np.ndarray:
        """(n, 7); nothing is guessed beyond what was seen."""
        x = np.clip((traits - self.middle) / self.range, -1, 1)
        return np.column_stack([np.ones(len(x)), x, x[:, 0] ** 2]).astype(np.float32)


@dataclass(frozen=True)
class Hidden:
    """What is hidden in one frame: ``cells`` (C,) 0..1 of a grid, landmarks (468, 3) px."""

    grid: Grid
    cells: np.ndarray
    landmarks: np.ndarray

    def over(self, box: Box) -> np.ndarray:
        """(h / 2, w / 2) float32: 1 where pixels of the box are hidden, soft at the edge, 0 where the face is seen."""
        wide, high = box[2] - box[0], box[3] - box[1]
        points = np.concatenate([self.landmarks[:, :2], ring(self.landmarks[None])[0]]) - box[:2]
        index = rasterise((points - 0.5) / 2, frame_triangles(), (wide // 2, high // 2))
        x, y = spread(index, (points - 0.5) / 2, self.grid.points, frame_triangles())
        image = np.zeros(self.grid.face.shape, np.float32)
        image[self.grid.face] = self.cells
        image = cv2.dilate(image[tuple(self.grid.nearest)], np.ones((3, 3)))
        hidden = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        hidden[index < 0] = 0
        return hidden


class Cover:
    """Finds what stands before the face of one person in frame after frame of the result."""

    def __init__(self, person: Person, fps: float, looks: Looks | None) -> None:
        """looks: as ``learn`` finds them; without them nothing is ever hidden."""
        self._person, self._fps, self._looks = person, fps, looks
        self._grid = Grid(person.closed)
        self._cells, self._shown, self._last = np.zeros(0, np.float32), 1.0, -3

    @classmethod
    def of(cls, avatar: Avatar, person: Person, beat: Beat) -> tuple[Cover, np.ndarray]:
        """For the frames of an avatar; and which of its M mouth pictures show something before the mouth, (M,) bool.
        What is learned stays with the avatar; ``beat`` is called while that takes time."""

        def learn() -> Arrays:
            usual, hidden = cls.learn(person, avatar.mouths)
            return {"hidden": hidden, **({} if usual is None else vars(usual))}

        known = avatar.once(f"cover{LEARNED}", learn, beat)
        usual = Looks(**{one.name: known[one.name] for one in fields(Looks)}) if "slope" in known else None
        return cls(person, float(avatar.fps), usual), known["hidden"]

    @classmethod
    def learn(cls, person: Person, mouths: Mouths) -> tuple[Looks | None, np.ndarray]:
        """How the person usually looks, and which of M mouth pictures show something before the mouth, (M,) bool."""
        hidden = np.zeros(len(mouths), bool)
        if len(mouths) < FEWEST:
            return None, hidden
        cover = cls(person, 1.0, None)
        chosen = np.unique(np.linspace(0, len(mouths) - 1, MOST).astype(int))
        rows = [cover._see(mouths.picture(k), mouths.boxes[k], int(mouths.frames[k])) for k in chosen]
        cover._looks = Looks.learn(cover._grid, *(np.stack(part) for part in zip(*rows, strict=True)))
        for k in range(0, len(mouths), STRIDE):
            hidden[k] = cover._things(mouths.picture(k), mouths.boxes[k], int(mouths.frames[k])).any()
        return cover._looks, np.convolve(hidden, np.ones(2 * STRIDE + 1), "same") > 0

    def look(self, frame: Frame, source: int) -> tuple[Hidden | None, float]:
        """What hides pixels of ``frame``, frame ``source`` of the video; how much of the effect is left, 0..1."""
        if self._looks is None:
            return None, 1.0
        box = lower_face(np.asarray(self._person.landmarks[source]), frame.width, frame.height)
        things = self._things(frame.cut(box), box, source).astype(np.float32)
        goal = float(things[self._grid.lips].mean() < MOSTLY)
        if abs(source - self._last) > 2:
            self._cells, self._shown = things, goal
        step = 1 / (FADE * self._fps)
        self._cells = np.maximum(things, self._cells - 1 / (RELEASE * self._fps))
        self._shown += float(np.clip(goal - self._shown, -step, step))
        self._last = source
        hidden = Hidden(self._grid, self._cells, self._person.landmarks[source]) if self._cells.any() else None
        return hidden, float(smoothstep(np.array(self._shown)))

    def _see(self, picture: Frame, box: Box | np.ndarray, source: int) -> tuple[np.ndarray, ...]:
        """Colours (C, 3), which are seen well (C,), traits of pose and mouth (5,)."""
        pose = self._person.pose
        points = self._person.landmarks[source, :, :2] - np.asarray(box[:2])
        shape, turn = self._person.shapes([source])[0], pose.rotation[source]
        traits = np.array([gap(shape), width(shape), turn[0, 2], turn[1, 2], turn[1, 0]])
        return *self._grid.see(picture, points, float(pose.scale[source])), traits

    def _things(self, picture: Frame, box: Box | np.ndarray, source: int) -> np.ndarray:
        assert self._looks is not None
        colours, seen, traits = self._see(picture, box, source)
        return self._grid.things(self._looks.strange(colours, traits) * seen)


def _fit(terms: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(C, k, 3): weighted ridge regression of values (n, C, 3) on terms (n, k), cell by cell; weight (n, C)."""
    weighted = weight.T[:, None] * terms.T  # (C, k, n)
    ridge = np.diag([1e-3] + [2.0] * (terms.shape[1] - 1))
    return np.linalg.solve(weighted @ terms + ridge, weighted @ values.transpose(1, 0, 2)).astype(np.float32)


def _median(values: np.ndarray, usable: np.ndarray, axis: int) -> np.ndarray:
    """Median of the usable (n, C) of values (n, C, 3) along an axis; 0 where there is none."""
    ordered = np.sort(np.where(usable[..., None], values, np.inf), axis=axis)
    count = np.expand_dims(usable.sum(axis=axis), (axis, -1))
    low, high = (np.take_along_axis(ordered, np.maximum(k // 2, 0), axis) for k in (count - 1, count))
    return np.where(count > 0, (low + high) / 2, 0).squeeze(axis)


def _shares(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(M, 3) shares of the corners of triangles (M, 3, 2) in points (M, 2), kept inside."""
    whole = areas(corners)
    parts = [areas(np.stack([points, corners[:, k - 2], corners[:, k - 1]], axis=1)) / whole for k in range(3)]
    inside = np.clip(np.stack(parts, axis=1), 0, 1)
    return inside / inside.sum(axis=1, keepdims=True)
