"""What the API answers with. No path of the server is in here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field

from api.desk import PREFIX, Desk
from api.errors import without_paths
from api.options import flat
from heygem.jobs.job import DONE, QUEUED, Batch, Delivery, Failure, Job
from heygem.tick import STAGES

_BASE = PREFIX.lstrip("/")
SHARES = dict(zip(STAGES, (0.01, 0.3, 0.04, 0.64, 0.01), strict=True))
"""Stage -> its usual share of a job's time, so that one number can stand for all of them."""


class Problem(BaseModel):
    """What went wrong and what to do."""

    code: str = Field(description="stable, for programs")
    message: str
    hint: str

    @classmethod
    def of(cls, failure: Failure) -> Problem:
        shown = without_paths(failure)
        return cls(code=shown.code, message=shown.message, hint=shown.hint)


class Result(BaseModel):
    """What came out."""

    seconds: float
    frames: int
    fps: str = Field(description="frames per second as a fraction, e.g. 30000/1001")
    width: int
    height: int
    engine: str
    device: str
    devices: dict[str, str] = Field(description="part of the work (faces, engine, decoder …) -> where it was done")
    score: float | None = Field(description="0 to 100")
    warnings: list[str]
    stages: dict[str, float] = Field(description="stage -> seconds")


class DeliveryReply(BaseModel):
    """A result on its way to the storage, or there."""

    state: str = Field(description="off, pending, uploading, delivered, failed or revoked")
    storage: str | None = Field(default=None, description="local or s3")
    size: int = Field(default=0, description="bytes")
    sent: int = Field(default=0, description="bytes")
    speed: float | None = Field(default=None, description="bytes a second, where known")
    seconds_left: float | None = Field(default=None, description="where known")
    tries: int = Field(default=0, description="failed ones so far")
    next_try: datetime | None = None
    error: Problem | None = Field(default=None, description="of the last try that failed")
    ended: datetime | None = Field(default=None, description="when it was delivered, or failed for good")


class JobReply(BaseModel):
    """A job as it stands now."""

    id: str
    name: str = Field(description="<video>_<audio>")
    batch: str | None
    state: str = Field(description="queued, running, done, failed or cancelled; the last three are final")
    stopping: bool = Field(description="a cancel is under way")
    stage: str = Field(description="probe, analyse, listen, render or finish; empty before the start")
    done: int = Field(description="steps or frames of this stage that are done")
    total: int
    progress: float = Field(description="0 to 1: exact within a stage, of which each has its usual share")
    fps: float | None = Field(description="frames per second of this stage, where known")
    seconds_left: float | None = Field(description="of this stage, where known")
    ahead: int | None = Field(None, description="jobs before this one; only where a single job is asked for")
    priority: int
    pinned: bool = Field(description="never removed by itself")
    attempts: int = Field(description="failed ones so far")
    created: datetime
    started: datetime | None
    ended: datetime | None
    video: str
    audio: str
    options: dict[str, Any]
    error: Problem | None = Field(description="of the last failed attempt")
    result: Result | None
    webhook: str | None = Field(description="pending, sent or failed, where one was asked for")
    deliver: bool = Field(description="the result goes to the storage once it is there")
    delivery: DeliveryReply
    link_expires: datetime | None = Field(description="the end of the newest link to the result")
    links: dict[str, str] = Field(description="addresses, relative to the root of the server")


class Jobs(BaseModel):
    """A page of the history, newest first."""

    items: list[JobReply]
    total: int = Field(description="how many there are in all")
    limit: int
    offset: int


class BatchReply(BaseModel):
    """Jobs that were sent together."""

    id: str
    name: str
    created: datetime
    size: int
    busy: bool = Field(description="some job of it waits or runs")
    counts: dict[str, int] = Field(description="state -> jobs")
    jobs: list[JobReply] | None = Field(None, description="in the order of sending; only of a single batch")
    links: dict[str, str]


class Batches(BaseModel):
    """A page of the batches, newest first."""

    items: list[BatchReply]
    limit: int
    offset: int


class WorkerReply(BaseModel):
    """Who works."""

    name: str
    device: str
    job: str | None = Field(description="what it works on")


class QueueReply(BaseModel):
    """The queue as a whole."""

    held: str | None = Field(description="why no job begins: paused, disk, or null")
    counts: dict[str, int] = Field(description="state -> jobs")
    running: list[JobReply]
    waiting: list[JobReply] = Field(description="in the order in which they will begin, at most 100")
    workers: list[WorkerReply]


def job_reply(job: Job, ahead: int | None = None) -> JobReply:
    """The public side of a job."""
    same = ("id", "name", "batch", "state", "stopping", "stage", "done", "total", "fps", "seconds_left", "priority")
    links = {one: f"{_BASE}/jobs/{job.id}/{one}" for one in ("events", "result", "thumbnail", "delivery", "link")}
    return JobReply(
        **{name: getattr(job, name) for name in (*same, "pinned", "attempts")},
        progress=round(progress(job), 4),
        ahead=ahead,
        created=when(job.created),
        started=when(job.started) if job.started else None,
        ended=when(job.ended) if job.ended else None,
        video=job.request.video.name,
        audio=job.request.audio.name,
        options=flat(job.request.options),
        error=Problem.of(job.error) if job.error else None,
        result=_result(job),
        webhook=job.hook_state if job.hook and job.hook.lower().startswith("http") else None,
        deliver=job.deliver,
        delivery=delivery_reply(job.delivery),
        link_expires=when(job.link_expires) if job.link_expires else None,
        links={"self": f"{_BASE}/jobs/{job.id}", **links},
    )


def delivery_reply(delivery: Delivery | None) -> DeliveryReply:
    """None: nobody asked for one."""
    if delivery is None:
        return DeliveryReply(state="off")
    same = ("state", "storage", "size", "sent", "speed", "seconds_left", "tries")
    return DeliveryReply(
        **{name: getattr(delivery, name) for name in same},
        next_try=when(delivery.next) if delivery.next else None,
        error=Problem.of(delivery.error) if delivery.error else None,
        ended=when(delivery.ended) if delivery.ended else None,
    )


def one_job(desk: Desk, id: str) -> JobReply:
    """With its place in the queue. Raises JobMissing."""
    job = desk.queue.need(id)
    return job_reply(job, desk.queue.store.ahead(id) if job.state == QUEUED else None)


def batch_reply(batch: Batch, jobs: list[Job] | None = None) -> BatchReply:
    return BatchReply(
        id=batch.id,
        name=batch.name,
        created=when(batch.created),
        size=batch.size,
        busy=batch.busy,
        counts=batch.counts,
        jobs=None if jobs is None else [job_reply(job) for job in jobs],
        links={
            "self": f"{_BASE}/batches/{batch.id}",
            **{one: f"{_BASE}/batches/{batch.id}/{one}" for one in ("events", "zip", "links", "report")},
        },
    )


def progress(job: Job) -> float:
    """0..1 over all stages."""
    if job.state == DONE:
        return 1.0
    if job.stage not in STAGES:
        return 0.0
    before = sum(SHARES[stage] for stage in STAGES[: STAGES.index(job.stage)])
    return before + SHARES[job.stage] * (min(job.done / job.total, 1) if job.total else 0)


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition with a name in any language."""
    return f"{kind}; filename*=utf-8''{quote(name, safe='')}"


def _result(job: Job) -> Result | None:
    if job.state != DONE or job.take is None:
        return None
    same = ("seconds", "frames", "width", "height", "engine", "device", "devices", "warnings", "stages")
    known = {name: getattr(job.take, name) for name in same}
    return Result(**known, fps=str(job.take.fps), score=job.take.quality.get("score"))


def when(seconds: float) -> datetime:
    """Seconds since the epoch as a date."""
    return datetime.fromtimestamp(seconds, UTC)
