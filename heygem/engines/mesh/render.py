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
    """Renders single frames of one person. Not thread-safe: it keeps work arrays of the last frame's size."""

    def __init__(self, person: Person, interior: Interior) -> None:
        self._person, self._interior = person, interior
        self._moving = moving(person.closed)
        self._opacity = np.concatenate([falloff(person.closed, PASTES), np.ones(len(INTERIOR)), np.zeros(len(JAW))])
        self._triangles = mesh_triangles()
        self._used = np.unique(self._triangles)
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
        own = self._own(source)
        box = self._box(target, frame)
        if box is None:
            return
        corner = np.array(box[:2])
        values = [own - corner, self._opacity[:, None] * effect]
        values += [self._mouth_points(mouth, shape) for mouth, _ in mouths]
        patch = frame.rgb(box)
        fields = self._fields(target - corner, np.hstack(values), patch.shape)
        lower_face = cv2.remap(patch, fields[0], fields[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        layer = np.zeros(patch.shape, np.float32)
        for k, (mouth, share) in enumerate(mouths):
            x, y = fields[3 + 2 * k], fields[4 + 2 * k]
            bent = cv2.remap(mouth.picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            layer += share * bent
        opacity = cv2.GaussianBlur(fields[2], (0, 0), max(0.6, 0.008 * patch.shape[1]))
        layer += _colour_difference(lower_face, layer, opacity)
        missing = sum(share * self._interior.missing(mouth.shape, shape) for mouth, share in mouths)
        self._frames, self._drawn = self._frames + 1, self._drawn + (missing > 0.5)
        self._interior.paint(layer, target - corner, shape, self._person, source, missing)
        mixed = lower_face + opacity[:, :, None] * (layer - lower_face)
        frame.paste(box[0], box[1], np.clip(mixed + 0.5, 0, 255).astype(np.uint8))

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

    def _box(self, target: np.ndarray, frame: Frame) -> tuple[int, int, int, int] | None:
        """Even-sided box around the mesh inside the frame; None where nothing of it is visible."""
        points = target[self._used]
        x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int) - MARGIN, 0) // 2 * 2
        x1, y1 = np.minimum(
            (np.ceil(points.max(axis=0)).astype(int) + MARGIN + 1) // 2 * 2, (frame.width, frame.height)
        )
        return (int(x0), int(y0), int(x1), int(y1)) if x1 - x0 >= 8 and y1 - y0 >= 8 else None

    def _fields(self, target: np.ndarray, values: np.ndarray, patch: tuple[int, ...]) -> np.ndarray:
        """(C, h, w) values of the mesh points spread over the patch; outside the mesh the frame's own pixels stay."""
        height, width = patch[:2]
        index = rasterise(target, self._triangles, (width, height))
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        fields = spread(index, target, values, self._triangles)
        outside = index < 0
        fields[0][outside] = np.broadcast_to(x, index.shape)[outside]
        fields[1][outside] = np.broadcast_to(y[:, None], index.shape)[outside]
        fields[2][outside] = 0
        return fields


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
