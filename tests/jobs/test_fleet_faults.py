"""What can go wrong around a job: crashes, silence, a full disk, a locked list, clocks, the end of the app."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from loguru import logger

from heygem.errors import StoreUnusable
from heygem.jobs import attempt, slot, worker
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Failure, Job
from heygem.jobs.queue import INTERRUPTIONS
from tests.jobs.conftest import Site, facts
from tests.jobs.test_fleet import worker_of

Sites = Callable[..., Site]


def locked(site: Site, seconds: float) -> subprocess.Popen[str]:
    """Another process writes into the list for so long. Returns once it has the lock."""
    code = (
        "import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE'); print('locked', flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(site.settings.store), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "locked\n"
    return process


@pytest.mark.parametrize(
    ("what", "code", "details"),
    [
        ("segfault", "job.crashed", {"reason": "SIGSEGV"}),
        ("full", "output.failed", {"name": "person_full.mp4", "reason": "No space left on device"}),
        ("memory", "error", {"reason": "MemoryError"}),
        ("graphics", "job.out_of_memory", {}),
    ],
)
def test_a_cause_that_may_pass_is_tried_three_times(site: Site, what: str, code: str, details: dict[str, str]) -> None:
    failed = site.until(site.submit(what), FAILED)
    assert failed.error is not None and failed.attempts == 3 and failed.interruptions == 0
    assert (failed.error.code, failed.error.details) == (code, details)
    assert not list(failed.folder.rglob("*.part"))
    site.until(site.submit("one"), DONE)


def test_a_process_that_ends_itself_is_a_crash(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "BACKOFF", ())
    failed = site.until(site.submit("exit"), FAILED)
    assert failed.error is not None and failed.error.details == {"reason": "exit code 3"}


@pytest.mark.parametrize("what", ["segfault once", "full once"])
def test_a_cause_that_passed_leaves_a_result_and_one_failed_attempt(site: Site, what: str) -> None:
    job = site.until(site.submit(what), DONE)
    assert job.attempts == 1 and job.error is None and facts(job)["text"] == f"picture {what}"


def test_a_job_that_waits_for_its_next_attempt_says_why(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "BACKOFF", (2.0, 2.0))
    before = time.time()
    job = site.submit("segfault once")
    waiting = site.until(job, lambda job: job.state == QUEUED and job.error)
    assert waiting.error is not None and waiting.error.code == "job.crashed" and waiting.attempts == 1
    assert waiting.not_before == pytest.approx(before + 2, abs=3)
    other = site.until(site.submit("one"), DONE)
    done = site.until(job, DONE)
    assert facts(other)["ended"] < facts(done)["ended"], "the others do not wait for it"
    assert done.started is not None and waiting.not_before is not None and done.started >= waiting.not_before


@pytest.mark.parametrize(("what", "stage"), [("native", "render"), ("deaf", "start")])
def test_silence_is_a_failed_attempt_that_names_the_stage(
    site: Site, monkeypatch: pytest.MonkeyPatch, what: str, stage: str
) -> None:
    site.until(site.submit("one"), DONE)  # the process is there: its start is not what is measured
    _set(site, monkeypatch, stall_seconds=1)
    failed = site.until(site.submit(what), lambda job: job.attempts)
    assert failed.error is not None
    assert (failed.error.code, failed.error.details) == ("job.stalled", {"stage": stage, "seconds": "1"})
    assert not list(failed.folder.rglob("*.part"))
    site.queue.cancel(failed.id)


def test_work_that_ticks_is_never_taken_for_silent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.until(site.submit("one"), DONE)
    _set(site, monkeypatch, stall_seconds=1.5)
    job = site.until(site.submit("polite"), lambda job: job.stage)
    time.sleep(2.5)
    assert site.queue.need(job.id).state == RUNNING and site.queue.need(job.id).attempts == 0
    site.queue.cancel(job.id)
    site.until(job, CANCELLED)


def test_work_that_takes_too_long_is_stopped_and_not_repeated(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(site, monkeypatch, job_minutes=0.01)
    failed = site.until(site.submit("polite"), FAILED)
    assert failed.error is not None and failed.attempts == 1
    assert (failed.error.code, failed.error.details) == ("job.timeout", {"minutes": "0.01"})


def _set(site: Site, monkeypatch: pytest.MonkeyPatch, **settings: float) -> None:
    """Other settings while the process goes on."""
    for one in site.fleet._slots:
        monkeypatch.setattr(one, "_settings", site.settings.model_copy(update=settings))


def test_a_worker_killed_from_outside_says_nothing_about_the_job(site: Site) -> None:
    job = site.until(site.submit("count"), lambda job: job.stage)
    os.kill(worker_of(site), signal.SIGKILL)
    done = site.until(job, DONE)
    assert done.interruptions == 1 and done.attempts == 0 and done.error is None


def test_signals_that_stop_the_service_reach_the_workers_too_and_leave_the_decision_to_the_app(site: Site) -> None:
    job = site.until(site.submit("count"), lambda job: job.stage)
    worker = psutil.Process(worker_of(site))
    for process in (worker, *worker.children()):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
    assert facts(site.until(job, DONE))["pid"] == worker.pid == worker_of(site)
    assert worker.children(), "the guard is there too"


def test_a_worker_that_the_system_killed_for_want_of_memory_is_a_failed_attempt(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter(range(1000))  # the real counter cannot be raised without taking other processes down
    monkeypatch.setattr(worker, "_oom_kills", lambda: next(counts))
    monkeypatch.setattr(attempt, "BACKOFF", ())
    failed = site.until(site.submit("killed"), FAILED)
    assert failed.error is not None and failed.attempts == 1 and failed.interruptions == 0
    assert (failed.error.code, failed.error.details) == ("job.crashed", {"reason": "SIGKILL"})


def test_a_job_that_is_interrupted_without_end_fails_with_the_reason(sites: Sites) -> None:
    site = sites(start=False)
    job = site.submit("killed")
    _interrupted(site, job, INTERRUPTIONS - 1)
    site.fleet.start()
    failed = site.until(job, FAILED)
    assert failed.error is not None and failed.interruptions == INTERRUPTIONS
    assert (failed.error.code, failed.error.details) == ("job.interrupted", {"times": str(INTERRUPTIONS + 1)})
    assert site.until(site.queue.retry(job.id), lambda job: job.interruptions > 0).state in (QUEUED, RUNNING)


def test_a_job_that_ends_the_app_each_time_fails_at_a_start(sites: Sites) -> None:
    site = sites(start=False)
    job, other = site.submit("one"), site.submit("two")
    _interrupted(site, job, INTERRUPTIONS)
    assert site.store.claim("a dead process") == site.queue.need(job.id)
    site.fleet.start()
    failed = site.queue.need(job.id)
    assert failed.state == FAILED and failed.error is not None and failed.error.code == "job.interrupted"
    site.until(other, DONE)


def _interrupted(site: Site, job: Job, times: int) -> None:
    site.store.change(job.id, [QUEUED], interruptions=times)


def test_what_a_dead_app_left_running_begins_again(sites: Sites) -> None:
    site = sites(start=False)
    job = site.submit("one")
    assert site.store.claim("a dead process") is not None
    part = job.folder / "person_one.mp4.part"
    part.write_text("half")
    site.fleet.start()
    done = site.until(job, DONE)
    assert done.interruptions == 1 and done.attempts == 0 and not part.exists()


def test_close_lets_a_job_end_that_ends_in_time(sites: Sites) -> None:
    site = sites()
    job, waiting = site.until(site.submit("count"), lambda job: job.stage), site.submit("one")
    site.fleet.close(20)
    assert site.queue.need(job.id).state == DONE
    assert site.queue.need(waiting.id).state == QUEUED, "nothing more is begun"
    assert site.fleet.workers()[0].pid is None


@pytest.mark.parametrize("what", ["polite", "native"])
def test_close_gives_back_what_does_not_end_in_time(sites: Sites, what: str) -> None:
    site = sites()
    job = site.submit(what)
    part = job.folder / f"person_{what}.mp4.part"
    while not part.exists():
        time.sleep(0.01)
    begun = time.monotonic()
    site.fleet.close(0.2)
    assert time.monotonic() - begun < 2.5
    back = site.queue.need(job.id)
    assert (back.state, back.interruptions, back.attempts, back.error) == (QUEUED, 1, 0, None)
    assert not part.exists() and site.fleet.workers()[0].pid is None
    site.fleet.close()  # twice does no harm


def test_a_job_that_was_cancelled_while_the_app_closes_stays_cancelled(sites: Sites) -> None:
    site = sites()
    job = site.until(site.submit("native"), lambda job: job.stage)
    site.queue.cancel(job.id)
    site.fleet.close(0)
    assert site.queue.need(job.id).state == CANCELLED


@pytest.mark.slow
def test_close_does_not_hang_where_the_list_is_locked(sites: Sites) -> None:
    site = sites(patience=0.1)
    job = site.until(site.submit("polite"), lambda job: job.stage)
    other = locked(site, 9)
    begun = time.monotonic()
    site.fleet.close(0.2)
    assert time.monotonic() - begun < 7.5
    other.wait()
    assert site.queue.need(job.id).state == RUNNING, "the next start takes it up"


@pytest.mark.parametrize("patience", [10.0, 0.1])
def test_a_list_that_is_locked_during_ticks_and_at_the_end_loses_nothing(sites: Sites, patience: float) -> None:
    site = sites(patience=patience)
    site.until(site.submit("one"), DONE)
    job = site.until(site.submit("count"), lambda job: job.stage)
    locked(site, 3).wait()  # the work takes one second: its last ticks and its end fall into these three
    done = site.until(job, DONE)
    assert done.attempts == done.interruptions == 0 and done.take is not None
    assert (done.folder / "person_count.mp4").read_text() == "picture count"
    site.until(site.submit("two"), DONE)


def test_a_clock_that_steps_back_delays_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "BACKOFF", (0.5, 0.5))
    real = time.time
    job = site.submit("segfault once")
    site.until(job, lambda job: job.attempts)
    monkeypatch.setattr(time, "time", lambda: real() - 1800)
    begun = time.monotonic()
    site.until(job, DONE, 10)
    interrupted = site.until(site.submit("count"), lambda job: job.stage)
    os.kill(worker_of(site), signal.SIGKILL)
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    site.until(interrupted, DONE, 10)
    assert time.monotonic() - begun < 15


def test_what_nobody_foresaw_ends_neither_the_thread_nor_the_job(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot, "_REST", 0.1)
    faults = iter([RuntimeError("first"), StoreUnusable(reason="disk I/O error")])
    claim, ready = site.store.claim, slot.Slot._ready

    def failing(*given: str) -> Job | None:
        if (error := next(faults, None)) is not None:
            raise error
        return claim(*given)

    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}")
    broken = iter([OSError("no process can be started")])

    def unready(one: slot.Slot) -> worker.Worker:
        if (error := next(broken, None)) is not None:
            raise error
        return ready(one)

    monkeypatch.setattr(site.store, "claim", failing)
    monkeypatch.setattr(slot.Slot, "_ready", unready)
    try:
        done = site.until(site.submit("one"), DONE)
    finally:
        logger.remove(sink)
    assert done.interruptions == 1 and done.attempts == 0
    log = "".join(lines)
    assert "RuntimeError: first" in log and "disk I/O error" in log and "OSError: no process" in log


def test_an_end_that_cannot_be_put_into_words_is_a_failure_that_can(site: Site) -> None:
    job = site.submit("one")
    site.until(job, DONE)
    one = site.fleet._slots[0]
    site.store.change(job.id, [DONE], state=RUNNING, worker=one._signature)
    one._settle(site.queue.need(job.id), attempt.End("no take"))  # pyright: ignore[reportArgumentType]
    failed = site.queue.need(job.id)
    assert failed.state == FAILED and isinstance(failed.error, Failure) and "AttributeError" in failed.error.message


def test_an_answer_of_a_worker_that_was_given_up_changes_nothing(site: Site, tmp_path: Path) -> None:
    job = site.until(site.submit("count"), lambda job: job.stage)
    site.store.put_back(job.id, None)  # as a second start would
    done = site.until(job, DONE)
    assert done.interruptions == 1 and done.attempts == 0
