"""The runner with real child processes, really killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from loguru import logger

from heygem.errors import FileMissing
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, Request
from heygem.jobs.runner import Runner
from tests.jobs import works

Submit = Callable[[str], Job]


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


@pytest.fixture
def runner(outputs: Path) -> Iterator[Runner]:
    runner = Runner(outputs, work=works.by_name)
    yield runner
    runner.close()


@pytest.fixture
def submit(runner: Runner, tmp_path: Path) -> Submit:
    def submit(what: str) -> Job:
        video, audio = tmp_path / "person.mp4", tmp_path / f"{what}.wav"
        video.write_text("picture ")
        audio.write_text(what)
        return runner.submit(Request(video, audio, None))  # pyright: ignore[reportArgumentType]

    return submit


def until(runner: Runner, job: Job, state: str, seconds: float = 20.0) -> Job:
    """The job once it is in this state; fails where it comes to rest in another."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = runner.get(job.id)
        assert now is not None
        if now.state == state:
            return now
        assert now.busy, f"{now.state} instead of {state}: {now.error}"
        time.sleep(0.01)
    raise AssertionError(f"not {state} after {seconds} s")


def test_two_jobs_run_in_order_in_one_process(runner: Runner, submit: Submit) -> None:
    first, second = submit("one"), submit("two")
    assert [job.id for job in runner.list()] == [first.id, second.id]
    later, earlier = until(runner, second, DONE).take, until(runner, first, DONE).take
    assert earlier is not None and later is not None
    assert (earlier.text, later.text) == ("picture one", "picture two")  # pyright: ignore[reportAttributeAccessIssue]
    assert earlier.ended < later.ended  # pyright: ignore[reportAttributeAccessIssue]
    assert earlier.pid == later.pid  # pyright: ignore[reportAttributeAccessIssue]


def test_the_result_has_a_human_name_in_the_jobs_own_folder(runner: Runner, submit: Submit, outputs: Path) -> None:
    job = until(runner, submit("one"), DONE)
    assert job.folder == outputs / time.strftime("%Y-%m-%d") / job.id
    assert (job.folder / "person_one.mp4").read_text() == "picture one"


def test_inputs_are_the_jobs_own(runner: Runner, submit: Submit, tmp_path: Path) -> None:
    blocker, job = submit("count"), submit("one")
    (tmp_path / "person.mp4").unlink()
    (tmp_path / "one.wav").unlink()
    until(runner, blocker, DONE)
    assert until(runner, job, DONE).take.text == "picture one"  # pyright: ignore


def test_progress_is_seen_with_speed_and_time_left(runner: Runner, submit: Submit) -> None:
    job, seen = submit("count"), []
    while (now := runner.get(job.id)) and now.busy:
        seen.append(now)
        time.sleep(0.02)
    counts = [now.done for now in seen if now.stage == "render"]
    assert counts == sorted(counts) and len(set(counts)) >= 5
    rated = [now for now in seen if now.fps is not None]
    assert rated and all(10 < now.fps < 80 for now in rated)
    last = rated[-1]
    assert last.seconds_left == pytest.approx((40 - last.done) / last.fps)  # pyright: ignore


@pytest.mark.parametrize(("what", "reason"), [("segfault", "SIGSEGV"), ("exit", "exit code 3")])
def test_a_crash_fails_one_job_and_the_next_one_runs(runner: Runner, submit: Submit, what: str, reason: str) -> None:
    crash, after = submit(what), submit("one")
    failed = until(runner, crash, FAILED)
    assert failed.error is not None
    assert (failed.error.code, failed.error.details) == ("job.crashed", {"reason": reason})
    assert not list(failed.folder.rglob("*.part"))
    until(runner, after, DONE)


def test_a_worker_killed_from_outside_is_replaced(runner: Runner, submit: Submit) -> None:
    first = until(runner, submit("one"), DONE)
    process = psutil.Process(first.take.pid)  # pyright: ignore
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    second = until(runner, submit("two"), DONE)
    assert second.take.pid != first.take.pid  # pyright: ignore


def test_an_error_keeps_its_code_and_details(runner: Runner, submit: Submit) -> None:
    error = until(runner, submit("refuse"), FAILED).error
    assert error is not None
    assert error.code == "input.no_face"
    assert error.details == {"name": "person.mp4", "frames": "7"}


def test_a_bug_fails_the_job_without_a_traceback_in_it(runner: Runner, submit: Submit) -> None:
    error = until(runner, submit("bug"), FAILED).error
    assert error is not None and error.code == "error"
    assert "Traceback" not in error.message


@pytest.mark.parametrize("what", ["polite", "native"])
def test_a_running_job_stops_within_two_seconds_and_leaves_nothing(
    runner: Runner, submit: Submit, outputs: Path, what: str
) -> None:
    job = submit(what)
    while not (now := runner.get(job.id)) or not now.stage:
        time.sleep(0.01)
    asked = time.monotonic()
    assert runner.cancel(job.id)
    until(runner, job, CANCELLED)
    assert time.monotonic() - asked < 2
    assert not list(outputs.rglob("*"))
    until(runner, submit("one"), DONE)


def test_a_stopped_job_leaves_the_worker_alive_where_it_listens(runner: Runner, submit: Submit) -> None:
    before = until(runner, submit("one"), DONE).take.pid  # pyright: ignore
    job = submit("polite")
    until(runner, job, RUNNING)
    runner.cancel(job.id)
    until(runner, job, CANCELLED)
    assert until(runner, submit("two"), DONE).take.pid == before  # pyright: ignore


def test_a_queued_job_is_cancelled_at_once(runner: Runner, submit: Submit) -> None:
    blocker, queued = submit("count"), submit("one")
    assert queued.state == QUEUED
    assert runner.cancel(queued.id)
    now = runner.get(queued.id)
    assert now is not None and now.state == CANCELLED and not now.folder.exists()
    until(runner, blocker, DONE)
    assert not runner.cancel(blocker.id), "what is done stays done"
    assert not runner.cancel("nothing")


def test_what_the_work_logs_stands_in_our_log_with_the_number_of_its_job(runner: Runner, submit: Submit) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{extra[job]} {level} {message}")
    try:
        job = until(runner, submit("talk"), DONE)
    finally:
        logger.remove(sink)
    assert f"{job.id} WARNING a word from the work\n" in lines


def test_close_ends_the_work_and_the_process(outputs: Path, tmp_path: Path) -> None:
    runner = Runner(outputs, work=works.by_name)
    for name in ("person.mp4", "native.wav"):
        (tmp_path / name).write_text(name)
    job = runner.submit(Request(tmp_path / "person.mp4", tmp_path / "native.wav", None))  # pyright: ignore
    until(runner, job, RUNNING)
    while not [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]:
        time.sleep(0.01)
    runner.close()
    now = runner.get(job.id)
    assert now is not None and now.state == CANCELLED
    assert not [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    assert not list(outputs.rglob("*"))


def test_a_missing_input_is_refused_before_anything_is_made(runner: Runner, outputs: Path, tmp_path: Path) -> None:
    (tmp_path / "here.mp4").write_text("x")
    with pytest.raises(FileMissing, match=r"gone\.wav"):
        runner.submit(Request(tmp_path / "here.mp4", tmp_path / "gone.wav", None))  # pyright: ignore
    assert not runner.list() and not outputs.exists()
