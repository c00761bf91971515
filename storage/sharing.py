"""What people do with finished videos: send them to the storage, make links to them, take them back.

A result that is not in the storage is shared by this server itself: nothing leaves it for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import cast

from heygem.jobs.deliveries import Deliveries
from heygem.jobs.folder import result_of
from heygem.jobs.job import DELIVERED, DELIVERY_STATES, REVOKED, Delivery, Job
from heygem.jobs.queue import Queue
from heygem.settings import Settings
from storage import Link, Meta, Storage, key_for, open_storage

LOCAL = "local"
Open = Callable[[Settings], Storage]


_kept = lru_cache(maxsize=8)(open_storage)
kept_open = cast(Open, _kept)
"""The same, but each is opened once: a client of S3 takes a tenth of a second to make."""


def in_cloud(job: Job) -> bool:
    """Was the result delivered to a storage elsewhere?"""
    return job.delivery is not None and job.delivery.state == DELIVERED and job.delivery.storage != LOCAL


def storage_of(settings: Settings, name: str, opened: Open = kept_open) -> Storage:
    """The storage of this name, whichever is chosen for new deliveries."""
    return opened(settings if settings.storage == name else settings.model_copy(update={"storage": name}))


class Sharing:
    """All methods raise StoreBusy and StoreUnusable. What asks the storage raises StorageMissing, StorageRefused and
    StorageUnreachable too. Cheap to make."""

    def __init__(self, queue: Queue, settings: Settings, opened: Open = kept_open) -> None:
        self._queue, self._settings, self._opened = queue, settings, opened
        self._deliveries = Deliveries(queue.store)

    def delivery_of(self, job: str) -> Delivery | None:
        """What became of it so far; None where nobody asked for it."""
        return self._deliveries.get(job)

    def deliver(self, job: str) -> Delivery:
        """Sends the result of a job to the storage now, or again. Nothing happens where it is there or on its way.
        Raises JobMissing, JobState for a job that is not done, ResultGone, StorageMissing."""
        wanted = self._queue.need(job)
        known = self._deliveries.get(job)
        if known is None or known.state != DELIVERED or not self._is_there(known):
            result_of(wanted)
            _kept.cache_clear()  # who tries again may have changed the credentials
            self._opened(self._settings)  # says what is missing
            self._deliveries.ask(wanted)
        found = self._deliveries.get(job)
        assert found
        return found

    def make_link(self, job: Job, seconds: int | None = None, by: str = "", base: str = "") -> Link:
        """A new link to a result, by whom is written down: to the storage where it is there, else to this server.

        seconds: how long it works; None: as the settings say. base: the address of this server as the asker knows it,
        for where no ``public_url`` is set. Raises JobState, ResultGone.
        """
        at = self._deliveries.get(job.id)
        if at is None or at.state != DELIVERED or (at.storage == LOCAL and not self._is_there(at)):
            at = self._shared_here(job)
        assert at.storage and at.key
        storage = storage_of(self._settings, at.storage, self._opened)
        link = storage.link(at.key, Meta(f"{at.name}.mp4"), seconds or self._settings.link_seconds)
        self._deliveries.note_link(at, link.expires, by)
        return replace(link, url=base.rstrip("/") + link.url) if link.url.startswith("/") else link

    def revoke(self, job: str) -> None:
        """Ends all links to a result: its object is deleted; what is under way is stopped. The result on this disk
        stays. Of a removed job, too."""
        at = self._deliveries.get(job)
        delivered = at is not None and at.state == DELIVERED
        self._deliveries.change(job, DELIVERY_STATES, verified=0)  # from now on the copy here is not removed
        if at and delivered:
            self._delete(at)  # first: as long as it is there it is not revoked
        self._deliveries.change(job, DELIVERY_STATES, state=REVOKED, sent=0, speed=None, next=None)
        if at and not delivered and at.key:
            self._delete(at)  # parts of it; what the courier sends in this moment, the courier deletes
        here = storage_of(self._settings, LOCAL, self._opened)
        for key in {link["key"] for link in self._deliveries.links(job) if link["storage"] == LOCAL}:
            here.delete(key)
        self._deliveries.end_links(job)

    def _delete(self, at: Delivery) -> None:
        assert at.storage and at.key
        storage_of(self._settings, at.storage, self._opened).delete(at.key)

    def _shared_here(self, job: Job) -> Delivery:
        """Lets this server share a result, under the same key as before where it does already."""
        result = result_of(job)
        links = self._deliveries.links(job.id)
        known = [link["key"] for link in links if link["storage"] == LOCAL and link["revoked"] is None]
        key = known[-1] if known else key_for(self._settings, job)
        storage_of(self._settings, LOCAL, self._opened).put(result, key, Meta(result.name))
        return Delivery(job.id, job.name, DELIVERED, LOCAL, key)

    def _is_there(self, at: Delivery) -> bool:
        assert at.storage and at.key
        return storage_of(self._settings, at.storage, self._opened).exists(at.key) is not None
