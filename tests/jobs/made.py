"""Queues, jobs and takes for the tests, without any video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from heygem.jobs.folder import result_path
from heygem.jobs.job import Job, Request
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.pipeline import Options, Take


def queue_in(folder: Path, memory: bool = False, **more) -> Queue:
    """A queue over a file (or memory) in ``folder``, without a floor of the disk."""
    store = Store(None if memory else folder / "home" / "jobs.sqlite3", folder / "outputs")
    return Queue(store, **{"floor": 0, **more})


def file(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text(f"this is {name}")
    return path


def request(folder: Path, video: str = "person.mp4", audio: str = "voice.wav") -> Request:
    return Request(file(folder, video), file(folder, audio), Options())


def take_of(job: Job) -> Take:
    """The result of a job, written to its place."""
    out = result_path(job.request, job.folder)
    out.write_text(f"result of {job.id}")
    facts = {"score": 87, "parts": []}
    return Take(out, 50, Fraction(30000, 1001), 1.67, 64, 64, "mesh 1", "cpu", {"render": 1.5}, facts, ["w"], {0: "v"})
