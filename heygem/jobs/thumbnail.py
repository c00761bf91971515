"""A small picture of a job, made when somebody asks for it."""

from __future__ import annotations

import secrets
from pathlib import Path

from heygem.errors import ResultGone
from heygem.jobs.folder import THUMBNAIL
from heygem.jobs.job import Job

SIZE = 320
"""Longest side in pixels."""


def thumbnail(job: Job) -> Path:
    """JPEG of the first picture of the result, or of the input where there is no result yet; kept in the job's folder.
    Raises ResultGone where neither is there, and what reading a video raises."""
    kept = job.folder / THUMBNAIL
    if kept.is_file():
        return kept
    shown = [path for path in (job.take and job.take.path, job.request.video) if path and path.is_file()]
    if not shown:
        raise ResultGone(name=job.name)
    from PIL import Image

    from heygem.media.reader import VideoReader

    with VideoReader(shown[0]) as reader:
        picture = Image.fromarray(next(iter(reader)).rgb())
    picture.thumbnail((SIZE, SIZE))
    part = kept.with_name(f"{THUMBNAIL}.{secrets.token_hex(4)}.part")  # two may ask at once
    picture.save(part, "JPEG", quality=82)
    part.replace(kept)
    return kept
