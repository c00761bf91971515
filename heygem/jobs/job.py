"""Request (what the user asked), Job (a request and its fate), Batch (jobs that were sent together), Failure."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import HeyGemError
from heygem.tick import COUNTED

if TYPE_CHECKING:
    from heygem.pipeline import Options, Take

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")
BUSY = (QUEUED, RUNNING)


@dataclass(frozen=True)
class Request:
    """A video or photo, a voice, and the options."""

    video: Path
    audio: Path
    options: Options


@dataclass(frozen=True)
class Extras:
    """What may come with a request. priority: the higher, the earlier. key: makes a request that is sent twice one job
    (idempotency key). hook: address that is told when the job ends. link: the inputs are never changed in place, so a
    hard link to them is enough."""

    priority: int = 0
    key: str | None = None
    hook: str | None = None
    link: bool = True


@dataclass(frozen=True)
class Failure:
    """An error as plain values: it crosses processes and the database."""

    code: str
    message: str
    hint: str
    details: dict[str, str]

    @classmethod
    def of(cls, error: HeyGemError) -> Failure:
        return cls(error.code, error.message, error.hint, error.details)


@dataclass(frozen=True)
class Job:
    """A snapshot of a row. Times are seconds since the epoch.

    attempts: those that failed and count against the job. interruptions: those that ended with the app or by a signal
    from outside, which say nothing about the job. not_before: when a further attempt may begin. stage, done, total: the
    last tick. fps: frames per second of the stage, None where it counts no frames or has only begun. seconds_left: of
    this stage. stopping: a cancel was asked for and is under way. error: of the last failed attempt, also while another
    one is waiting. hook: address to tell; hook_state: None, "pending", "sent" or "failed".
    """

    id: str
    request: Request
    folder: Path
    batch: str | None = None
    state: str = QUEUED
    priority: int = 0
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    not_before: float | None = None
    attempts: int = 0
    interruptions: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    fps: float | None = None
    seconds_left: float | None = None
    stopping: bool = False
    pinned: bool = False
    error: Failure | None = None
    take: Take | None = None
    hook: str | None = None
    hook_state: str | None = None
    key: str | None = None

    @property
    def busy(self) -> bool:
        """Waiting or running."""
        return self.state in BUSY

    @property
    def name(self) -> str:
        """What people call it: ``<video>_<audio>``."""
        return f"{self.request.video.stem}_{self.request.audio.stem}"


@dataclass(frozen=True)
class Batch:
    """Jobs that were sent together with one voice. ``folder`` holds their results under human names. ``counts``:
    state -> jobs."""

    id: str
    name: str
    folder: Path
    created: float = field(default_factory=time.time)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(self.counts.values())

    @property
    def busy(self) -> bool:
        """Some job of it is waiting or running."""
        return any(self.counts.get(state) for state in BUSY)


class Pace:
    """Speed of the current stage over the last seconds, so that a slow start does not spoil the estimate."""

    WINDOW = 10.0

    def __init__(self) -> None:
        self._stage = ""
        self._marks: deque[tuple[float, int]] = deque()

    def tick(self, stage: str, done: int, total: int, now: float) -> tuple[float | None, float | None]:
        """(frames per second, seconds left in this stage); None where nothing honest can be said."""
        if stage != self._stage:
            self._stage = stage
            self._marks.clear()
        self._marks.append((now, done))
        while now - self._marks[0][0] > self.WINDOW and len(self._marks) > 2:
            self._marks.popleft()
        elapsed, frames = now - self._marks[0][0], done - self._marks[0][1]
        if stage not in COUNTED or elapsed < 0.5 or frames <= 0:
            return None, None
        fps = frames / elapsed
        return fps, max(total - done, 0) / fps
