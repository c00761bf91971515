"""What is removed by age and size, and what never is."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from heygem.cache import Cache
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, Delivery, Failure, Job
from heygem.jobs.queue import Queue
from heygem.jobs.retention import DAY, Janitor, Policy, Pruned, forget_uploads, prune
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


def test_what_somebody_removes_or_retries_meanwhile_stops_nothing(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed, retried, old = (ended(queue, tmp_path, 31, state) for state in (DONE, FAILED, DONE))
    remove = queue.remove

    def others_first(job: str) -> None:
        if job == removed.id:
            remove(removed.id)
            queue.retry(retried.id)
        remove(job)

    monkeypatch.setattr(queue, "remove", others_first)
    assert prune(queue, Policy(result_days=30)).jobs == 1
    assert queue.get(old.id) is None and queue.need(retried.id).request.video.exists()


def test_inputs_that_are_needed_again_stay(queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = ended(queue, tmp_path, 8, FAILED)
    queue.retry(job.id)
    monkeypatch.setattr(queue, "find", lambda wanted: ([] if wanted.offset else [job], 1))  # as it was a moment ago
    assert prune(queue, Policy(input_days=7)).inputs == 0 and job.request.video.exists()


def test_who_made_links_is_forgotten_a_month_after_their_end(queue: Queue) -> None:
    table = Deliveries(queue.store)
    for days in (31, 29, -1):
        table.note_link(Delivery("job", "a_b", storage="s3", key="k"), time.time() - days * DAY, "ann")
    prune(queue, KEEP_ALL)
    assert [round((time.time() - link["expires"]) / DAY) for link in table.links("job")] == [29, -1]


def test_uploads_of_the_page_go_after_some_days(queue: Queue, tmp_path: Path) -> None:
    uploads = tmp_path / "home" / "uploads"
    left, fresh, programs = (uploads / name for name in ("0a1b", "2c3d", "api"))
    for folder in (left, fresh, programs):
        folder.mkdir(parents=True)
        (folder / "person.mp4").write_text("film")
    half = uploads / "tmp_x1y2"
    half.write_text("half a film")
    job = queue.submit(replace(request(tmp_path), video=left / "person.mp4"))
    for path in (left, half, programs):
        age(path, 4)
    forget_uploads(uploads)
    forget_uploads(tmp_path / "nowhere")
    assert sorted(uploads.iterdir()) == [fresh, programs] and job.request.video.read_text() == "film"


def test_the_janitor_does_its_other_chores_whatever_one_of_them_says(queue: Queue) -> None:
    done: list[str] = []

    def broken() -> None:
        done.append("broken")
        raise OSError("the disk is away")

    janitor = Janitor(queue, KEEP_ALL, chores=(broken, lambda: done.append("last")))
    janitor.start()
    janitor.close()
    assert done == ["broken", "last"]
