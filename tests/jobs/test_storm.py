"""Kill -9 at random moments, of workers and of the app, during a batch: nothing is lost, doubled or half-written."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from heygem import samples
from heygem.jobs.job import DONE, Batch, Job
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.media.reader import count_frames
from heygem.pipeline import Options

JOBS, KILLS, EACH = 10, 20, 4
FINISHES = """
    CREATE TABLE finishes (job TEXT);
    CREATE TRIGGER finished AFTER UPDATE OF state ON jobs WHEN NEW.state = 'done'
    BEGIN INSERT INTO finishes VALUES (NEW.id); END;
"""
"""The database itself counts how often each row becomes done: no log line can get lost between the two."""


class Storm:
    """A batch, an app that is started again whenever it was killed, and who kills."""

    def __init__(self, home: Path, work: str, audio: Path, videos: list[Path]) -> None:
        self.home, self.work = home, work
        self.queue = Queue(Store(home / "jobs.sqlite3", home / "outputs"), floor=0)
        self.count = sqlite3.connect(home / "jobs.sqlite3", timeout=10)
        self.count.executescript(FINISHES)
        self.batch: Batch = self.queue.submit_batch(audio, videos, Options())
        self.hits: Counter[str] = Counter()
        self.app = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.jobs.app", str(self.home), self.work]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def jobs(self) -> list[Job]:
        return self.queue.jobs_of(self.batch.id)

    def kill(self, target: str) -> bool:
        """Kills the app, or the worker where there is one."""
        if target == "app":
            self.app.kill()
            self.app.wait()
            self.app = self._start()
            return True
        try:
            workers = psutil.Process(self.app.pid).children()
            workers[0].kill()
            return True
        except (IndexError, psutil.NoSuchProcess):
            return False

    def rage(self, seed: int, longest: float) -> None:
        """The kills: each comes up to so many seconds after a job was seen to run. No job is hit without end, as it
        would then rightly be given up."""
        dice = random.Random(seed)
        while self.hits.total() < KILLS and any(job.busy for job in self.jobs()):
            while not any(job.interruptions < EACH for job in self.queue.store.running()):
                time.sleep(0.005)
            time.sleep(dice.uniform(0, longest))
            target = dice.choice(["app", "worker", "worker"])
            self.hits[target] += self.kill(target)

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while any(job.busy for job in self.jobs()) and time.monotonic() < end:
            time.sleep(0.05)
        self.app.kill()
        self.app.wait()

    def check(self) -> None:
        jobs = self.jobs()
        assert [job.state for job in jobs] == [DONE] * JOBS, [(job.state, job.error) for job in jobs]
        finishes = Counter(job for (job,) in self.count.execute("SELECT job FROM finishes"))
        assert finishes == Counter(job.id for job in jobs), "each became done once"
        assert all(job.take and job.take.path.is_file() and job.take.path.stat().st_size for job in jobs)
        assert not [*(self.home / "outputs").rglob("*.part")]
        assert sum(job.attempts for job in jobs) == 0, "a kill from outside is no failed attempt"
        assert sum(job.interruptions for job in jobs) <= self.hits.total()
        assert self.hits.total() == KILLS and len(self.hits) == 2, self.hits


@pytest.mark.slow
def test_twenty_kills_during_a_batch_of_ten_lose_and_double_nothing(tmp_path: Path) -> None:
    audio = tmp_path / "500.wav"
    audio.write_text("500")
    videos = [tmp_path / f"person{number}.mp4" for number in range(JOBS)]
    for video in videos:
        video.write_text("picture")
    storm = Storm(tmp_path, "quick", audio, videos)
    storm.rage(seed=7, longest=0.5)
    storm.wait(120)
    storm.check()
    results = [job.take.path for job in storm.jobs() if job.take]
    assert all(path.read_text().splitlines() == [f"{step}" for step in range(50)] for path in results)
    assert len([*storm.batch.folder.glob("*.mp4")]) == JOBS, "all are shown in the folder of the batch"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_same_with_real_videos(tmp_path: Path, voice: Path) -> None:
    clips = [samples.clip(tmp_path / f"person{size}.mp4", 2.0, (size, size), size // 3) for size in (256, 320)]
    storm = Storm(tmp_path, "lipsync", voice, clips * (JOBS // 2))
    storm.rage(seed=11, longest=0.9)
    storm.wait(300)
    storm.check()
    for job in storm.jobs():
        assert job.take and count_frames(job.take.path) == job.take.frames == 50
        assert job.take.path.with_suffix(".take.json").is_file()
    print(storm.hits, [job.interruptions for job in storm.jobs()])
