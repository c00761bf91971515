"""Finished videos on their way to a real store: in which order, how many at once, and what comes of trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heygem import settings
from heygem.errors import StorageRefused, StorageUnreachable
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, PENDING, REVOKED, UNDELIVERED, UPLOADING, Delivery, Extras, Job
from heygem.jobs.queue import Queue
from heygem.settings import Settings
from storage import Item, Meta, Progress, Storage, courier, open_storage, silent
from storage.courier import AT_ONCE, Courier, backoff
from storage.local import Local
from storage.sharing import Sharing
from tests.jobs.made import queue_in, request, take_of
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "INTERVAL", 0.02)
    monkeypatch.setattr(courier, "STEP", 0.05)
    monkeypatch.setattr(courier, "FIRST", 0.05)
    monkeypatch.setattr(courier, "LONGEST", 0.5)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path)


@pytest.fixture
def start(queue: Queue) -> Iterator[Callable[..., Courier]]:
    started: list[Courier] = []

    def start(config: Settings, opened: Callable[[Settings], Storage] = open_storage) -> Courier:
        started.append(Courier(queue, config, opened))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.close()


def done(queue: Queue, folder: Path, deliver: bool = True, content: bytes | None = None, **more: Any) -> Job:
    """A job with its result."""
    job = queue.submit(request(folder), Extras(deliver=deliver, **more))
    assert queue.store.claim("w")
    take = take_of(job)
    if content is not None:
        take.path.write_bytes(content)
    assert queue.finish(job, "w", take)
    return queue.need(job.id)


def delivery(queue: Queue, job: Job) -> Delivery:
    found = Deliveries(queue.store).get(job.id)
    assert found
    return found


def until(queue: Queue, job: Job, wanted: str | Callable[[Delivery], Any], seconds: float = 30.0) -> Delivery:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        now = delivery(queue, job)
        if wanted(now) if callable(wanted) else now.state == wanted:
            return now
        time.sleep(0.01)
    raise AssertionError(f"not {wanted} after {seconds} s: {delivery(queue, job)}")


def objects(bucket: Bucket) -> list[str]:
    return [one["Key"] for one in bucket.server.client().list_objects_v2(Bucket=bucket.name).get("Contents", [])]


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return settings.load(home=tmp_path / "home", outputs=tmp_path / "outputs")


# -- the way of one


def test_a_finished_video_arrives_whole_under_its_own_key(
    queue: Queue, start: Callable[..., Courier], swift_bucket: Bucket, tmp_path: Path
) -> None:
    job = done(queue, tmp_path)
    assert job.take and job.delivery and job.delivery.state == PENDING, "in the transaction of its end"
    start(swift_bucket.settings())
    there = until(queue, job, DELIVERED)
    assert there.key and there.verified and there.storage == "s3" and there.size == there.sent > 0 and there.ended
    assert objects(swift_bucket) == [there.key] and swift_bucket.content(there.key) == job.take.path.read_bytes()


def test_off_is_off(queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path) -> None:
    opened: list[Settings] = []

    def count(config: Settings) -> Storage:
        opened.append(config)
        return open_storage(config)

    start(here, count)
    job = done(queue, tmp_path, deliver=False)
    time.sleep(0.2)
    assert Deliveries(queue.store).get(job.id) is None and not opened


def test_this_server_is_a_storage_like_the_other(
    queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path
) -> None:
    start(here)
    job = done(queue, tmp_path)
    there = until(queue, job, DELIVERED)
    assert job.take and there.key and there.storage == "local"
    link = Sharing(queue, here).make_link(job, by="ann")
    assert Local(here).open_link(link.url)[0] == job.take.path
