"""The addresses of the face2face service, asked as its clients ask."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.api.conftest import Server, served


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
    answer = server.client.post("/easy/submit", json=given).json()
    assert (answer["code"], answer["success"]) == (10002, False) and says in answer["msg"], answer
    assert query(server, "wrong")["code"] == 10004


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe"])
def test_bodies_that_are_none(server, body):
    assert server.client.post("/easy/submit", content=body).json()["code"] == 10002


def test_questions_that_have_no_answer(server):
    assert query(server, "unknown") == {"code": 10004, "success": True, "msg": "任务不存在", "data": {}}
    missing = server.client.get("/easy/query").json()
    assert (missing["code"], missing["msg"]) == (10002, "code参数缺失")
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


@contextmanager
def files(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            if self.path.startswith("/away"):
                self.send_response(302)
                self.send_header("location", "/person.mp4")
                self.end_headers()
            else:
                super().do_GET()

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def test_inputs_by_their_address(tmp_path, clip, sound):
    (tmp_path / "person.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "big.mp4").write_bytes(b"x" * (3 << 20))
    (tmp_path / "声音.wav").write_bytes(sound().read_bytes())
    with files(tmp_path) as web, served(tmp_path / "p", None, easy_fetch="private", max_upload_mb=2) as server:
        assert submit(server, "web", f"{web}/声音.wav?token=1", f"{web}/person.mp4")["code"] == 10000
        job = server.queue.store.by_key("easy:web")
        assert job and job.name == "person_声音" and job.request.video.read_bytes() == clip.read_bytes()
        for path, says in (("none.mp4", "404"), ("away.mp4", "302"), ("big.mp4", "2 MB")):
            answer = submit(server, "bad", f"{web}/声音.wav", f"{web}/{path}")
            assert answer["code"] == 10002 and says in answer["msg"], answer
        assert submit(server, "bad", "http://127.0.0.1:9/x.wav", "x.mp4")["code"] == 10002
        assert not [*(server.desk.settings.home / "uploads").rglob("*.*")]
    with files(tmp_path) as web, served(tmp_path / "q", None, easy_fetch="public") as server:
        answer = submit(server, "web", f"{web}/声音.wav", f"{web}/person.mp4")
        assert answer["code"] == 10002 and "private" in answer["msg"]
