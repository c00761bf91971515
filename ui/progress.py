"""What the page shows of a batch that was sent: how far it is, when it will be done, and a row for every video."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, RUNNING, STATES, Batch, Job
from heygem.jobs.queue import Queue
from ui.card import failure, grade, numbers, percent, result_url, title
from ui.delivery import delivering, playable, sharing
from ui.words import duration, say

_LABELS = (
    *("run_filter", "run_nothing", "run_offline", "run_cancel_all", "run_cancel_all_sure", "run_retry_failed"),
    *("run_retry_cancelled", "run_zip", "run_new", "run_history", "run_first", "run_cancel", "run_retry", "run_play"),
    *("run_download", "run_download_this", "run_close", "link_copy_all", "link_table", "run_report"),
)
_LATEST = 20  # finished jobs that the estimate looks back at


@dataclass(frozen=True)
class Line:
    """The whole queue around a batch. waiting: ids in their order. running: ids. workers: jobs that can run at a time.
    held: as ``Queue.held``."""

    waiting: Sequence[str]
    running: Sequence[str]
    workers: int
    held: str | None

    @classmethod
    def of(cls, queue: Queue, workers: int) -> Line:
        running = [job.id for job in queue.store.running()]
        return cls(queue.store.order(), running, max(workers, 1), queue.held())


def show_batch(batch: Batch | None, jobs: Sequence[Job], line: Line, language: str, log: str) -> dict[str, Any]:
    """The value of the view."""
    words = {label: say(label, language) for label in _LABELS}
    if batch is None or not jobs:
        return {"id": "", "state": "gone", "title": say("run_gone", language), "words": words, "rows": []}
    counts = {state: sum(job.state == state for job in jobs) for state in STATES}
    places = {job: place for place, job in enumerate(line.waiting, len(line.running))}
    left = seconds_left(jobs, line)
    return {
        "id": batch.id,
        "name": batch.name,
        "voice": say("run_voice", language, name=jobs[0].request.audio.name),
        "busy": _busy(counts) or any(map(delivering, jobs)),
        "state": "busy" if _busy(counts) else "bad" if counts[FAILED] else "over",
        "title": _title(jobs, counts, line, language),
        "note": _note(jobs, counts, line, language),
        "time": say("elapsed" if _busy(counts) else "took", language, time=duration(seconds_worked(jobs), language)),
        "left": say("run_left", language, time=duration(left, language)) if left is not None else "",
        "bar": _bar(jobs, counts),
        "filters": _filters(counts, language),
        "cancellable": any(job.busy and not job.stopping for job in jobs),
        "failed": counts[FAILED],
        "cancelled": counts[CANCELLED],
        "shared": counts[DONE],
        "zip": f"api/v1/batches/{batch.id}/zip" if counts[DONE] else "",
        "report": any(counts[state] for state in (DONE, FAILED, CANCELLED)),
        "rows": [_row(job, places.get(job.id, 0), language, log) for job in jobs],
        "words": words,
    }


def _busy(counts: dict[str, int]) -> bool:
    return bool(counts[QUEUED] or counts[RUNNING])


def seconds_left(jobs: Sequence[Job], line: Line) -> float | None:
    """Until the whole batch is done, at the speed of its own jobs; None where nothing honest can be said: none of them
    runs, none has shown how long one takes, the queue stands still, or jobs of others come in between."""
    now = time.time()
    queued = [job for job in jobs if job.state == QUEUED]
    running = [job for job in jobs if job.state == RUNNING and not job.stopping]
    lasted = [job.ended - job.started for job in jobs if job.state == DONE and job.started and job.ended]
    if not running or (queued and (line.held or others_between(queued, line))):
        return None
    rests = {job.id: job.seconds_left for job in running if job.stage == "render" and job.seconds_left is not None}
    seen = lasted[-_LATEST:] or [now - (job.started or now) + rests[job.id] for job in running if job.id in rests]
    if not seen:
        return None
    typical = sum(seen) / len(seen)
    left = [rests.get(job.id, max(typical - (now - (job.started or now)), 0.0)) for job in running]
    hands = min(line.workers, len(running) + len(queued))
    return max(max(left), (sum(left) + typical * len(queued)) / hands)


def others_between(queued: Sequence[Job], line: Line) -> int:
    """Jobs of others that begin before the last of these does."""
    mine = {job.id for job in queued}
    last = max((place for place, job in enumerate(line.waiting) if job in mine), default=-1)
    return sum(job not in mine for job in line.waiting[: last + 1])


def seconds_worked(jobs: Sequence[Job]) -> float:
    """How long at least one of them was at work."""
    now, total, until = time.time(), 0.0, 0.0
    spans = [(job.started, job.ended or now) for job in jobs if job.started and job.state != QUEUED]
    for begin, end in sorted(spans):
        total += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return total


def _title(jobs: Sequence[Job], counts: dict[str, int], line: Line, language: str) -> str:
    numbers = {"done": counts[DONE], "total": len(jobs)}
    if counts[RUNNING]:
        only_stopping = not counts[QUEUED] and all(job.stopping for job in jobs if job.state == RUNNING)
        return say("run_stopping", language) if only_stopping else say("run_working", language, **numbers)
    if counts[QUEUED] and line.held:
        return say(f"held_{line.held}", language)
    if counts[QUEUED]:
        first = min((line.waiting.index(job.id) for job in jobs if job.id in line.waiting), default=0)
        ahead = first + len(line.running)
        return say("run_queued", language, n=ahead) if ahead else say("run_next", language)
    return say("run_all_done" if counts[DONE] == len(jobs) else "run_over", language, **numbers)


def _note(jobs: Sequence[Job], counts: dict[str, int], line: Line, language: str) -> str:
    """Why it takes longer than one would think."""
    queued = [job for job in jobs if job.state == QUEUED]
    if queued and line.held:
        return say(f"run_held_{line.held}", language)
    others = others_between(queued, line) if counts[RUNNING] else 0
    return say("run_others", language, n=others) if others else ""


def _bar(jobs: Sequence[Job], counts: dict[str, int]) -> dict[str, float]:
    """Percent of the whole: done, not done (failed or cancelled), and what of the running ones is rendered."""
    rendered = sum(job.done / job.total for job in jobs if job.state == RUNNING and job.stage == "render" and job.total)
    parts = {"done": counts[DONE], "lost": counts[FAILED] + counts[CANCELLED], "now": rendered}
    shares = {name: round(100 * part / len(jobs), 1) for name, part in parts.items()}
    return {**shares, "ended": round(shares["done"] + shares["lost"])}


def _filters(counts: dict[str, int], language: str) -> list[dict[str, Any]]:
    names = {"all": say("run_all", language), **{state: say(f"run_state_{state}", language) for state in STATES}}
    every = {"all": sum(counts.values()), **counts}
    return [{"value": value, "name": name, "n": every[value]} for value, name in names.items()]


def _row(job: Job, ahead: int, language: str, log: str) -> dict[str, Any]:
    row: dict[str, Any] = {"id": job.id, "name": job.request.video.name, "state": job.state}
    row |= {"thumb": f"api/v1/jobs/{job.id}/thumbnail", "title": title(job, ahead, language)}
    if job.state == RUNNING:
        if job.stage and not job.stopping:
            row["title"] = say(f"stage_{job.stage}", language)
        row["percent"] = percent(job)
        row["numbers"] = numbers(job, language)
    elif job.state == DONE and job.take and job.started and job.ended:
        row |= {"url": result_url(job) if playable(job) else "", "numbers": [duration(job.take.seconds, language)]}
        row["numbers"].append(say("took", language, time=duration(job.ended - job.started, language)))
        row |= grade(job.take.quality, language, "run_score") | sharing(job, language, log)
    row |= failure(job, language, log)
    row["first"] = job.state == QUEUED and ahead > 0
    row["cancel"] = job.busy and not job.stopping
    row["retry"] = job.state in (FAILED, CANCELLED)
    return row
