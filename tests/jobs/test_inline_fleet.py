"""Immediate mode: the queue is worked off where it is filled, in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heygem.errors import HeyGemError
from heygem.jobs.fleet import InlineFleet
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, Request
from heygem.jobs.queue import Queue
from heygem.jobs.worker import Order, Work
from heygem.pipeline import Options
from heygem.tick import Tick
from tests.jobs import works
from tests.jobs.conftest import facts
from tests.jobs.made import queue_in

Submit = Callable[[str], str]


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path, memory=True)


@pytest.fixture
def submit(queue: Queue, tmp_path: Path) -> Submit:
    def submit(what: str) -> str:
        (tmp_path / "person.mp4").write_text("picture ")
        (tmp_path / f"{what}.wav").write_text(what)
        return queue.submit(Request(tmp_path / "person.mp4", tmp_path / f"{what}.wav", Options())).id

    return submit


def fleet_of(queue: Queue, work: Work = works.by_name) -> InlineFleet:
    fleet = InlineFleet(queue, work=work)
    queue.changed = fleet.wake
    return fleet


def test_submit_returns_an_ended_job_done_in_this_process(queue: Queue, submit: Submit) -> None:
    fleet_of(queue)
    job = queue.need(submit("one"))
    assert job.state == DONE and facts(job)["pid"] == os.getpid()
    assert job.take is not None and job.take.path.read_text() == "picture one"


def test_what_waits_is_worked_off_at_the_start(queue: Queue, submit: Submit) -> None:
    jobs = [submit("one"), submit("two")]
    fleet_of(queue).start()
    assert [queue.need(job).state for job in jobs] == [DONE, DONE]


def test_errors_become_the_failure_of_the_job_and_the_next_one_runs(queue: Queue, submit: Submit) -> None:
    fleet_of(queue)
    refused, bug, after = queue.need(submit("refuse")), queue.need(submit("bug")), queue.need(submit("one"))
    assert refused.state == bug.state == FAILED and after.state == DONE
    assert refused.error is not None and refused.error.code == "input.no_face"
    assert bug.error is not None and bug.error.code == HeyGemError.code and "a bug" in bug.error.message
    assert not [*refused.folder.rglob("*.part")]


def test_a_running_job_can_be_cancelled_from_another_thread(queue: Queue, submit: Submit) -> None:
    fleet_of(queue)

    def cancel() -> None:
        while not (running := queue.store.running()):
            time.sleep(0.01)
        queue.cancel(running[0].id)

    thread = threading.Thread(target=cancel)
    thread.start()
    job = queue.need(submit("polite"))
    thread.join()
    assert job.state == CANCELLED


def test_work_that_submits_work_does_not_stop_itself(queue: Queue, submit: Submit) -> None:
    more: list[str] = []

    def work(order: Order, tick: Tick) -> object:
        if not more:
            more.append(submit("two"))
            assert queue.need(more[0]).state == QUEUED
        return works.by_name(order, tick)

    fleet_of(queue, work)
    submit("one")
    assert queue.need(more[0]).state == DONE


def test_an_interrupt_from_the_keyboard_leaves_the_job_waiting(queue: Queue, submit: Submit) -> None:
    def work(order: Order, tick: Tick) -> object:
        raise KeyboardInterrupt

    fleet = fleet_of(queue, work)
    with pytest.raises(KeyboardInterrupt):
        submit("one")
    (job,) = queue.store.waiting()
    assert job.interruptions == 1
    fleet.close()
    fleet.wake()
    assert queue.need(job.id).state == QUEUED, "a closed fleet begins nothing"
