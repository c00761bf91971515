"""A queue on disk with a fleet of real processes that do what the tests tell them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heygem.jobs import attempt
from heygem.jobs.fleet import LocalFleet
from heygem.jobs.job import Extras, Job, Request
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.jobs.worker import Work
from heygem.pipeline import Options
from heygem.settings import Settings
from tests.jobs import works


class Site:
    """What an app has, without its page."""

    def __init__(self, home: Path, work: Work, patience: float, **settings: Any) -> None:
        self.home = home
        self.settings = Settings(home=home, outputs=home / "outputs", **settings)
        self.store = Store(self.settings.store, self.settings.outputs, patience)
        self.queue = Queue(self.store, floor=0)
        self.fleet = LocalFleet(self.queue, self.settings, work)
        self.queue.changed = self.fleet.wake

    def submit(self, what: str, extras: Extras | None = None) -> Job:
        """A job whose work is ``what`` (see ``works``)."""
        video, audio = self.home / "person.mp4", self.home / f"{what}.wav"
        video.write_text("picture ")
        audio.write_text(what)
        return self.queue.submit(Request(video, audio, Options()), extras)

    def until(self, job: Job, wanted: str | Callable[[Job], Any], seconds: float = 20.0) -> Job:
        """The job once it is in this state, or as wanted; fails where it comes to rest in another."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = self.queue.need(job.id)
            if wanted(now) if callable(wanted) else now.state == wanted:
                return now
            assert now.busy, f"{now.state} instead of {wanted}: {now.error}"
            time.sleep(0.01)
        raise AssertionError(f"not {wanted} after {seconds} s: {self.queue.need(job.id)}")

    def close(self) -> None:
        self.fleet.close(0)
        self.store.close()


def facts(job: Job) -> dict[str, Any]:
    """What the work of a done job told."""
    assert job.take is not None, job
    return job.take.quality


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes sites; those of one test share a home."""
    made: list[Site] = []

    def make(work: Work = works.by_name, patience: float = 10.0, start: bool = True, **settings: Any) -> Site:
        made.append(Site(tmp_path, work, patience, **settings))
        if start:
            made[-1].fleet.start()
        return made[-1]

    yield make
    for site in reversed(made):
        site.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests of a module that leave it as it was: a process takes a second to start."""
    site = Site(tmp_path_factory.mktemp("site"), works.by_name, 10.0)
    site.fleet.start()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts are repeated soon."""
    monkeypatch.setattr(attempt, "BACKOFF", (0.05, 0.1))
