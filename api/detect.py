"""Faces of a video or photo, looked at before any job: can somebody in it be made to speak?"""

from __future__ import annotations

import base64
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.desk import At
from api.intake import UPLOAD, body, received
from heygem.errors import Stalled, WorkerDied
from heygem.errors.base import error_of
from heygem.jobs.preflight import Verdict

router = APIRouter(tags=["files"])
PATIENCE = 120
"""Seconds that a look may take: others may be before it."""
_LOOKS = anyio.CapacityLimiter(4)
"""So many requests hold a thread while they wait for the one who looks; all other routes need threads, too."""


class FaceReply(BaseModel):
    """A face in one frame."""

    box: list[float] = Field(description="x0, y0, x1, y1 in pixels of the video")
    turned: float = Field(description="degrees to the side")
    usable: bool
    why: str = Field(description="why it would be left alone, empty for a usable one")


class FrameReply(BaseModel):
    """The faces of one frame."""

    frame: int
    faces: list[FaceReply] = Field(description="the largest first")


class DetectReply(BaseModel):
    """What a quick look found."""

    has_face: bool
    count: int = Field(description="usable faces in the frame that has most of them")
    coverage: float = Field(description="share of the frames looked at that have a usable face")
    width: int
    height: int
    seconds: float
    still: bool = Field(description="a photo")
    findings: list[str] = Field(description="what costs looks or time, as short codes, worst first")
    frames: list[FrameReply]
    preview: str | None = Field(description="a data address: JPEG with the faces marked, where it was asked for")


@router.post("/detect", openapi_extra=body({"video": UPLOAD}))
async def detect(
    request: Request,
    desk: At,
    preview: Annotated[bool, Query(description="also a picture with the faces marked")] = False,
) -> DetectReply:
    """Looks at up to 8 frames of a file, which is not kept."""
    async with received(request, desk.settings) as sent:
        verdict = await anyio.to_thread.run_sync(
            desk.preflight.wait, sent.one("video"), PATIENCE, preview, limiter=_LOOKS
        )
    if verdict is None:
        raise Stalled(stage="detect", seconds=PATIENCE)
    return _reply(verdict)


def _reply(verdict: Verdict) -> DetectReply:
    """Raises what the file cannot be read for."""
    if not verdict.frames:
        [(code, details), *_] = verdict.findings
        raise (
            WorkerDied(reason="while it looked at the file") if code == "preflight_unknown" else error_of(code, details)
        )
    picture = base64.b64encode(verdict.preview).decode()
    return DetectReply(
        has_face=verdict.faces > 0,
        count=verdict.faces,
        coverage=verdict.coverage,
        width=verdict.width,
        height=verdict.height,
        seconds=verdict.seconds,
        still=verdict.still,
        findings=[code.removeprefix("preflight_") for code, _ in verdict.findings],
        frames=[FrameReply.model_validate(frame) for frame in verdict.frames],
        preview=f"data:image/jpeg;base64,{picture}" if picture else None,
    )
