"""Bends one frame: the frame's own lower face moved to the target, the chosen mouth picture bent and laid over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from heygem.engines.mesh.behind import LOWER, ROLLED, UPPER, Behind, Inside, heights, parting
from heygem.engines.mesh.cover import Hidden
from heygem.engines.mesh.geometry import (
    COLUMNS,
    JAW,
    LINES,
    POINTS,
    carrier,
    facing,
    frame_triangles,
    mouth_triangles,
    pasted,
    ring,
)
from heygem.engines.mesh.interior import Interior
from heygem.engines.mesh.person import Person
from heygem.engines.mesh.pixels import CUBIC, LINEAR, Array, Canvas, Pixels, Processor
from heygem.engines.mesh.smile import Smile
from heygem.engines.mesh.warp import rasterise
from heygem.faces.shape import MOUTH, OUTER_LOWER, OUTER_UPPER, gap
from heygem.media.frame import Box, Frame

RING_LOW, RING_HIGH = 0.05, 0.6
"""Opacities between which the two layers are compared for colour."""
OPEN = 0.01
"""Opening of the target from which something of the inside is seen."""
_WAYS = (CUBIC, LINEAR, LINEAR)
"""How luma and chroma are interpolated."""
_ONE = np.float32(1)  # a share of it is of single precision
MARGIN = 2  # px around the mesh, so that blurring never sees the edge of the patch


@dataclass(frozen=True)
class Mouth:
    """One mouth picture, its corner (x, y) in its frame, its source frame and canonical shape there."""

    picture: Frame
    corner: np.ndarray
    source: int
    shape: np.ndarray


class FaceBender:
    """Renders single frames of one person."""

    def __init__(
        self, person: Person, interior: Interior, pixels: Pixels, region: str = "jaw", smile: Smile | None = None
    ) -> None:
        """region: "jaw" moves the whole lower face, "mouth" leaves chin and jaw line alone. smile: comes on top."""
        self._person, self._interior, self._pixels = person, interior, pixels
        self._carrier = carrier(person.closed, region)
        self._smile = smile or Smile(person.closed, 0.0)
        opacity = pasted(person.closed)
        self._opacity = np.concatenate([opacity, np.zeros(len(JAW))])
        smiling = self._smile.of(person.closed).any(axis=1)
        moved = self._carrier.any(axis=1) + smiling + opacity
        mesh = frame_triangles(eyes=bool(smiling.any()))
        self._moved = _touching(mesh, np.concatenate([moved, np.zeros(len(JAW))]))
        seen = _touching(mouth_triangles(), np.concatenate([opacity, np.ones(LINES * COLUMNS)]))
        reach = np.isin(np.arange(POINTS + LINES * COLUMNS), seen)
        self._pasted = _touching(mouth_triangles(), reach)  # one triangle more all round, where the feather is blurred
        self._outer, self._inner = np.unique(self._moved), np.unique(seen[seen < POINTS])
        self._partings: dict[int, float] = {}
        self._frames = self._drawn = 0

    @property
    def drawn(self) -> float:
        """Share of the frames so far whose mouth had mostly to be drawn from the inside."""
        return float(self._drawn / max(self._frames, 1))

    def bend(
        self,
        frame: Frame,
        source: int,
        shape: np.ndarray,
        effect: float,
        mouths: list[tuple[Mouth, float]],
        hidden: Hidden | None = None,
    ) -> Callable[[], None]:
        """Bends ``frame``, which changes when what is returned is called. source: which source frame it is; shape
        (468, 3): canonical target; effect 0..1; mouths: pictures and their shares (sum 1); hidden: what stands before
        the face and stays."""
        own, smile = self._person.landmarks[source], self._smile.of(shape)
        target = self._target(source, shape, smile, effect)
        shape = shape + smile
        still = ring(own[None])[0]
        goal = np.concatenate([target, still])
        outer, inner = _box(goal[self._outer], frame), _box(target[self._inner], frame)
        if outer is None or inner is None:
            return lambda: None
        shift = np.concatenate([own[:, :2], still]) - goal
        pixels, face = self._pixels, self._pixels.canvas(frame.cut(outer))
        over = None if hidden is None else (hidden.over(outer), face.copy())
        opacity = effect * self._move(face, goal - outer[:2], shift)
        x0, y0, x1, y1 = lower = _within_box(inner, outer)
        window = np.s_[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2]
        layer, covered, inside = self._lay(target - inner[:2], shape, mouths, (x1 - x0, y1 - y0))
        within = _within(covered)
        opacity = opacity[window] * pixels.here(within)
        alike = within == 1 if over is None else (within == 1) & (over[0][window] == 0)
        _match_colour(pixels, face.views(lower), layer, opacity * pixels.here(alike))
        self._interior.paint(layer, target[UPPER + LOWER] - inner[:2], shape, self._person, source, inside)
        self._frames, self._drawn = self._frames + 1, self._drawn + (inside.closed > 0.5 and gap(shape) > OPEN)
        face.blend(lower, layer, opacity)
        if over is not None:
            face.blend((0, 0, face.width, face.height), over[1], pixels.here(over[0]))
        made = pixels.given(face)
        return lambda: frame.put(*outer[:2], made())

    def _move(self, face: Canvas, target: np.ndarray, shift: np.ndarray) -> Array:
        """Moves the lower ``face``; returns the opacity (h / 2, w / 2) of the mouth picture.

        target (487, 2) px in the box, shift (487, 2) px from there to where the pixels are now. Both fields are
        smooth, so the resolution of chroma is enough to spread them.
        """
        pixels, width, height = self._pixels, face.width, face.height
        coarse = (target - 0.5) / 2  # the middle of a pixel of half the resolution
        seen = self._moved[np.argsort(facing(target, self._moved), kind="stable")]
        index = rasterise(coarse, seen, (width // 2, height // 2))
        fields = pixels.spread(index, coarse, np.column_stack([shift, self._opacity]), seen)
        fields *= pixels.here(index >= 0)
        fine = [pixels.enlarged(field, (width, height)) for field in fields[:2]]
        luma, chroma = self._grid(*fine), self._grid(*(fields[:2] / 2))
        for plane, (x, y), way in zip(face.planes(), (luma, chroma, chroma), _WAYS, strict=True):
            plane[:] = pixels.remapped(plane, x, y, way)
        return pixels.blurred(fields[2], max(0.5, 0.008 * width))

    def _lay(
        self, target: np.ndarray, shape: np.ndarray, mouths: list[tuple[Mouth, float]], size: tuple[int, int]
    ) -> tuple[Any, np.ndarray, Inside]:
        """The mouth pictures bent to ``target`` (468, 2) px, of ``size`` (w, h); (h, w) bool: where they reach; and
        what they show of the inside."""
        behind = [Behind(mouth.shape, shape, self._parting(mouth)) for mouth, _ in mouths]
        shares = [share for _, share in mouths]
        showing = _showing(shares, [part.closed for part in behind])
        ends = np.average([part.ends() for part in behind], axis=0, weights=showing)
        closed = np.average([part.closed for part in behind], weights=showing)
        inside = Inside(ends, float(closed), float(np.average([part.sealed for part in behind], weights=shares)))
        goal = np.concatenate([target, _inside_lines(target, shape, ends)])
        seen = self._pasted[np.argsort(facing(goal, self._pasted), kind="stable")]
        index = rasterise(goal, seen, size)
        points = np.hstack([self._mouth_points(m, part, ends) for (m, _), part in zip(mouths, behind, strict=True)])
        pixels = self._pixels
        fields = pixels.spread(index, goal, points, seen)
        layer, pictures = pixels.blank(*size), [pixels.canvas(mouth.picture) for mouth, _ in mouths]
        amounts = np.where((seen < POINTS).any(axis=1), shares[0], showing[0]).astype(np.float32)
        for k, plane in enumerate(layer.planes()):
            bent = [_bent(pixels, one, k, *fields[2 * n : 2 * n + 2]) for n, one in enumerate(pictures)]
            plane[:] = bent[0]
            if len(bent) > 1:
                share = pixels.here(amounts.take(index if k == 0 else index[::2, ::2], mode="wrap"))
                plane[:] = pixels.mixed(bent[0], bent[1], share)
        return layer, index >= 0, inside

    def _grid(self, dx: Array, dy: Array) -> tuple[Array, Array]:
        """Where each pixel comes from, x and y (h, w) px, if it comes from (dx, dy) px beside its own place."""
        height, width = dx.shape
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        return dx + self._pixels.here(x), dy + self._pixels.here(y[:, None])

    def _target(self, source: int, shape: np.ndarray, smile: np.ndarray, effect: float) -> np.ndarray:
        """(468, 2) px: where each point of the face goes in this frame."""
        mouth = list(MOUTH)
        offset = self._carrier @ (shape[mouth] - self._person.shapes([source])[0, mouth])
        offset = effect * (offset + smile)
        pose = self._person.pose
        moved = pose.scale[source] * (offset @ pose.rotation[source].T)
        return (self._person.landmarks[source] + moved)[:, :2]

    def _mouth_points(self, mouth: Mouth, behind: Behind, ends: np.ndarray) -> np.ndarray:
        """(512, 2) px of a mouth picture: where each point of the mesh takes its pixels from."""
        pose = self._person.pose[mouth.source : mouth.source + 1]
        lines = pose.to_picture(behind.points(ends)[None])[0, :, :2]
        face = self._person.landmarks[mouth.source][:, :2].copy()
        for inner, outer in ((UPPER[1:-1], OUTER_UPPER[1:-1]), (LOWER[1:-1], OUTER_LOWER[1:-1])):
            face[inner] += ROLLED * behind.sealed * (face[list(outer)] - face[inner])
        return np.concatenate([face, lines]) - mouth.corner

    def _parting(self, mouth: Mouth) -> float:
        """Where between the lips of a mouth picture the rows of teeth part; found once a picture."""
        if mouth.source not in self._partings:
            upper, lower = mouth.shape[UPPER[3:8]], mouth.shape[LOWER[3:8]]
            points = upper + heights()[:, None, None] * (lower - upper)
            pose = self._person.pose[mouth.source : mouth.source + 1]
            places = pose.to_picture(points.reshape(1, -1, 3))[0, :, :2] - mouth.corner
            x, y = places.astype(np.float32).T.reshape(2, len(heights()), -1)
            grey = (_bent(Processor(), mouth.picture, 0, x, y).mean(axis=1) - 16) * (255 / 219)  # luma is limited
            self._partings[mouth.source] = parting(grey, upper[2], lower[2], self._person.closed)
        return self._partings[mouth.source]


def _touching(triangles: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The triangles of which at least one corner has a weight."""
    return triangles[(weight[triangles] > 0).any(axis=1)]


def _showing(shares: list[float], closed: list[float]) -> list[float]:
    """Shares (sum 1) of pictures in the inside of the mouth: closed lips show none of it while an open mouth fades."""
    showing = [share * max(1 - shut, 0.01) for share, shut in zip(shares, closed, strict=True)]
    return [share / sum(showing) for share in showing]


def _inside_lines(target: np.ndarray, shape: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(44, 2) px: the four lines of the inside between the lips of target (468, 2) px; ends: see ``Inside``."""
    upper, lower = target[UPPER], target[LOWER]
    top = shape[UPPER, 1]
    share = np.clip((ends - top) / np.maximum(shape[LOWER, 1] - top, 1e-6), 0, 1)[:, :, None]
    return np.concatenate([upper, *(upper + share * (lower - upper)), lower])


def _box(points: np.ndarray, frame: Frame) -> tuple[int, int, int, int] | None:
    """Even-sided box around points (n, 2) px inside the frame; None where nothing of it is visible. Away from the
    edges its sides are whole fours: quarters of them are made fast."""
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - MARGIN, 0) // 4 * 4
    x1, y1 = np.minimum((np.ceil(points.max(axis=0)).astype(int) + MARGIN + 3) // 4 * 4, (frame.width, frame.height))
    return (int(x0), int(y0), int(x1), int(y1)) if x1 - x0 >= 8 and y1 - y0 >= 8 else None


def _within_box(inner: Box, outer: Box) -> Box:
    """The inner box seen from the corner of the outer one, of which it is a part."""
    x, y = outer[:2]
    return inner[0] - x, inner[1] - y, inner[2] - x, inner[3] - y


def _bent(pixels: Pixels, picture: Canvas, k: int, x: Array, y: Array) -> Array:
    """Plane ``k`` of a picture, taken from x, y (h, w) px of luma; of chroma every second one (a chroma sample and
    the luma pixel above and left of it lie equally far apart in both pictures)."""
    if k:
        x, y = x[::2, ::2] / 2, y[::2, ::2] / 2
    return pixels.remapped(picture.planes()[k], x, y, _WAYS[k])


def _within(covered: np.ndarray) -> np.ndarray:
    """(h / 2, w / 2) float32: 1 well inside ``covered`` (h, w) bool, falling softly to 0 before its border: a turned
    head's outline."""
    half = cv2.erode(covered[::2, ::2].astype(np.uint8), np.ones((3, 3), np.uint8))
    return cv2.blur(half.astype(np.float32), (3, 3))


def _match_colour(pixels: Pixels, below: Sequence[Array], layer: Canvas, opacity: Array) -> None:
    """Gives ``layer`` the colours of ``below`` where both meet; opacity (h / 2, w / 2).

    The difference is measured in the feather and spread inward by a normalised Gaussian of a tenth of the width, at a
    quarter of the size.
    """
    small = (max(layer.width // 4, 2), max(layer.height // 4, 2))
    cover = pixels.shrunk(opacity, small)
    weight = ((cover > RING_LOW) & (cover < RING_HIGH)) * _ONE
    pairs = list(zip(below, layer.planes(), strict=True))
    apart = [pixels.difference(*(pixels.shrunk(plane, small) for plane in pair)) for pair in pairs]
    wide = pixels.blurred(pixels.stacked([*(weight * one for one in apart), weight]), max(small[0] / 10, 1.0))
    change = wide[:, :, :3] / (wide[:, :, 3:] + 1e-4)
    for k, (_, over) in enumerate(pairs):
        pixels.add(over, pixels.enlarged(change[:, :, k], (over.shape[1], over.shape[0])))
