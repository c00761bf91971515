"""``heygem pairs`` and ``heygem batch``: many takes, one after the other, whatever happens to one of them."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heygem import cli
from heygem.engines.base import Style
from heygem.errors import FileEmpty, OutputError
from heygem.pipeline import Options, Take
from heygem.retake import Retaken, Try


@pytest.fixture
def folder(tmp_path: Path, portrait: Path, voice: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ann, bob (no face), cat: photos with their voices."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path / "home"))
    source = tmp_path / "in"
    source.mkdir()
    for name in ("ann", "bob", "cat"):
        (source / f"{name}.wav").write_bytes(voice.read_bytes())
        (source / f"{name}.png").write_bytes(portrait.read_bytes())
    Image.fromarray(np.full((256, 256, 3), 110, np.uint8)).save(source / "bob.png")
    return source


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """name -> error: takes are made at once, or fail so. "asked": what was asked for."""
    found: dict[str, Any] = {"asked": []}

    def retake(video: Path, audio: Path, out: Path, options: Options, tick: Callable[..., None], _: Path) -> Retaken:
        found["asked"].append((video.name, audio.name, options))
        tick("render", 1, 1)
        if error := found.get(video.stem):
            raise error
        out.write_bytes(b"film")
        record = {"video": video.name, "voices": {"0": audio.name}, "quality": {"score": 90}, "seconds": 2.0}
        out.with_suffix(".take.json").write_text(json.dumps(record))
        take = Take(out, 50, Fraction(25), 2.0, 2, 2, "mesh", "CPU", {}, {"score": 90}, [])
        return Retaken(take, [Try({}, 90)])

    monkeypatch.setattr("heygem.retake.retake", retake)
    return found


def report(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def states(path: Path) -> dict[str, str]:
    return {name: row["state"] for name, row in report(path).items()}


def made(works: dict[str, Any]) -> list[str]:
    return [video for video, _, _ in works["asked"]]


def test_pairs_says_who_would_speak_what(folder: Path, capsys) -> None:
    assert cli.main(["pairs", str(folder)]) == 0
    assert "ann: ann.png speaks ann.wav" in capsys.readouterr().out
    assert cli.main(["pairs", str(folder), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["ann", "bob", "cat"] and rows[0]["audio"].endswith("ann.wav")
    (folder / "ann.wav").unlink()
    assert cli.main(["pairs", str(folder)]) == 1
    assert "ann.png" in capsys.readouterr().err


def test_a_folder_becomes_videos_and_a_report_and_is_not_made_twice(shell, folder: Path) -> None:
    done = shell.run("batch", folder, "--out", "out", "--quality", "draft", "--json")
    assert done.returncode == 0, done.stderr
    out = shell.folder / "out"
    lines = {line["name"]: line for line in json.loads(done.stdout)}
    assert {name: line["state"] for name, line in lines.items()} == {"ann": "done", "bob": "skipped", "cat": "done"}
    assert lines["ann"]["seconds"] == 2.0 and 0 < lines["ann"]["score"] <= 100
    assert lines["bob"]["code"] == "input.no_face" and "1 frames" in lines["bob"]["message"]
    assert "2/3 bob" in done.stderr and "render 50/50 frames" in done.stderr
    assert shell.files() == ["ann.mp4", "ann.take.json", "cat.mp4", "cat.take.json", "out", "report.csv"]
    assert states(out / "report.csv") == {"ann": "done", "bob": "skipped", "cat": "done"}
    times = [(out / f"{name}.mp4").stat().st_mtime_ns for name in ("ann", "cat")]
    again = shell.run("batch", folder, "--out", "out", "--quality", "draft")
    assert again.returncode == 0 and "2 done, 0 failed, 1 skipped" in again.stdout and "render" not in again.stderr
    assert times == [(out / f"{name}.mp4").stat().st_mtime_ns for name in ("ann", "cat")]
    assert report(out / "report.csv")["ann"]["score"] == str(lines["ann"]["score"])


def test_one_that_fails_does_not_stop_the_others(folder: Path, works, capsys) -> None:
    works |= {"ann": FileEmpty(name="ann.wav")}
    assert cli.main(["batch", str(folder), "--out", "out"]) == 1
    assert states(Path("out/report.csv")) == {"ann": "failed", "bob": "skipped", "cat": "done"}
    row = report(Path("out/report.csv"))["ann"]
    assert row["code"] == "input.empty" and row["message"] == "“ann.wav” is empty." and row["result"] == ""
    said = capsys.readouterr()
    assert "failed: “ann.wav” is empty." in said.err and "1 done, 1 failed, 1 skipped" in said.out


def test_a_fault_of_ours_fails_one_alone(folder: Path, works) -> None:
    works |= {"ann": ZeroDivisionError("oh")}
    assert cli.main(["batch", str(folder), "--out", "out", "--report", "r.json"]) == 1
    first = json.loads(Path("r.json").read_text("utf-8"))[0]
    assert (first["code"], first["message"]) == ("error", "ZeroDivisionError: oh")
    assert made(works) == ["ann.png", "cat.png"] and not Path("out/report.csv").exists()


def test_on_error_stop_ends_with_the_first_failure(folder: Path, works) -> None:
    works |= {"ann": OutputError(name="a", reason="full")}
    assert cli.main(["batch", str(folder), "--out", "out", "--on-error", "stop"]) == 1
    assert states(Path("out/report.csv")) == {"ann": "failed"} and made(works) == ["ann.png"]


def test_faces_need_begins_nothing_where_one_has_none(folder: Path, works, capsys) -> None:
    assert cli.main(["batch", str(folder), "--out", "out", "--faces", "need"]) == 1
    assert "bob.png" in capsys.readouterr().err and made(works) == []
    for name in ("bob.png", "bob.wav"):
        (folder / name).unlink()
    assert cli.main(["batch", str(folder), "--out", "out", "--faces", "need"]) == 0
    assert made(works) == ["ann.png", "cat.png"]


def test_options_reach_every_take(folder: Path, works) -> None:
    given = ["--quality", "draft", "--strength", "0.8", "--face", "1", "--tries", "3", "--least", "85"]
    assert cli.main(["batch", str(folder), "--out", "out", *given]) == 0
    wish = Options(quality="draft", style=Style(strength=0.8), face=1, tries=3, least=85)
    assert [options for _, _, options in works["asked"]] == [wish, wish]


def test_what_is_older_than_its_files_or_of_another_voice_is_made_again(folder: Path, works) -> None:
    run = ["batch", str(folder), "--out", "out"]
    assert cli.main(run) == 0 and cli.main(run) == 0 and len(made(works)) == 2
    later = time.time() + 60
    os.utime(folder / "ann.wav", (later, later))
    assert cli.main(run) == 0 and made(works)[2:] == ["ann.png"]
    record = Path("out/cat.take.json")
    record.write_text(record.read_text().replace("cat.wav", "dog.wav"))
    os.utime(folder / "ann.wav", (0, 0))
    assert cli.main(run) == 0 and made(works)[3:] == ["cat.png"]
    record.unlink()
    assert cli.main(run) == 0 and made(works)[4:] == ["cat.png"], "without its record it may be anything"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["--report", "report.txt"], "report.txt"),
        (["--face", "0=a.wav"], "one number"),
        (["--strength", "9"], "strength"),
        (["--engine", "wav3lip"], "mesh"),
        (["--tries", "9"], "1 to 6"),
    ],
)
def test_called_wrongly(folder: Path, works, capsys, given: list[str], word: str) -> None:
    assert cli.main(["batch", str(folder), "--out", "out", *given]) == 2
    assert word in capsys.readouterr().err and not Path("out").exists() and made(works) == []


def test_a_result_never_replaces_an_input(folder: Path, works, capsys) -> None:
    (folder / "ann.png").rename(folder / "ann.mp4")
    before = (folder / "ann.mp4").read_bytes()
    table = folder.parent / "table.csv"
    table.write_text("video,audio\nin/ann.mp4,in/ann.wav\n")
    assert cli.main(["batch", str(table), "--out", str(folder)]) == 2
    assert "ann.mp4" in capsys.readouterr().err
    assert (folder / "ann.mp4").read_bytes() == before and made(works) == []


def test_results_of_another_video_are_made_again_also_where_that_is_older(folder: Path, works) -> None:
    run = ["batch", str(folder), "--out", "out"]
    assert cli.main(run) == 0 and made(works) == ["ann.png", "cat.png"]
    (folder / "ann.png").rename(folder / "ann.jpg")
    assert cli.main(run) == 0 and made(works)[2:] == ["ann.jpg"]
    record = Path("out/ann.take.json")
    record.write_text(record.read_text().replace('"video": "ann.jpg", ', ""))
    assert cli.main(run) == 0 and len(made(works)) == 3, "a record that names no video"


@pytest.mark.parametrize(
    "given", [["in/report.csv", "--out", "in"], ["in/report.csv", "--out", "x", "--report", "in/report.csv"]]
)
def test_the_report_never_replaces_the_table(folder: Path, works, capsys, given: list[str]) -> None:
    table = folder / "report.csv"
    table.write_text("video,audio,name\nann.png,ann.wav,a\n")
    before = table.read_bytes()
    assert cli.main(["batch", *given]) == 2
    assert "report.csv" in capsys.readouterr().err and table.read_bytes() == before
    assert made(works) == [] and not Path("x").exists()


def test_results_do_not_become_the_inputs_of_the_next_time(folder: Path, works, capsys) -> None:
    assert cli.main(["batch", str(folder), "--out", "in/../in"]) == 2
    assert str(folder) in capsys.readouterr().err and made(works) == []


@pytest.mark.parametrize("place", ["nowhere/r.csv", "folder.csv"])
def test_a_report_that_cannot_be_written_is_noticed_before_the_work(folder: Path, works, capsys, place: str) -> None:
    Path("folder.csv").mkdir()
    assert cli.main(["batch", str(folder), "--out", "out", "--report", place]) == 1
    assert "[output.failed]" in capsys.readouterr().err and made(works) == []


def test_names_that_are_no_utf8(folder: Path, works, capsys) -> None:
    (folder / "ann.wav").rename(folder / os.fsdecode(b"ann.\xcd\xf5"))
    (folder / "ann.png").rename(folder / os.fsdecode(b"ann.\xc0\xcf"))
    assert cli.main(["batch", str(folder), "--out", "out", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["state"] == "done" and os.fsencode(rows[0]["video"]).endswith(b"ann.\xc0\xcf")
    assert cli.main(["pairs", str(folder)]) == 0
    assert r"ann.\udccd\udcf5" in capsys.readouterr().out


def test_an_engine_that_is_not_ready_is_said_once(folder: Path, works, capsys) -> None:
    assert cli.main(["batch", str(folder), "--out", "out", "--engine", "musetalk"]) == 1
    assert "[weights.missing]" in capsys.readouterr().err and not Path("out").exists()


def test_ctrl_c_leaves_what_is_done_and_the_report(shell, folder: Path, long_voice: Path) -> None:
    (folder / "cat.wav").write_bytes(long_voice.read_bytes())
    with shell.start("batch", folder, "--out", "out", "--quality", "draft") as child:
        seen = next((line for line in child.stderr if line.startswith("3/3")), "")
        assert seen, "it ended too early"
        assert next(line for line in child.stderr if line.startswith("render"))
        child.send_signal(signal.SIGINT)
        rest = child.stderr.read()
    assert child.returncode == 130 and "stopped; 2 of 3 are over, see " in rest and "Traceback" not in rest
    assert states(shell.folder / "out" / "report.csv") == {"ann": "done", "bob": "skipped"}
    assert shell.files() == ["ann.mp4", "ann.take.json", "out", "report.csv"]
