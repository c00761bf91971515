"""Films side by side: in step, in their places, under their labels, with one sound."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem.errors import Cancelled, FileUnreadable, NoSound, OptionInvalid, OutputError
from heygem.finish.compare import WIDEST, _Cell, _Film, compare
from heygem.media.frame import Frame
from heygem.media.probe import LONGEST, MOST_PIXELS, probe, probe_sound
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from tests.media.clips import clicks, ffmpeg, film, number, numbered, onsets, wav

LOSSLESS = ("-c:v", "libx264", "-qp", 0, "-pix_fmt", "yuv420p")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """short: 10 frames at 25 a second; slow: 10 at 10; tall: 20 frames of 64x96; loud: with a click at 0.2 s."""
    folder = tmp_path_factory.mktemp("films")
    made = {
        "short": film(folder / "short.mp4", [numbered(n) for n in range(10)], *LOSSLESS),
        "slow": film(folder / "slow.mp4", [numbered(n) for n in range(10)], *LOSSLESS, rate=10),
        "tall": film(folder / "tall.mp4", [numbered(n, 64, 96) for n in range(20)], *LOSSLESS),
    }
    sound = wav(folder / "click.wav", clicks([0.2], 0.8, 16000), 16000, "-c:a", "pcm_s16le")
    made["loud"] = folder / "loud.mp4"
    ffmpeg("-i", made["tall"], "-i", sound, "-c:v", "copy", "-c:a", "aac", made["loud"])
    return made


def shown(path: Path) -> list[Frame]:
    with VideoReader(path) as reader:
        return list(reader)


def test_different_rates_go_by_time_and_the_shorter_one_stands_still(films: dict[str, Path], tmp_path: Path) -> None:
    out = compare([films["short"], films["slow"]], ["", ""], tmp_path / "c.mp4", "high")
    frames, info = shown(out), probe(out).video
    assert info is not None and (info.width, info.height, info.fps) == (256, 96, Fraction(25))
    assert len(frames) == 25, "one second, as long as the longer one"
    left, right = ([number(frame.cut((x, 0, x + 128, 96))) for frame in frames] for x in (0, 128))
    assert left == [*range(10), *[9] * 15]
    assert right == [n * 10 // 25 for n in range(25)]


def test_the_rate_of_the_first_counts(films: dict[str, Path], tmp_path: Path) -> None:
    frames = shown(compare([films["slow"], films["short"]], ["", ""], tmp_path / "c.mp4", "high"))
    assert len(frames) == 10
    assert [number(frame.cut((128, 0, 256, 96))) for frame in frames] == [0, 2, 5, 7, 9, 9, 9, 9, 9, 9]


@pytest.mark.parametrize(
    ("kinds", "size", "places"),
    [
        (("short", "tall", "short"), (320, 96), [(0, 0), (128, 0), (192, 0)]),
        (("short", "tall", "tall", "tall"), (192, 192), [(0, 0), (128, 0), (32, 96), (128, 96)]),
        (("short", "tall", "short", "tall", "tall"), (320, 192), [(0, 0), (128, 0), (192, 0), (32, 96), (128, 96)]),
    ],
)
def test_the_grid(
    films: dict[str, Path],
    tmp_path: Path,
    kinds: tuple[str, ...],
    size: tuple[int, int],
    places: list[tuple[int, int]],
) -> None:
    out = compare([films[kind] for kind in kinds], [""] * len(kinds), tmp_path / "c.mp4", "high")
    frame = shown(out)[7]
    assert (frame.width, frame.height) == size
    for kind, (x, y) in zip(kinds, places, strict=True):
        assert number(frame.cut((x, y, x + (64 if kind == "tall" else 128), y + 96))) == 7, (kind, x, y)


def test_all_are_of_one_height_and_photos_are_films(films: dict[str, Path], portrait: Path, tmp_path: Path) -> None:
    out = compare([films["short"], portrait], ["", ""], tmp_path / "c.mp4")
    info = probe(out).video
    assert info is not None and (info.width, info.height, info.frames) == (682 + 512, 512, 10)


def test_films_are_read_without_keeping_them(films: dict[str, Path]) -> None:
    with _Film(films["tall"]) as film:
        assert [number(film.at(Fraction(n, 25), _Cell(0, 0, 64, 96))) for n in range(20)] == [*range(20)]
        assert len(film._reader._kept) <= 1


def test_a_large_whole_is_scaled_down(tmp_path: Path) -> None:
    big = film(tmp_path / "big.mp4", [np.full((1920, 1080, 3), 90, np.uint8)], *LOSSLESS)
    for count in (2, 4, 9):
        info = probe(compare([big] * count, [""] * count, tmp_path / f"{count}.mp4", "draft")).video
        assert info is not None and max(info.width, info.height) <= min(WIDEST, LONGEST)
        assert info.width * info.height <= MOST_PIXELS


def test_labels_are_seen_on_top_and_nowhere_else(portrait: Path, tmp_path: Path) -> None:
    plain = shown(compare([portrait, portrait], ["", ""], tmp_path / "a.mp4", "high"))[0].rgb().astype(int)
    said = shown(compare([portrait, portrait], ["", "口型 1.2 · 94"], tmp_path / "b.mp4", "high"))[0].rgb().astype(int)
    change = np.abs(plain - said).max(axis=2) > 25
    assert change[:60, 512:].mean() > 0.05 and max(change[80:].mean(), change[:, :512].mean()) < 0.001
    bright = said[:60, 512:].min(axis=2) > 230
    assert bright.sum() > 150, "white letters"


def test_a_long_label_stays_in_its_place(portrait: Path, tmp_path: Path) -> None:
    plain = shown(compare([portrait, portrait], ["", ""], tmp_path / "a.mp4", "high"))[0].rgb().astype(int)
    long = compare([portrait, portrait], ["很长的标签" * 30, "b"], tmp_path / "b.mp4", "high")
    change = np.abs(plain - shown(long)[0].rgb()).max(axis=2) > 25
    columns = np.flatnonzero(change[:60, :512].mean(axis=0) > 0.1)
    assert 400 < columns.max() < 500, "as wide as it may be"


def test_the_sound_is_that_of_the_first_that_has_one(films: dict[str, Path], tmp_path: Path) -> None:
    out = compare([films["short"], films["loud"]], ["", ""], tmp_path / "c.mp4")
    assert onsets(load_sound(out).samples, 16000) == pytest.approx([0.2], abs=0.03)
    short = wav(tmp_path / "short.wav", clicks([0.01], 0.05, 16000), 16000, "-c:a", "pcm_s16le")
    ffmpeg("-i", films["short"], "-i", short, "-c:v", "copy", "-c:a", "pcm_s16le", tmp_path / "short.mov")
    out = compare([tmp_path / "short.mov", films["loud"]], ["", ""], tmp_path / "d.mp4")
    assert onsets(load_sound(out).samples, 16000) == pytest.approx([0.2], abs=0.03)
    mute = compare([films["short"], films["slow"]], ["", ""], tmp_path / "mute.mp4")
    with pytest.raises(NoSound):
        probe_sound(mute)


def test_what_is_wrong_is_said_before_the_work(films: dict[str, Path], tmp_path: Path) -> None:
    short, out = films["short"], tmp_path / "c.mp4"
    (tmp_path / "text.mp4").write_text("no film " * 99)
    for videos, labels, kind, word in (
        ([short], ["a"], OptionInvalid, "videos"),
        ([short] * 10, [""] * 10, OptionInvalid, "2 to 9"),
        ([short] * 2, ["a"], OptionInvalid, "labels"),
        ([short, tmp_path / "text.mp4"], ["", ""], FileUnreadable, "text.mp4"),
    ):
        with pytest.raises(kind) as error:
            compare(videos, labels, out)
        assert word in error.value.message + error.value.hint
    with pytest.raises(OutputError):
        compare([short, short], ["", ""], short)
    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]


def test_stopped_leaves_nothing_and_ticks_count_frames(films: dict[str, Path], tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    def tick(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        if done == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        compare([films["short"], films["tall"]], ["", ""], tmp_path / "c.mp4", tick=tick)
    assert seen == [("render", n, 20) for n in range(1, 6)] and list(tmp_path.iterdir()) == []
