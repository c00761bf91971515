"""Which part of a face is seen."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.engines.musetalk.exact import box_of
from heygem.engines.musetalk.face import BRIDGE, MARGIN, boxes
from heygem.faces.shape import LIPS, mean_face


def face(scale: float = 100, x: float = 300, y: float = 200) -> np.ndarray:
    """(468, 2) px: a mean face."""
    return mean_face()[:, :2] * scale + np.array([x, y])


def test_the_middle_is_the_bridge_of_the_nose_and_the_lips_are_in_the_lower_half() -> None:
    points = face()
    ((x0, y0, x1, y1),) = boxes(points[None], margin=0)
    assert (y0 + y1) / 2 == pytest.approx(points[BRIDGE, 1], abs=0.01)
    assert y1 == pytest.approx(points[152, 1], abs=0.01), "the chin"
    lips = points[list(LIPS)]
    assert lips[:, 1].min() > (y0 + y1) / 2 and lips[:, 1].max() < y1
    assert x0 == pytest.approx(points[:, 0].min(), abs=2) and x1 == pytest.approx(points[:, 0].max(), abs=2)


def test_a_part_of_a_pixel_counts() -> None:
    moved = boxes(np.stack([face(), face(x=300.25, y=200.5)]))
    assert np.allclose(moved[1] - moved[0], [0.25, 0.5, 0.25, 0.5], atol=1e-3)


def test_the_margin_grows_with_the_face() -> None:
    """10 px of the published program where the box is 250 px high."""
    for scale in (83, 400):
        plain, wider = boxes(face(scale)[None], 0)[0], boxes(face(scale)[None])[0]
        assert np.array_equal(plain[:3], wider[:3])
        assert (wider[3] - plain[3]) / (plain[3] - plain[1]) == pytest.approx(MARGIN, rel=1e-3)
    assert boxes(face(83)[None])[0, 3] - boxes(face(83)[None], 0)[0, 3] == pytest.approx(10, abs=0.3)


def test_the_boxes_of_the_authors_program_are_whole_and_inside() -> None:
    inside = box_of(face(), (1000, 1000), 10)
    assert inside == pytest.approx(boxes(face()[None], 0)[0] + np.array([0, 0, 0, 10]), abs=2)
    outside = box_of(face(x=50, y=50), (640, 230), 10)
    assert outside[0] == 0 and outside[1] == 0 and outside[3] == 230
