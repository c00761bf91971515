"""Bends one frame: the frame's own lower face moved to the target, the chosen mouth picture bent and laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from heygem.engines.mesh.geometry import (
    FIRST_INTERIOR,
    FIRST_RING,
    INTERIOR,
    JAW,
    PASTES,
    falloff,
    mesh_triangles,
    moving,
    ring,
)
from heygem.engines.mesh.interior import Interior, mouth_lines
from heygem.engines.mesh.person import Person
from heygem.engines.mesh.warp import rasterise, spread
from heygem.media.frame import Frame

RING_LOW, RING_HIGH = 0.05, 0.6
"""Opacities between which the two layers are compared for colour."""
MARGIN = 2  # px around the mesh, so that blurring never sees the edge of the patch


@dataclass(frozen=True)
class Mouth:
    """One mouth picture: RGB (h, w, 3), its corner (x, y) in its frame, its source frame and canonical shape there."""

    picture: np.ndarray
    corner: np.ndarray
    source: int
    shape: np.ndarray


class FaceBender:
    """Renders single frames of one person."""

    def __init__(self, person: Person, interior: Interior) -> None:
        self._person, self._interior = person, interior
        self._moving = moving(person.closed)
        self._opacity = np.concatenate([falloff(person.closed, PASTES), np.ones(len(INTERIOR)), np.zeros(len(JAW))])
        self._triangles = mesh_triangles()
        self._pasted = self._triangles[(self._opacity[self._triangles] > 0).any(axis=1)]
        self._outer, self._inner = np.unique(self._triangles), np.unique(self._pasted)
        self._frames = self._drawn = 0

    @property
    def drawn(self) -> float:
        """Share of the frames so far whose mouth had mostly to be drawn from the inside."""
        return self._drawn / max(self._frames, 1)

    def bend(
        self, frame: Frame, source: int, shape: np.ndarray, effect: float, mouths: list[tuple[Mouth, float]]
    ) -> None:
        """Changes ``frame`` in place. source: which source frame it is; shape (468, 3): canonical target;
        effect 0..1; mouths: pictures and their shares (sum 1)."""
        target = self._target(source, shape, effect)
        outer = _box(target[self._outer], frame)
        inner = _box(target[self._inner], frame)
        if outer is None or inner is None:
            return
        picture, opacity = self._move(frame.rgb(outer), target - outer[:2], self._own(source) - target)
        window = np.s_[inner[1] - outer[1] : inner[3] - outer[1], inner[0] - outer[0] : inner[2] - outer[0]]
        below, opacity = picture[window], effect * opacity[window]
        layer = self._lay(target - inner[:2], shape, mouths, below.shape)
        layer += _colour_difference(below, layer, opacity)
        missing = sum(share * self._interior.missing(mouth.shape, shape) for mouth, share in mouths)
        self._frames, self._drawn = self._frames + 1, self._drawn + (missing > 0.5)
        self._interior.paint(layer, target - inner[:2], shape, self._person, source, missing)
        below[:] = np.clip(below + opacity[:, :, None] * (layer - below) + 0.5, 0, 255)
        frame.paste(outer[0], outer[1], picture)

    def _move(self, patch: np.ndarray, target: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The patch (h, w, 3) with its own lower face moved, and the opacity (h, w) of the mouth picture over it.

        target (509, 2) px in the patch, shift (509, 2) px from there to where the pixels are now. Both fields are
        smooth, so half the resolution is enough to spread them.
        """
        height, width = patch.shape[:2]
        coarse = (target - 0.5) / 2  # the middle of a pixel of half the resolution
        index = rasterise(coarse, self._triangles, (width // 2, height // 2))
        fields = spread(index, coarse, np.column_stack([shift, self._opacity]), self._triangles)
        fields[:, index < 0] = 0
        fields[2] = cv2.GaussianBlur(fields[2], (0, 0), max(0.5, 0.004 * width))
        x, y, opacity = (cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) for field in fields)
        x += np.arange(width, dtype=np.float32)
        y += np.arange(height, dtype=np.float32)[:, None]
        return cv2.remap(patch, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), opacity

    def _lay(
        self, target: np.ndarray, shape: np.ndarray, mouths: list[tuple[Mouth, float]], size: tuple[int, ...]
    ) -> np.ndarray:
        """(h, w, 3) float32: the mouth pictures bent to ``target`` (509, 2) px. Undefined outside what is pasted."""
        index = rasterise(target, self._pasted, (size[1], size[0]))
        points = np.hstack([self._mouth_points(mouth, shape) for mouth, _ in mouths])
        fields = spread(index, target, points, self._pasted)
        bent = [
            cv2.remap(mouth.picture, fields[2 * k], fields[2 * k + 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            for k, (mouth, _) in enumerate(mouths)
        ]
        if len(bent) == 1:
            return bent[0].astype(np.float32)
        return cv2.addWeighted(bent[0], mouths[0][1], bent[1], mouths[1][1], 0, dtype=cv2.CV_32F)

    def _target(self, source: int, shape: np.ndarray, effect: float) -> np.ndarray:
        """(509, 2) px: where each point of the engine's mesh goes in this frame."""
        offset = (shape - self._person.shapes([source])[0]) * (effect * self._moving)[:, None]
        pose = self._person.pose
        moved = pose.scale[source] * (offset @ pose.rotation[source].T)
        return _mesh(self._person.landmarks[source] + moved, self._person.landmarks[source])

    def _own(self, source: int) -> np.ndarray:
        """(509, 2) px: where the same points lie in the frame as it is."""
        points = self._person.landmarks[source]
        return _mesh(points, points)

    def _mouth_points(self, mouth: Mouth, shape: np.ndarray) -> np.ndarray:
        """(509, 2) px of a mouth picture: where each point of the mesh takes its pixels from."""
        points = self._own(mouth.source)
        pose = self._person.pose[mouth.source : mouth.source + 1]
        inside = mouth_lines(mouth.shape, shape)
        points[FIRST_INTERIOR:FIRST_RING] = pose.to_picture(inside[None])[0, :, :2]
        return points - mouth.corner


def _box(points: np.ndarray, frame: Frame) -> tuple[int, int, int, int] | None:
    """Even-sided box around points (n, 2) px inside the frame; None where nothing of it is visible."""
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - MARGIN, 0) // 2 * 2
    x1, y1 = np.minimum((np.ceil(points.max(axis=0)).astype(int) + MARGIN + 1) // 2 * 2, (frame.width, frame.height))
    return (int(x0), int(y0), int(x1), int(y1)) if x1 - x0 >= 8 and y1 - y0 >= 8 else None


def _mesh(points: np.ndarray, still: np.ndarray) -> np.ndarray:
    """(509, 2) px: face points (468, 3), the interior on the inner lips, the ring round the face ``still``."""
    return np.concatenate([points[:, :2], points[list(INTERIOR), :2], ring(still[None])[0]])


def _colour_difference(below: np.ndarray, above: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: what to add to ``above`` so that it has the colours of ``below`` where both meet.

    Measured in the feather, spread inward by a normalised Gaussian of a tenth of the width, at a quarter of the size.
    """
    height, width = opacity.shape
    small = (max(width // 4, 2), max(height // 4, 2))
    ring_weight = ((opacity > RING_LOW) & (opacity < RING_HIGH)).astype(np.float32)
    difference = (below.astype(np.float32) - above) * ring_weight[:, :, None]
    stack = cv2.resize(np.dstack([difference, ring_weight]), small, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(stack, (0, 0), max(small[0] / 10, 1.0))
    return cv2.resize(wide[:, :, :3] / (wide[:, :, 3:] + 1e-4), (width, height), interpolation=cv2.INTER_LINEAR)
