"""Choosing mouth pictures: fit, runs and openings, on a made-up clip."""

from __future__ import annotations

import numpy as np

from heygem.engines.mesh.select import Pictures, select
from heygem.faces.shape import MOUTH


def clip(openings: np.ndarray) -> Pictures:
    """Pictures whose lips are as open as told, all looking straight ahead."""
    lips = np.zeros((len(openings), 2 * len(MOUTH)), np.float32)
    lips[:, 1] = openings * 7
    return Pictures(np.arange(len(openings)), lips, openings, np.tile([0.0, 0.0, 1.0], (len(openings), 1)))


def choose(pictures: Pictures, wanted: np.ndarray) -> np.ndarray:
    asked = clip(wanted)
    return select(pictures, asked.lips, asked.opening, asked.nose)


def test_a_clip_asked_for_itself_gives_itself() -> None:
    openings = np.abs(np.sin(np.arange(120) * 0.37)) * 0.25
    assert choose(clip(openings), openings).tolist() == list(range(120))


def test_the_next_picture_wins_over_an_equal_one_far_away() -> None:
    openings = np.tile(np.linspace(0, 0.3, 20), 3)  # the same movement three times
    chosen = choose(clip(openings), np.linspace(0, 0.3, 20))
    assert (np.diff(chosen) == 1).all()


def test_a_closed_mouth_is_never_taken_for_an_open_one() -> None:
    openings = np.concatenate([np.zeros(100), [0.25]])
    assert choose(clip(openings), np.full(5, 0.2)).tolist() == [100] * 5


def test_a_turned_head_costs() -> None:
    pictures = clip(np.full(50, 0.1))
    turned = pictures.nose.copy()
    turned[10:] = (0.5, 0, np.sqrt(0.75))
    pictures = Pictures(pictures.frames, pictures.lips, pictures.opening, turned)
    assert (choose(pictures, np.full(8, 0.1)) < 10).all()


def test_one_picture_and_one_frame_are_enough() -> None:
    assert choose(clip(np.array([0.0])), np.linspace(0, 0.3, 7)).tolist() == [0] * 7
    assert choose(clip(np.linspace(0, 0.3, 7)), np.array([0.3])).tolist() == [6]


def test_many_frames_are_compared_in_pieces_with_the_same_result() -> None:
    openings = np.abs(np.sin(np.arange(90) * 0.21)) * 0.25
    wanted = np.tile(openings, 14)
    chosen = choose(clip(openings), wanted)
    assert len(chosen) == len(wanted)
    assert np.abs(openings[chosen] - wanted).max() < 0.02
