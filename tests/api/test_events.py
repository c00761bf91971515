"""Server-sent events, read as a browser reads them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx

from api import events
from heygem.errors import StoreBusy
from tests.api.conftest import Server, served


def read(server: Server, path: str, **headers: str) -> Iterator[tuple[str, Any]]:
    """(event, data) until the server ends the stream; a comment is ("", text)."""
    with (
        httpx.Client(base_url=server.address, timeout=20, trust_env=False) as client,
        client.stream("GET", path, headers=headers) as stream,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        event = ""
        for line in stream.iter_lines():
            if line.startswith("event:"):
                event = line[6:].strip()
            elif line.startswith("data:"):
                yield event, json.loads(line[5:])
            elif line.startswith(":"):
                yield "", line


def test_two_readers_see_a_job_to_its_end(server, send):
    server.json("POST", "/api/v1/queue/pause")  # until both listen
    id = send(server, "slow").json()["id"]
    seen: list[list[Any]] = [[], []]
    threads = [
        threading.Thread(target=lambda to=to: to.extend(read(server, f"/api/v1/jobs/{id}/events"))) for to in seen
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    server.json("POST", "/api/v1/queue/resume")
    for thread in threads:
        thread.join(30)
    for found in seen:
        assert {event for event, _ in found} == {"job"}
        jobs = [job for _, job in found]
        assert jobs[0]["state"] in ("queued", "running") and jobs[-1]["state"] == "done"
        steps = [job["done"] for job in jobs if job["state"] == "running"]
        assert steps == sorted(steps) and len(steps) >= 1
        assert all(one != other for one, other in pairwise(jobs)), "only changes"


def test_an_ended_job_is_told_once_and_that_is_all(server, send):
    id = send(server).json()["id"]
    server.wait(id)
    for headers in ({}, {"Last-Event-ID": "17"}, {"Last-Event-ID": "nonsense"}):
        assert [job["state"] for _, job in read(server, f"/api/v1/jobs/{id}/events", **headers)] == ["done"]


def test_a_batch_tells_what_changes(server, clip, sound):
    films = [("videos", (f"{n}.mp4", clip.read_bytes())) for n in range(3)]
    made = server.json("POST", "/api/v1/batches", 201, files=[("audio", sound("talk").open("rb")), *films])
    found = [*read(server, made["links"]["events"])]
    assert {event for event, _ in found} == {"job", "batch"}
    ends = {job["id"]: job["state"] for event, job in found if event == "job"}
    assert ends == {job["id"]: "done" for job in made["jobs"]}
    assert found[-1][0] == "batch" and found[-1][1]["counts"] == {"done": 3}


def test_a_quiet_stream_pings_and_a_removed_job_ends_it(idle, send, monkeypatch):
    assert events.PING <= 10
    monkeypatch.setattr(events, "PING", 1)
    id = send(idle).json()["id"]
    stream = read(idle, f"/api/v1/jobs/{id}/events")
    assert next(stream)[1]["state"] == "queued"
    assert next(stream)[0] == "", "a comment keeps the line open"
    idle.queue.cancel(id)
    assert next(one for one in stream if one[0])[1]["state"] == "cancelled"
    assert [one for one in stream if one[0]] == []
    assert idle.client.get("/api/v1/jobs/none/events").status_code == 404


def test_a_stream_outlives_a_table_that_is_held(idle, send, monkeypatch):
    id, look, looks = send(idle).json()["id"], events.one_job, []

    def held_once(*args):
        looks.append(args)
        if len(looks) == 2:
            raise StoreBusy
        return look(*args)

    monkeypatch.setattr(events, "INTERVAL", 0.01)
    monkeypatch.setattr(events, "one_job", held_once)
    stream = read(idle, f"/api/v1/jobs/{id}/events")
    assert next(stream)[1]["state"] == "queued"
    idle.queue.cancel(id)
    assert [job["state"] for _, job in stream] == ["cancelled"] and len(looks) > 2


def test_a_stream_does_not_hold_up_the_end_of_the_server(tmp_path, send):
    with served(tmp_path, None) as server:
        stream = read(server, f"/api/v1/jobs/{send(server).json()['id']}/events")
        assert next(stream)[1]["state"] == "queued"
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert [one for one in stream if one[0]] == []
