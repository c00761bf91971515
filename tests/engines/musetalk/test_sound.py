"""What Whisper hears: its picture of the sound, long sounds in pieces without a seam, found once for all takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem.cache import Cache
from heygem.engines.musetalk.pieces import Pieces
from heygem.engines.musetalk.sound import QUIET, ROW, hear, log_mel, once, parts, silence
from heygem.engines.nets.whisper import Encoder
from heygem.media.sound import RATE, Sound
from tests.engines.nets import diffusion

SIZE = 150
"""Rows of a piece here: 3 s."""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.of(diffusion.whisper(rows=SIZE, layers=2))


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_the_picture_has_a_column_each_hundredth_of_a_second_and_shows_pitches_from_low_to_high() -> None:
    bands = [int(log_mel(tone(hertz), RATE)[:, 50].argmax()) for hertz in (200, 1000, 4000)]
    assert log_mel(tone(200), 2 * RATE).shape == (80, 200)
    assert bands[0] < bands[1] < bands[2] and bands[1] == pytest.approx(81 / 3 - 1, abs=1)


def test_the_picture_ends_80_db_below_the_loudest() -> None:
    picture = log_mel(tone(1000), 2 * RATE)
    assert picture.max() - picture.min() == pytest.approx(2)
    quieter = log_mel(0.1 * tone(1000), 2 * RATE)
    assert picture.max() - quieter.max() == pytest.approx(0.5, abs=1e-3), "20 dB are half a unit"


def test_behind_the_sound_it_is_silent_or_grey() -> None:
    voice = tone(300)
    assert np.ptp(log_mel(voice, 2 * RATE)[:, 150:]) == 0 and log_mel(voice, 2 * RATE)[0, 150] < 0
    assert np.all(log_mel(voice, 2 * RATE, first=True)[:, 100:] == 0)


def test_a_short_sound_is_heard_at_once(encoder: Encoder, speech: np.ndarray) -> None:
    voice = speech[: 2 * RATE + 100]
    states = hear(voice, encoder)
    picture = torch.from_numpy(log_mel(voice, SIZE * ROW)).float()
    assert states.shape == (100, 3, diffusion.WIDTH) and states.dtype == np.float32
    assert np.array_equal(states, encoder(picture[None])[0, :100].numpy())


def test_a_long_sound_has_no_seams(encoder: Encoder, speech: np.ndarray) -> None:
    """Where a piece takes over, rows differ from their neighbours no more than elsewhere."""
    pieces = Pieces(len(speech) // ROW, SIZE)
    states = hear(speech, encoder)[:, 1:]  # the first layer marks rows by their place in the piece
    assert len(states) == pieces.total and len(pieces.starts) == 3
    steps = np.linalg.norm(np.diff(states, axis=0), axis=(1, 2))
    fade = SIZE // 15
    joints = [int(pieces.own(piece)[0]) for piece in (1, 2)]
    at_joints = np.concatenate([steps[joint - 1 : joint + fade + 1] for joint in joints])
    cut = [np.linalg.norm(hear(speech[: joint * ROW], encoder)[-1, 1:] - states[joint]) for joint in joints]
    assert at_joints.max() < np.quantile(steps, 0.99) * 1.2, "as smooth as everywhere"
    assert at_joints.mean() < min(cut), "and smoother than a cut"


def test_parts_are_the_whole_and_small(encoder: Encoder, speech: np.ndarray) -> None:
    beats: list[None] = []
    found = list(parts(speech, encoder, lambda: beats.append(None)))
    assert len(found) == len(beats) == 3 and max(map(len, found)) <= SIZE
    assert np.array_equal(np.concatenate(found), hear(speech, encoder))


@pytest.mark.parametrize("total", [5, 149, 150, 151, 160, 290, 291, 430, 1000])
def test_pieces_cover_everything_once(total: int) -> None:
    """Each piece gives its own rows their numbers: whatever fades, the whole counts from 0 on."""
    pieces = Pieces(total, SIZE)
    made = []
    for piece, start in enumerate(pieces.starts.tolist()):
        now, before = (
            np.arange(SIZE, dtype=np.float32)[:, None] + at for at in (start, pieces.starts[max(piece - 1, 0)])
        )
        made.append(pieces.joined(pieces.own(piece), now, before))
    assert np.allclose(np.concatenate(made)[:, 0], np.arange(total), atol=1e-3)
    assert pieces.starts[-1] == max(0, total - SIZE), "the last ends with the sound"


def test_version_1_0_hears_without_the_last_normalisation(encoder: Encoder, speech: np.ndarray) -> None:
    voice = speech[: SIZE * ROW]
    now, then = hear(voice, encoder), hear(voice, encoder, first=True)
    assert np.array_equal(now[:, 0], then[:, 0]) and not np.allclose(now[:, -1], then[:, -1], atol=0.1)


def test_silence_is_a_pause_of_a_voice(encoder: Encoder, speech: np.ndarray) -> None:
    """The picture of a voice is as dark in its pauses as what counts as silence."""
    loud = speech / np.abs(speech).max()
    assert log_mel(np.pad(loud, (0, RATE)), 10 * RATE).min() == pytest.approx(QUIET, abs=0.25)
    assert silence(encoder).shape == (SIZE, 3, diffusion.WIDTH)


@pytest.mark.parametrize("kept", [True, False])
def test_it_is_found_once_and_mapped(tmp_path: Path, speech: np.ndarray, kept: bool) -> None:
    sound = Sound(speech, tmp_path / "voice.wav", Cache(tmp_path / "cache") if kept else None, "abc")
    asked = []

    def rows() -> Iterator[np.ndarray]:
        asked.append(1)
        yield np.ones((3, 2, 4), np.float32)
        yield np.full((2, 2, 4), 2, np.float32)

    for _ in range(2):
        found = once(sound, "test-1", 5, rows, lambda: None)
        assert found.shape == (5, 2, 4) and found.dtype == np.float16
        assert found[:, 0, 0].tolist() == [1, 1, 1, 2, 2]
        assert isinstance(found.base, np.memmap), "nothing of it is in memory"
    assert len(asked) == (1 if kept else 2)


def test_work_that_stops_leaves_nothing(tmp_path: Path, speech: np.ndarray) -> None:
    sound = Sound(speech, tmp_path / "voice.wav", Cache(tmp_path / "cache"), "abc")

    def rows() -> Iterator[np.ndarray]:
        yield np.ones((3, 2, 4), np.float32)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        once(sound, "test-1", 5, rows, lambda: None)
    assert sound.cache and sound.cache.find("abc-test-1") is None
