"""Who is who, and where the effect goes."""

from __future__ import annotations

import numpy as np
import pytest

from heygem.faces.people import WHY, Track, group, reasons, turn, weights
from heygem.faces.shape import Pose, align, mean_face


def track(first: int, frames: int, wide: float, shape: float = 0.0, skin: float = 0.0) -> Track:
    """A face ``wide`` px; ``shape`` widens it in canonical units, ``skin`` makes it redder."""
    points = mean_face() * np.array([1 + shape, 1, 1])
    n = np.arange(first, first + frames)
    return Track(n, n, points, np.array([0.4 + skin, 0.33, 0.27 - skin]), np.ones(frames, bool), wide * frames)


def test_one_person_in_several_shots() -> None:
    people = group([track(0, 50, 100), track(60, 50, 130, 0.01, 0.005), track(200, 10, 90)])
    assert len(people) == 1


def test_others_by_shape_or_by_skin() -> None:
    assert len(group([track(0, 50, 100), track(60, 50, 100, shape=0.2)])) == 2
    assert len(group([track(0, 50, 100), track(60, 50, 100, skin=0.03)])) == 2


def test_nobody_is_in_two_places_at_once() -> None:
    assert len(group([track(0, 50, 100), track(30, 50, 100)])) == 2


def test_order_is_size_times_duration_and_does_not_depend_on_the_input() -> None:
    tracks = [track(0, 10, 200), track(20, 50, 100, shape=0.2), track(100, 5, 100, skin=0.05)]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        assert [one[0].size for one in group([tracks[k] for k in order])] == [5000, 2000, 500]


def face(yaw: float = 0, size: float = 100, at: tuple[float, float] = (320, 240), roll: float = 0) -> np.ndarray:
    y, r = np.radians([yaw, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (size * mean_face() @ (about_z @ about_y).T + (*at, 0))[None]


@pytest.mark.parametrize("roll", [0, 90, 180, -30])
def test_turn_is_the_heads_own(roll: float) -> None:
    _, pose = align(face(30, roll=roll))
    assert turn(pose)[0] == pytest.approx(30, abs=0.1)
    assert roll or turn(pose)[0] == pytest.approx(pose.yaw[0])


@pytest.mark.parametrize(
    ("points", "why"),
    [
        (face(), ""),
        (face(40), ""),
        (face(55), "turned away"),
        (face(-55, roll=90), "turned away"),
        (face(size=12), "too small"),
        (face(at=(5, 240)), "edge"),
        (face(at=(320, 440)), "edge"),
    ],
)
def test_reasons(points: np.ndarray, why: str) -> None:
    _, pose = align(points)
    text = WHY[int(reasons(points, pose, 640, 480)[0])]
    assert why in text and bool(why) == bool(text)


def test_weights_fade_within_the_usable_run() -> None:
    usable = np.zeros(60, bool)
    usable[10:50] = True
    weight = weights(usable, np.zeros(60, bool), 7.5)
    assert (weight[~usable] == 0).all() and (weight[usable] > 0).all()
    assert (weight[18:42] == 1).all()
    assert weight[10:18] == pytest.approx(weight[49:41:-1])
    assert np.abs(np.diff(weight)).max() < 0.2


def test_weights_are_hard_at_cuts_and_at_the_ends() -> None:
    usable = np.ones(30, bool)
    cuts = np.zeros(30, bool)
    assert (weights(usable, cuts, 7.5) == 1).all()
    usable[15:] = False
    cuts[15] = True
    assert weights(usable, cuts, 7.5).tolist() == [1] * 15 + [0] * 15


def test_moments_are_left_out() -> None:
    usable = np.zeros(30, bool)
    usable[10:12] = True
    assert not weights(usable, np.zeros(30, bool), 7.5).any()
    assert weights(np.ones(1, bool), np.ones(1, bool), 7.5).tolist() == [1], "a photo"


def test_pose_of_identity_has_no_turn() -> None:
    assert turn(Pose(np.ones(1), np.eye(3)[None], np.zeros((1, 3))))[0] == 0
