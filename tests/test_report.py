"""The report of many takes: whole, readable by programs and spreadsheets, and harmless."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from heygem.errors import OptionInvalid, OutputError
from heygem.report import DONE, FAILED, SKIPPED, Line, write_report

LINES = [
    Line("甲", DONE, "甲.mp4", "甲.wav", "out/甲.mp4", 93.0, 4.5),
    Line("=cmd()", FAILED, "-b.mp4", "@b.wav", code="input.empty", message='“-b.mp4” is empty, "really".'),
    Line("c", SKIPPED, "c.mp4", "c.wav", code="input.no_face", message="+no face\nat all"),
]


def test_json_has_every_fact(tmp_path: Path) -> None:
    out = write_report(LINES, tmp_path / "report.json")
    rows = json.loads(out.read_text("utf-8"))
    assert [Line(**row) for row in rows] == LINES
    assert rows[1]["score"] is None and "甲" in out.read_text("utf-8")


def test_csv_opens_in_a_spreadsheet_and_runs_nothing(tmp_path: Path) -> None:
    out = write_report(LINES, tmp_path / "报告.CSV")
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    with out.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "name": "甲",
        "state": "done",
        "video": "甲.mp4",
        "audio": "甲.wav",
        "result": "out/甲.mp4",
        "score": "93.0",
        "seconds": "4.5",
        "code": "",
        "message": "",
    }
    assert (rows[1]["name"], rows[1]["video"], rows[1]["audio"]) == ("'=cmd()", "'-b.mp4", "'@b.wav")
    assert rows[1]["message"] == LINES[1].message and rows[2]["message"] == "'+no face\nat all"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_a_report_replaces_the_one_before_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = write_report(LINES, tmp_path / "report.csv")
    assert len(write_report([], out).read_text("utf-8").splitlines()) == 1 and list(tmp_path.iterdir()) == [out]
    before = out.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left"):
        write_report(LINES, out)
    assert out.read_bytes() == before and list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["r.json", "r.csv"])
def test_a_name_that_is_no_utf8_is_written_all_the_same(tmp_path: Path, name: str) -> None:
    line = Line("a", DONE, os.fsdecode(b"\xcd\xf5.mp4"), "a.wav")
    out = write_report([line], tmp_path / name)
    assert r"\udccd\udcf5.mp4" in out.read_text("utf-8") and list(tmp_path.iterdir()) == [out]
    assert name == "r.csv" or json.loads(out.read_text("utf-8"))[0]["video"] == line.video


def test_other_suffixes_and_folders_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionInvalid, match=r"report\.txt"):
        write_report(LINES, tmp_path / "report.txt")
    with pytest.raises(OutputError):
        write_report(LINES, tmp_path / "nowhere" / "report.csv")
