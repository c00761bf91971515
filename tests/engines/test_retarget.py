"""From rows of the speech model to target shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heygem.engines.mesh.person import Person, Talk, average_talk, close_lips
from heygem.engines.mesh.retarget import smooth, target_shapes
from heygem.faces.shape import CHIN, INNER_LOWER, INNER_UPPER, MOUTH, Pose, gap, mean_face, width
from heygem.speech.motion import Motion, MouthBasis

LOWER = [*INNER_LOWER[1:-1], 17, *CHIN]


@pytest.fixture
def basis() -> MouthBasis:
    """Two components: +1 opens by 0.05; +1 narrows by 0.04 and opens a little. The average opening is 0.05."""
    components = np.zeros((2, 468, 3), np.float32)
    components[0, LOWER, 1] = 0.05
    components[1, [61, 291], 0] = 0.02, -0.02
    components[1, LOWER, 1] = 0.01
    return MouthBasis(components, np.array([-1.0, 0.0], np.float32), np.array(MOUTH))


@pytest.fixture
def person(basis: MouthBasis) -> Person:
    pose = Pose(np.array([100.0]), np.eye(3)[None], np.zeros((1, 3)))
    return Person(100 * mean_face()[None], pose, close_lips(mean_face().astype(float)), average_talk(basis))


def motion(opening: np.ndarray, rounding: float | np.ndarray = 0.0) -> Motion:
    """Rows that ask an average talker for ``opening``."""
    rows = np.column_stack([np.asarray(opening) / 0.05 - 1, np.zeros(len(opening))])
    rows[:, 1] = rounding
    rows[:, 0] -= 0.2 * rows[:, 1]
    return Motion(rows.astype(np.float32), np.ones(len(rows), np.float32))


def test_the_average_talker_gets_the_opening_that_was_asked_for(basis: MouthBasis, person: Person) -> None:
    wanted = np.array([0.0, 0.06, 0.1, 0.3])
    assert np.allclose(gap(target_shapes(motion(wanted), basis, person, 1.0)), wanted, atol=1e-6)


def test_rest_is_the_closed_mouth(basis: MouthBasis, person: Person) -> None:
    silence = Motion(basis.rest[None], np.zeros(1, np.float32))
    assert np.allclose(target_shapes(silence, basis, person, 1.0)[0], person.closed)


def test_strength_scales_the_opening_and_zero_keeps_it_closed(basis: MouthBasis, person: Person) -> None:
    openings = [gap(target_shapes(motion(np.array([0.1])), basis, person, s))[0] for s in (0, 1, 2)]
    assert np.allclose(openings, [0, 0.1, 0.2], atol=1e-6)


def test_a_strong_and_a_quiet_talker_open_differently_and_both_close(basis: MouthBasis, person: Person) -> None:
    syllables = motion(np.array([0.0, 0.04, 0.12]))
    made = []
    for opening, contrast in ((0.12, 1.2), (0.03, 0.9)):
        talk = Talk(opening, contrast, np.ones(2), np.zeros((468, 3)))
        made.append(gap(target_shapes(syllables, basis, replace(person, talk=talk), 1.0)))
    strong, quiet = made
    assert strong[0] == pytest.approx(0, abs=1e-9) and quiet[0] == pytest.approx(0, abs=1e-9)
    assert strong[2] > 3 * quiet[2] > 0.1


def test_a_shout_does_not_tear_the_mouth_open(basis: MouthBasis, person: Person) -> None:
    lively = replace(person, talk=replace(person.talk, contrast=1.6))
    assert gap(target_shapes(motion(np.array([0.2])), basis, lively, 1.0))[0] < 0.05 * (1 + 1.6 * 3) + 1e-6


def test_a_smile_keeps_its_width_while_the_lips_meet(basis: MouthBasis, person: Person) -> None:
    shift = np.zeros((468, 3))
    shift[[61, 291], 0] = -0.05, 0.05
    shift[LOWER, 1] = 0.08
    smiling = replace(person, talk=replace(person.talk, shift=shift))
    shape = target_shapes(motion(np.array([0.0])), basis, smiling, 1.0)
    assert gap(shape)[0] == pytest.approx(0, abs=1e-9)
    assert width(shape)[0] == pytest.approx(width(person.closed) + 0.1)


def test_rounding_is_not_lost_in_the_absolute_opening(basis: MouthBasis, person: Person) -> None:
    flat, round_ = (target_shapes(motion(np.array([0.1]), r), basis, person, 1.0) for r in (0.0, 1.5))
    assert gap(round_)[0] == pytest.approx(gap(flat)[0], abs=1e-6)
    assert width(flat)[0] - width(round_)[0] == pytest.approx(0.06, abs=1e-6)


def test_lips_never_pass_each_other(basis: MouthBasis, person: Person) -> None:
    shapes = target_shapes(motion(np.array([-0.2])), basis, person, 1.0)
    assert (shapes[0, INNER_LOWER, 1] - shapes[0, INNER_UPPER, 1] >= -1e-9).all()


@pytest.mark.parametrize("fps", [25, 30, 60])
def test_lips_that_shut_for_a_moment_still_shut_after_smoothing(basis: MouthBasis, person: Person, fps: int) -> None:
    times = np.arange(fps) / fps
    opening = 0.12 * np.minimum(np.abs(times - 0.513) / 0.06, 1)  # a p of 0.12 seconds, between two frames
    calm = smooth(motion(opening), basis, 0.3, fps)
    openings = gap(target_shapes(calm, basis, person, 1.0))
    assert openings.min() == pytest.approx(0, abs=1e-3)
    assert openings.argmin() == opening.argmin()


def test_smoothing_is_calm_and_never_late(basis: MouthBasis) -> None:
    opening = np.full(101, 0.1)
    opening[50] = 0.2
    asked = motion(opening)
    calm = smooth(asked, basis, 1.0, 25).rows[:, 0]
    assert calm.argmax() == 50 and calm.max() - calm.min() < 0.5 * np.ptp(asked.rows[:, 0])
    assert np.allclose(calm, calm[::-1], atol=1e-6)
    assert np.isclose(calm.mean(), asked.rows[:, 0].mean(), atol=1e-5)
    assert smooth(asked, basis, 0.0, 25) is asked
