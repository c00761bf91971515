"""Comparison: results of jobs side by side in one film, for those who wait in front of a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import BoundedSemaphore

from heygem.errors import Cancelled, CompareBusy, CompareTooLong, FontMissing
from heygem.finish.compare import compare
from heygem.finish.fonts import face_for
from heygem.jobs.folder import result_of
from heygem.jobs.job import Job

MOST_SECONDS = 600.0
"""Length of all results together."""
_place = BoundedSemaphore()


def results_of(jobs: Sequence[Job]) -> list[Path]:
    """What is compared. Cheap. Raises JobState, ResultGone, CompareTooLong."""
    paths = [result_of(job) for job in jobs]
    seconds = sum(job.take.seconds for job in jobs if job.take)
    if seconds > MOST_SECONDS:
        raise CompareTooLong(minutes=f"{seconds / 60:.1f}", most=f"{MOST_SECONDS / 60:g}")
    return paths


def in_turn(
    jobs: Sequence[Job], labels: Sequence[str] | None, out: Path, stopped: Callable[[], bool] = lambda: False
) -> Path:
    """``compare`` at once, or CompareBusy: one at a time in this process. labels None: scores and names. stopped:
    nobody waits any more (Cancelled). Raises what ``results_of`` and ``compare`` raise."""
    videos = results_of(jobs)

    def tick(*_: object) -> None:
        if stopped():
            raise Cancelled()

    if not _place.acquire(blocking=False):
        raise CompareBusy()
    try:
        return compare(videos, _labels(jobs) if labels is None else labels, out, tick=tick)
    finally:
        _place.release()


def _labels(jobs: Sequence[Job]) -> list[str]:
    """The score in front: of a label that is too long, the end is cut. Numbers for names that no font can draw."""
    found: list[str] = []
    for n, job in enumerate(jobs, 1):
        score = job.take.quality.get("score") if job.take else None
        front = "" if score is None else f"{score:.0f} · "
        try:
            face_for(job.name)
            found.append(front + job.name)
        except FontMissing:
            found.append(f"{front}{n}")
    return found
