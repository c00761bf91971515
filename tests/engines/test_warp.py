"""Warping by triangles, on grids with known truth."""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.warp import rasterise, spread

SQUARE = np.array([[0, 0], [60, 0], [60, 40], [0, 40]], float)
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def test_every_pixel_of_a_square_belongs_to_one_half() -> None:
    index = rasterise(SQUARE, HALVES, (70, 50))
    assert (index[:40, :60] >= 0).all()
    assert (index[42:] == -1).all() and (index[:, 62:] == -1).all()
    assert index[5, 50] == 0 and index[35, 5] == 1


def test_later_triangles_lie_on_top() -> None:
    index = rasterise(SQUARE, np.array([[0, 1, 2], [0, 1, 2]]), (60, 40))
    assert set(np.unique(index)) == {-1, 1}


def test_linear_values_are_reproduced_exactly() -> None:
    index = rasterise(SQUARE, HALVES, (60, 40))
    values = np.stack([SQUARE[:, 0], 2 * SQUARE[:, 1] + SQUARE[:, 0]], axis=1)
    first, second = spread(index, SQUARE, values, HALVES)
    y, x = np.mgrid[0:40, 0:60]
    seam = np.abs(x * 40 - y * 60) < 80  # pixels on the diagonal are half outside their triangle
    assert np.abs(first - x)[~seam].max() < 1e-3
    assert np.abs(second - (2 * y + x))[~seam].max() < 1e-3
    assert np.abs(first - x).max() < 1


def test_a_moved_vertex_bends_only_its_triangles() -> None:
    index = rasterise(SQUARE, HALVES, (60, 40))
    source = SQUARE.copy()
    source[1] += (-6, 4)
    x = spread(index, SQUARE, source, HALVES)[0]
    columns = np.broadcast_to(np.arange(60), (40, 60))
    assert np.abs(x - columns)[index == 1].max() < 1e-3
    assert np.abs(x - columns)[index == 0].max() > 4


def test_needles_and_points_never_reach_outside_their_values() -> None:
    rng = np.random.default_rng(1)
    points = np.array([[5, 5], [50, 5.02], [30, 5.01], [20, 20], [20, 20], [20, 20], [10, 30], [40, 30.0001], [55, 30]])
    triangles = np.arange(9).reshape(3, 3)
    values = rng.uniform(0, 1, (9, 3))
    index = rasterise(points, triangles, (60, 40))
    fields = spread(index, points, values, triangles)
    assert np.isfinite(fields).all()
    for number, corners in enumerate(triangles):
        inside = fields[:, index == number]
        assert inside.size
        assert (inside >= values[corners].min(axis=0)[:, None] - 1e-5).all()
        assert (inside <= values[corners].max(axis=0)[:, None] + 1e-5).all()
