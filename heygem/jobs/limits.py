"""What one request may ask of this server. The page and HTTP ask here alike, before anything is taken in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heygem.engines import cards
from heygem.errors import LimitExceeded, QueueFull
from heygem.finish import effects
from heygem.jobs.job import QUEUED, Job
from heygem.jobs.queue import Queue
from heygem.media.probe import probe_sound, probe_video
from heygem.pipeline import Options
from heygem.settings import Settings


def check_room(queue: Queue, settings: Settings, videos: int = 1) -> None:
    """May this many further jobs wait? Cheap. Raises DiskLow, QueueFull, and LimitExceeded for too large a batch."""
    queue.check_room()
    if videos > settings.max_videos:
        raise LimitExceeded(
            what="number of videos", value=videos, most=settings.max_videos, setting="HEYGEM_MAX_VIDEOS"
        )
    waiting = queue.store.counts().get(QUEUED, 0)
    if settings.max_queued and waiting + videos > settings.max_queued:
        raise QueueFull(waiting=waiting, most=settings.max_queued)


def check_files(settings: Settings, sounds: Sequence[Path], videos: Sequence[Path] = ()) -> None:
    """Can these files become a take? Looks into them briefly.

    Raises what ``probe_sound`` and ``probe_video`` raise, and LimitExceeded for a sound that is too long.
    """
    for sound in sounds:
        minutes = probe_sound(sound).seconds / 60
        if settings.max_minutes and minutes > settings.max_minutes:
            raise LimitExceeded(
                what="length of the sound",
                value=f"{minutes:.1f} min",
                most=f"{settings.max_minutes:g} min",
                setting="HEYGEM_MAX_MINUTES",
            )
    for video in videos:
        probe_video(video)


def check_options(settings: Settings, options: Options) -> None:
    """Can the engine begin a take, and are the files of the finish what they should be? Cheap.

    Raises what ``heygem.engines.cards.check`` and ``heygem.finish.effects.check`` raise.
    """
    cards.check(options.engine, options.style, settings)
    effects.check(options.finish)


def retry(queue: Queue, settings: Settings, job: str) -> Job:
    """A failed or cancelled job waits again, if it could begin. Raises what ``check_options`` and the queue raise."""
    check_options(settings, queue.need(job).request.options)
    return queue.retry(job)


def retry_all(queue: Queue, settings: Settings, batch: str, state: str) -> int:
    """How many jobs of a batch in this state wait again, if all of them could begin. Raises as ``retry``."""
    for options in {job.request.options for job in queue.jobs_of(batch) if job.state == state}:
        check_options(settings, options)
    return queue.retry_all(batch, state)


def check_size(settings: Settings, size: int) -> None:
    """May an upload have this many bytes? Raises LimitExceeded."""
    if size > settings.max_upload_mb << 20:
        raise LimitExceeded(
            what="size of the file",
            value=f"more than {settings.max_upload_mb} MB",
            most=f"{settings.max_upload_mb} MB",
            setting="HEYGEM_MAX_UPLOAD_MB",
        )
