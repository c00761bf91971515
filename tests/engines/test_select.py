"""Choosing mouth pictures: fit, runs and openings, on a made-up clip."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from heygem.engines.mesh.select import FADE, SEEN, SKIN, Pictures, Wanted, crossfades, select
from heygem.faces.shape import MOUTH

FPS = 25.0


def clip(openings: np.ndarray, skin: np.ndarray | None = None) -> Pictures:
    """Pictures whose lips are as open as told and whose skin looks as told, all looking straight ahead."""
    lips = np.zeros((len(openings), 2 * len(MOUTH)), np.float32)
    lips[:, 1] = openings * 7
    nose = np.tile([0.0, 0.0, 1.0], (len(openings), 1))
    alike = np.zeros((len(openings), 1), np.float32)
    looks = alike if skin is None else np.asarray(skin, np.float32)[:, None]
    return Pictures(np.arange(len(openings)), lips, openings, nose, looks, alike, np.zeros(len(openings)))


def want(openings: np.ndarray) -> Wanted:
    asked = clip(openings)
    return Wanted(asked.lips, asked.opening, asked.nose, np.zeros(len(openings), bool))


def choose(pictures: Pictures, wanted: np.ndarray) -> np.ndarray:
    return select(pictures, want(wanted))


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


def test_lips_that_touch_are_shown_by_closed_lips() -> None:
    pictures = clip(np.concatenate([np.full(80, 0.08), np.zeros(1)]))
    pictures.lips[80] += 0.02  # a little farther in shape than the open ones, squeezed
    pictures.lips[:80] = want(np.zeros(1)).lips
    assert choose(pictures, np.zeros(5)).tolist() == [80] * 5


def test_a_hidden_mouth_is_not_chosen() -> None:
    pictures = clip(np.full(100, 0.1))
    pictures.hidden[:90] = 1.0
    assert (choose(pictures, np.full(8, 0.1)) >= 90).all()


def test_a_turned_head_costs() -> None:
    pictures = clip(np.full(50, 0.1))
    turned = pictures.nose.copy()
    turned[10:] = (0.5, 0, np.sqrt(0.75))
    pictures = replace(pictures, nose=turned)
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


def two_lights(count: int = 100, step: float = 0.2) -> Pictures:
    """A clip whose second half is brighter by ``step``."""
    return clip(np.full(count, 0.1), step * (np.arange(count) >= count // 2))


def fades(pictures: Pictures, choice: list[int], fresh: int | None = None, fps: float = FPS) -> list[list[float]]:
    wanted = want(np.full(len(choice), 0.1))
    if fresh is not None:
        wanted.fresh[fresh] = True
    return [part.tolist() for part in crossfades(pictures, wanted, np.array(choice), fps)]


def test_a_jump_that_shows_is_blended_with_the_run_that_it_leaves() -> None:
    before, share = fades(two_lights(), [10, 11, 12, 60, 61, 62, 63, 64])
    assert share == [1, 1, 1, 0.25, 0.5, 0.75, 1, 1] and round(FADE * FPS) == 3
    assert before[3:6] == [13, 14, 15]


def test_a_fade_lasts_as_long_at_any_rate_and_as_the_jump_shows() -> None:
    choice = [*range(10, 20), *range(60, 80)]
    assert sum(s < 1 for s in fades(two_lights(), choice, fps=50)[1]) == 6
    little = np.sqrt(SEEN / SKIN / 3)
    assert sum(s < 1 for s in fades(two_lights(step=little), choice, fps=50)[1]) == 2
    assert all(s == 1 for s in fades(two_lights(step=0.0), choice, fps=50)[1])


def test_nothing_is_blended_over_a_cut() -> None:
    assert all(s == 1 for s in fades(two_lights(), [10, 11, 12, 60, 61, 62], fresh=3)[1])
    assert fades(two_lights(), [10, 11, 12, 60, 61, 62], fresh=4)[1] == [1, 1, 1, 0.25, 1, 1]


def test_a_run_that_ends_holds_its_last_picture_while_it_fades() -> None:
    pictures = replace(two_lights(6), frames=np.array([0, 1, 2, 70, 71, 72]))  # 2 and 3 are no neighbours in the film
    before, share = fades(pictures, [1, 2, 3, 4, 5])
    assert before[2:] == [2, 2, 2]
    assert share[:2] == [1, 1] and all(s < 1 for s in share[2:])


def test_small_steps_are_no_jumps() -> None:
    assert all(s == 1 for s in fades(two_lights(9), [3, 4, 4, 5, 7, 6])[1])


def test_a_jump_goes_where_it_shows_least() -> None:
    openings = np.concatenate([np.linspace(0, 0.3, 20)] * 3)
    skin = np.repeat([0.0, 0.3, 0.0], 20)
    wanted = np.concatenate([np.linspace(0, 0.3, 20)[:10], np.linspace(0, 0.3, 20)[15:]])
    chosen = choose(clip(openings, skin), wanted)
    assert len(set(skin[chosen])) == 1


def test_the_inside_counts_only_where_it_is_seen() -> None:
    inside = np.repeat([0.0, 0.5], 30).astype(np.float32)[:, None]
    pictures = replace(clip(np.full(60, 0.1)), inside=inside)
    assert pictures.change(np.array([5]), np.array([40]), 0.0) == 0
    assert pictures.change(np.array([5]), np.array([40]), 0.1) > SEEN


def test_after_a_cut_the_best_picture_is_taken_whatever_was_before() -> None:
    pictures = clip(np.repeat([0.0, 0.05], 50), np.repeat([0.0, 1.0], 50))
    pictures.frames[50:] += 100
    wanted = want(np.repeat([0.0, 0.05], [8, 2]))
    assert select(pictures, wanted)[9] < 50, "the jump would cost more than it gains"
    wanted.fresh[8] = True
    assert select(pictures, wanted)[9] >= 50


def test_memory_does_not_grow_with_frames_times_pictures() -> None:
    pictures = clip(np.linspace(0, 0.3, 2000))
    wanted = want(np.tile(np.linspace(0, 0.3, 50), 80))
    tracemalloc.start()
    select(pictures, wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20, "4,000 frames x 2,000 pictures x 8 bytes would be 64 MB"


def test_a_long_sound_gives_signs_of_life_and_can_be_stopped() -> None:
    beats: list[None] = []
    select(clip(np.linspace(0, 0.3, 20)), want(np.tile(np.linspace(0, 0.3, 20), 500)), lambda: beats.append(None))
    assert len(beats) > 20

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        select(clip(np.zeros(5)), want(np.zeros(5)), stop)
