"""Piecewise affine warping of one picture patch: every triangle of the target is filled from its source."""

from __future__ import annotations

import cv2
import numpy as np

_SHIFT = 4  # binary digits of sub-pixel precision of cv2's polygon filling


def rasterise(points: np.ndarray, triangles: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) int16 index of the triangle over each pixel, -1 outside all; later triangles are painted on top.

    points (V, 2) px relative to the patch, triangles (M, 3), size = (w, h).
    """
    index = np.full((size[1], size[0]), -1, np.int16)
    corners = np.round(points[triangles] * (1 << _SHIFT)).astype(np.int32)
    for number, corner in enumerate(list(corners)):
        cv2.fillConvexPoly(index, corner, number, cv2.LINE_8, _SHIFT)
    return index


def barycentric(target: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(M, 2, 3) float32: for each triangle of target (V, 2) the map (x, y, 1) -> shares of its 2nd and 3rd corner."""
    a, b, c = (target[triangles[:, k]] for k in range(3))
    u, v = b - a, c - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)  # no area: the shares run away and are clamped
    first = np.stack([v[:, 1], -v[:, 0], a[:, 1] * v[:, 0] - a[:, 0] * v[:, 1]], axis=1)
    second = np.stack([-u[:, 1], u[:, 0], a[:, 0] * u[:, 1] - a[:, 1] * u[:, 0]], axis=1)
    return (np.stack([first, second], axis=1) / area[:, None, None]).astype(np.float32)


def spread(index: np.ndarray, target: np.ndarray, values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(C, h, w) float32: values (V, C) at the points target (V, 2) spread over the pixels of a triangle index (h, w).

    Shares are kept inside the triangle: a pixel on the rim of a needle would otherwise reach far outside. Pixels of no
    triangle (-1) get the value of some triangle; the caller overwrites them.
    """
    at = index.astype(np.intp)  # -1 wraps to the last

    def over(table: np.ndarray, factor: np.ndarray | None = None) -> np.ndarray:
        found = np.asarray(table.take(at, mode="wrap"))
        if factor is not None:
            found *= factor  # in place, as all below: new arrays would take as long as the arithmetic
        return found

    x, y = np.arange(index.shape[1], dtype=np.float32), np.arange(index.shape[0], dtype=np.float32)[:, None]
    shares = []
    for dx, dy, one in np.ascontiguousarray(barycentric(target, triangles).transpose(1, 2, 0)):
        share = over(dx, x)
        share += over(dy, y)
        share += over(one)
        shares.append(np.clip(share, 0, 1, out=share))
    beyond = shares[0] + shares[1]
    np.maximum(beyond, 1, out=beyond)
    for share in shares:
        share /= beyond
    fields = np.empty((values.shape[1], *index.shape), np.float32)
    for k, value in enumerate(values.T.astype(np.float32)):
        a, b, c = value[triangles.T]
        a.take(at, mode="wrap", out=fields[k])
        fields[k] += over(b - a, shares[0])
        fields[k] += over(c - a, shares[1])
    return fields
