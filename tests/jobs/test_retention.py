"""What is removed by age and size, and what never is."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from heygem.cache import Cache
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, Failure, Job
from heygem.jobs.queue import Queue
from heygem.jobs.retention import DAY, Janitor, Policy, Pruned, prune
from tests.jobs.made import queue_in, request, take_of

KEEP_ALL = Policy()


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path, memory=True)


def ended(queue: Queue, folder: Path, days: float, state: str = DONE, pinned: bool = False) -> Job:
    """A job that ended so many days ago."""
    sent = queue.submit(request(folder))
    job = queue.store.claim("w")
    assert job and job.id == sent.id
    queue.finish(job, "w", take_of(job) if state == DONE else Failure("x", "m", "h", {}))
    values = {"ended": time.time() - days * DAY, "pinned": int(pinned), "state": state}
    queue.store.change(job.id, [DONE, FAILED], **values)
    return queue.need(job.id)


def age(path: Path, days: float) -> None:
    """Lets a file or folder look so old."""
    then = time.time() - days * DAY
    os.utime(path, (then, then))


def test_results_go_by_age_and_pinned_waiting_and_young_ones_stay(queue: Queue, tmp_path: Path) -> None:
    old = [ended(queue, tmp_path, 31, state) for state in (DONE, FAILED, CANCELLED)]
    pinned, young = ended(queue, tmp_path, 31, pinned=True), ended(queue, tmp_path, 29)
    waiting = queue.submit(request(tmp_path))
    assert prune(queue, Policy(result_days=30)).jobs == 3
    assert all(queue.get(job.id) is None and not job.folder.exists() for job in old)
    for job in (pinned, young, waiting):
        assert queue.need(job.id).request.video.exists()
    assert young.take and young.take.path.exists()


def test_inputs_go_earlier_and_the_result_stays(queue: Queue, tmp_path: Path) -> None:
    job, pinned = ended(queue, tmp_path, 8), ended(queue, tmp_path, 8, pinned=True)
    assert prune(queue, Policy(input_days=7)).inputs == 1
    assert not job.request.video.exists() and job.take and job.take.path.exists()
    assert pinned.request.video.exists()
    assert prune(queue, Policy(input_days=7)) == Pruned()


def test_the_oldest_go_until_the_rest_fits(queue: Queue, tmp_path: Path) -> None:
    jobs = []
    for _ in range(4):
        job = ended(queue, tmp_path, 1)
        (job.folder / "big.bin").write_bytes(os.urandom(1 << 20))
        jobs.append(job)
    queue.pin(jobs[0].id)
    pruned = prune(queue, Policy(most_bytes=int(2.5 * (1 << 20))))
    assert pruned.jobs == 2 and pruned.bytes > 2 << 20
    assert [queue.get(job.id) is not None for job in jobs] == [True, False, False, True]


def test_without_limits_everything_stays(queue: Queue, tmp_path: Path) -> None:
    job = ended(queue, tmp_path, 4000)
    assert prune(queue, KEEP_ALL) == Pruned() and queue.get(job.id)


def test_a_clock_that_was_set_back_removes_nothing(queue: Queue, tmp_path: Path) -> None:
    job = ended(queue, tmp_path, -400)
    assert prune(queue, Policy(result_days=1, input_days=1)) == Pruned() and queue.get(job.id)


def test_what_a_killed_process_left_goes_after_a_day_and_nothing_else(queue: Queue, tmp_path: Path) -> None:
    kept = queue.submit(request(tmp_path))
    day = kept.folder.parent
    stray, fresh, result, foreign = (day / name for name in ("0" * 16, "1" * 16, "2" * 16, "holiday pictures"))
    for folder in (stray, fresh, result, foreign):
        folder.mkdir()
        (folder / "file").write_text("x")
    (result / "a_b.mp4").write_text("of an earlier version of HeyGem")
    for folder in (stray, result, foreign, kept.folder):
        age(folder, 2)
    assert prune(queue, KEEP_ALL).strays == 1
    assert not stray.exists() and all(folder.exists() for folder in (fresh, result, foreign, kept.folder))


def test_avatars_that_nobody_used_for_long_are_forgotten(queue: Queue, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    for key in ("old", "new"):
        cache.entry(key, lambda folder: None, lambda: None)
    age(tmp_path / "cache" / "old", 61)
    assert prune(queue, Policy(cache_days=60), [cache]).cached == 1
    assert cache.find("old") is None and cache.find("new") is not None


def test_the_janitor_goes_on_after_an_error(queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, failures = ended(queue, tmp_path, 31), []

    def broken(*_: object) -> None:
        failures.append(True)
        monkeypatch.undo()
        raise OSError("the disk is away")

    monkeypatch.setattr(queue, "find", broken)
    monkeypatch.setattr(Janitor, "INTERVAL", 0.01)
    janitor = Janitor(queue, Policy(result_days=30))
    janitor.INTERVAL = 0.01
    janitor.start()
    deadline = time.monotonic() + 5
    while queue.get(job.id) and time.monotonic() < deadline:
        time.sleep(0.01)
    janitor.close()
    assert failures and queue.get(job.id) is None and QUEUED not in queue.store.counts()
