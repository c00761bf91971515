"""A batch as its reader sees it: counts, positions and an estimate that is honest or not there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heygem.errors import NoFace, WorkerDied
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Batch, Failure, Job, Request
from heygem.pipeline import Options
from tests.ui.test_card import take
from ui.progress import Line, seconds_left, seconds_worked, show_batch

BATCH = Batch("b1", "七夕", Path("/o/batch"))
NOW = time.time()


def job(name: str, state: str = QUEUED, **more: Any) -> Job:
    request = Request(Path(f"/o/video/{name}.mp4"), Path("/o/audio/voice.wav"), Options())
    return Job(name, request, Path("/o"), BATCH.id, state, **more)


def done(name: str, seconds: float = 10.0, began: float = 100.0) -> Job:
    return job(name, DONE, started=began, ended=began + seconds, take=take({"score": 61, "parts": []}))


def running(name: str, ago: float, stage: str = "render", **more: Any) -> Job:
    return job(name, RUNNING, started=time.time() - ago, stage=stage, **more)


def line_of(jobs: Sequence[Job], before: Sequence[str] = (), **more: Any) -> Line:
    waiting = [*before, *(one.id for one in jobs if one.state == QUEUED)]
    known = {"workers": 1, "held": None, **more}
    return Line(waiting, [one.id for one in jobs if one.state == RUNNING], **known)


def shown(jobs: Sequence[Job], language: str = "zh", **more: Any) -> dict[str, Any]:
    return show_batch(BATCH, jobs, line_of(jobs, **more), language, "log")


def test_a_batch_in_the_middle() -> None:
    jobs = [
        done("a"),
        job("b", FAILED, error=Failure.of(NoFace(name="b.mp4", frames=8)), started=110.0, ended=112.0),
        running("c", 4, done=50, total=100, fps=10.0, seconds_left=5.0),
        job("d"),
        job("e", CANCELLED),
    ]
    view = shown(jobs)
    assert view["title"] == "正在生成，已完成 1 / 5" and view["state"] == "busy" and view["voice"] == "声音：voice.wav"
    assert view["bar"] == {"done": 20.0, "lost": 40.0, "now": 10.0, "ended": 60}
    assert [(one["value"], one["n"]) for one in view["filters"]] == [
        *(("all", 5), ("queued", 1), ("running", 1), ("done", 1), ("failed", 1), ("cancelled", 1))
    ]
    assert (view["cancellable"], view["failed"], view["cancelled"]) == (True, 1, 1)
    assert view["zip"] == "api/v1/batches/b1/zip"
    rows = {row["id"]: row for row in view["rows"]}
    assert (
        rows["a"]["url"] == "api/v1/jobs/a/result" and rows["a"]["score"] == "质量 61" and rows["a"]["level"] == "fair"
    )
    assert (
        rows["b"]["problem"].startswith("在“b.mp4”里没有找到可用的人脸") and rows["b"]["remedy"] and rows["b"]["retry"]
    )
    assert rows["c"]["title"] == "生成画面" and rows["c"]["percent"] == 50
    assert rows["c"]["numbers"] == ["第 50 / 100 帧", "10.0 帧/秒", "这一步约剩 5.0 秒"]
    assert rows["d"]["title"] == "排队中，前面还有 1 个任务" and rows["d"]["cancel"] and rows["d"]["first"]
    assert rows["e"]["retry"] and not rows["e"]["cancel"] and "url" not in rows["e"]


def test_steps_that_count_nothing_have_no_bar_and_no_numbers() -> None:
    row = shown([running("a", 3, "listen", done=1, total=1)])["rows"][0]
    assert (row["title"], row["percent"], row["numbers"]) == ("听声音", 0, [])
    assert shown([running("a", 3, stopping=True)])["rows"][0]["title"] == "正在停止……"


def test_the_end_says_how_it_went() -> None:
    assert shown([done("a"), done("b")])["title"] == "全部完成，共 2 个视频"
    view = shown([done("a"), job("b", FAILED, error=Failure.of(NoFace(name="b", frames=1)))], "en")
    assert (view["title"], view["state"], view["time"]) == ("Finished: 1 of 2 done", "bad", "took 10 s")
    assert shown([job("a", CANCELLED)])["zip"] == ""


def test_a_removed_batch_is_said() -> None:
    assert show_batch(None, [], line_of([]), "zh", "log")["title"] == "这个批次已被删除。"


def test_the_estimate_is_the_speed_of_the_batch_itself() -> None:
    jobs = [done("a", 10), done("b", 20), running("c", 5, "analyse"), job("d"), job("e")]
    assert seconds_left(jobs, line_of(jobs)) == pytest.approx(10 + 2 * 15, abs=0.2)
    assert seconds_left(jobs, line_of(jobs, workers=2)) == pytest.approx(20, abs=0.2)
    assert shown(jobs)["left"] == "整批约剩 40 秒"


def test_the_first_video_tells_once_it_is_rendered() -> None:
    first = running("a", 6, seconds_left=4.0, fps=10.0, done=60, total=100)
    assert seconds_left([first, job("b")], line_of([first, job("b")])) == pytest.approx(4 + 10, abs=0.2)
    early = running("a", 6, "analyse")
    assert seconds_left([early, job("b")], line_of([early, job("b")])) is None


def test_the_last_video_takes_what_its_own_stage_says() -> None:
    jobs = [done("a", 10), running("b", 30, seconds_left=7.0)]
    assert seconds_left(jobs, line_of(jobs)) == pytest.approx(7.0)


def test_nothing_is_promised_where_nothing_honest_can_be_said() -> None:
    jobs = [done("a"), running("b", 1), job("c")]
    assert seconds_left([done("a"), job("c")], line_of([job("c")])) is None, "none of them runs"
    assert seconds_left(jobs, line_of(jobs, held="paused")) is None
    assert seconds_left(jobs, line_of(jobs, before=["x"])) is None, "jobs of others come in between"
    assert shown(jobs, before=["x", "y"])["note"].startswith("其中 2 个其他任务排在前面")


def test_a_batch_that_waits_says_for_what() -> None:
    waiting = [job("a"), job("b")]
    assert shown(waiting)["title"] == "排队中，马上开始"
    assert shown(waiting, before=["x"])["title"] == "排队中，前面还有 1 个其他任务"
    assert shown(waiting, held="paused")["title"] == "排队已暂停，恢复后才会开始"
    assert "暂停" in shown(waiting, held="paused")["note"] and "磁盘" in shown(waiting, held="disk")["note"]
    assert shown([done("a")], held="paused")["note"] == "", "what has ended is not held up"


def test_a_further_attempt_says_when_and_why() -> None:
    again = job("a", error=Failure.of(WorkerDied(reason="SIGKILL")), not_before=time.time() + 20.4, attempts=1)
    row = shown([again])["rows"][0]
    assert row["title"] == "刚才没有成功，20 秒后自动再试" and "SIGKILL" in row["problem"]


def test_time_at_work_counts_neither_twice_nor_pauses() -> None:
    jobs = [done("a", 10, 100), done("b", 10, 105), done("c", 5, 1000), job("d"), replace(done("e"), started=None)]
    assert seconds_worked(jobs) == 20
