"""Results on their way to others: deliver, look, make links, take back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, Field

from api.desk import At, Desk
from api.models import DeliveryReply, delivery_reply, disposition, job_reply, when
from heygem.errors import ResultGone
from heygem.jobs.job import DELIVERED, DONE, Job
from heygem.notify.post import Body as Telling
from heygem.report import sheet
from storage import Link
from storage.base import MOST_SECONDS
from storage.sharing import Sharing

router = APIRouter(tags=["delivery"])
_HOST = re.compile(r"[\w.\-\[\]:]+(/[\w.\-~/]*)?")
Seconds = Annotated[int | None, Field(ge=60, le=MOST_SECONDS, description="how long it works; as the settings say")]


class LinkReply(BaseModel):
    """A link to a result, made for this answer; it is kept nowhere."""

    url: str
    expires: datetime = Field(description="when it really ends")
    capped: bool = Field(description="it ends before what was asked for")


class LineReply(BaseModel):
    """A job of a batch with its link; without one where there is no result."""

    job: str
    name: str
    state: str
    url: str | None = None
    expires: datetime | None = None


@router.get("/jobs/{id}/delivery")
def show(desk: At, id: str) -> DeliveryReply:
    """How far it is. State “off”: nobody asked for it."""
    found = sharing(desk).delivery_of(id)
    return delivery_reply(found or desk.queue.need(id).delivery)


@router.post("/jobs/{id}/delivery", status_code=202)
def deliver(desk: At, id: str) -> DeliveryReply:
    """Sends the result to the storage now, or again after a failure. It is not rendered again."""
    return delivery_reply(sharing(desk).deliver(id))


@router.delete("/jobs/{id}/delivery", status_code=204, response_class=Response)
def revoke(desk: At, id: str) -> None:
    """Deletes the object in the storage and ends every link, also of a job that was removed."""
    if sharing(desk).delivery_of(id) is None:
        desk.queue.need(id)
    sharing(desk).revoke(id)


@router.post("/jobs/{id}/link", status_code=201)
def link(request: Request, desk: At, id: str, seconds: Annotated[Seconds, Body(embed=True)] = None) -> LinkReply:
    """A new link to the result: to the storage where it is there, else to this server. Needs no login."""
    made = sharing(desk).make_link(desk.queue.need(id), seconds, asker(request), base_of(request))
    return _reply(made)


@router.get("/batches/{id}/links", tags=["batches"], responses={200: {"content": {"text/csv": {}}}})
def links(
    request: Request,
    desk: At,
    id: str,
    format: Annotated[Literal["json", "csv"], Query(description="csv: for spreadsheets")] = "json",
    seconds: Annotated[int | None, Query(ge=60, le=MOST_SECONDS)] = None,
) -> Any:
    """New links to all results of a batch, in the order of sending."""
    batch = desk.queue.need_batch(id)
    lines = [_line(request, desk, job, seconds) for job in desk.queue.jobs_of(id)]
    if format == "json":
        return [line.model_dump(mode="json") for line in lines]
    name = disposition("attachment", f"{batch.name}.csv")
    headers = {"Content-Disposition": name, "Cache-Control": "private, no-store"}
    return Response(_csv(lines), media_type="text/csv; charset=utf-8", headers=headers)


def sharing(desk: Desk) -> Sharing:
    return Sharing(desk.queue, desk.settings)


def message(desk: Desk) -> Telling:
    """What a webhook says: the job, and with the message about its delivery a link that is made for it."""

    def body(job: Job, delivery: bool) -> dict[str, Any]:
        said = job_reply(job).model_dump(mode="json")
        if delivery and job.delivery and job.delivery.state == DELIVERED:
            said["link"] = _reply(sharing(desk).make_link(job, by="webhook")).model_dump(mode="json")
        return said

    return body


def asker(request: Request) -> str:
    """Who makes a link: the name of the login; programs with the token and servers without a login have none."""
    return getattr(request.state, "user", "") or "api"


def base_of(request: Request) -> str:
    """The address of this server as the asker knows it, also behind a proxy and below a path of it."""
    host = request.headers.get("x-forwarded-host", "")
    return f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else str(request.base_url)


def _reply(link: Link) -> LinkReply:
    return LinkReply(url=link.url, expires=when(link.expires), capped=link.capped)


def _line(request: Request, desk: Desk, job: Job, seconds: int | None) -> LineReply:
    line = LineReply(job=job.id, name=job.name, state=job.state)
    if job.state != DONE:
        return line
    try:
        made = sharing(desk).make_link(job, seconds, asker(request), base_of(request))
    except ResultGone:
        return line
    return line.model_copy(update={"url": made.url, "expires": when(made.expires)})


def _csv(lines: Sequence[LineReply]) -> str:
    ends = (f"{line.expires:%Y-%m-%d %H:%M:%S} UTC" if line.expires else "" for line in lines)
    rows = ((line.name, line.state, line.url, end) for line, end in zip(lines, ends, strict=True))
    return sheet([("name", "state", "link", "expires"), *rows])
