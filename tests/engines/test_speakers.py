"""Where the memory of a device ends, frames go in halves. No engine of the table runs on a GPU yet, so the engine that
runs out of memory is made up here; the error is also torch's real one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from heygem import engines
from heygem.engines.base import Style
from heygem.engines.loudness import LoudnessEngine, LoudnessRenderer
from heygem.engines.speakers import Portions, Speaker, in_turn
from heygem.errors import OutOfMemory
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from heygem.pipeline import Options, lipsync
from heygem.tick import Tick, silent
from ui.words import warn


def torchs_own() -> Exception:
    import torch

    return torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class Tight(LoudnessRenderer):
    """Has room for ``room`` frames. Keeps the contract: nothing is changed before the memory is there."""

    room, error = 3, OutOfMemory

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # pyright: ignore[reportArgumentType]
        self.asked: list[tuple[int, int]] = []

    def render(self, start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        self.asked.append((start, len(frames)))
        if len(frames) > self.room:
            raise self.error()
        return super().render(start, frames)


@pytest.fixture(scope="module")
def avatar(portrait: Path, avatar_cache: Path) -> Avatar:
    return Avatar.prepare(portrait, cache=avatar_cache)


@pytest.fixture
def tight(avatar: Avatar) -> Tight:
    return Tight(avatar, np.linspace(0, 1, 24), np.zeros(24, np.int64), Style())


def grey(count: int) -> list[Frame]:
    return [Frame.of(np.full((512, 512, 3), 128, np.uint8)) for _ in range(count)]


def data(frames: Sequence[Frame]) -> np.ndarray:
    return np.stack([frame.data for frame in frames])


@pytest.mark.parametrize("error", [OutOfMemory, torchs_own])
def test_the_same_frames_come_again_in_halves_and_it_is_remembered(
    tight: Tight, error: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tight, "error", staticmethod(error))
    portions = Portions(tight)
    made = [*portions.render(0, grey(8)), *portions.render(8, grey(8))]
    assert tight.asked == [(0, 8), (0, 4), (0, 2), (2, 2), (4, 2), (6, 2), (8, 2), (10, 2), (12, 2), (14, 2)]
    assert portions.most == 2
    tight.room = 100
    whole = tight.render(0, grey(16))
    assert np.array_equal(data(made), data(whole)), "as if the memory had been there"


def test_an_odd_rest_is_not_forgotten(tight: Tight) -> None:
    made = Portions(tight).render(3, grey(7))
    assert len(made) == 7 and tight.asked == [(3, 7), (3, 3), (6, 3), (9, 1)]


def test_where_one_frame_is_too_many_it_is_an_error(tight: Tight) -> None:
    tight.room = 0
    with pytest.raises(OutOfMemory) as caught:
        Portions(tight).render(0, grey(8))
    assert [count for _, count in tight.asked] == [8, 4, 2, 1]
    assert caught.value.code == "job.out_of_memory" and caught.value.hint


def test_other_errors_are_not_tried_again(tight: Tight, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tight, "error", RuntimeError)
    with pytest.raises(RuntimeError):
        Portions(tight).render(0, grey(8))
    assert tight.asked == [(0, 8)]


def test_of_several_speakers_only_the_one_who_failed_renders_again(avatar: Avatar, voice: Path, tight: Tight) -> None:
    """The first has changed the frames already when the second runs out of memory."""
    plan = np.zeros(24, np.int64)
    wide = Tight(avatar, np.linspace(0, 1, 24), plan, Style())
    wide.room = 100
    sound = Sound(np.zeros(16000, np.float32), voice)
    speakers = [Speaker(avatar, sound, renderer, plan) for renderer in (wide, tight)]
    made = in_turn(speakers)(0, grey(8))
    assert wide.asked == [(0, 8)] and [start for start, count in tight.asked if count <= 3] == [0, 2, 4, 6]
    expected = grey(8)
    for _ in speakers:
        expected = wide.render(0, expected)
    assert np.array_equal(data(made), data(expected))
    assert [speaker.portions.most for speaker in speakers] == [None, 2]


def test_a_take_goes_on_with_a_warning(
    portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TightEngine(LoudnessEngine):
        def begin(
            self, avatar: Avatar, speech: np.ndarray, plan: np.ndarray, style: Style, tick: Tick = silent
        ) -> Tight:
            return Tight(avatar, speech, plan, style)

    options = Options(engine="loudness", quality="draft")
    usual = lipsync(portrait, voice, tmp_path / "usual.mp4", options, cache=avatar_cache)
    monkeypatch.setattr(engines, "load", lambda _: TightEngine())
    take = lipsync(portrait, voice, tmp_path / "tight.mp4", options, cache=avatar_cache)
    assert take.path.read_bytes() == usual.path.read_bytes()
    assert [*usual.warnings, "the graphics memory was too small, so the batch was halved to 2"] == take.warnings
    assert "2" in warn(take.warnings[-1], "zh") and "显存" in warn(take.warnings[-1], "zh")
    monkeypatch.setattr(Tight, "room", 0)
    with pytest.raises(OutOfMemory):
        lipsync(portrait, voice, tmp_path / "none.mp4", options, cache=avatar_cache)
    assert not list(tmp_path.glob("none*"))
