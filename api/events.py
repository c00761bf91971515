"""Server-sent events: the state at once, then every change, until the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.desk import At, Closing, Desk
from api.models import BatchReply, JobReply, batch_reply, job_reply, one_job
from heygem.errors import JobMissing, StoreBusy
from heygem.jobs.job import BUSY

router = APIRouter(tags=["jobs"])
INTERVAL = 0.5
"""Seconds between two looks at the table: progress comes from other processes, too."""
PING = 8
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "a stream of events"}
}

Look = Callable[[], tuple[list[BaseModel], bool]]
"""What there is to see now, and whether that is the end. Raises JobMissing."""


@router.get("/jobs/{id}/events", response_class=EventSourceResponse, responses=_STREAM)
def job_events(desk: At, closing: Closing, id: str) -> EventSourceResponse:
    """Events “job” with the job as data: first its present state, then each change. Ends with a final state."""
    desk.queue.need(id)

    def look() -> tuple[list[BaseModel], bool]:
        job = one_job(desk, id)
        return [job], job.state not in BUSY

    return _stream(look, closing)


@router.get("/batches/{id}/events", response_class=EventSourceResponse, responses=_STREAM, tags=["batches"])
def batch_events(desk: At, closing: Closing, id: str) -> EventSourceResponse:
    """Events “batch” (counts) and “job” (each job that changed). Ends when no job of it waits or runs."""
    desk.queue.need_batch(id)
    return _stream(lambda: _batch(desk, id), closing)


def _batch(desk: Desk, id: str) -> tuple[list[BaseModel], bool]:
    batch = desk.queue.need_batch(id)
    return [*map(job_reply, desk.queue.jobs_of(id)), batch_reply(batch)], not batch.busy


def _stream(look: Look, closing: threading.Event) -> EventSourceResponse:
    return EventSourceResponse(_changes(look, closing), ping=PING)


async def _changes(look: Look, closing: threading.Event) -> AsyncIterator[ServerSentEvent]:
    """Ids count up, but mean nothing to us: a reader that comes back gets the present state first anyway."""
    seen: dict[str, BaseModel] = {}
    number = 0
    while not closing.is_set():
        try:
            things, ended = await run_in_threadpool(look)
        except JobMissing:
            yield ServerSentEvent(event="removed", data="{}")
            return
        except StoreBusy:  # another process writes for long; the next look may do
            things, ended = [], False
        for thing in things:
            assert isinstance(thing, JobReply | BatchReply)
            if seen.get(thing.id) != thing:
                seen[thing.id] = thing
                number += 1
                kind = "job" if isinstance(thing, JobReply) else "batch"
                yield ServerSentEvent(event=kind, id=str(number), data=thing.model_dump_json())
        if ended:
            return
        await asyncio.sleep(INTERVAL)
