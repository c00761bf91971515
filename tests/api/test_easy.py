"""The addresses of the face2face service, asked as its clients ask."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from api import easy
from api.app import create
from heygem.errors import DiskLow
from tests.api.conftest import Server, served
from tests.notify.receiver import until


@pytest.fixture
def shared(server, clip, sound) -> Path:
    folder = server.desk.settings.easy_folder
    (folder / "person.mp4").write_bytes(clip.read_bytes())
    for stem in ("talk", "faceless", "slow", "long"):
        (folder / f"{stem}.wav").write_bytes(sound(stem).read_bytes())
    return folder


def submit(server: Server, code: object, audio: str = "talk.wav", video: str = "person.mp4", **more: object):
    asked = {"code": code, "audio_url": audio, "video_url": video, "chaofen": 0, "watermark_switch": 0, "pn": 1, **more}
    answer = server.client.post("/easy/submit", json=asked)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert [*answer.json()] == ["code", "success", "msg", "data"]
    return answer.json()


def query(server: Server, code: str):
    answer = server.client.get("/easy/query", params={"code": code})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    return answer.json()


def ended(server: Server, code: str):
    """Asked every 0.1 s until it is no longer running; also what it said in between."""
    said = []
    deadline = time.monotonic() + 30
    while (data := query(server, code)["data"])["status"] == 1:
        assert time.monotonic() < deadline
        said.append(data)
        time.sleep(0.1)
    return data, said


def test_a_task_from_submit_to_file(server, shared, clip):
    assert submit(server, "0b1d-7", "slow.wav") == {
        "code": 10000,
        "success": True,
        "msg": "成功",
        "data": {"code": "0b1d-7"},
    }
    data, said = ended(server, "0b1d-7")
    steps = [one["progress"] for one in said]
    assert steps == sorted(steps) and all(0 <= step < 100 for step in steps) and len({*steps}) > 2
    assert all(one["result"] == "" and one["msg"] for one in said)
    assert data["cost"] > 0
    assert {**data, "cost": 0} == {
        **{"code": "0b1d-7", "status": 2, "progress": 100, "result": "/0b1d-7-r.mp4", "msg": "任务完成", "cost": 0},
        **{"video_duration": 1.67, "width": 128, "height": 96},
    }
    for _ in range(3):
        assert query(server, "0b1d-7")["data"]["status"] == 2, "asking does not delete it"
    assert (shared / "0b1d-7-r.mp4").read_bytes() == clip.read_bytes()
    for address in ("/0b1d-7-r.mp4", "/easy/0b1d-7-r.mp4"):
        assert server.client.get(address, headers={"Range": "bytes=0-9"}).content == clip.read_bytes()[:10]
    (shared / "0b1d-7-r.mp4").unlink()
    query(server, "0b1d-7")
    assert (shared / "0b1d-7-r.mp4").is_file(), "who lost it may have it again"


def test_the_file_comes_without_asking(server, shared, clip):
    submit(server, "watcher")
    deadline = time.monotonic() + 15
    while not (shared / "watcher-r.mp4").is_file():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (shared / "watcher-r.mp4").read_bytes() == clip.read_bytes()
    assert not [*shared.glob(".*")]


def test_two_that_share_a_result_do_not_meet(server, send, clip, tmp_path, monkeypatch):
    id = send(server).json()["id"]
    server.wait(id)
    both, copyfile = threading.Barrier(2), shutil.copyfile

    def together(source, to):
        copyfile(source, to)
        both.wait(10)

    monkeypatch.setattr(easy.shutil, "copyfile", together)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(easy._share, tmp_path, server.queue.need(id), "x") for _ in range(2)]:
            done.result()
    assert [path.name for path in tmp_path.iterdir()] == ["x-r.mp4"]
    assert (tmp_path / "x-r.mp4").read_bytes() == clip.read_bytes()


def test_a_code_that_began_anew_is_not_delivered_from_before(server, shared):
    submit(server, "before")
    ended(server, "before")
    job = server.queue.store.by_key("easy:before")
    until(lambda: server.queue.need(job.id).hook_state == "sent")
    deliver, result = easy.courier(server.desk.settings)["easy"], shared / "before-r.mp4"
    for key, there in ((None, False), (job.key, True)):
        result.unlink(missing_ok=True)
        deliver(replace(job, key=key))
        assert result.exists() == there


@pytest.mark.parametrize(
    "names",
    [
        ("/code/data/temp/talk.wav", "/code/data/temp/person.mp4"),
        ("sub/talk.wav", "./sub/../person.mp4"),
        ("/code/data/temp//talk.wav", "person.mp4"),
    ],
)
def test_the_ways_in_which_clients_write_paths(server, shared, names):
    (shared / "sub").mkdir(exist_ok=True)
    (shared / "sub" / "talk.wav").write_bytes((shared / "talk.wav").read_bytes())
    code = f"path-{abs(hash(names))}"
    assert submit(server, code, *names)["code"] == 10000
    assert ended(server, code)[0]["status"] == 2


def test_the_same_code_while_it_runs_and_afterwards(server, shared):
    submit(server, "twice", "long.wav")
    again = submit(server, "twice", "talk.wav")
    assert again == {
        "code": 10005,
        "success": False,
        "msg": "任务已存在，正在执行中",
        "data": {"code": "twice", "current_status": 1},
    }
    job = server.queue.store.by_key("easy:twice")
    assert job
    server.queue.cancel(job.id)
    data, _ = ended(server, "twice")
    assert (data["status"], data["msg"], data["result"]) == (3, "任务已取消", "")
    assert submit(server, "twice", "talk.wav")["code"] == 10000
    assert ended(server, "twice")[0]["status"] == 2
    assert server.queue.get(job.id), "the first attempt stays in the history"


@pytest.fixture
def stopped(tmp_path, clip, sound) -> Iterator[Server]:
    """Its task “old” has ended, and a result of it is in the shared folder."""
    folder = tmp_path / "shared"
    folder.mkdir()
    for name in ("person.mp4", "old-r.mp4"):
        (folder / name).write_bytes(clip.read_bytes())
    (folder / "talk.wav").write_bytes(sound().read_bytes())
    with served(tmp_path, None, easy_folder=folder) as server:
        submit(server, "old")
        (job,) = server.queue.store.waiting()
        server.queue.cancel(job.id)
        yield server


def test_a_code_begins_anew_with_its_own_result(stopped, clip):
    result = stopped.desk.settings.easy_folder / "old-r.mp4"
    result.write_bytes(clip.read_bytes())
    assert submit(stopped, "old", video="old-r.mp4")["code"] == 10000
    assert stopped.queue.store.by_key("easy:old").request.video.read_bytes() == clip.read_bytes()
    assert not result.exists(), "who waits for the new one does not take the old one for it"


def test_what_cannot_begin_anew_leaves_the_old_task(stopped, monkeypatch):
    def full(*_):
        raise DiskLow(free=1, floor=2)

    monkeypatch.setattr(stopped.queue, "submit", full)
    assert submit(stopped, "old")["code"] == 9999
    assert query(stopped, "old")["data"]["msg"] == "任务已取消"
    assert (stopped.desk.settings.easy_folder / "old-r.mp4").is_file()


def test_an_old_result_that_cannot_be_removed(stopped):
    result = stopped.desk.settings.easy_folder / "old-r.mp4"
    result.unlink()
    result.mkdir()
    assert submit(stopped, "old")["code"] == 10000 and query(stopped, "old")["data"]["status"] == 1


def test_a_failed_task_keeps_its_reason(server, shared):
    submit(server, "nobody", "faceless.wav")
    data, _ = ended(server, "nobody")
    assert data["status"] == 3 and "person.mp4" in data["msg"] and data["result"] == ""
    assert query(server, "nobody")["data"] == data
    assert not (shared / "nobody-r.mp4").exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"code": ""}, "code"),
        ({"code": "../../etc/x"}, "code"),
        ({"code": ".hidden"}, "code"),
        ({"code": "a/b"}, "code"),
        ({"code": "x" * 200}, "code"),
        ({"code": "字" * 50}, "128"),
        ({"code": "\ud83d"}, "code"),
        ({"audio_url": ""}, "audio_url"),
        ({"video_url": None}, "video_url"),
        ({"video_url": "../person.mp4"}, "video_url"),
        ({"video_url": "/etc/passwd"}, "video_url"),
        ({"video_url": "/code/data/temp/../../../etc/passwd"}, "video_url"),
        ({"video_url": "none.mp4"}, "video_url"),
        ({"audio_url": "person.mp4"}, "sound"),
        ({"audio_url": "http://example.com/talk.wav"}, "HEYGEM_EASY_FETCH"),
        ({"audio_url": "file:///etc/passwd"}, "audio_url"),
    ],
)
def test_wrong_requests(server, shared, asked, says):
    given = {"code": "wrong", "audio_url": "talk.wav", "video_url": "person.mp4", **asked}
    answer = server.client.post("/easy/submit", content=json.dumps(given)).json()
    assert (answer["code"], answer["success"]) == (10002, False) and says in answer["msg"], answer
    assert query(server, "wrong")["code"] == 10004


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 2000])
def test_bodies_that_are_none(server, body):
    assert server.client.post("/easy/submit", content=body).json()["code"] == 10002


def test_an_endless_body_is_not_read_to_its_end(idle):
    taken, sent = [], []

    async def receive():
        taken.append(b" " * (1 << 18))
        return {"type": "http.request", "body": taken[-1], "more_body": len(taken) < 100}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/easy/submit", "query_string": b"", "headers": []}
    asyncio.run(create(idle.desk)(scope, receive, send))
    assert sent[0]["status"] == 200 and json.loads(sent[1]["body"])["code"] == 10002 and len(taken) < 9


def test_questions_that_have_no_answer(server):
    assert query(server, "unknown") == {"code": 10004, "success": True, "msg": "任务不存在", "data": {}}
    missing = server.client.get("/easy/query").json()
    assert (missing["code"], missing["msg"]) == (10002, "code参数缺失")
    assert query(server, "x" * 300)["code"] == 10004
    assert server.client.get("/easy/unknown-r.mp4").status_code == 404


def test_any_content_type_and_numbers_as_codes(server, shared):
    asked = {"code": 1638, "audio_url": "talk.wav", "video_url": "person.mp4", "pn": "0", "chaofen": "1"}
    answer = server.client.post("/easy/submit", content=json.dumps(asked), headers={"content-type": "text/plain"})
    assert answer.json()["code"] == 10000 and "chaofen" in answer.json()["msg"]
    job = server.queue.store.by_key("easy:1638")
    assert job and job.request.options.length == "loop"
    assert submit(server, "forth-and-back", pn=1)["msg"] == "成功"
    job = server.queue.store.by_key("easy:forth-and-back")
    assert job and job.request.options.length == "pingpong"


def test_a_busy_server_queues_and_a_full_one_says_so(tmp_path, clip, sound):
    (tmp_path / "person.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "talk.wav").write_bytes(sound().read_bytes())
    with served(tmp_path / "x", None, easy_folder=tmp_path, max_queued=2) as server:
        assert [submit(server, f"t{n}")["code"] for n in range(3)] == [10000, 10000, 10001]
        data = query(server, "t1")["data"]
        assert (data["status"], data["progress"], data["msg"]) == (1, 0, "排队中，前面还有 1 个任务")


def test_without_a_shared_folder(idle):
    answer = submit(idle, "x")
    assert answer["code"] == 10002 and "HEYGEM_EASY_FOLDER" in answer["msg"]
