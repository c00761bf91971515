"""Choosing mouth pictures: fit, runs and openings, on a made-up clip."""

from __future__ import annotations

import tracemalloc

import numpy as np

from heygem.engines.mesh.select import FADE, Pictures, crossfades, select
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


def test_a_jump_is_blended_with_the_run_that_it_leaves() -> None:
    frames = np.arange(100)
    before, share = crossfades(frames, np.array([10, 11, 12, 50, 51, 52, 53, 54]))
    assert share.tolist() == [1, 1, 1, 0.25, 0.5, 0.75, 1, 1] and FADE == 3
    assert before[3:6].tolist() == [13, 14, 15]


def test_a_run_that_ends_holds_its_last_picture_while_it_fades() -> None:
    frames = np.array([0, 1, 2, 70, 71, 72, 73])  # pictures 2 and 3 are no neighbours in the film
    before, share = crossfades(frames, np.array([1, 2, 3, 4, 5]))
    assert before[2:].tolist() == [2, 2, 2]
    assert share[:2].tolist() == [1, 1] and (share[2:] < 1).all()


def test_small_steps_are_no_jumps() -> None:
    assert (crossfades(np.arange(9), np.array([3, 4, 4, 5, 7, 6]))[1] == 1).all()


def test_memory_does_not_grow_with_frames_times_pictures() -> None:
    pictures = clip(np.linspace(0, 0.3, 2000))
    wanted = clip(np.tile(np.linspace(0, 0.3, 50), 80))
    tracemalloc.start()
    select(pictures, wanted.lips, wanted.opening, wanted.nose)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20, "4,000 frames x 2,000 pictures x 8 bytes would be 64 MB"
