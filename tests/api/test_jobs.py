"""Single jobs over HTTP."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heygem.jobs.job import Job, Request
from heygem.pipeline import Options
from tests.api.conftest import Server, served
from tests.notify.receiver import Receiver, until


def folders(server: Server) -> set[str]:
    return {path.name for path in server.desk.settings.outputs.glob("*/*")}


def uploads(server: Server) -> list[Path]:
    return [*(server.desk.settings.home / "uploads" / "api").glob("*")]


def test_a_job_from_upload_to_video(server, send, clip):
    answer = send(server, data={"strength": "0.5", "options": '{"quality": "draft"}', "priority": "3"})
    assert answer.status_code == 201
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert job["options"]["strength"] == 0.5 and job["options"]["quality"] == "draft" and job["priority"] == 3
    assert (job["video"], job["audio"], job["name"]) == ("person.mp4", "voice.wav", "person_voice")
    done = server.wait(job["id"])
    assert done["progress"] == 1 and done["result"]["score"] == 87 and done["result"]["fps"] == "30000/1001"
    video = server.client.get(done["links"]["result"])
    assert video.content == clip.read_bytes() and video.headers["content-type"] == "video/mp4"
    assert uploads(server) == []


def test_a_failed_job_says_why_and_no_path(server, send):
    job = server.wait(send(server, "faceless").json()["id"], "failed")
    assert job["error"]["code"] == "input.no_face" and "person.mp4" in job["error"]["message"] and job["error"]["hint"]
    job = server.wait(send(server, "disk").json()["id"], "failed")
    assert job["error"]["code"] == "output.failed" and "“person_disk.mp4”" in job["error"]["message"]
    assert str(server.desk.settings.outputs) not in json.dumps(job)


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"strength": "7"}, "option.invalid", "strength"),
        ({"strength": "loud"}, "option.invalid", "loud"),
        ({"engine": "none"}, "option.invalid", "mesh"),
        ({"face": "-1"}, "option.invalid", "face"),
        ({"sterngth": "1"}, "option.invalid", "sterngth"),
        ({"options": "{"}, "option.invalid", "options"),
        ({"options": "[1]"}, "option.invalid", "options"),
        ({"options": '{"style": {}}'}, "option.invalid", "style"),
        ({"options": '{"name": "a\\ud83d"}'}, "option.invalid", "name"),
        ({"options": "[" * 2000}, "option.invalid", "options"),
        ({f"field{n}": "" for n in range(65)}, "option.invalid", "64"),
        ({"priority": "1000"}, "option.invalid", "priority"),
        ({"webhook": "ftp://example.com/x"}, "address.refused", "http"),
        ({"webhook": "http://169.254.169.254/latest"}, "address.refused", "169.254.169.254"),
    ],
)
def test_wrong_wishes_are_named_and_nothing_is_kept(server, send, fields, code, says):
    before = folders(server)
    answer = send(server, data=fields)
    error = answer.json()["error"]
    assert answer.status_code == 422 and error["code"] == code and says in error["message"] + error["hint"]
    assert folders(server) == before and uploads(server) == []


@pytest.mark.parametrize(
    ("audio", "video", "code", "status"),
    [
        (b"", None, "input.empty", 422),
        (b"Dear Sir or Madam", None, "input.unreadable", 422),
        (None, b"RIFF....", "input.unreadable", 422),
        (None, b"#EXTM3U\nfile:///etc/passwd\n", "input.refused", 422),
        (b"x" * (3 << 20), None, "limit.exceeded", 413),
    ],
)
def test_bad_files_are_refused_before_they_queue(server, clip, sound, audio, video, code, status):
    before = server.queue.store.counts()
    files = {
        "audio": ("voice.wav", audio if audio is not None else sound().read_bytes()),
        "video": ("person.mp4", video if video is not None else clip.read_bytes()),
    }
    answer = server.client.post("/api/v1/jobs", files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["hint"]
    assert sum(server.queue.store.counts().values()) == sum(before.values()) and uploads(server) == []


def test_swapped_and_missing_files(server, clip, sound):
    post = server.client.post
    swapped = post("/api/v1/jobs", files={"audio": clip.open("rb"), "video": sound().open("rb")})
    assert swapped.json()["error"]["code"] in ("input.no_sound", "input.no_video")
    lone = post("/api/v1/jobs", files={"audio": sound().open("rb")})
    assert (lone.status_code, lone.json()["error"]["message"]) == (422, "video cannot be missing.")
    two = post("/api/v1/jobs", files=[("audio", sound().open("rb"))] + [("video", clip.open("rb")) for _ in range(2)])
    assert "several" in two.json()["error"]["message"]
    other = post("/api/v1/jobs", files={"audio": sound().open("rb"), "movie": clip.open("rb")})
    assert "movie" in other.json()["error"]["message"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"hello"),
        ("multipart/form-data", b"hello"),
        ("multipart/form-data; boundary=x", b"hello"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\ncut sho'),
        ("multipart/form-data; boundary=" + "x" * 300, b"hello"),
        ("application/json", b"{"),
        ("application/json", b"[" * 2000),
        ("application/json", b"[]"),
        ("application/json", b'"' + b"x" * (2 << 20) + b'"'),
    ],
)
def test_bodies_that_are_none(server, kind, body):
    answer = server.client.post("/api/v1/jobs", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "option.invalid")
    assert uploads(server) == []


def test_a_sound_may_not_be_endless(server, clip, sound):
    files = {"audio": sound("talk", 90).open("rb"), "video": clip.open("rb")}
    answer = server.client.post("/api/v1/jobs", files=files)
    assert answer.status_code == 413 and "1.5 min" in answer.json()["error"]["message"]
    assert "HEYGEM_MAX_MINUTES" in answer.json()["error"]["hint"]


def test_a_full_queue_says_when_to_come_again(tmp_path, send):
    with served(tmp_path, None, max_queued=2) as server:
        assert [send(server).status_code for _ in range(3)] == [201, 201, 429]
        answer = send(server)
        assert answer.json()["error"]["code"] == "queue.full" and int(answer.headers["retry-after"]) > 0


def test_a_full_queue_still_knows_its_keys(tmp_path, send, clip, sound):
    with served(tmp_path, None, max_queued=2) as server:
        key = {"Idempotency-Key": "May"}
        job = send(server, headers=key).json()["id"]
        files = {"audio": sound().read_bytes(), "videos": ("a.mp4", clip.read_bytes())}
        batch = server.json("POST", "/api/v1/batches", 201, files=files, headers=key)["id"]
        assert send(server).status_code == 429
        again = send(server, headers=key)
        assert (again.status_code, again.json()["id"]) == (200, job)
        assert server.json("POST", "/api/v1/batches", 201, files=files, headers=key)["id"] == batch


def test_one_key_is_one_job_however_often_it_comes(idle, send):
    def post(_: int):
        return send(idle, headers={"Idempotency-Key": "the invoice of May"})

    with ThreadPoolExecutor(20) as pool:
        answers = [*pool.map(post, range(20))]
    assert {answer.json()["id"] for answer in answers} == {answers[0].json()["id"]}
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert idle.json("GET", "/api/v1/jobs")["total"] == 1
    assert len(folders(idle)) == 1 and uploads(idle) == []
    assert send(idle, headers={"Idempotency-Key": "of June"}).status_code == 201
    assert send(idle, headers={"Idempotency-Key": "x" * 300}).status_code == 422


def test_search_filter_and_pages(idle, send):
    ids = [send(idle, stem).json()["id"] for stem in ("alpha", "beta", "gamma")]
    assert [job["id"] for job in idle.json("GET", "/api/v1/jobs")["items"]] == ids[::-1]
    found = idle.json("GET", "/api/v1/jobs?text=beta")
    assert [job["id"] for job in found["items"]] == [ids[1]] and found["total"] == 1
    page = idle.json("GET", "/api/v1/jobs?limit=1&offset=2")
    assert [job["id"] for job in page["items"]] == [ids[0]] and page["total"] == 3
    assert idle.json("GET", "/api/v1/jobs?state=done&state=failed")["total"] == 0
    for wrong in ("state=sleeping", "limit=0", "limit=100000", "offset=-1", "limit=x"):
        assert idle.client.get(f"/api/v1/jobs?{wrong}").status_code == 422


@pytest.mark.parametrize("path", ["jobs/none", "jobs/none/result", "jobs/..%2f..%2fetc%2fpasswd", "batches/none"])
def test_what_is_not_there(server, path):
    assert server.client.get(f"/api/v1/{path}").status_code == 404
    assert "error" in server.client.get(f"/api/v1/{path}").json()


def test_cancel_retry_remove(server, send):
    id = send(server, "long").json()["id"]
    server.wait(id, "running")
    assert server.json("POST", f"/api/v1/jobs/{id}/retry", 409)["error"]["code"] == "job.state"
    began = time.monotonic()
    assert server.json("POST", f"/api/v1/jobs/{id}/cancel")["stopping"]
    server.wait(id, "cancelled")
    assert time.monotonic() - began < 3
    server.json("POST", f"/api/v1/jobs/{id}/cancel", 409)
    assert server.json("POST", f"/api/v1/jobs/{id}/retry")["state"] in ("queued", "running")
    assert server.json("DELETE", f"/api/v1/jobs/{id}", 202)["state"] in ("running", "cancelled")
    server.wait(id, "cancelled")
    folder = server.queue.need(id).folder
    server.json("DELETE", f"/api/v1/jobs/{id}", 204)
    server.json("GET", f"/api/v1/jobs/{id}", 404)
    assert not folder.exists()


def test_a_job_that_ends_while_it_is_cancelled(idle, send, monkeypatch):
    id, cancel = send(idle).json()["id"], idle.queue.cancel
    monkeypatch.setattr(idle.queue, "cancel", lambda job: cancel(job) and False)
    assert "cancelled" in idle.json("POST", f"/api/v1/jobs/{id}/cancel", 409)["error"]["message"]
    idle.json("POST", "/api/v1/jobs/none/cancel", 404)


def test_order_pin_and_again(idle, send):
    first, second, third = (send(idle, stem).json()["id"] for stem in ("alpha", "beta", "gamma"))
    assert [job["id"] for job in idle.json("GET", "/api/v1/queue")["waiting"]] == [first, second, third]
    assert idle.json("POST", f"/api/v1/jobs/{third}/move", json={"before": first})["ahead"] == 0
    assert [job["ahead"] for job in idle.json("GET", "/api/v1/queue")["waiting"]] == [0, 1, 2]
    assert idle.json("POST", f"/api/v1/jobs/{third}/move", json={})["ahead"] == 2
    idle.json("POST", f"/api/v1/jobs/{third}/move", 409, json={"before": "none"})
    assert idle.json("POST", f"/api/v1/jobs/{first}/pin", json={"pinned": True})["pinned"]
    assert not idle.json("POST", f"/api/v1/jobs/{first}/pin", json={"pinned": False})["pinned"]
    new = idle.json("POST", f"/api/v1/jobs/{first}/again", 201, json={"strength": 0.3})
    assert new["id"] != first and new["options"]["strength"] == 0.3 and new["name"] == "person_alpha"
    assert "strength" in idle.json("POST", f"/api/v1/jobs/{first}/again", 422, json={"strength": 9})["error"]["message"]
    idle.json("POST", f"/api/v1/jobs/{first}/again", 422, json={"nonsense": 9})


def test_the_queue_holds_and_goes_on(server, send):
    assert server.json("POST", "/api/v1/queue/pause")["held"] == "paused"
    try:
        id = send(server).json()["id"]
        time.sleep(0.7)
        assert server.json("GET", f"/api/v1/jobs/{id}")["state"] == "queued"
    finally:
        assert server.json("POST", "/api/v1/queue/resume")["held"] is None
    server.wait(id)
    assert server.json("GET", "/api/v1/queue")["workers"][0]["device"]


def test_ten_thousand_jobs_are_listed_in_half_a_second(idle, tmp_path):
    outputs = idle.desk.settings.outputs
    folders = [outputs / "2026-01-01" / f"{n:016x}" for n in range(10_000)]
    jobs = [
        Job(folder.name, Request(folder / "video" / "p.mp4", folder / "audio" / f"v{n}.wav", Options()), folder)
        for n, folder in enumerate(folders)
    ]
    idle.queue.store.add(jobs)
    for path in ("jobs", "jobs?text=v99", "jobs?limit=100&offset=9900", "jobs?state=queued", "queue", "batches"):
        began = time.perf_counter()
        idle.json("GET", f"/api/v1/{path}")
        assert time.perf_counter() - began < 0.5, path


def test_who_asked_is_told_when_the_job_ends(server, send):
    receiver = Receiver()
    jobs = [send(server, stem, data={"webhook": receiver.url}).json() for stem in ("talk", "disk")]
    assert jobs[0]["webhook"] is None
    for job in jobs:
        server.wait(job["id"], "done", "failed")
    receiver.wait(2)
    told = {json.loads(body)["data"]["id"]: json.loads(body) for _, body in receiver.got}
    assert [told[job["id"]]["type"] for job in jobs] == ["job.done", "job.failed"]
    assert told[jobs[0]["id"]]["data"]["result"]["score"] == 87
    assert str(server.desk.settings.outputs) not in json.dumps(told) and "token" not in json.dumps(told)
    until(lambda: server.json("GET", f"/api/v1/jobs/{jobs[0]['id']}")["webhook"] == "sent")
    receiver.close()


def test_an_error_of_the_server_names_no_path(idle, send):
    outputs = idle.desk.settings.outputs
    outputs.mkdir(exist_ok=True)
    (outputs / time.strftime("%Y-%m-%d")).write_text("a file where a folder should be")
    answer = send(idle)
    assert answer.status_code == 500 and answer.json()["error"]["code"] == "output.failed"
    assert str(outputs) not in answer.text
