"""What the view of a batch asks the server, and how fast it is answered."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heygem.jobs.fleet import InlineFleet
from heygem.jobs.job import CANCELLED, FAILED, QUEUED, Batch, Failure
from heygem.jobs.queue import Queue
from heygem.pipeline import Options
from heygem.settings import load
from tests.jobs.made import file, queue_in
from ui.desk import Desk
from ui.sent import Sent


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path, memory=True)


@pytest.fixture
def sent(queue: Queue, tmp_path: Path) -> Sent:
    settings = load(home=tmp_path, outputs=tmp_path / "outputs")
    preflight: Any = None  # nothing is chosen in these tests
    return Sent(Desk(queue, InlineFleet(queue), preflight, settings, tmp_path / "a.log"))


def send(queue: Queue, folder: Path, count: int = 3) -> Batch:
    voice, videos = file(folder, "voice.wav"), [file(folder, f"v{n:03}.mp4") for n in range(count)]
    return queue.submit_batch(voice, videos, Options())


def fail(queue: Queue) -> str:
    job = queue.store.claim("w")
    assert job
    queue.finish(job, "w", Failure("input.empty", "m", "h", {"name": "v.mp4"}))
    return job.id


def states(view: dict[str, Any]) -> list[str]:
    return [row["state"] for row in view["rows"]]


def test_presses_are_done_and_shown_in_one_answer(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    batch = send(queue, tmp_path)
    first, second, third = (row["id"] for row in sent.answer({"batch": batch.id}, "zh")["rows"])

    def press(do: str, job: str = "") -> dict[str, Any]:
        return sent.answer({"batch": batch.id, "do": do, "job": job}, "zh")

    assert press("first", third)["rows"][2]["title"] == "排队中，马上开始"
    assert queue.store.order() == [third, first, second]
    press("first", third)
    assert queue.store.order() == [third, first, second]
    assert states(press("cancel", third)) == [QUEUED, QUEUED, CANCELLED]
    assert states(press("retry", third)) == [QUEUED] * 3
    assert states(press("cancel_all")) == [CANCELLED] * 3
    assert states(press("retry_cancelled")) == [QUEUED] * 3
    assert fail(queue) in (first, second, third)
    assert states(press("retry_failed")) == [QUEUED] * 3


def test_what_could_not_begin_is_not_tried_again(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    voice, video = file(tmp_path, "voice.wav"), file(tmp_path, "v.mp4")
    batch = queue.submit_batch(voice, [video], Options(engine="musetalk"))
    job = fail(queue)
    for question in ({"do": "retry", "job": job}, {"do": "retry_failed"}):
        view = sent.answer({"batch": batch.id, **question}, "en")
        assert "musetalk" in view["problem"] and states(view) == [FAILED]


def test_what_cannot_be_done_is_a_sentence(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    batch = send(queue, tmp_path)
    job = queue.store.order()[0]
    view = sent.answer({"batch": batch.id, "do": "retry", "job": job}, "zh")
    assert "不能这样操作" in view["problem"] and view["remedy"] and len(view["rows"]) == 3
    view = sent.answer({"batch": batch.id, "do": "cancel", "job": "nothing"}, "en")
    assert view["problem"] == "There is no job or batch “nothing”."


@pytest.mark.parametrize(
    "question", [{}, {"batch": None}, {"batch": "x", "do": "cancel_all"}, {"batch": ["a"], "do": 1}]
)
def test_nothing_that_a_browser_sends_is_trusted(sent: Sent, question: dict[str, Any]) -> None:
    assert sent.answer(question, "zh")["state"] == "gone"


def test_jobs_of_other_batches_are_left_alone(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    mine, other = send(queue, tmp_path, 1), send(queue, tmp_path, 1)
    job = queue.jobs_of(other.id)[0]
    sent.answer({"batch": mine.id, "do": "cancel", "job": job.id}, "zh")
    assert queue.need(job.id).state == QUEUED


def test_there_is_a_report_as_soon_as_one_has_ended(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    batch = send(queue, tmp_path)
    assert not sent.answer({"batch": batch.id}, "zh")["report"]
    fail(queue)
    view = sent.answer({"batch": batch.id}, "zh")
    assert view["report"] and view["words"]["run_report"] == "报告 CSV"


def test_a_batch_of_200_among_a_thousand_is_answered_at_once(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    like = queue.jobs_of(send(queue, tmp_path, 1).id)[0]
    queue.store.add([replace(like, id=f"other{n}") for n in range(799)])
    mine = send(queue, tmp_path, 200)
    for _ in range(20):
        fail(queue)
    spans: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        view = sent.answer({"batch": mine.id}, "zh")
        spans.append(time.perf_counter() - began)
    assert len(view["rows"]) == 200 and view["title"] == "排队中，前面还有 780 个其他任务"
    assert sorted(spans)[2] < 0.3


def test_a_failure_stands_in_its_row(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    batch = send(queue, tmp_path)
    fail(queue)
    view = sent.answer({"batch": batch.id}, "zh")
    assert states(view) == [FAILED, QUEUED, QUEUED] and "空文件" in view["rows"][0]["problem"]


def test_all_that_can_be_retried_are(sent: Sent, queue: Queue, tmp_path: Path) -> None:
    batch = send(queue, tmp_path)
    first, second, _ = (queue.need(fail(queue)) for _ in range(3))
    first.request.video.unlink()
    view = sent.answer({"batch": batch.id, "do": "retry_failed"}, "zh")
    assert "problem" not in view and states(view) == [FAILED, QUEUED, QUEUED] and second.request.video.exists()
