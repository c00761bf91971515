"""The queue as a whole."""

from __future__ import annotations

from fastapi import APIRouter

from api.desk import At, Desk
from api.models import QueueReply, WorkerReply, job_reply

router = APIRouter(tags=["queue"])
_SHOWN = 100


@router.get("/queue")
def show(desk: At) -> QueueReply:
    """What runs, what waits, and who works."""
    return _reply(desk)


@router.post("/queue/pause")
def pause(desk: At) -> QueueReply:
    """No further job begins; the running ones go on. Survives a restart."""
    desk.queue.pause()
    return _reply(desk)


@router.post("/queue/resume")
def resume(desk: At) -> QueueReply:
    desk.queue.resume()
    return _reply(desk)


def _reply(desk: Desk) -> QueueReply:
    store = desk.queue.store
    running = store.running()
    return QueueReply(
        held=desk.queue.held(),
        counts=store.counts(),
        running=[job_reply(job) for job in running],
        waiting=[job_reply(job, place) for place, job in enumerate(store.waiting(_SHOWN), len(running))],
        workers=[WorkerReply(name=hand.name, device=hand.device, job=hand.job) for hand in desk.fleet.workers()],
    )
