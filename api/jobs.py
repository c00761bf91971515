"""Single jobs: submit, look, steer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.desk import At, Desk
from api.intake import UPLOAD, Sent, body, received
from api.models import JobReply, Jobs, job_reply, one_job
from api.options import OptionsFields, Wishes, options_of, wishes_of
from heygem.errors import JobState, OptionInvalid, StorageMissing
from heygem.finish.base import FILES as EXTRAS
from heygem.jobs import limits
from heygem.jobs.job import STATES, Extras, Job
from heygem.jobs.job import Request as Asked
from heygem.jobs.limits import check_files, check_options, check_room
from heygem.jobs.store import Filter
from heygem.notify import guard
from storage import missing

router = APIRouter(tags=["jobs"])

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="a value of your choice: a request that comes twice with it makes one job",
    ),
]
Page = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=2**40)]


_OPTIONS = {"type": "object", "description": "options as one JSON object, instead of single fields"}
MORE = {**Wishes.model_json_schema()["properties"], "options": _OPTIONS, **dict.fromkeys(EXTRAS, UPLOAD)}
"""What the body of a job may say besides its files, for ``body``."""


@router.post(
    "/jobs",
    status_code=201,
    openapi_extra=body({"audio": UPLOAD, "video": UPLOAD}, MORE),
    responses={200: {"model": JobReply, "description": "the job that this idempotency key made before"}},
)
async def submit(request: Request, response: Response, desk: At, key: Key = None) -> JobReply:
    """Queues a job: a voice and a video or photo, as files or as names inside the allowed folder."""
    key = f"job:{key}" if key else None
    await run_in_threadpool(check_entry, desk, key)
    async with received(request, desk.settings) as sent:
        job, new = await run_in_threadpool(_submit, desk, sent, key)
    response.status_code = 201 if new else 200
    response.headers["Location"] = request.url.path.rstrip("/") + f"/{job.id}"
    return await run_in_threadpool(one_job, desk, job.id)


@router.get("/jobs")
def find(
    desk: At,
    text: Annotated[str, Query(max_length=200, description="words that the name contains")] = "",
    state: Annotated[list[str], Query(description="may come several times")] = [],  # noqa: B006
    batch: str | None = None,
    limit: Page = 50,
    offset: Offset = 0,
) -> Jobs:
    """Jobs, newest first."""
    if unknown := [one for one in state if one not in STATES]:
        raise OptionInvalid(option="state", value=unknown[0], allowed=", ".join(STATES))
    found, total = desk.queue.find(Filter(text, state, batch, limit, offset))
    return Jobs(items=[job_reply(job) for job in found], total=total, limit=limit, offset=offset)


@router.get("/jobs/{id}")
def show(desk: At, id: str) -> JobReply:
    return one_job(desk, id)


@router.delete("/jobs/{id}", status_code=202, response_model=JobReply, responses={204: {"description": "removed"}})
def delete(desk: At, id: str) -> Any:
    """Cancels a job that waits or runs; removes one that has ended, with its files."""
    if desk.queue.need(id).busy and desk.queue.cancel(id):
        return one_job(desk, id)
    desk.queue.remove(id)
    return Response(status_code=204)


@router.post("/jobs/{id}/cancel")
def cancel(desk: At, id: str) -> JobReply:
    """Stops a queued job at once and a running one within two seconds."""
    if not desk.queue.cancel(id):
        raise JobState(state=desk.queue.need(id).state)
    return one_job(desk, id)


@router.post("/jobs/{id}/retry")
def retry(desk: At, id: str) -> JobReply:
    """A failed or cancelled job waits again."""
    limits.retry(desk.queue, desk.settings, id)
    return one_job(desk, id)


@router.post("/jobs/{id}/move")
def move(
    desk: At,
    id: str,
    before: Annotated[str | None, Body(embed=True, description="the job that shall come next; null: the end")] = None,
) -> JobReply:
    """Gives a queued job another place in the queue."""
    desk.queue.move(id, before)
    return one_job(desk, id)


@router.post("/jobs/{id}/pin")
def pin(desk: At, id: str, pinned: Annotated[bool, Body(embed=True)] = True) -> JobReply:
    """A pinned job is never removed by itself."""
    desk.queue.pin(id, pinned)
    return one_job(desk, id)


@router.post("/jobs/{id}/again", status_code=201)
def again(desk: At, id: str, options: OptionsFields) -> JobReply:  # pyright: ignore[reportInvalidTypeForm]
    """A new job of the same files with other options; background, subtitles and logo stay, where a file was sent and
    nothing else is asked for."""
    check_room(desk.queue, desk.settings)
    files = desk.queue.need(id).request.options.finish.files
    wanted = options_of(options, {name: path for name, path in files.items() if name not in options.model_fields_set})
    check_options(desk.settings, wanted)
    return one_job(desk, desk.queue.again(id, wanted).id)


def check_entry(desk: Desk, key: str | None) -> None:
    """May this request come in? One whose key is known gets what it made before. Raises DiskLow, QueueFull."""
    if key is None or desk.queue.store.by_key(key) is None:
        check_room(desk.queue, desk.settings)


def extras_of(desk: Desk, sent: Sent, wishes: Wishes, key: str | None) -> Extras:
    """Raises AddressRefused, AddressUnknown for a webhook that cannot be called, StorageMissing for a delivery that
    cannot be made."""
    if wishes.webhook:
        guard.check(wishes.webhook, desk.settings.webhook_private)
    if wishes.deliver and (lacking := missing(desk.settings)):
        raise StorageMissing(what=", ".join(lacking))
    return Extras(wishes.priority, key, wishes.webhook, link=sent.ours, deliver=wishes.deliver)


def _submit(desk: Desk, sent: Sent, key: str | None) -> tuple[Job, bool]:
    """The job, and whether it is new."""
    if key and (known := desk.queue.store.by_key(key)):
        return known, False
    wishes = wishes_of(sent.fields)
    asked = Asked(sent.one("video"), sent.one("audio"), options_of(wishes, sent.extras))
    check_options(desk.settings, asked.options)
    extras = extras_of(desk, sent, wishes, key)
    check_files(desk.settings, [asked.audio], [asked.video])
    return desk.queue.submit(asked, extras), True
