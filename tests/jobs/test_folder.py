"""Names that are safe on every file system, folders that leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from heygem.errors import OutputError
from heygem.jobs.folder import batch_folder, discard_parts, result_path, settle
from heygem.jobs.job import Request
from heygem.names import clean_stem
from heygem.pipeline import Options


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("voice.wav", "voice"),
        ("测试 视频 🎬 (final)\u202e4pm.mp4", "测试 视频 🎬 (final)4pm"),
        ('<img src=x onerror="alert(1)">.mp4', "img src=x onerror= alert(1)"),
        ("a\x00b\nc.mp4", "abc"),
        ("..hidden...mp4", "hidden"),
        ("..", "file"),
        ("\u202e.mp4", "file"),
        ("   .wav", "file"),
    ],
)
def test_a_hostile_name_becomes_harmless(name: str, stem: str) -> None:
    assert clean_stem(name) == stem


def test_a_long_name_is_cut_between_characters() -> None:
    stem = clean_stem("测" * 200 + ".mp4")
    assert set(stem) == {"测"} and len(stem.encode()) <= 80


def test_same_names_do_not_collide_and_the_result_is_named_after_both(tmp_path: Path) -> None:
    talk = tmp_path / "talk.MP4"
    talk.write_text("x")
    request, folder = settle(Request(talk, talk, Options()), tmp_path / "outputs", "42")
    assert request.video != request.audio
    assert {request.video.name, request.audio.name} == {"talk.mp4"}
    assert result_path(request, folder) == folder / "talk_talk.mp4"


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("x")
    (tmp_path / "outputs").write_text("a file where the folder should be")
    with pytest.raises(OutputError):
        settle(Request(tmp_path / "a.mp4", tmp_path / "a.mp4", Options()), tmp_path / "outputs", "42")


def test_two_batches_of_the_same_moment_get_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = batch_folder(tmp_path / "outputs", "batch")
    monkeypatch.setattr(Path, "exists", lambda self: False)  # each was asked for before the other was made
    assert batch_folder(tmp_path / "outputs", "batch").name == "batch (2)" and first.name == "batch"


def test_what_a_killed_process_left_goes_whatever_it_is(tmp_path: Path) -> None:
    film = tmp_path / ".person_voice.x1y2.part" / "film.mp4"
    film.parent.mkdir()
    for path in (film, tmp_path / "person_voice.mp4.part", tmp_path / "person_voice.mp4"):
        path.write_text("film")
    discard_parts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["person_voice.mp4"]
