"""Which part of a face MuseTalk sees: from the brows to below the chin, its middle on the bridge of the nose."""

from __future__ import annotations

import numpy as np

BRIDGE = 5
"""The landmark that lies where the third of four points on the bridge of the nose does, of the 68 that others count."""
OUTLINE = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389, 4)
"""Landmarks on the jaw from temple to temple, and the tip of the nose: how far the 68 reach."""
MARGIN = 0.04
"""Of the height of the box, what version 1.5 sees below the chin: 10 px where it is 250 high."""


def boxes(points: np.ndarray, margin: float = MARGIN) -> np.ndarray:
    """(n, 4) float32 px: x0, y0, x1, y1 of faces (n, 468, 2 or more) px; they may reach beyond the frame.

    As far above the bridge of the nose as the chin is below it, and ``margin`` more below: 0 for version 1.0.
    """
    outline = points[:, OUTLINE, :2]
    (x0, _), (x1, chin) = np.moveaxis(outline.min(axis=1), 1, 0), np.moveaxis(outline.max(axis=1), 1, 0)
    half = chin - points[:, BRIDGE, 1]
    return np.stack([x0, chin - 2 * half, x1, chin + margin * 2 * half], axis=1).astype(np.float32)
