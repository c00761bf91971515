"""What is told when: by real HTTP servers, over restarts, once, late, never."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from PIL import Image

from heygem.errors import NoFace, StorageUnreachable
from heygem.jobs.job import FAILED, Batch, Failure, Job
from heygem.jobs.notices import Notices
from heygem.jobs.queue import Queue
from heygem.notify import bell, webhook
from heygem.notify.base import LinkPending
from heygem.notify.bell import Bell
from heygem.pipeline import Options
from tests.jobs.made import file, queue_in, request, take_of
from tests.media.clips import HEIGHT, WIDTH, film, numbered
from tests.notify.made import KEY, LINK, PASSWORD, SECRET, SIGNING, configured
from tests.notify.receiver import Receiver, until
from ui.words import explain

NO_FACE = Failure.of(NoFace(name="x.mp4", frames=8, why=""))


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path)


@pytest.fixture
def start(queue: Queue, server: Receiver, tmp_path: Path, monkeypatch) -> Iterator[Callable[..., Bell]]:
    """start("wecom", …, notify_on=…, link=…): a bell; without names it is switched off."""
    monkeypatch.setattr(bell, "INTERVAL", 0.02)
    monkeypatch.setattr(webhook, "PAUSES", (0.05, 0.05, 0.05, 0.05))
    started: list[Bell] = []

    def start(*names: str, link: Any = bell.no_link, **more: Any) -> Bell:
        site = more.pop("site", server.url.split("/hook")[0])
        config = configured(site, *names, **{"home": tmp_path / "home", "notify_on": "both", **more})
        started.append(Bell(queue, config, link, explain))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.close()


def submit(queue: Queue, folder: Path, videos: int) -> tuple[Batch, list[Job]]:
    paths = [file(folder, f"人物{n}.mp4") for n in range(videos)]
    batch = queue.submit_batch(file(folder, "voice.wav"), paths, Options(), "春季")
    return batch, queue.jobs_of(batch.id)


def end(queue: Queue, error: Failure | None = None) -> Job:
    """The next job in the queue comes to its end."""
    job = queue.store.claim("w")
    assert job and queue.finish(job, "w", error or take_of(job))
    return queue.need(job.id)


def texts(server: Receiver) -> list[str]:
    return [json.loads(body)["markdown"]["content"] for _, body in server.got]


def states(queue: Queue, channel: str = "wecom") -> dict[str, int]:
    return Notices(queue.store).counts(channel)


def rows(tmp_path: Path, table: str = "notices") -> list[Any]:
    with sqlite3.connect(tmp_path / "home" / "jobs.sqlite3") as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()


# -- what is told


def test_a_job_that_is_done_and_one_that_failed(queue, start, server, tmp_path):
    start("wecom", public_url="https://heygem.example.com")
    for _ in range(2):
        queue.submit(request(tmp_path))
    done, failed = end(queue), end(queue, NO_FACE)
    server.wait(2)
    first, second = texts(server)
    assert first.startswith(
        f"### 视频已生成：{done.name}\n> 状态：已完成\n> 时长：1.7 秒\n> 评分：87 / 100（估算）\n> 用时：0."
    )
    assert first.endswith("[打开 HeyGem](https://heygem.example.com)")
    assert second.startswith(f"### 视频生成失败：{failed.name}\n")
    assert "在“x.mp4”里没有找到可用的人脸" in second and "请使用人脸端正" in second, "with its remedy"


def test_a_link_and_its_end_are_in_the_notice_once_the_result_is_delivered(queue, start, server, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "PENDING", 0.05)
    answers: list[Any] = [LinkPending(), StorageUnreachable(), (LINK, 1772325000.0)]

    def link(job: Job) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    start("wecom", link=link)
    queue.submit(request(tmp_path))
    end(queue)
    server.wait(1)
    [text] = texts(server)
    assert f"[打开视频]({LINK})" in text and "链接有效期至：2026-0" in text
    until(lambda: states(queue) == {"sent": 1})


def test_a_link_that_never_comes_is_not_waited_for_for_ever(queue, start, server, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "PENDING", 0.02)
    monkeypatch.setattr(bell, "PATIENCE", 0.2)

    def link(job: Job) -> Any:
        raise LinkPending

    start("wecom", link=link)
    queue.submit(request(tmp_path))
    end(queue)
    server.wait(1)
    assert "打开视频" not in texts(server)[0]


def test_a_batch_is_told_once_when_its_last_job_ends(queue, start, server, tmp_path):
    start("wecom", notify_on="batch", link=lambda job: (LINK, time.time() + 86400))
    submit(queue, tmp_path, 3)
    end(queue)
    end(queue, NO_FACE)
    time.sleep(0.2)
    assert server.got == []
    end(queue)
    server.wait(1)
    time.sleep(0.2)
    [text] = texts(server)
    assert text.startswith(
        '### 批次已结束，有 1 个失败：春季\n<font color="warning">共 3 个视频：完成 2 个，失败 1 个</font>'
    )
    assert f"1. [人物0_voice]({LINK})" in text and f"3. [人物2_voice]({LINK})" in text
    assert "2. 人物1_voice：失败 在“x.mp4”里没有找到可用的人脸" in text and "链接有效期至" in text


@pytest.mark.parametrize(("on", "count"), [("job", 2), ("batch", 1), ("both", 3), ("off", 0)])
def test_notify_on(queue, start, server, tmp_path, on, count):
    start("wecom", notify_on=on)
    submit(queue, tmp_path, 2)
    end(queue)
    end(queue)
    server.wait(count)
    time.sleep(0.2)
    assert len(server.got) == count


def test_what_is_cancelled_by_its_user_is_no_news(queue, start, server, tmp_path):
    start("wecom")
    queue.cancel(queue.submit(request(tmp_path)).id)
    queue.cancel_batch(submit(queue, tmp_path, 2)[0].id)
    _, [first, _] = submit(queue, tmp_path, 2)
    queue.cancel(first.id)
    end(queue)
    server.wait(2)
    time.sleep(0.2)
    job, whole = texts(server)
    assert "视频已生成" in job and "完成 1 个，取消 1 个" in whole and "1. 人物0_voice：已取消" in whole


def test_all_channels_are_told_and_one_that_fails_does_not_hold_up_the_others(queue, start, server, tmp_path):
    slow = Receiver()
    slow.delay = 1.5
    more = {"notify_webhook": slow.url, "notify_language": "en"}
    start("wecom", "dingtalk", "feishu", **more)
    queue.submit(request(tmp_path))
    began = time.monotonic()
    end(queue)
    server.wait(3)
    assert time.monotonic() - began < 1.2
    slow.wait(1)
    slow.close()
    headers, body = slow.got[0]
    told = json.loads(body)
    assert told["type"] == "notice.job" and told["data"]["title"] == "Video ready: person_voice"
    assert set(headers) >= {"webhook-id", "webhook-timestamp", "webhook-signature"}


# -- once, and not too late


def test_nothing_from_before_it_was_switched_on(queue, start, server, tmp_path):
    for _ in range(3):
        queue.submit(request(tmp_path))
    end(queue)
    first = start("wecom")
    end(queue)
    server.wait(1)
    first.close()
    start(notify_on="off").close()
    end(queue)
    start("wecom")
    time.sleep(0.2)
    assert len(server.got) == 1 and rows(tmp_path, "endings") == []


def test_what_ended_while_nobody_was_there_to_tell_it_is_told_after_the_start(queue, start, server, tmp_path):
    start("wecom").close()
    queue.submit(request(tmp_path))
    end(queue)
    assert len(rows(tmp_path, "endings")) == 1
    start("wecom")
    server.wait(1)
    until(lambda: states(queue) == {"sent": 1})


def test_a_notice_survives_a_restart_and_is_sent_once(queue, start, server, tmp_path):
    server.statuses = [500] * 1000
    first = start("wecom")
    queue.submit(request(tmp_path))
    end(queue)
    server.wait(1)
    first.close()
    tries = len(server.got)
    assert tries >= 1 and states(queue) == {"pending": 1}
    server.statuses = []
    start("wecom")
    server.wait(tries + 1)
    until(lambda: states(queue) == {"sent": 1})
    start("wecom")
    time.sleep(0.2)
    assert len(server.got) == tries + 1


def test_a_channel_that_is_no_longer_set_drops_what_it_had(queue, start, server, tmp_path):
    server.statuses, server.delay = [500] * 1000, 0.1
    first = start("wecom", "feishu")
    queue.submit(request(tmp_path))
    end(queue)
    until(lambda: states(queue, "feishu"))
    first.close()
    start("wecom")
    assert states(queue, "feishu").get("pending") is None


def test_a_job_that_is_tried_again_is_told_again_when_it_ends_anew(queue, start, server, tmp_path):
    start("wecom", notify_on="both")
    _, [job] = submit(queue, tmp_path, 1)
    end(queue, NO_FACE)
    server.wait(2)
    time.sleep(0.01)
    queue.retry(job.id)
    end(queue)
    server.wait(4)
    assert [text.split("：")[0] for text in texts(server)] == [
        *("### 视频生成失败", "### 批次已结束，有 1 个失败", "### 视频已生成", "### 批次已完成"),
    ]


def test_what_was_removed_in_the_meantime_is_not_told(queue, start, server, tmp_path):
    start("wecom").close()
    queue.submit(request(tmp_path))
    notices = Notices(queue.store)
    job = end(queue)
    notices.settle(notices.endings(), [f"job:{job.id}:{job.ended:.3f}"], ["wecom"])
    queue.remove(job.id)
    start("wecom")
    until(lambda: states(queue) == {"failed": 1})
    assert server.got == []


# -- trouble


def test_a_refusal_is_final_and_the_next_notice_is_tried_all_the_same(queue, start, server, tmp_path):
    server.says = [b'{"errcode": 93000, "errmsg": "invalid webhook url"}', b'{"errcode": 0}']
    start("wecom")
    for _ in range(2):
        queue.submit(request(tmp_path))
        end(queue)
        server.wait(1)
    until(lambda: states(queue) == {"failed": 1, "sent": 1})
    assert len(server.got) == 2
    assert "93000 invalid webhook url" in (Notices(queue.store).last_error("wecom") or "")


def test_after_five_tries_it_is_given_up(queue, start, server, tmp_path):
    server.statuses = [500] * 20
    start("wecom")
    queue.submit(request(tmp_path))
    end(queue)
    until(lambda: states(queue) == {"failed": 1})
    assert len(server.got) == 5


def test_a_channel_that_says_too_often_is_left_alone(queue, start, server, tmp_path):
    server.says = [b'{"errcode": 45009, "errmsg": "api freq out of limit"}']
    start("wecom")
    for _ in range(5):
        queue.submit(request(tmp_path))
        end(queue)
    server.wait(1)
    time.sleep(0.4)
    assert len(server.got) == 1, "the others wait without trying"
    [row] = [row for row in rows(tmp_path) if row[3]]
    assert 55 < row[5] - time.time() <= 60 and states(queue) == {"pending": 5}


def test_no_more_than_a_channel_takes_in_a_minute(queue, start, server, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "MINUTE", 4.0)
    start("wecom", notify_on="job")
    submit(queue, tmp_path, 12)
    for _ in range(12):
        end(queue)
    server.wait(10)
    time.sleep(0.2)
    assert len(server.got) == 10
    server.wait(12)


def test_an_unexpected_error_is_logged_and_ends_nothing(queue, start, server, tmp_path):
    def link(job: Job) -> Any:
        if job.id == first.id:
            raise ZeroDivisionError
        return None

    start("wecom", link=link)
    first = queue.submit(request(tmp_path))
    end(queue)
    until(lambda: states(queue) == {"failed": 1})
    queue.submit(request(tmp_path))
    end(queue)
    server.wait(1)


def test_a_locked_table_loses_no_notice(queue, start, server, tmp_path, monkeypatch):
    queue.store._db.execute("PRAGMA busy_timeout = 50")
    server.delay = 0.3
    start("wecom")
    queue.submit(request(tmp_path))
    end(queue)
    until(lambda: states(queue))
    other = sqlite3.connect(tmp_path / "home" / "jobs.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    server.wait(1)
    time.sleep(0.2)
    assert states(queue) == {"pending": 1}
    other.execute("ROLLBACK")
    until(lambda: states(queue) == {"sent": 1})
    other.close()


def test_waiting_for_links_is_not_counted_as_sending(queue, start, server, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "PENDING", 0.0)
    asked: list[str] = []

    def link(job: Job) -> Any:
        asked.append(job.id)
        if len(asked) < 15:
            raise LinkPending

    start("wecom", link=link)
    queue.submit(request(tmp_path))
    end(queue)
    server.wait(1)
    assert len(asked) == 15


def test_no_job_waits_for_a_bell(queue, start, server, tmp_path):
    server.delay = 1.0
    start("wecom", "dingtalk", "feishu")
    submit(queue, tmp_path, 40)
    began = time.monotonic()
    for _ in range(40):
        end(queue)
    busy = time.monotonic() - began
    assert busy < 4, f"{busy:.1f} s for 40 ends"


def test_settings_that_are_wrong_stop_no_server(queue, start, server, tmp_path):
    start("feishu", notify_wecom="https://evil.example/" + KEY, webhook_private=False)
    queue.submit(request(tmp_path))
    assert end(queue).state != FAILED


def test_no_secret_is_in_the_log_or_in_the_tables(queue, start, server, tmp_path, monkeypatch):
    monkeypatch.setattr(bell, "MINUTE", 0.1)
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level="TRACE", diagnose=False)
    said = f"bad {KEY} {SECRET} {SIGNING} {PASSWORD}".encode()
    server.statuses = [200, 500, 404, 302] * 10
    server.says = [b'{"errcode": 7, "errmsg": "%s", "code": 7, "msg": "%s"}' % (said, said)]
    down = {"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_from": "a@example.com", "notify_email_to": "b@example.com"}
    start("wecom", "dingtalk", "feishu", "webhook", smtp_password=PASSWORD, **down)
    for _ in range(3):
        queue.submit(request(tmp_path))
        end(queue)
    for name in ("wecom", "dingtalk", "feishu", "webhook", "email"):
        until(lambda name=name: sum(states(queue, name).get(state, 0) for state in ("sent", "failed")) == 3, 30)
    logger.remove(sink)
    found = "".join(lines) + str(rows(tmp_path)) + str(rows(tmp_path, "jobs"))
    assert "bad ***" in found and len(lines) > 10
    for secret in (KEY, SECRET, SIGNING, PASSWORD):
        assert secret not in found


# -- the real thing


def test_the_picture_is_of_the_result(queue, start, server, tmp_path):
    start("wecom")
    queue.submit(request(tmp_path))
    job = queue.store.claim("w")
    assert job
    take = take_of(job)
    film(take.path, [numbered(n) for n in range(3)])
    assert queue.finish(job, "w", take)
    server.wait(2)
    image = json.loads(server.got[1][1])["image"]
    picture = base64.b64decode(image["base64"])
    assert Image.open(io.BytesIO(picture)).size == (WIDTH, HEIGHT)
    assert image["md5"] == hashlib.md5(picture).hexdigest()


BELL = """
import sys, time
from pathlib import Path
from heygem.notify.bell import Bell
from tests.jobs.made import queue_in
from tests.notify.made import configured
home, site = Path(sys.argv[1]), sys.argv[2]
bell = Bell(queue_in(home), configured(site, "wecom", home=home / "home", notify_on="job"))
bell.start()
print("on", flush=True)
time.sleep(60)
"""


def test_a_process_that_is_killed_while_it_tells_tells_it_after_the_next_start(queue, start, server, tmp_path):
    site = server.url.split("/hook")[0]
    server.delay = 1.0
    command = [sys.executable, "-c", BELL, str(tmp_path), site]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"on\n"
        for _ in range(2):
            queue.submit(request(tmp_path))
        end(queue)
        until(lambda: server.began == 1, 15)
        process.kill()
    end(queue)  # nobody is there
    server.delay = 0.0
    assert states(queue) == {"pending": 1}
    start("wecom", notify_on="job")
    until(lambda: states(queue) == {"sent": 2})
    found = [text for text in texts(server) if "视频已生成" in text]
    assert len(found) in (2, 3), "the one whose answer was lost may be there twice"


def test_the_last_job_of_a_batch_is_removed_before_it_is_told(queue, start, server, tmp_path, monkeypatch):
    bell = start("wecom", notify_on="batch")
    batch, jobs = submit(queue, tmp_path, 1)
    with monkeypatch.context() as patch:
        patch.setattr(queue, "jobs_of", lambda batch: [])
        end(queue)
        until(lambda: not Notices(queue.store).endings())
    assert states(queue) == {} and jobs[0].batch == batch.id and bell


def test_an_error_that_nobody_foresaw_does_not_end_it(queue, start, server, tmp_path, monkeypatch):
    start("wecom")
    queue.submit(request(tmp_path))
    with monkeypatch.context() as patch:
        asked: list[str] = []

        def broken(job: str) -> None:
            asked.append(job)
            raise ZeroDivisionError

        patch.setattr(queue, "get", broken)
        job = queue.store.claim("w")
        assert job and queue.finish(job, "w", take_of(job))
        until(lambda: asked)
    server.wait(1)
