"""Results side by side over HTTP: made while the request waits, one at a time, and nothing stays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from api.intake import uploads
from heygem.errors import Cancelled, FontMissing
from heygem.jobs import comparison
from heygem.jobs.job import Job
from heygem.media.probe import probe
from heygem.media.reader import VideoReader
from tests.api.conftest import Server, served
from tests.notify.receiver import until

URL = "/api/v1/compare"


@pytest.fixture(scope="module")
def pair(server: Server, clip: Path, sound: Callable[..., Path]) -> list[str]:
    """Two done jobs."""
    made = []
    for stem in ("before", "after"):
        files = {"audio": sound(stem).open("rb"), "video": clip.open("rb")}
        made.append(server.json("POST", "/api/v1/jobs", 201, files=files)["id"])
        server.wait(made[-1])
    return made


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Comparisons are never done; set while one is being made, afterwards all have stopped."""
    working, stop = threading.Event(), threading.Event()

    def compare(*_: Any, tick: Callable[[str, int, int], None]) -> Path:
        working.set()
        try:
            while not stop.wait(0.01):
                tick("render", 1, 2)
        finally:
            working.clear()
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(comparison, "compare", compare)
    yield working
    stop.set()
    until(lambda: not working.is_set())


def left(server: Server) -> list[Path]:
    return list(uploads(server.desk.settings).glob("*"))


def test_two_results_become_one_film(server: Server, pair: list[str], tmp_path: Path) -> None:
    answer = server.client.post(URL, json={"jobs": pair})
    assert answer.status_code == 200 and answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''compare.mp4"
    assert int(answer.headers["content-length"]) == len(answer.content) and left(server) == []
    out = tmp_path / "compare.mp4"
    out.write_bytes(answer.content)
    info = probe(out).video
    assert info is not None and (info.width, info.height, info.frames) == (256, 96, 25)


def picture(content: bytes, folder: Path) -> np.ndarray:
    """The first one."""
    (folder / "c.mp4").write_bytes(content)
    with VideoReader(folder / "c.mp4") as reader:
        return next(iter(reader)).rgb().astype(int)


def test_labels_stand_over_them_unless_they_are_empty(server: Server, pair: list[str], tmp_path: Path) -> None:
    plain, usual, own = (
        picture(server.client.post(URL, json={"jobs": pair, **more}).content, tmp_path)
        for more in ({"labels": ["", ""]}, {}, {"labels": ["", "B"]})
    )
    assert np.abs(usual - plain)[:30].max() > 60, "score and name"
    assert np.abs(own - plain)[:30, 128:].max() > 60 > np.abs(own - plain)[:, :120].max()


def test_the_usual_labels_are_score_and_name(
    server: Server, pair: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs = [server.queue.need(id) for id in pair]
    seen: list[Any] = []

    def compare(videos: list[Path], labels: list[str], *_: Any, **__: Any) -> Path:
        seen[:] = labels
        return tmp_path

    def face_for(text: str) -> None:
        if "before" in text:
            raise FontMissing(reason="no installed font has these signs", what=text)

    monkeypatch.setattr(comparison, "compare", compare)
    comparison.in_turn(jobs, None, tmp_path / "c.mp4")
    assert seen == ["87 · person_before", "87 · person_after"]
    monkeypatch.setattr(comparison, "face_for", face_for)
    comparison.in_turn(jobs, None, tmp_path / "c.mp4")
    assert seen == ["87 · 1", "87 · person_after"], "a name that cannot be drawn is no reason to fail"


@pytest.mark.parametrize(
    ("jobs", "labels", "status", "code"),
    [
        (1, None, 422, "request.invalid"),
        (10, None, 422, "request.invalid"),
        (2, ["a"], 422, "option.invalid"),
        (2, ["a", "b" * 201], 422, "request.invalid"),
    ],
)
def test_how_many_of_what(
    server: Server, pair: list[str], jobs: int, labels: list[str] | None, status: int, code: str
) -> None:
    wish = {"jobs": (pair * 5)[:jobs], "labels": labels}
    assert server.json("POST", URL, status, json=wish)["error"]["code"] == code
    assert left(server) == []


def test_none_yet_unknown_and_gone(server: Server, pair: list[str], send: Callable[..., Any]) -> None:
    failed, gone = (send(server, stem).json()["id"] for stem in ("faceless", "gone"))
    server.wait(failed, "failed")
    server.wait(gone)
    take = server.queue.need(gone).take
    assert take
    take.path.unlink()
    for id, status, code in ((failed, 409, "job.state"), (gone, 410, "result.gone"), ("none", 404, "job.missing")):
        assert server.json("POST", URL, status, json={"jobs": [pair[0], id]})["error"]["code"] == code
    assert left(server) == []


def lasting(job: Job, seconds: float) -> Job:
    assert job.take
    return replace(job, take=replace(job.take, seconds=seconds))


def test_ten_minutes_together_and_no_more(server: Server, pair: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    need = server.queue.need
    lengths = iter((299.0, 301.0, 300.0, 301.0))
    monkeypatch.setattr(server.queue, "need", lambda id: lasting(need(id), next(lengths)))
    assert server.client.post(URL, json={"jobs": pair}).status_code == 200
    refused = server.json("POST", URL, 413, json={"jobs": pair})["error"]
    assert refused["code"] == "compare.too_long" and "10.0 minutes" in refused["message"]


def test_one_at_a_time_and_it_stops_when_the_client_goes(
    server: Server, pair: list[str], endless: threading.Event
) -> None:
    body = httpx.Request("POST", server.address + URL, json={"jobs": pair})
    head = "".join(f"{name}: {value}\r\n" for name, value in body.headers.items())
    with socket.create_connection((body.url.host, body.url.port)) as client:
        client.sendall(f"POST {URL} HTTP/1.1\r\n{head}\r\n".encode() + body.content)
        assert endless.wait(10)
        busy = server.client.post(URL, json={"jobs": pair})
    assert busy.status_code == 503 and busy.headers["retry-after"] == "20"
    assert busy.json()["error"]["code"] == "compare.busy"
    until(lambda: not endless.is_set() and left(server) == [])
    with pytest.raises(Cancelled):
        comparison.in_turn([server.queue.need(id) for id in pair], None, Path("c.mp4"), stopped=lambda: True)


def test_a_server_that_closes_waits_for_none(
    tmp_path: Path, send: Callable[..., Any], endless: threading.Event
) -> None:
    with served(tmp_path) as server:
        id = send(server).json()["id"]
        server.wait(id)
        thread = threading.Thread(target=lambda: httpx.post(server.address + URL, json={"jobs": [id, id]}, timeout=30))
        thread.start()
        assert endless.wait(10)
    assert not endless.is_set(), "it stopped with the server"
    thread.join(10)
    assert not thread.is_alive()


def test_a_server_with_a_login_compares_nothing_for_strangers(tmp_path: Path) -> None:
    with served(tmp_path, None, api_token="a-token-of-16-signs") as server:
        assert server.json("POST", URL, 401, json={"jobs": ["a", "b"]})["error"]["code"] == "login.missing"
