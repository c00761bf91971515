"""What moves with the lips, and how the meshes are cut."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.engines.mesh.geometry import (
    COLUMNS,
    JAW,
    LINES,
    carrier,
    facing,
    frame_triangles,
    mouth_triangles,
    pasted,
    ring,
)
from heygem.faces.shape import CHIN, INNER_LOWER, LIPS, MOUTH, OUTER_LOWER, mean_face


def dropped(amount: float) -> np.ndarray:
    """(468, 3) displacement of the face when lower lip and chin go down."""
    mouth, face = np.zeros((len(MOUTH), 3)), mean_face()
    for point in INNER_LOWER + OUTER_LOWER:
        mouth[MOUTH.index(point), 1] = amount * max(1 - (face[point, 0] / face[308, 0]) ** 2, 0)
    for point in CHIN:
        mouth[MOUTH.index(point), 1] = 0.7 * amount
    return carrier(mean_face()) @ mouth


def test_lips_and_chin_lead_and_eyes_nose_and_glasses_stay() -> None:
    shares = carrier(mean_face())
    assert np.allclose(shares[list(MOUTH)], np.eye(len(MOUTH)))
    assert (shares[[33, 263, 1, 2, 4, 168, 10, 6, 122, 351, 159, 386, 98, 327]] == 0).all()


def test_skin_follows_but_never_overshoots() -> None:
    shares = carrier(mean_face())
    assert shares.min() > -1e-9 and shares.sum(axis=1).max() < 1 + 1e-9
    moved = dropped(0.2)
    assert 0.1 < moved[18, 1] <= 0.2, "the skin right under the lower lip goes with it"
    assert moved[50, 1] < 0.03 and moved[280, 1] < 0.03, "the cheeks hardly do"


@pytest.mark.parametrize("amount", [0.1, 0.2, 0.3])
def test_an_open_mouth_folds_no_skin(amount: float) -> None:
    face = 1000 * mean_face()[:, :2]
    skin = mouth_triangles()
    skin = skin[(skin < len(face)).all(axis=1)]
    assert facing(face, skin).all()
    assert facing(face + 1000 * dropped(amount)[:, :2], skin).all()


def test_the_ring_lies_outside_the_jaw() -> None:
    face = mean_face()[None] * 100
    outside = ring(face)[0]
    assert outside[:, 1].max() > face[0, 152, 1] + 20
    assert outside[:, 0].min() < face[0, :, 0].min() and outside[:, 0].max() > face[0, :, 0].max()
    assert frame_triangles().max() == 468 + len(outside) - 1
    assert mouth_triangles().max() == 468 + LINES * COLUMNS - 1


def test_triangles_of_the_far_cheek_face_away_when_the_head_is_turned() -> None:
    face = 1000 * mean_face()
    angle = np.radians(70)
    turned = np.stack([np.cos(angle) * face[:, 0] + np.sin(angle) * face[:, 2], face[:, 1]], axis=1)
    seen = facing(turned, mouth_triangles()[(mouth_triangles() < 468).all(axis=1)])
    assert 0.02 < (~seen).mean() < 0.5


def test_the_mouth_picture_covers_the_lips_and_leaves_the_jaw_line_alone() -> None:
    opacity = pasted(mean_face())
    assert (opacity[list(LIPS)] == 1).all()
    assert (opacity[list(JAW)] == 0).all()


def test_the_region_of_the_mouth_leaves_chin_and_jaw_line_alone() -> None:
    shares = carrier(mean_face(), "mouth")
    assert np.allclose(shares[list(LIPS)][:, : len(LIPS)], np.eye(len(LIPS)))
    assert (shares[[*CHIN, *JAW]] == 0).all()
    assert shares[18].sum() > 0.5, "the skin under the lip follows"
