"""``heygem compare`` and ``heygem detect``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from heygem import cli
from heygem.commands import options
from heygem.engines.base import Style
from heygem.errors import OptionInvalid
from heygem.media.probe import probe
from heygem.pipeline import Options
from tests.media.clips import film, numbered


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two films in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        film(tmp_path / f"{name}.mp4", [numbered(n) for n in range(5)], "-c:v", "libx264")
    return ["one.mp4", "two.mp4"]


def test_films_side_by_side_under_a_name_that_replaces_nothing(films: list[str], capsys) -> None:
    assert cli.main(["compare", *films, "--quality", "draft"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [str(Path("compare.mp4").absolute()), "one", "two"]
    info = probe("compare.mp4").video
    assert info is not None and (info.width, info.height, info.frames) == (256, 96, 5)
    assert cli.main(["compare", *films, "--labels", "原片，结果", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "path": str(Path("compare (2).mp4").absolute()),
        "shown": [{"label": "原片"}, {"label": "结果"}],
    }


def test_sets_of_options_are_rendered_and_shown_with_their_scores(shell, portrait: Path, voice: Path) -> None:
    given = ["--video", portrait, "--audio", voice, "--quality", "draft", "--json", "--out", "c.mp4"]
    done = shell.run("compare", *given, "--set", "strength=0.6", "--set", "strength=1.2,region=mouth")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [row["label"] for row in found["shown"]] == ["strength=0.6", "strength=1.2, region=mouth"]
    assert all(0 < row["score"] <= 100 for row in found["shown"])
    info = probe(shell.folder / "c.mp4")
    assert info.video is not None and info.sound is not None
    assert (info.video.width, info.video.height, info.video.frames) == (1024, 512, 50)
    assert shell.files() == ["c.mp4"], "only the comparison stays"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["one.mp4"], "2 to 9"),
        (["one.mp4", "two.mp4", "--labels", "a"], "labels"),
        (["one.mp4", "two.mp4", "--set", "strength=1"], "films, or --video"),
        (["--video", "one.mp4", "--audio", "two.mp4"], "films, or --video"),
        (["--video", "one.mp4", "--audio", "two.mp4", "--set", "strength=1"], "2 to 9"),
        (["--video", "one.mp4", "--audio", "two.mp4", "--set", "volume=1", "--set", ""], "volume=1"),
        (["--video", "one.mp4", "--audio", "two.mp4", "--set", "strength=loud", "--set", ""], "0..2"),
        (["--video", "one.mp4", "--audio", "two.mp4", "--set", "strength=3", "--set", ""], "0 to 2"),
        (["--video", "one.mp4", "--audio", "two.mp4", "--set", "tries=3", "--set", ""], "tries=3"),
        (["one.mp4", "two.mp4", "--out", "c.avi"], ".mp4"),
    ],
)
def test_called_wrongly(films: list[str], tmp_path: Path, capsys, given: list[str], word: str) -> None:
    assert cli.main(["compare", *given]) == 2
    assert word in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == films


def test_there_is_one_take_for_each_set(films: list[str], capsys) -> None:
    with pytest.raises(SystemExit):
        cli.main(["compare", *films, "--tries", "3"])
    assert "--tries" in capsys.readouterr().err


def test_a_set_changes_what_it_names_and_nothing_else() -> None:
    base = Options(quality="draft", style=Style(smoothness=0.5))
    found = options.changed(base, " strength = 0.8 , region=mouth,exact,length=hold")
    style = Style(smoothness=0.5, strength=0.8, region="mouth", exact=True)
    assert found == Options(quality="draft", length="hold", style=style)
    assert options.changed(base, "") == base and options.changed(base, "exact=false") == base
    with pytest.raises(OptionInvalid):
        options.changed(base, "face=1=b.wav")


def test_detect_answers_with_a_picture(shell, portrait: Path) -> None:
    done = shell.run("detect", portrait, "--preview", "seen.jpg", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["has_face"] is True
    assert Image.open(shell.folder / "seen.jpg").size == (512, 512) and shell.files() == ["seen.jpg"]


def test_detect_in_words_also_without_a_face(films: list[str], portrait: Path, tmp_path: Path, capsys) -> None:
    assert cli.main(["detect", "one.mp4", "--frames", "3"]) == 0
    assert capsys.readouterr().out == "no usable face; 0 of 3 frames looked at show one\n"
    assert cli.main(["detect", str(portrait)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "1 usable face; 1 of 1 frames looked at show one" and second.endswith("usable")
    assert cli.main(["detect", "one.mp4", "--preview", "a.gif"]) == 2
    assert cli.main(["detect", "nothing.mp4"]) == 1
    assert cli.main(["detect", "one.mp4", "--preview", "no/such/a.jpg"]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == films


@pytest.mark.parametrize("place", ["ann.jpg", "no/such/a.jpg", "one.mp4/a.jpg", "folder.png"])
def test_the_place_of_the_picture_is_looked_at_before_the_work(
    films: list[str], portrait: Path, monkeypatch: pytest.MonkeyPatch, capsys, place: str
) -> None:
    monkeypatch.setattr("heygem.detect.detect", lambda *_: pytest.fail("it looked"))
    photo = Path("ann.jpg")
    photo.write_bytes(portrait.read_bytes())
    Path("folder.png").mkdir()
    assert cli.main(["detect", "ann.jpg", "--preview", place]) == 1
    assert "[output.failed]" in capsys.readouterr().err and photo.read_bytes() == portrait.read_bytes()
