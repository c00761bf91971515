"""A server with results of yesterday in its store, which is also seen from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from heygem.jobs.folder import result_path
from heygem.jobs.job import Job, Request
from heygem.jobs.queue import Queue
from heygem.jobs.store import Filter, Store
from heygem.pipeline import Options, Take
from heygem.quality.score import judge
from tests.e2e.conftest import App


class Site(App):
    """The server, and its store seen from outside."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, more)
        self.folder = folder
        self.queue = Queue(Store(folder / "home" / "jobs.sqlite3", self.outputs))

    def jobs(self) -> list[Job]:
        """Newest first."""
        return self.queue.find(Filter(limit=-1))[0]


def named(file: Path, name: str) -> Path:
    path = file.with_name(f"{name}{file.suffix}")
    path.unlink(missing_ok=True)
    os.link(file, path)
    return path


def claim(queue: Queue) -> Job:
    job = queue.store.claim("test")
    assert job is not None
    return job


def done(queue: Queue, video: Path, voice: Path, result: Path) -> Job:
    return finish(queue, queue.submit(Request(video, voice, Options())), result)


def finish(queue: Queue, job: Job, result: Path) -> Job:
    out = result_path(job.request, job.folder)
    os.link(result, out)
    quality = judge({"covered": 1.0, "width": 60.0, "turn": 40.0})
    take = Take(out, 25, Fraction(25), 1.0, 128, 96, "mesh 1", "CPU", {"render": 0.5}, quality, [])
    assert queue.finish(claim(queue), "test", take)
    return queue.need(job.id)


def go(page: Any, tab: str) -> None:
    """Opens a tab, also where a narrow page keeps it in a menu."""
    if page.get_by_role("tab", name=tab).is_visible():
        return page.get_by_role("tab", name=tab).click()
    page.locator(".overflow-menu > button").click()
    page.locator(".overflow-dropdown button", has_text=tab).click()
