"""Where finished videos are shared from: this server itself, or a store that speaks S3. Only this part uses boto3."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from heygem.errors import StorageMissing
from heygem.settings import PREFIX, Settings
from storage.base import Item, Link, Meta, Progress, Storage, key_of, silent

if TYPE_CHECKING:
    from heygem.jobs.job import Batch, Job

__all__ = ["Item", "Link", "Meta", "Progress", "Storage", "key_for", "missing", "open_storage", "silent"]


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings name. Nothing is asked of it yet. Raises StorageMissing naming what is not set."""
    if settings.storage == "local":
        from storage.local import Local

        return Local(settings)
    lacking = missing(settings)
    if lacking:
        raise StorageMissing(what=", ".join(lacking))
    from storage.s3 import S3

    return S3(settings)


def missing(settings: Settings) -> list[str]:
    """Names of the variables that are still needed; empty where everything is there.

    Credentials are looked for as boto3 does: environment, profile, role of the machine. Where there are none the last
    of these takes up to two seconds.
    """
    if settings.storage == "local":
        return []
    needed = {"s3_bucket": True, "cdn_url": settings.cdn_key_id, "cdn_key_file": settings.cdn_key_id}
    needed["cdn_key_id"] = settings.cdn_key_file
    lacking = [PREFIX + name.upper() for name, wanted in needed.items() if wanted and not getattr(settings, name)]
    from storage.credentials import VARIABLES, found

    return lacking if found() else [*lacking, VARIABLES]


def key_for(settings: Settings, job: Job, batch: Batch | None = None) -> str:
    """A new key for the result of a job: it cannot be guessed, and no two are equal."""
    return key_of(settings.s3_prefix, batch.id if batch else job.id, secrets.token_hex(12), f"{job.name}.mp4")
