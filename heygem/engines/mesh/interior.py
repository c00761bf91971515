"""The inside of the mouth: teeth stay with the skull behind moving lips; where no picture shows an inside, it is drawn.

Sizes come from average anatomy (an inter-ocular distance of 63 mm: 1 mm is 0.016 canonical units).
"""

from __future__ import annotations

import cv2
import numpy as np

from heygem.engines.mesh.geometry import FIRST_INTERIOR, INTERIOR, smoothstep
from heygem.engines.mesh.person import Person
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, gap

MM = 0.016
EDGE = 3.2 * MM
"""The upper front teeth end this far below the line where the closed lips meet."""
TEETH_ENDS = np.cumsum([8.4, 6.6, 7.4, 6.6]) * MM
"""Where each upper tooth ends, from the middle outward."""
LIP_SKIN = 0.035
"""Of a tracked opening this much is the wet of the lips and no inside: parted lips show no teeth."""


def mouth_lines(own: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(22, 3) canonical points of a mouth picture under the interior points of the target.

    own, target: shapes (468, 3). Upper teeth belong to the skull, lower teeth to the jaw: a lip that comes nearer
    covers them and does not squeeze them. What the picture's own lips hide cannot be shown: points stay between them.
    """
    upper, lower = list(INNER_UPPER), list(INNER_LOWER)
    opening = np.maximum(own[lower, 1] - own[upper, 1], 0)
    jaw = own[list(CHIN), 1].mean() - target[list(CHIN), 1].mean()
    covered_above = max(float(target[13, 1] - own[13, 1]), 0.0)
    covered_below = max(float(own[14, 1] - (target[14, 1] + jaw)), 0.0)
    open_middle = max(float(gap(own)), 1e-6)
    too_much = max((covered_above + covered_below) / (0.9 * open_middle), 1.0)
    taper = opening / open_middle / too_much  # in step over the whole width, so that no tooth is bent
    points = np.concatenate([own[upper], own[lower]])
    points[:11, 1] += np.minimum(covered_above * taper, 0.9 * opening)
    points[11:, 1] -= np.minimum(covered_below * taper, 0.9 * opening)
    points[11:, 1] = np.maximum(points[11:, 1], points[:11, 1])
    return points


class Interior:
    """Draws the inside of a mouth for a person whose skin is lit as ``skin`` (3,) RGB 0..255."""

    def __init__(self, skin: np.ndarray) -> None:
        light = float(skin @ (0.2126, 0.7152, 0.0722))
        tint = 0.35 * skin / max(light, 1) + 0.65  # half of the colour of the light, half neutral
        self._teeth = np.minimum(1.02 * light, 215) * tint * (1.0, 0.965, 0.89)
        self._tongue = 0.58 * light * np.array((1.0, 0.50, 0.47))
        self._cavity = 0.2 * light * np.array((1.0, 0.45, 0.42))

    def missing(self, own: np.ndarray, target: np.ndarray) -> float:
        """0..1: how much of the target's opening a picture with the shape ``own`` (468, 3) cannot show."""
        wanted = float(gap(target))
        if wanted < 0.008:
            return 0.0
        shown = max(float(gap(own)) - LIP_SKIN, 0.0) / wanted
        return float(smoothstep(np.array((0.62 - shown) / 0.4)))

    def paint(
        self, layer: np.ndarray, target: np.ndarray, shape: np.ndarray, person: Person, source: int, missing: float
    ) -> None:
        """Draws over the inner lips of ``layer`` (h, w, 3) float32 RGB in place, as opaque as ``missing``.

        target (V, 2) px of the mesh in the layer, shape (468, 3) the canonical target, source: for the head's pose.
        """
        if missing < 0.02:
            return
        n = len(INNER_UPPER)
        rim = target[FIRST_INTERIOR : FIRST_INTERIOR + len(INTERIOR)]
        outline = np.concatenate([rim[:n], rim[n:][::-1]])
        x0, y0 = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 3, 0)
        x1, y1 = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 4, (layer.shape[1], layer.shape[0]))
        if x1 - x0 < 3 or y1 - y0 < 2:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [np.round((outline - (x0, y0)) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        unit = float(person.pose.scale[source])
        soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.010 * unit))[:, :, None] * (missing / 255)
        x, y = _canonical((x0, y0, x1, y1), target, shape, person, source)
        view = layer[y0:y1, x0:x1]
        view += soft * (self._draw(x, y, shape, person.closed) - view)

    def _draw(self, x: np.ndarray, y: np.ndarray, shape: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """(h, w, 3) RGB of the inside at canonical coordinates x, y (h, w)."""
        upper, lower = shape[list(INNER_UPPER)], shape[list(INNER_LOWER)]
        line = closed[list(INNER_UPPER)]
        middle = float(line[5, 0])
        meet = np.polyval(np.polyfit(line[:, 0], line[:, 1], 1), x)  # lips may meet along a slant
        jaw = max(float(shape[list(CHIN), 1].mean() - closed[list(CHIN), 1].mean()), 0.0)
        side = np.abs(x - middle)
        roof = np.interp(x, upper[:, 0], upper[:, 1])
        floor = np.interp(x, lower[:, 0], lower[:, 1])
        depth = np.exp(-((side / 0.31) ** 4))  # the teeth bend back into the dark at the sides
        picture = np.tile(self._cavity, (*x.shape, 1))
        tongue = smoothstep((y - (meet + 0.45 * jaw + 0.02 + 0.9 * side**2)) / 0.09) * np.exp(-((side / 0.22) ** 4))
        picture += (0.8 * tongue * depth)[..., None] * (self._tongue - picture)
        lower_edge = meet + 2.2 * MM + jaw + 0.30 * side**2
        lower_teeth = smoothstep((y - lower_edge) / 0.010) * depth
        picture += (0.62 * lower_teeth)[..., None] * (0.82 * self._teeth - picture)
        edge = meet + EDGE - 0.35 * side**2 - 0.35 * MM * np.cos(side / TEETH_ENDS[0] * np.pi)
        upper_teeth = smoothstep((edge - y) / 0.010) * depth
        ends = np.array([0.0, *TEETH_ENDS])
        gaps = 1 - 0.16 * np.exp(-(((side[..., None] - ends) / 0.006) ** 2)).sum(axis=-1)
        picture += upper_teeth[..., None] * (self._teeth * gaps[..., None] - picture)
        shadow = 1 - 0.42 * np.exp(-np.maximum(y - roof, 0) / 0.03) - 0.2 * np.exp(-np.maximum(floor - y, 0) / 0.02)
        return picture * np.clip(shadow, 0.3, 1)[..., None]


def _canonical(
    box: tuple[int, int, int, int], target: np.ndarray, shape: np.ndarray, person: Person, source: int
) -> tuple[np.ndarray, np.ndarray]:
    """Canonical x, y (h, w) of the pixels of a box (x0, y0, x1, y1), on the plane through the lips."""
    x0, y0, x1, y1 = box
    turn = person.pose.scale[source] * person.pose.rotation[source, :2, :2]
    back = np.linalg.inv(turn)
    anchor_px, anchor = target[[13, 14]].mean(axis=0), shape[[13, 14], :2].mean(axis=0)
    columns, rows = np.arange(x0, x1) - anchor_px[0], np.arange(y0, y1)[:, None] - anchor_px[1]
    return back[0, 0] * columns + back[0, 1] * rows + anchor[0], back[1, 0] * columns + back[1, 1] * rows + anchor[1]
