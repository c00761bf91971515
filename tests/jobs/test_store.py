"""The contract of the store, held by the file and by the memory one; and what only the file has."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from heygem.errors import StoreBusy, StoreUnusable
from heygem.jobs import schema, store
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Batch, Failure, Job
from heygem.jobs.store import Filter, Store
from tests.jobs.made import request, take_of

FAILURE = Failure("job.crashed", "it broke", "again", {"reason": "SIGSEGV"})


@pytest.fixture(params=["file", "memory"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "home" / "jobs.sqlite3" if request.param == "file" else None, tmp_path / "outputs")


def add(jobs: Store, number: int = 1, **more) -> list[Job]:
    made = []
    for _ in range(number):
        name = f"{time.monotonic_ns():016x}"
        folder = jobs.root / "2026-01-01" / name
        for kind in ("video", "audio"):
            (folder / kind).mkdir(parents=True)
        asked = request(folder / "video", "person.mp4")
        (folder / "video" / "voice.wav").rename(folder / "audio" / "voice.wav")
        asked = type(asked)(asked.video, folder / "audio" / "voice.wav", asked.options)
        made.append(Job(name, asked, folder, **more))
    jobs.add(made)
    return made


def test_a_job_comes_back_as_it_was_sent(jobs: Store) -> None:
    [job] = add(jobs, key="k", hook="https://example.org/x", priority=3)
    assert jobs.get(job.id) == job and jobs.by_key("k") == job and jobs.get("nobody") is None


def test_first_come_first_served_and_priority_before_both(jobs: Store) -> None:
    first, second = add(jobs, 2)
    [urgent] = add(jobs, priority=1)
    assert [job.id for job in jobs.waiting()] == [urgent.id, first.id, second.id]
    assert [jobs.ahead(job.id) for job in (urgent, first, second)] == [0, 1, 2]
    claimed = [jobs.claim("w") for _ in range(4)]
    assert [job and job.id for job in claimed] == [urgent.id, first.id, second.id, None]
    assert all(job.state == RUNNING and job.started for job in claimed if job)


def test_a_job_that_is_stopped_between_two_attempts_has_no_error(jobs: Store) -> None:
    [job] = add(jobs)
    assert jobs.claim("w") and jobs.put_back(job.id, "w", FAILURE)
    assert jobs.claim("w") and jobs.change(job.id, [RUNNING], stopping=1) and jobs.put_back(job.id, None)
    stopped = jobs.get(job.id)
    assert stopped and (stopped.state, stopped.error) == (CANCELLED, None)


def test_a_taken_key_adds_nothing(jobs: Store) -> None:
    add(jobs, key="k")
    with pytest.raises(sqlite3.IntegrityError):
        add(jobs, key="k")
    assert sum(jobs.counts().values()) == 1


def test_only_the_worker_that_has_the_job_writes_its_fate(jobs: Store) -> None:
    add(jobs)
    job = jobs.claim("w1")
    assert job and not jobs.finish(job.id, "w2", DONE, take=take_of(job)) and not jobs.put_back(job.id, "w2")
    assert jobs.put_back(job.id, "w1") and jobs.claim("w2")
    assert not jobs.finish(job.id, "w1", DONE, take=take_of(job)), "it was taken from w1"
    assert jobs.finish(job.id, "w2", DONE, take=take_of(job))
    done = jobs.get(job.id)
    assert done and done.state == DONE and done.take == take_of(job) and done.ended and done.interruptions == 1


def test_a_cancel_reaches_the_worker_and_wins_over_failure_but_not_over_success(jobs: Store) -> None:
    for outcome, state in ((FAILED, CANCELLED), (DONE, DONE)):
        add(jobs)
        job = jobs.claim("w")
        assert job and jobs.tick(job, "w") and jobs.may_go_on(job.id, "w")
        assert jobs.change(job.id, [RUNNING], stopping=1)
        assert not jobs.tick(job, "w") and not jobs.may_go_on(job.id, "w")
        assert jobs.finish(job.id, "w", outcome, FAILURE if outcome == FAILED else None)
        ended = jobs.get(job.id)
        assert ended and (ended.state, ended.error, ended.stopping, ended.attempts) == (state, None, False, 0)


def test_a_failed_attempt_waits_and_an_interruption_does_not(jobs: Store) -> None:
    add(jobs)
    job = jobs.claim("w")
    assert job and jobs.put_back(job.id, "w", FAILURE, wait=60)
    waiting = jobs.get(job.id)
    assert waiting and (waiting.state, waiting.attempts, waiting.error) == (QUEUED, 1, FAILURE)
    assert jobs.claim("w") is None, "its time has not come"
    jobs.change(job.id, [QUEUED], not_before=time.time() + store.LONGEST_WAIT + 60)
    assert jobs.claim("w"), "the clock was set back: nobody waits for hours"
    assert jobs.put_back(job.id, None) and jobs.claim("w"), "an interruption"
    again = jobs.get(job.id)
    assert again and (again.attempts, again.interruptions) == (1, 1)


def test_a_job_that_was_being_stopped_does_not_come_back(jobs: Store) -> None:
    add(jobs)
    job = jobs.claim("w")
    assert job and jobs.change(job.id, [RUNNING], stopping=1) and jobs.put_back(job.id, None)
    ended = jobs.get(job.id)
    assert ended and ended.state == CANCELLED and ended.ended


def test_paused_means_that_nothing_is_claimed(jobs: Store) -> None:
    add(jobs)
    jobs.set_fact("paused", "1")
    assert jobs.claim("w") is None and jobs.fact("paused") == "1"
    jobs.set_fact("paused", None)
    assert jobs.claim("w") and jobs.fact("paused") is None


def test_the_history_is_searched_filtered_and_paged(jobs: Store) -> None:
    made = add(jobs, 5)
    claimed = jobs.claim("w")
    assert claimed
    page, total = jobs.find(Filter(limit=2, offset=1))
    assert ([job.id for job in page], total) == ([made[3].id, made[2].id], 5)
    assert jobs.find(Filter(text="VOICE person"))[1] == 5 and jobs.find(Filter(text="per%on"))[1] == 0
    assert [job.id for job in jobs.find(Filter(states=[RUNNING]))[0]] == [claimed.id]
    assert jobs.counts() == {QUEUED: 4, RUNNING: 1} and jobs.running() == [claimed]


def test_a_batch_counts_its_jobs_and_goes_with_the_last(jobs: Store) -> None:
    batch = Batch("b1", "spring", jobs.root / "2026-01-01" / "spring")
    jobs.add([], batch)
    made = add(jobs, 2, batch="b1")
    claimed = jobs.claim("w")
    assert claimed and not jobs.remove(claimed.id), "it runs"
    found = jobs.batch("b1")
    assert found and found.counts == {QUEUED: 1, RUNNING: 1} and found.busy and found.size == 2
    assert [one.id for one in jobs.batches()] == ["b1"] and jobs.find(Filter(batch="b1"))[1] == 2
    for job in made:
        jobs.change(job.id, [QUEUED, RUNNING], state=FAILED)
        assert jobs.remove(job.id)
    assert jobs.batch("b1") is None and jobs.batches() == []


def test_rows_can_be_arranged_anew(jobs: Store) -> None:
    made = [job.id for job in add(jobs, 3)]
    jobs.arrange([(job, 0) for job in reversed(made)])
    assert [job.id for job in jobs.waiting()] == made[::-1]


def test_addresses_are_told_when_they_are_due(jobs: Store) -> None:
    add(jobs, hook="https://example.org/x")
    job = jobs.claim("w")
    assert job and jobs.hooks_due() == [] and jobs.finish(job.id, "w", FAILED, FAILURE)
    [(due, tries)] = jobs.hooks_due()
    assert (due.id, due.hook_state, tries) == (job.id, "pending", 0)
    jobs.change(job.id, [FAILED], hook_tries=1, hook_next=time.time() + 60)
    assert jobs.hooks_due() == []


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path, root = tmp_path / "jobs.sqlite3", tmp_path / "outputs"
    before = Store(path, root)
    made = add(before, 3)
    job = before.claim("w")
    assert job
    before.close()
    after = Store(path, root)
    assert after.running() == [job] and [one.id for one in after.waiting()] == [one.id for one in made[1:]]


def test_many_threads_and_processes_claim_every_job_once(tmp_path: Path) -> None:
    path, root = tmp_path / "jobs.sqlite3", tmp_path / "outputs"
    made = add(Store(path, root), 120)
    script = (
        "import sys, pathlib; from heygem.jobs.store import Store\n"
        "jobs = Store(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "while job := jobs.claim('other'): print(job.id)"
    )
    other = subprocess.Popen([sys.executable, "-c", script, path, root], stdout=subprocess.PIPE, text=True)
    mine: list[str] = []
    jobs = Store(path, root)

    def work(name: str) -> None:
        while job := jobs.claim(name):
            mine.append(job.id)
            time.sleep(0.002)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    theirs = other.communicate(timeout=60)[0].split()
    for thread in threads:
        thread.join()
    assert sorted(mine + theirs) == sorted(job.id for job in made)


def test_a_locked_database_is_waited_for_and_then_said_so(tmp_path: Path) -> None:
    path, root = tmp_path / "jobs.sqlite3", tmp_path / "outputs"
    jobs = Store(path, root, patience=0.3)
    [job] = add(jobs)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusy):
        jobs.claim("w")
    assert jobs.get(job.id) == job, "reading goes on"
    threading.Timer(0.1, lambda: other.execute("COMMIT")).start()
    assert jobs.claim("w"), "a short lock is waited for"


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(b"not a database, but somebody's work" * 100)
    with pytest.raises(StoreUnusable, match="not a database"):
        Store(path, tmp_path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(StoreUnusable):
        Store(tmp_path / "home" / "jobs.sqlite3", tmp_path)


def test_tables_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    Store(path, tmp_path).close()
    sqlite3.connect(path).execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    with pytest.raises(StoreUnusable, match="newer version"):
        Store(path, tmp_path)


def test_a_migration_that_breaks_off_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jobs.sqlite3"
    jobs = Store(path, tmp_path / "outputs")
    add(jobs)
    jobs.close()
    steps = (*schema.MIGRATIONS, "ALTER TABLE jobs ADD COLUMN later TEXT; SELECT nonsense FROM nowhere")
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    with pytest.raises(StoreUnusable):
        Store(path, tmp_path)
    db = sqlite3.connect(path)
    assert schema.version(db) == len(steps) - 1
    assert "later" not in [row[1] for row in db.execute("PRAGMA table_info(jobs)")]
    monkeypatch.setattr(schema, "MIGRATIONS", (*steps[:-1], "ALTER TABLE jobs ADD COLUMN later TEXT"))
    assert len(Store(path, tmp_path / "outputs").waiting()) == 1, "rows are taken along"
