"""Batches: many videos, one voice for all or one for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.desk import At, Desk
from api.errors import without_paths
from api.intake import UPLOAD, UPLOADS, Sent, body, received
from api.jobs import MORE, Key, Offset, Page, check_entry, extras_of
from api.models import Batches, BatchReply, batch_reply, disposition
from api.options import options_of, wishes_of
from heygem.jobs import limits
from heygem.jobs.job import FAILED, Batch, Job
from heygem.jobs.limits import check_files, check_options, check_room
from heygem.pairs import pairs_of
from heygem.report import Line, as_csv

router = APIRouter(tags=["batches"])


_BODY = body({"videos": UPLOADS}, {"audio": UPLOAD, "audios": UPLOADS, **MORE})


@router.post("/batches", status_code=201, openapi_extra=_BODY)
async def submit(request: Request, response: Response, desk: At, key: Key = None) -> BatchReply:
    """Queues a job for every video: all of them or, if one file is bad, none. ``audio`` is the voice of all; instead,
    ``audios`` are voices with the names of their videos."""
    key = f"batch:{key}" if key else None
    await run_in_threadpool(check_entry, desk, key)
    async with received(request, desk.settings) as sent:
        batch = await run_in_threadpool(_submit, desk, sent, key)
    response.headers["Location"] = request.url.path.rstrip("/") + f"/{batch.id}"
    return await run_in_threadpool(_one, desk, batch.id)


@router.get("/batches")
def find(desk: At, limit: Page = 50, offset: Offset = 0) -> Batches:
    """Batches, newest first."""
    found = desk.queue.store.batches(limit, offset)
    return Batches(items=[batch_reply(batch) for batch in found], limit=limit, offset=offset)


@router.get("/batches/{id}")
def show(desk: At, id: str) -> BatchReply:
    return _one(desk, id)


@router.post("/batches/{id}/cancel")
def cancel(desk: At, id: str) -> BatchReply:
    """Stops every job of it that waits or runs."""
    desk.queue.cancel_batch(id)
    return _one(desk, id)


@router.post("/batches/{id}/retry")
def retry(desk: At, id: str) -> BatchReply:
    """The failed jobs of it wait again."""
    limits.retry_all(desk.queue, desk.settings, id, FAILED)
    return _one(desk, id)


@router.get("/batches/{id}/report", response_model=list[Line], responses={200: {"content": {"text/csv": {}}}})
def report(
    desk: At, id: str, format: Annotated[Literal["json", "csv"], Query(description="csv: for spreadsheets")] = "json"
) -> Any:
    """What became of each job, in the order of sending; of files only the names."""
    batch = desk.queue.need_batch(id)
    lines = [_line(job) for job in desk.queue.jobs_of(id)]
    if format == "json":
        return lines
    name = disposition("attachment", f"{batch.name}_report.csv")
    headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
    return Response(as_csv(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _line(job: Job) -> Line:
    error = without_paths(job.error) if job.error else None
    return Line(
        name=job.name,
        state=job.state,
        video=job.request.video.name,
        audio=job.request.audio.name,
        result=job.take.path.name if job.take else "",
        score=job.take.quality.get("score") if job.take else None,
        seconds=job.take.seconds if job.take else None,
        code=error.code if error else "",
        message=error.message if error else "",
    )


def _one(desk: Desk, id: str) -> BatchReply:
    return batch_reply(desk.queue.need_batch(id), desk.queue.jobs_of(id))


def _submit(desk: Desk, sent: Sent, key: str | None) -> Batch:
    if key and (known := desk.queue.store.by_key(key)):
        return desk.queue.need_batch(known.batch or "")
    wishes = wishes_of(sent.fields)
    options = options_of(wishes, sent.extras)
    check_options(desk.settings, options)
    audios, videos = _voices_and_videos(sent)
    extras = extras_of(desk, sent, wishes, key)
    check_room(desk.queue, desk.settings, len(videos))
    check_files(desk.settings, list(dict.fromkeys(audios)), videos)
    return desk.queue.submit_batch(audios, videos, options, wishes.name, extras)


def _voices_and_videos(sent: Sent) -> tuple[list[Path], list[Path]]:
    """As many of the one as of the other: the same voice for all, or pairs by their names. Raises OptionInvalid,
    PairsUnusable."""
    videos = sent.many("videos")
    if "audios" not in sent.files:
        return [sent.one("audio")] * len(videos), videos
    found = pairs_of(videos, sent.many("audios"))
    return [pair.audio for pair in found], [pair.video for pair in found]
