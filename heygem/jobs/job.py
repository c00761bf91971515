"""Request (what the user asked), Job (a request and its fate), Failure (why it went wrong)."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import HeyGemError

if TYPE_CHECKING:
    from heygem.pipeline import Options, Take

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")

COUNTED = ("analyse", "render")
"""The stages that count frames; the others count steps and have no speed."""


@dataclass(frozen=True)
class Request:
    """A video or photo, a voice, and the options."""

    video: Path
    audio: Path
    options: Options


@dataclass(frozen=True)
class Failure:
    """An error as plain values: it crosses processes and, later, a database."""

    code: str
    message: str
    hint: str
    details: dict[str, str]

    @classmethod
    def of(cls, error: HeyGemError) -> Failure:
        return cls(error.code, error.message, error.hint, error.details)


@dataclass(frozen=True)
class Job:
    """A snapshot; the runner replaces it as the work goes on. Times are seconds since the epoch.

    stage, done, total: the last tick. fps: frames per second of the stage, None where it counts no frames or has only
    begun. seconds_left: of this stage. stopping: a cancel was asked for and is under way.
    """

    id: str
    request: Request
    folder: Path
    state: str = QUEUED
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    stage: str = ""
    done: int = 0
    total: int = 0
    fps: float | None = None
    seconds_left: float | None = None
    stopping: bool = False
    error: Failure | None = None
    take: Take | None = None

    @property
    def busy(self) -> bool:
        """Waiting or running."""
        return self.state in (QUEUED, RUNNING)


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
