"""Request (what the user asked), Job (a request and its fate), Batch (jobs that were sent together), Failure."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import HeyGemError
from heygem.tick import COUNTED

if TYPE_CHECKING:
    from heygem.pipeline import Options, Take

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")
BUSY = (QUEUED, RUNNING)
PENDING, UPLOADING, DELIVERED, UNDELIVERED, REVOKED = DELIVERY_STATES = (
    *("pending", "uploading", "delivered", "failed", "revoked"),
)


@dataclass(frozen=True)
class Request:
    """A video or photo, a voice, and the options."""

    video: Path
    audio: Path
    options: Options

    @property
    def files(self) -> dict[str, Path]:
        """What it is -> file: video, audio, and those of the finish."""
        return {"video": self.video, "audio": self.audio, **self.options.finish.files}

    def moved(self, files: Mapping[str, Path]) -> Request:
        """The same with all ``files`` in other places."""
        rest = {what: path for what, path in files.items() if what not in ("video", "audio")}
        options = replace(self.options, finish=self.options.finish.moved(rest))
        return Request(files["video"], files["audio"], options)


@dataclass(frozen=True)
class Extras:
    """What may come with a request. priority: the higher, the earlier. key: makes a request that is sent twice one job
    (idempotency key). hook: address that is told when the job ends. link: the inputs are never changed in place, so a
    hard link to them is enough. deliver: the result goes to the storage once it is there."""

    priority: int = 0
    key: str | None = None
    hook: str | None = None
    link: bool = True
    deliver: bool = False


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
class Delivery:
    """A result on its way to the storage, or there. Times are seconds since the epoch.

    name: of the job. storage, key: where it is or will be. size, sent: bytes. speed: bytes a second, while they go.
    verified: what is there was compared. tries: those that failed. next: when it is tried again. error: of the last
    try, also while the next one is waiting.
    """

    job: str
    name: str
    state: str = PENDING
    storage: str | None = None
    key: str | None = None
    size: int = 0
    sent: int = 0
    speed: float | None = None
    verified: bool = False
    tries: int = 0
    next: float | None = None
    error: Failure | None = None
    made: float = 0.0
    ended: float | None = None

    @property
    def busy(self) -> bool:
        """Waiting or under way."""
        return self.state in (PENDING, UPLOADING)

    @property
    def seconds_left(self) -> float | None:
        """None where nothing honest can be said."""
        return max(self.size - self.sent, 0) / self.speed if self.speed else None


@dataclass(frozen=True)
class Job:
    """A snapshot of a row. Times are seconds since the epoch.

    attempts: those that failed and count against the job. interruptions: those that ended with the app or by a signal
    from outside, which say nothing about the job. not_before: when a further attempt may begin. stage, done, total: the
    last tick. fps: frames per second of the stage, None where it counts no frames or has only begun. seconds_left: of
    this stage. stopping: a cancel was asked for and is under way. error: of the last failed attempt, also while another
    one is waiting. hook: address to tell; hook_state: None, "pending", "sent" or "failed". deliver: as in Extras;
    delivery: what became of it so far. link_expires: the end of the newest link that was not revoked.
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
    deliver: bool = False
    delivery: Delivery | None = None
    link_expires: float | None = None

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
    """Jobs that were sent together. ``folder`` holds their results under human names. ``counts``: state -> jobs."""

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


class Rate:
    """Steps a second over the last seconds, so that a slow start does not spoil the estimate."""

    WINDOW = 10.0

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def at(self, done: int, now: float) -> float | None:
        """None where nothing honest can be said."""
        self._marks.append((now, done))
        while now - self._marks[0][0] > self.WINDOW and len(self._marks) > 2:
            self._marks.popleft()
        elapsed, steps = now - self._marks[0][0], done - self._marks[0][1]
        return steps / elapsed if elapsed >= 0.5 and steps > 0 else None


class Pace:
    """Speed of the current stage."""

    def __init__(self) -> None:
        self._stage, self._rate = "", Rate()

    def tick(self, stage: str, done: int, total: int, now: float) -> tuple[float | None, float | None]:
        """(frames per second, seconds left in this stage); None where nothing honest can be said."""
        if stage != self._stage:
            self._stage, self._rate = stage, Rate()
        fps = self._rate.at(done, now) if stage in COUNTED else None
        return fps, max(total - done, 0) / fps if fps else None
