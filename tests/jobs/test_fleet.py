"""The fleet with real child processes: what they do, how they stop, who may run them."""

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

from heygem.errors import StoreInUse
from heygem.jobs.devices import devices
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Extras
from tests.jobs import works
from tests.jobs.conftest import Site, facts

Sites = Callable[..., Site]


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether the process ends within so many seconds."""
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def worker_of(site: Site) -> int:
    pid = site.fleet.workers()[0].pid
    assert pid is not None
    return pid


def grandchild_of(site: Site, what: str = "grandchild") -> int:
    """Submits work that starts a process, and gives that one's number."""
    job = site.submit(what)
    file = job.folder / works.GRANDCHILD
    end = time.monotonic() + 20
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return int(file.read_text())


def test_two_jobs_run_in_order_in_one_process_and_their_results_have_human_names(site: Site) -> None:
    first, second = site.submit("one"), site.submit("two")
    later, earlier = site.until(second, DONE), site.until(first, DONE)
    assert (facts(earlier)["text"], facts(later)["text"]) == ("picture one", "picture two")
    assert facts(earlier)["ended"] < facts(later)["ended"]
    assert facts(earlier)["pid"] == facts(later)["pid"] == worker_of(site)
    assert earlier.folder == site.settings.outputs / time.strftime("%Y-%m-%d") / first.id
    assert (earlier.folder / "person_one.mp4").read_text() == "picture one"


def test_a_job_of_higher_priority_begins_first(site: Site) -> None:
    blocker, low, high = site.submit("count"), site.submit("one"), site.submit("two", Extras(priority=1))
    site.until(low, DONE)
    assert facts(site.until(high, DONE))["ended"] < facts(site.queue.need(low.id))["ended"]
    site.until(blocker, DONE)


def test_progress_is_seen_with_speed_and_time_left(site: Site) -> None:
    job, seen = site.submit("count"), []
    while (now := site.queue.need(job.id)).busy:
        seen.append(now)
        time.sleep(0.02)
    counts = [now.done for now in seen if now.stage == "render"]
    assert counts == sorted(counts) and 3 <= len(set(counts)) <= 8, "four a second"
    rated = [now for now in seen if now.fps is not None]
    assert rated and all(10 < now.fps < 80 for now in rated)
    last = rated[-1]
    assert last.seconds_left == pytest.approx((40 - last.done) / last.fps)  # pyright: ignore


def test_the_page_sees_who_does_what(sites: Sites) -> None:
    site = sites()
    (idle,) = site.fleet.workers()
    assert (idle.name, idle.pid, idle.job) == ("1", None, None)
    job = site.until(site.submit("polite"), lambda job: job.stage)
    (busy,) = site.fleet.workers()
    assert busy.job == job.id and busy.pid is not None and psutil.pid_exists(busy.pid)
    assert busy.device == devices()[0].name


def test_an_error_keeps_its_code_and_details(site: Site) -> None:
    job = site.until(site.submit("refuse"), FAILED)
    assert job.error is not None and job.attempts == 1
    assert job.error.code == "input.no_face"
    assert job.error.details == {"name": "person.mp4", "frames": "7"}


def test_a_bug_fails_the_job_and_its_traceback_stands_in_the_log_alone(site: Site) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{extra[job]} {level} {message}")
    try:
        job = site.until(site.submit("bug"), FAILED)
    finally:
        logger.remove(sink)
    assert job.error is not None and job.error.code == "error" and job.attempts == 1
    assert "Traceback" not in job.error.message and "a bug" in job.error.message
    assert any(line.startswith(f"{job.id} ERROR") and "in _bug" in line for line in lines)


def test_what_the_work_logs_stands_in_our_log_with_the_number_of_its_job(site: Site) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{extra[job]} {level} {message}")
    try:
        job = site.until(site.submit("talk"), DONE)
    finally:
        logger.remove(sink)
    assert f"{job.id} WARNING a word from the work\n" in lines


@pytest.mark.parametrize("what", ["polite", "native"])
def test_a_running_job_stops_within_two_seconds_and_leaves_nothing_half_made(site: Site, what: str) -> None:
    job = site.submit(what)
    part = job.folder / f"person_{what}.mp4.part"
    while not part.exists():
        time.sleep(0.01)
    asked = time.monotonic()
    assert site.queue.cancel(job.id)
    stopped = site.until(job, CANCELLED)
    assert time.monotonic() - asked < 2
    assert not part.exists() and stopped.error is None and stopped.take is None
    assert stopped.request.audio.exists(), "the inputs stay, so that it can be tried again"
    site.until(site.submit("one"), DONE)


def test_a_stopped_job_leaves_the_worker_alive_where_it_listens(site: Site) -> None:
    job = site.until(site.submit("polite"), lambda job: job.stage)
    before = worker_of(site)
    site.queue.cancel(job.id)
    site.until(job, CANCELLED)
    assert facts(site.until(site.submit("two"), DONE))["pid"] == before


def test_a_queued_job_is_cancelled_at_once_and_what_is_done_stays_done(site: Site) -> None:
    blocker, queued = site.submit("count"), site.submit("one")
    assert queued.state == QUEUED and site.queue.cancel(queued.id)
    assert site.queue.need(queued.id).state == CANCELLED
    site.until(blocker, DONE)
    assert not site.queue.cancel(blocker.id) and not site.queue.cancel("nothing")


def test_cancelling_ends_what_the_work_has_started(site: Site) -> None:
    grandchild = grandchild_of(site)
    assert psutil.pid_exists(grandchild)
    site.queue.cancel(site.store.running()[0].id)
    assert gone(grandchild, 2.5)


def test_a_worker_killed_from_outside_takes_its_children_with_it(site: Site) -> None:
    grandchild = grandchild_of(site, "grandchild once")
    os.kill(worker_of(site), signal.SIGKILL)
    assert gone(grandchild)


def test_nothing_outlives_an_app_that_is_killed_while_the_work_is_stuck_in_native_code(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.jobs.app", str(tmp_path), "grandchild"]
    app = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        while not [*tmp_path.glob(f"outputs/*/*/{works.GRANDCHILD}")]:
            time.sleep(0.01)
        family = psutil.Process(app.pid).children(recursive=True)
        assert len(family) == 3, "the worker, its guard, and what the work has started"
    finally:
        app.kill()
        app.wait()
    assert all(gone(member.pid) for member in family)


def test_the_model_stays_for_a_while_and_then_leaves_the_memory(sites: Sites) -> None:
    site = sites(idle_minutes=0.6 / 60)
    site.until(site.submit("one"), DONE)
    pid = worker_of(site)
    assert gone(pid, 5) and site.fleet.workers()[0].pid is None
    site.until(site.submit("two"), DONE)


def test_a_worker_can_be_warmed_before_the_first_job(sites: Sites) -> None:
    site = sites()
    site.fleet.warm()
    end = time.monotonic() + 10
    while (pid := site.fleet.workers()[0].pid) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert facts(site.until(site.submit("one"), DONE))["pid"] == pid


def test_no_job_begins_while_the_disk_is_full(site: Site) -> None:
    waiting = _submitted_while_paused(site)
    site.queue.floor = 1 << 60
    site.queue.resume()
    time.sleep(1.2)
    assert site.queue.need(waiting).state == QUEUED and site.queue.held() == "disk"
    site.queue.floor = 0
    site.until(site.queue.need(waiting), DONE)


def _submitted_while_paused(site: Site) -> str:
    site.queue.pause()
    return site.submit("one").id


def test_a_paused_queue_begins_nothing_and_lets_running_work_go_on(site: Site) -> None:
    running = site.until(site.submit("count"), RUNNING)
    waiting = _submitted_while_paused(site)
    site.until(running, DONE)
    time.sleep(0.7)
    assert site.queue.need(waiting).state == QUEUED
    site.queue.resume()
    site.until(site.queue.need(waiting), DONE)


def test_three_workers_share_the_queue_and_each_job_is_done_once(sites: Sites) -> None:
    site = sites(workers=3, start=False)
    jobs = [site.submit(f"job{number}") for number in range(60)]
    site.fleet.start()
    done = [site.until(job, DONE) for job in jobs]
    assert len({facts(job)["pid"] for job in done}) == 3
    assert all(job.attempts == job.interruptions == 0 for job in done)
    assert [hand.name for hand in site.fleet.workers()] == ["1", "2", "3"]


def test_a_job_that_another_process_claims_is_not_done_here(sites: Sites) -> None:
    site = sites(workers=3)
    site.queue.pause()
    jobs = [site.submit(f"job{number}") for number in range(60)]
    theirs = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.app", str(site.home), "claim", "20"], stdout=subprocess.PIPE, text=True
    )
    assert theirs.stdout is not None
    assert theirs.stdout.readline() == "ready\n"
    site.queue.resume()
    claimed = {*theirs.communicate(timeout=60)[0].split()}
    ours = [job for job in jobs if job.id not in claimed]
    assert len(claimed) == 20 and len(ours) == 40
    for job in ours:
        site.until(job, DONE)
    left = [site.queue.need(job) for job in claimed]
    assert {job.state for job in left} == {RUNNING} and not any(job.take for job in left)


def test_a_second_fleet_on_one_store_is_refused_at_once_and_the_reason_names_the_first(
    sites: Sites,
) -> None:
    site = sites()
    second = sites(start=False)
    begun = time.monotonic()
    with pytest.raises(StoreInUse) as caught:
        second.fleet.start()
    assert time.monotonic() - begun < 0.5
    assert caught.value.details == {"process": str(os.getpid()), "name": str(site.settings.store)}
    job = site.until(site.submit("count"), RUNNING)
    assert site.queue.need(job.id).interruptions == 0, "what runs was not taken for left behind"
    site.fleet.close(0)
    second.fleet.start()
    second.until(job, DONE)


def test_a_second_app_is_refused_while_the_first_one_lives(tmp_path: Path, sites: Sites) -> None:
    app = subprocess.Popen([sys.executable, "-m", "tests.jobs.app", str(tmp_path), "idle"], stdout=subprocess.PIPE)
    assert app.stdout is not None and app.stdout.readline()
    site = sites(start=False)
    try:
        with pytest.raises(StoreInUse, match=str(app.pid)):
            site.fleet.start()
    finally:
        app.kill()
        app.wait()
    site.fleet.start()
    site.until(site.submit("one"), DONE)
