"""What the history shows of a job and of a batch: plain values for its template."""

from __future__ import annotations

from typing import Any

from heygem.jobs.job import BUSY, CANCELLED, DONE, FAILED, QUEUED, Batch, Job
from ui.card import show
from ui.delivery import playable
from ui.desk import Desk
from ui.words import duration, say

_DETAILS = ("steps", "url", "file", "download", "stages", "warnings", "reasons", "text", "time")
"""What a row leaves to the card."""


def card(job: Job, desk: Desk, language: str, held: str | None) -> dict[str, Any]:
    """The job card, with addresses and what can be done with the job now. held: as ``Queue.held`` says it."""
    ahead = desk.queue.store.ahead(job.id) if job.state == QUEUED and not held else 0
    at = f"api/v1/jobs/{job.id}"
    return {
        **show(job, ahead, language, desk.log.name, held),
        "thumbnail": f"{at}/thumbnail",
        "result": f"{at}/result" if job.state == DONE and playable(job) else "",
        "busy": job.busy,
        "cancellable": job.busy and not job.stopping,
        "retriable": job.state in (FAILED, CANCELLED),
        "pinned": job.pinned,
        "created": job.created,
    }


def row(job: Job, desk: Desk, language: str, held: str | None) -> dict[str, Any]:
    """A job in a line or two: a card without its details."""
    whole = card(job, desk, language, held)
    facts = [say("made_by", language, name=job.request.audio.stem)]
    if job.take and job.started and job.ended:
        facts.append(say("made_in", language, time=duration(job.ended - job.started, language)))
    score = job.take.quality.get("score") if job.take else None
    return {
        **{name: value for name, value in whole.items() if name not in _DETAILS},
        "name": job.request.video.stem,
        "facts": [*facts, say(f"engine_{job.request.options.engine}", language)],
        "length": duration(job.take.seconds, language) if job.take else "",
        "score": "" if score is None else f"{score:.0f}",
        "rated": whole.get("score", ""),
        "batch": job.batch or "",
    }


def head(batch: Batch, language: str) -> dict[str, Any]:
    """The line above the jobs of a batch."""
    counts = {
        "batch_done": batch.counts.get(DONE, 0),
        "batch_busy": sum(batch.counts.get(state, 0) for state in BUSY),
        "batch_failed": batch.counts.get(FAILED, 0),
        "batch_cancelled": batch.counts.get(CANCELLED, 0),
    }
    facts = [say("batch_count", language, n=batch.size)]
    return {
        "id": batch.id,
        "name": batch.name,
        "facts": facts + [say(key, language, n=n) for key, n in counts.items() if n],
        "shared": counts["batch_done"],
        "zip": f"api/v1/batches/{batch.id}/zip" if counts["batch_done"] else "",
        "created": batch.created,
    }
