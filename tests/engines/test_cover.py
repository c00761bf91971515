"""Things before the mouth are found and stay; talking, light and a moustache are no things."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from heygem.engines.mesh.cover import FADE, FEWEST, Cover
from heygem.engines.mesh.person import Person
from heygem.faces.mouths import Mouths
from heygem.faces.shape import OVAL
from tests.engines.talker import CUP, FPS, FRAMES, SIDE, clip


def learned(person: Person, mouths: Mouths) -> tuple[Cover, np.ndarray]:
    looks, hidden = Cover.learn(person, mouths)
    return Cover(person, FPS, looks), hidden


def test_talking_hides_nothing() -> None:
    person, mouths, frames = clip()
    cover, mouths_hidden = learned(person, mouths)
    assert not mouths_hidden.any()
    assert all(cover.look(frame, n) == (None, 1.0) for n, frame in enumerate(frames))


def test_more_light_hides_nothing() -> None:
    person, mouths, frames = clip(light=25)
    cover, mouths_hidden = learned(person, mouths)
    assert not mouths_hidden.any()
    assert cover.look(frames[-1], FRAMES - 1)[0] is None


def test_a_cup_is_found_where_it_is() -> None:
    person, mouths, frames = clip(covered=range(30, 50))
    cover, mouths_hidden = learned(person, mouths)
    assert mouths_hidden[30:50].all() and mouths_hidden.sum() < 30
    hidden, _ = cover.look(frames[40], 40)
    assert hidden
    found = hidden.over((0, 0, SIDE, SIDE)) == 1
    truth, face = np.zeros((2, SIDE, SIDE), np.uint8)
    x0, y0, x1, y1 = CUP
    truth[y0:y1, x0:x1] = 1
    cv2.fillPoly(face, [np.round(person.landmarks[40][list(OVAL), :2]).astype(np.int32)], 1)
    truth, face = truth[::2, ::2], face[::2, ::2]
    inside, truth = found & (face > 0), (truth > 0) & (face > 0)
    assert (inside & truth).sum() > 0.9 * truth.sum()
    assert (inside & truth).sum() > 0.7 * (inside | truth).sum()


def test_the_effect_fades_out_under_the_cup_and_comes_back() -> None:
    person, mouths, frames = clip(covered=range(30, 50))
    cover, _ = learned(person, mouths)
    left = np.array([cover.look(frame, n)[1] for n, frame in enumerate(frames)])
    assert (left[:30] == 1).all() and (left[36:50] == 0).all() and (left[56:] == 1).all()
    assert np.abs(np.diff(left)).max() < 2 / (FADE * FPS)


def test_after_a_jump_the_past_counts_nothing() -> None:
    person, mouths, frames = clip(covered=range(30, 50))
    cover, _ = learned(person, mouths)
    assert cover.look(frames[40], 40)[1] == 0
    assert cover.look(frames[5], 5) == (None, 1.0)


@pytest.mark.parametrize("count", [1, FEWEST - 1])
def test_from_few_pictures_nothing_is_told(count: int) -> None:
    person, mouths, frames = clip(covered=range(1), count=count)
    cover, mouths_hidden = learned(person, mouths)
    assert cover.look(frames[0], 0) == (None, 1.0)
    assert not mouths_hidden.any()
