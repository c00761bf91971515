"""The report of a batch over HTTP: a line for each job, for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Server

Sound = Callable[..., Path]


def batch(server: Server, videos: list[str], clip: Path, audio: Path, **data: str) -> Any:
    files = [("audio", audio.open("rb")), *(("videos", (name, clip.read_bytes())) for name in videos)]
    return server.json("POST", "/api/v1/batches", 201, files=files, data=data)


def test_what_became_of_each(server: Server, clip: Path, sound: Sound) -> None:
    made = batch(server, ["甲.mp4", "=1+1.mp4"], clip, sound("talk"), name="五月")
    for job in made["jobs"]:
        server.wait(job["id"])
    first, second = server.json("GET", made["links"]["report"])
    assert first == {
        "name": "甲_talk",
        "state": "done",
        "video": "甲.mp4",
        "audio": "talk.wav",
        "result": "甲_talk.mp4",
        "score": 87,
        "seconds": 1.67,
        "code": "",
        "message": "",
    }
    assert second["video"] == "=1+1.mp4", "programs get the name as it is"
    sheet = server.client.get(f"{made['links']['report']}?format=csv")
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8" and sheet.content.startswith(b"\xef\xbb\xbf")
    kind, _, name = sheet.headers["content-disposition"].partition("; ")
    assert (kind, name) == ("attachment", "filename*=utf-8''%E4%BA%94%E6%9C%88_report.csv")
    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"), newline="")))
    assert rows[0] == {key: "" if value == "" else str(value) for key, value in first.items()} | {"score": "87"}
    assert [rows[1][cell] for cell in ("name", "video", "result")] == ["'=1+1_talk", "'=1+1.mp4", "'=1+1_talk.mp4"]


@pytest.mark.parametrize(("stem", "code"), [("faceless", "input.no_face"), ("disk", "output.failed")])
def test_why_one_failed_without_a_place_of_the_server(
    server: Server, clip: Path, sound: Sound, stem: str, code: str
) -> None:
    made = batch(server, ["a.mp4"], clip, sound(stem))
    server.wait(made["jobs"][0]["id"], "failed")
    [line] = server.json("GET", made["links"]["report"])
    assert (line["state"], line["code"], line["result"]) == ("failed", code, "")
    assert line["score"] is None and line["seconds"] is None and "mp4" in line["message"]
    text = server.client.get(f"{made['links']['report']}?format=csv").text
    assert code in text and str(server.desk.settings.outputs) not in text + line["message"]


def test_of_a_batch_that_is_not_over(idle: Server, clip: Path, sound: Sound) -> None:
    made = batch(idle, ["b.mp4", "a.mp4"], clip, sound())
    idle.json("POST", f"/api/v1/jobs/{made['jobs'][0]['id']}/cancel")
    lines = idle.json("GET", made["links"]["report"])
    assert [(line["video"], line["state"]) for line in lines] == [("b.mp4", "cancelled"), ("a.mp4", "queued")]


def test_what_there_is_no_report_of(server: Server, clip: Path, sound: Sound) -> None:
    assert server.json("GET", "/api/v1/batches/none/report", 404)["error"]["code"] == "job.missing"
    made = batch(server, ["a.mp4"], clip, sound())
    assert server.json("GET", f"{made['links']['report']}?format=xls", 422)["error"]["code"] == "request.invalid"
