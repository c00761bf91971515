"""The renderer of networks: what stands before the mouth stays on top, and memory that is too small loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from heygem.engines.base import Style
from heygem.engines.neural.crop import Crops
from heygem.engines.neural.place import place
from heygem.engines.neural.render import CropRenderer, Shot
from heygem.engines.speakers import Portions
from heygem.engines.wav2lip.engine import face_boxes
from heygem.errors import OutOfMemory
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.tick import Tick, silent
from tests.engines.talker import CUP, FPS, FRAMES, SIDE, clip

COVERED = range(30, 50)


def talking(covered: range, count: int = FRAMES) -> tuple[Avatar, list[Frame]]:
    """Somebody with a cup before the mouth in the frames ``covered``, and without a usable face from frame 70 on."""
    person, mouths, frames = clip(covered, count)
    weight = (np.arange(count) < 70).astype(np.float32)
    landmarks = person.landmarks.astype(np.float32)
    return Avatar("talker", 0, SIDE, SIDE, Fraction(FPS), count == 1, landmarks, weight, mouths), frames


@pytest.fixture(scope="module")
def film() -> tuple[Avatar, list[Frame]]:
    return talking(COVERED)


def green(numbers: np.ndarray, seen: Tensor) -> Tensor:
    """A network whose mouths are green."""
    return seen * 0.2 + torch.tensor([0.0, 0.8, 0.0])[:, None, None]


def begin(
    avatar: Avatar, predict: Callable[[np.ndarray, Tensor], Tensor] = green, most: int = 8, tick: Tick = silent
) -> CropRenderer:
    plan, crops = np.arange(len(avatar.landmarks)), Crops.of(avatar.landmarks, face_boxes, 96)
    return CropRenderer(Shot(avatar, plan, Style(), tick), place("cpu", "x", exact=True), crops, predict, most)


def rendered(
    render: Callable[[int, Sequence[Frame]], Sequence[Frame]], frames: list[Frame], size: int
) -> list[np.ndarray]:
    copies = [frame.copy() for frame in frames]
    return [one.data for k in range(0, len(copies), size) for one in render(k, copies[k : k + size])]


def test_a_cup_stays_on_top_and_the_mouth_comes_back(film: tuple[Avatar, list[Frame]]) -> None:
    avatar, frames = film
    made = rendered(begin(avatar).render, frames, 8)
    changed = [np.abs(one[:SIDE].astype(int) - frame.data[:SIDE]) > 8 for one, frame in zip(made, frames, strict=True)]
    x0, y0, x1, y1 = CUP
    assert not changed[40].any(), "lips that are hidden do not speak"
    assert not changed[31][y0 + 6 : y1 - 6, x0 + 6 : x1 - 6].any(), "the cup is seen at once"
    assert changed[31].sum() > 200, "beside it the effect fades"
    assert all(mouth[y0:y1, x0:x1].mean() > 0.3 for mouth in (changed[10], changed[60]))
    assert not any(mouth.any() for mouth in changed[70:]), "where no face is usable"


def test_from_one_picture_nothing_is_told() -> None:
    avatar, frames = talking(range(1), count=1)
    assert (rendered(begin(avatar).render, frames, 1)[0] != frames[0].data).mean() > 0.05


def test_frames_come_alone_or_together(film: tuple[Avatar, list[Frame]]) -> None:
    avatar, frames = film
    together, alone = (rendered(begin(avatar).render, frames, size) for size in (8, 1))
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(together, alone, strict=True))


def test_memory_that_is_too_small_changes_no_picture(film: tuple[Avatar, list[Frame]]) -> None:
    """The frames come again in halves; what hides the mouth is not followed twice."""
    avatar, frames = film

    def tight(numbers: np.ndarray, seen: Tensor) -> Tensor:
        if len(seen) > 2 and numbers[0] >= 32:  # while the effect fades
            raise OutOfMemory
        return green(numbers, seen)

    portions = Portions(begin(avatar, tight))
    pairs = zip(rendered(portions.render, frames, 8), rendered(begin(avatar).render, frames, 8), strict=True)
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in pairs) and portions.most == 2


def test_all_parts_are_on_their_way_before_a_frame_changes(film: tuple[Avatar, list[Frame]]) -> None:
    """So a GPU never waits for the processor, and memory that ends in the last part costs nothing."""
    avatar, frames = film
    copies, seen = [frame.copy() for frame in frames[:8]], []

    def watching(numbers: np.ndarray, faces: Tensor) -> Tensor:
        seen.append(numbers.tolist())
        assert all(np.array_equal(one.data, frame.data) for one, frame in zip(copies, frames[:8], strict=True))
        return green(numbers, faces)

    begin(avatar, watching, most=3).render(0, copies)
    assert seen == [[0, 1, 2], [3, 4, 5], [6, 7]]
    together = rendered(begin(avatar).render, frames[:8], 8)
    assert all(np.abs(one.data.astype(int) - other).max() <= 1 for one, other in zip(copies, together, strict=True))


def test_who_waits_for_a_large_batch_hears_of_each_part(film: tuple[Avatar, list[Frame]]) -> None:
    avatar, frames = film
    ticks: list[tuple[str, int, int]] = []
    renderer = begin(avatar, most=3, tick=lambda *tick: ticks.append(tick))
    renderer.render(0, [frame.copy() for frame in frames[:8]])
    ticks.clear()
    renderer.render(8, [frame.copy() for frame in frames[8:16]])
    assert ticks == [("render", 8, FRAMES)] * 3
