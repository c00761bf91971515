"""What came out: videos, thumbnails, archives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import Headers
from starlette.responses import FileResponse, RedirectResponse, StreamingResponse
from starlette.staticfiles import NotModifiedResponse

from api import archive
from api.desk import At
from api.models import disposition
from heygem.errors import JobState, OptionInvalid, ResultGone
from heygem.jobs.folder import result_of
from heygem.jobs.job import DONE, Job
from heygem.jobs.thumbnail import thumbnail
from storage.sharing import Sharing, in_cloud

router = APIRouter(tags=["results"])
_MOST = 1000
Ids = Annotated[list[str], Query(description="may come several times")]
_VIDEO: dict[int | str, dict[str, Any]] = {
    200: {"content": {"video/mp4": {}}},
    206: {"description": "a part, with the header Range"},
}


@router.head("/jobs/{id}/result", include_in_schema=False)
@router.get("/jobs/{id}/result", response_class=FileResponse, responses=_VIDEO)
def job_result(
    request: Request, desk: At, id: str, download: Annotated[bool, Query(description="as an attachment")] = False
) -> Response:
    """The video; 409 while there is none yet, 410 where it was removed from the disk; 307 where it is in the
    storage alone."""
    job = desk.queue.need(id)
    try:
        path = result_of(job)
    except ResultGone:
        if not in_cloud(job):
            raise
        link = Sharing(desk.queue, desk.settings).make_link(job, by="result")
        return RedirectResponse(link.url, headers={"Cache-Control": "no-store"})
    return file(request, path, "video/mp4", disposition("attachment" if download else "inline", path.name))


@router.head("/jobs/{id}/thumbnail", include_in_schema=False)
@router.get("/jobs/{id}/thumbnail", response_class=FileResponse)
def job_thumbnail(request: Request, desk: At, id: str) -> Response:
    """A JPEG of about 320 pixels."""
    return file(request, thumbnail(desk.queue.need(id)), "image/jpeg")


@router.head("/batches/{id}/zip", include_in_schema=False)
@router.get("/batches/{id}/zip", response_class=StreamingResponse, tags=["batches"])
def batch_zip(request: Request, desk: At, id: str) -> Response:
    """All results of a batch in one ZIP file."""
    return _zip(request, desk.queue.jobs_of(desk.queue.need_batch(id).id), desk.queue.need_batch(id).name)


@router.head("/zip", include_in_schema=False)
@router.get("/zip", response_class=StreamingResponse)
def chosen_zip(request: Request, desk: At, job: Ids) -> Response:
    """The results of these jobs in one ZIP file."""
    if len(job) > _MOST:
        raise OptionInvalid(option="job", value=f"given {len(job)} times", allowed=f"at most {_MOST} jobs")
    return _zip(request, [desk.queue.need(id) for id in dict.fromkeys(job)], "HeyGem")


def file(request: Request, path: Path, kind: str, disposition: str = "inline") -> Response:
    """A file with ETag, Range and If-None-Match; browsers ask each time whether it changed."""
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-cache"}
    answer = FileResponse(path, media_type=kind, headers=headers, stat_result=path.stat())
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if answer.headers["etag"] in known:
        return NotModifiedResponse(Headers(raw=answer.raw_headers))
    return answer


def _zip(request: Request, jobs: Sequence[Job], name: str) -> Response:
    """Jobs without a result are left out. Raises JobState where that leaves nothing."""
    files = archive.members(job.take.path for job in jobs if job.state == DONE and job.take)
    if not files:
        raise JobState(state="without a result")
    headers = {
        "Content-Length": str(archive.length(files)),
        "Content-Disposition": disposition("attachment", f"{name}.zip"),
        "Cache-Control": "private, no-store",
    }
    if request.method == "HEAD":
        return Response(media_type="application/zip", headers=headers)
    return StreamingResponse(archive.stream(files), media_type="application/zip", headers=headers)
