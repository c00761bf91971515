"""What a frame hears: the right rows at every frame rate, silence where nobody speaks, as much as is wished."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from heygem.engines.musetalk.heard import Heard, windows

FPS = Fraction(25)
WIDTH = 8


def counted(rows: int) -> np.ndarray:
    """States that say their row in every value."""
    return np.broadcast_to(np.arange(1.0, rows + 1)[:, None, None], (rows, 5, WIDTH)).astype(np.float32)


def places() -> np.ndarray:
    """What marks the fifty places."""
    return windows(np.zeros((1, 5, WIDTH)), FPS, np.array([9]))[0]


def rows_of(heard: np.ndarray) -> list[list[int]]:
    """The rows that were heard, of ``counted`` states; 0 where there is nothing."""
    return [[round(float(value)) for value in one[::5, 0]] for one in heard - places()]


def heard(rows: int = 300, fps: Fraction = FPS, voice: float = 1.0, seed: int = 0, first: bool = False) -> Heard:
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(rows, 5, WIDTH)).astype(np.float32)
    silence = np.random.default_rng(9).normal(size=(100, 5, WIDTH)).astype(np.float32)
    return Heard(states, silence, np.full(2 * rows, voice, np.float32), fps, int(rows * fps / 50), first)


def test_a_frame_hears_ten_rows_round_it() -> None:
    found = windows(counted(300), FPS, np.array([10, 11]))
    assert found.shape == (2, 50, WIDTH) and found.dtype == np.float32
    assert rows_of(found) == [list(range(17, 27)), list(range(19, 29))]


@pytest.mark.parametrize(("fps", "frame", "row"), [(30, 4, 6), (60, 7, 5), (24, 12, 25), (50, 8, 8)])
def test_the_window_lies_the_same_at_every_rate(fps: int, frame: int, row: int) -> None:
    assert rows_of(windows(counted(100), Fraction(fps), np.array([frame])))[0][4] == row + 1


def test_nothing_drifts_in_hours() -> None:
    fps = Fraction(30000, 1001)
    frame = 10 * 3600 * 30
    states = np.broadcast_to(np.float32(0), (10 * 3600 * 51, 1, 2))  # takes no memory
    marked = int(frame * 50 / fps)
    assert marked == 1_801_800, "with 30 frames a second it would be row 1 800 000, 36 s earlier"
    before = windows(states, fps, np.array([frame]))
    assert before.shape == (1, 10, 2)
    assert rows_of_frame(fps, frame) == [marked - 4 + k for k in range(10)]


def rows_of_frame(fps: Fraction, frame: int) -> list[int]:
    class Asked:
        """States that remember which rows were asked for."""

        shape = (1 << 40, 1, 2)

        def __len__(self) -> int:
            return 1 << 40

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            self.rows = rows
            return np.zeros((*rows.shape, 1, 2))

    asked = Asked()
    windows(asked, fps, np.array([frame]))  # type: ignore[arg-type]
    return asked.rows[0].tolist()


def test_beyond_the_ends_there_is_nothing_or_with_1_0_the_last_row() -> None:
    numbers = np.array([0, 24])
    assert rows_of(windows(counted(50), FPS, numbers)) == [
        [0, 0, 0, 0, 1, 2, 3, 4, 5, 6],
        [45, 46, 47, 48, 49, 50, 0, 0, 0, 0],
    ]
    assert rows_of(windows(counted(50), FPS, numbers, first=True)) == [
        [1, 1, 1, 1, 1, 2, 3, 4, 5, 6],
        [45, 46, 47, 48, 49, 50, 50, 50, 50, 50],
    ]


def test_places_are_marked_by_sines_and_cosines() -> None:
    marks = places()
    assert marks[0].tolist() == [0, 1] * (WIDTH // 2)
    assert marks[7, 2] == pytest.approx(np.sin(7 / 10), abs=1e-6) and marks[7, 5] == pytest.approx(
        np.cos(0.07), abs=1e-6
    )


def test_plain_style_is_what_is_heard() -> None:
    one = heard()
    numbers = np.arange(1, 140)
    assert np.abs(one.styled(numbers, 1, 0) - windows(one.states, FPS, numbers)).max() < 1e-5


def test_strength_0_and_a_pause_are_silence_whatever_sounds() -> None:
    numbers = np.arange(0, 150, 7)
    still = heard().styled(numbers, 0, 0.3)
    assert np.abs(still - heard(seed=1).styled(numbers, 0, 0)).max() < 1e-5
    assert np.abs(still - heard(seed=2, voice=0).styled(numbers, 1, 0.3)).max() < 1e-5


def test_strength_2_is_twice_as_far_from_silence() -> None:
    one, numbers = heard(), np.arange(20, 60)
    silent, said, shouted = (one.styled(numbers, strength, 0.3) for strength in (0, 1, 2))
    assert np.abs((shouted - silent) - 2 * (said - silent)).max() < 1e-4


def test_smoothness_calms() -> None:
    one, numbers = replace(heard(), silence=np.zeros((100, 5, WIDTH), np.float32)), np.arange(20, 120)
    speed = [np.abs(np.diff(one.styled(numbers, 1, calm), axis=0)).mean() for calm in (0, 0.3, 1)]
    assert speed[0] > speed[1] > speed[2]


def test_batches_do_not_matter() -> None:
    one, numbers = heard(), np.arange(150)
    whole = one.styled(numbers, 1.5, 0.7)
    parts = [one.styled(numbers[k : k + 7], 1.5, 0.7) for k in range(0, 150, 7)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-5


def test_frames_behind_the_end_hear_silence() -> None:
    one = heard(rows=50)
    late = one.styled(np.array([24, 40, 4000]), 1, 0.3)
    assert np.array_equal(late[1], late[2]) and not np.array_equal(late[0], late[1])
    assert np.array_equal(late[1], heard(rows=50, seed=3).styled(np.array([40]), 1, 0.3)[0])


def test_exactly_as_the_authors_program_rates_are_whole_and_windows_shift() -> None:
    def row(fps: Fraction, frame: int, first: bool = False) -> int:
        one = Heard(counted(400), counted(100), np.ones(800), fps, 100, first)
        return rows_of(one.exact(np.array([frame])))[0][0] - 1

    assert row(FPS, 50) == 96
    assert row(Fraction(30000, 1001), 87) == 150 - 4, "29 frames a second"
    assert row(Fraction(60), 60) == 50 - 2 and row(Fraction(24), 24) == 50 - 6
    assert row(Fraction(60), 60, first=True) == 50 - 4


def test_the_share_of_frames_with_a_voice() -> None:
    voice = np.concatenate([np.ones(100), np.zeros(300)])
    assert Heard(counted(200), counted(10), voice, FPS, 100).speaking == pytest.approx(0.25, abs=0.01)
