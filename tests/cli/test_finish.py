"""``heygem compose | subtitle | enhance``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from heygem import cli
from heygem.finish.base import Finish
from heygem.finish.film import Finished
from heygem.media.probe import probe


def test_compose(shell: Any, clip: Path) -> None:
    Image.new("RGB", (40, 20), "red").save(shell.folder / "logo.png")
    options = ("--background", "#204060", "--logo", "logo.png", "--logo-place", "bottom-left", "--quality", "draft")
    done = shell.run("compose", clip, *options, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["path"] == str(shell.folder / "person_composed.mp4") and told["frames"] == 25
    assert set(told["notes"]) == {"background", "logo"} and "render 25/25" in done.stderr
    found = probe(told["path"]).video
    assert found and (found.width, found.height) == (320, 360)
    again = shell.run("compose", clip, "--logo", "logo.png")
    assert again.stdout.splitlines()[0] == str(shell.folder / "person_composed (2).mp4")
    assert shell.files() == ["logo.png", "person_composed (2).mp4", "person_composed.mp4"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the commands ask for; nothing is made."""
    calls: list[tuple[Any, ...]] = []

    def finish(video: Path, out: Path, *rest: Any) -> Finished:
        calls.append((video, out, *rest[:3]))
        return Finished(out, 50, 2.0, 640, 360, {"enhance": "sharpening"}, ["no person was found in 9 of 9 frames"])

    monkeypatch.setattr("heygem.finish.film.finish", finish)
    return calls


@pytest.mark.parametrize(
    ("words", "wish", "name"),
    [
        ("subtitle a.mp4 b.srt", Finish(subtitles="b.srt"), "a_subtitled.mp4"),
        (
            "subtitle a.mp4 b.srt --captions track --font Noto --subtitle-size 0.1",
            Finish(subtitles="b.srt", captions="track", font="Noto", subtitle_size=0.1),
            "a_subtitled.mp4",
        ),
        ("enhance a.mp4", Finish(enhance=1.0), "a_enhanced.mp4"),
        ("enhance a.mp4 --amount 0.4", Finish(enhance=0.4), "a_enhanced.mp4"),
        (
            "compose a.mp4 --background c.png --cutout #00ff00 --logo-size 0.3 --logo-opacity 0.5",
            Finish(background="c.png", cutout="#00ff00", logo_size=0.3, logo_opacity=0.5),
            "a_composed.mp4",
        ),
    ],
)
def test_what_is_said_is_what_is_asked(
    asked: list[tuple[Any, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    wish: Finish,
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main([*words.split(), "--quality", "high", "--device", "cpu"]) == 0
    assert asked == [(Path("a.mp4"), tmp_path / name, wish, "high", "cpu")]
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / name), "2.00 s, 50 frames, 640x360; enhance: sharpening"]
    assert "warning: no person was found in 9 of 9 frames" in said.err


def test_default_names_are_harmless_and_short(
    asked: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["enhance", f"{'长' * 83}.mp4"]) == 0
    assert asked[0][1] == tmp_path / f"{'长' * 26}_enhanced.mp4"


def test_a_device_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["enhance", "a.mp4", "--device", "tpu"])
    assert end.value.code == 2 and "cuda" in capsys.readouterr().err


def test_the_place_can_be_chosen(asked: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["enhance", "a.mp4", "--out", "b.mp4"]) == 0
    assert asked[0][1] == tmp_path / "b.mp4"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("compose none.mp4 --background blur", 1),
        ("compose none.mp4 --background #12", 2),
        ("compose none.mp4 --logo-size 3", 2),
        ("compose none.mp4", 2),
        ("enhance none.mp4 --amount 2", 2),
        ("subtitle none.mp4 none.srt --captions sung", 2),
    ],
)
def test_what_is_wrong_has_its_exit_code(words: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words.split()) == code
    said = capsys.readouterr()
    assert said.out == "" and "hint:" in said.err
