"""Finished videos on their way to a real store: in which order, how many at once, and what comes of trouble."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from heygem import settings
from heygem.errors import StorageRefused, StorageUnreachable
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, PENDING, REVOKED, UNDELIVERED, UPLOADING, Delivery, Extras, Failure, Job
from heygem.jobs.queue import Queue
from heygem.jobs.retention import Policy, prune
from heygem.jobs.store import Store
from heygem.pipeline import Options
from heygem.settings import Settings
from storage import Item, Meta, Progress, Storage, courier, open_storage, silent
from storage.courier import AT_ONCE, Courier, backoff
from storage.local import Local
from storage.sharing import Sharing
from tests.jobs.made import file, queue_in, request, take_of
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


# -- trouble


def test_what_may_pass_is_tried_until_it_has_passed(
    queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path
) -> None:
    here.shared.parent.mkdir(exist_ok=True)
    here.shared.write_text("a file where the folder should be")
    start(here)
    job = done(queue, tmp_path)
    waiting = until(queue, job, lambda now: now.tries >= 3)
    assert waiting.error and waiting.error.code == "output.failed" and waiting.state in (PENDING, UPLOADING)
    here.shared.unlink()
    there = until(queue, job, DELIVERED)
    assert there.error is None and queue.need(job.id).attempts == 0, "the work was done once"


def test_who_waits_longer_and_longer() -> None:
    waits = [backoff(tries) for tries in range(1, 60)]
    assert all(0.7 * courier.FIRST <= wait <= courier.LONGEST for wait in waits) and waits[-1] >= 0.7 * courier.LONGEST


def test_a_refusal_fails_at_once_and_can_be_tried_by_hand(
    queue: Queue, start: Callable[..., Courier], swift_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    config = swift_bucket.settings()
    start(config)
    job = done(queue, tmp_path)
    failed = until(queue, job, UNDELIVERED)
    assert failed.error and failed.error.code == StorageRefused.code and failed.ended and failed.next is None
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", swift_bucket.server.secret)
    assert Sharing(queue, config, open_storage).deliver(job.id).state in (PENDING, UPLOADING, DELIVERED)
    assert until(queue, job, DELIVERED).error is None


def test_everybody_goes_on_once_the_store_is_back(queue: Queue, tmp_path: Path) -> None:
    jobs = [done(queue, tmp_path) for _ in range(3)]
    table = Deliveries(queue.store)
    causes = (StorageUnreachable(place="b", reason="r"), StorageUnreachable(place="b", reason="r"), StorageRefused())
    for cause in causes:
        claimed = table.claim()
        assert claimed and table.put_back(claimed, Failure.of(cause), 500)
    assert table.claim() is None
    table.hurry(StorageUnreachable.code)
    freed = [table.claim(), table.claim(), table.claim()]
    assert [one and one.job for one in freed] == [jobs[0].id, jobs[1].id, None]


class Counted(Local):
    """The real storage of this server, only slower, which knows how many use it at once."""

    now = most = 0
    lock = threading.Lock()

    def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
        with self.lock:
            type(self).now += 1
            type(self).most = max(self.most, self.now)
        time.sleep(0.03)
        item = super().put(file, key, meta, progress)
        with self.lock:
            type(self).now -= 1
        return item


def test_fifty_results_three_at_a_time(
    queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path
) -> None:
    jobs = [done(queue, tmp_path) for _ in range(50)]
    start(here, Counted)
    ended = [until(queue, job, DELIVERED).ended for job in jobs]
    assert Counted.most == AT_ONCE == 3
    assert len({delivery(queue, job).key for job in jobs}) == 50 and all(ended)


def test_a_locked_table_is_waited_for(
    start: Callable[..., Courier], here: Settings, tmp_path: Path, queue: Queue
) -> None:
    """The upload has arrived, but that cannot be written down: it is once it can."""
    impatient = Store(queue.store.path, queue.outputs, patience=0.05)
    arrived = threading.Event()
    other = sqlite3.connect(queue.store.path or "", isolation_level=None, check_same_thread=False)

    class Locking(Local):
        def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
            other.execute("BEGIN EXCLUSIVE")
            arrived.set()
            return super().put(file, key, meta, progress)

    job = done(queue, tmp_path)
    sends = Courier(Queue(impatient, floor=0), here, Locking)
    sends.start()
    try:
        assert arrived.wait(10)
        time.sleep(0.3)
        other.execute("COMMIT")
        assert until(queue, job, DELIVERED).tries == 0
    finally:
        sends.close()


# -- taking back


def slow(proxy: Proxy) -> None:
    proxy.block_seconds = 0.02


def test_an_upload_that_is_taken_back_leaves_nothing(
    queue: Queue, start: Callable[..., Courier], troubled: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    slow(proxy)
    config = troubled.settings(s3_part_mb=5)
    start(config)
    job = done(queue, tmp_path, content=os.urandom(24 << 20))
    until(queue, job, lambda now: now.sent > 1 << 20 and now.speed)
    Sharing(queue, config).revoke(job.id)
    proxy.block_seconds = 0
    end = time.monotonic() + 20
    client = troubled.server.client()
    while client.list_multipart_uploads(Bucket=troubled.name).get("Uploads"):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert objects(troubled) == [] and delivery(queue, job).state == REVOKED


def test_what_was_delivered_is_deleted_and_gets_another_key_next_time(
    queue: Queue, start: Callable[..., Courier], swift_bucket: Bucket, tmp_path: Path
) -> None:
    config = swift_bucket.settings()
    start(config)
    job = done(queue, tmp_path)
    first = until(queue, job, DELIVERED).key
    share = Sharing(queue, config)
    old = share.make_link(job, by="ann").url
    assert httpx.get(old, trust_env=False).status_code == 200
    share.revoke(job.id)
    assert objects(swift_bucket) == [] and queue.need(job.id).link_expires is None
    share.deliver(job.id)
    again = until(queue, job, DELIVERED)
    assert again.key != first and objects(swift_bucket) == [again.key]
    assert httpx.get(old, trust_env=False).status_code == 404


def test_a_store_that_does_not_answer_revokes_nothing(
    queue: Queue, start: Callable[..., Courier], troubled: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    config = troubled.settings()
    sends = start(config)
    job = done(queue, tmp_path)
    until(queue, job, DELIVERED)
    sends.close()
    proxy.trouble = lambda seen: 403
    with pytest.raises(StorageRefused):
        Sharing(queue, config).revoke(job.id)
    assert delivery(queue, job).state == DELIVERED, "as long as it is there it is not revoked"


def test_removing_a_job_stops_its_upload_and_keeps_what_was_delivered(
    queue: Queue, start: Callable[..., Courier], swift_bucket: Bucket, tmp_path: Path
) -> None:
    waiting = done(queue, tmp_path)
    queue.remove(waiting.id)
    assert delivery(queue, waiting).state == REVOKED
    config = swift_bucket.settings()
    start(config)
    job = done(queue, tmp_path)
    there = until(queue, job, DELIVERED)
    queue.remove(job.id)
    assert objects(swift_bucket) == [there.key] and delivery(queue, job).state == DELIVERED
    Sharing(queue, config).revoke(job.id)
    assert objects(swift_bucket) == []


@pytest.mark.parametrize("moment", ["put", "broken", "refused", "end"])
def test_a_job_that_is_removed_during_its_upload_leaves_nothing(
    moment: str, queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path, monkeypatch: Any
) -> None:
    errors = {"broken": StorageUnreachable(place="b", reason="r"), "refused": StorageRefused(place="b", reason="r")}

    class Removing(Local):
        def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
            item = super().put(file, key, meta, progress)
            if moment != "end":
                queue.remove(job.id)
            if moment in errors:
                raise errors[moment]
            return item

    class Late(Deliveries):
        def end(self, delivery: Delivery, state: str, error: Failure | None = None) -> bool:
            if moment == "end":
                queue.remove(delivery.job)
            return super().end(delivery, state, error)

    monkeypatch.setattr(courier, "Deliveries", Late)
    job = done(queue, tmp_path)
    sends = start(here, Removing)
    until(queue, job, REVOKED)
    sends.close()
    assert [path for path in here.shared.rglob("*") if path.is_symlink()] == []


def test_what_goes_wrong_after_the_end_takes_nothing_back(
    queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Deliveries, "hurry", broken)
    job = done(queue, tmp_path)
    sends = start(here)
    there = until(queue, job, DELIVERED)
    sends.close()
    assert there.key and Local(here).exists(there.key) and delivery(queue, job).state == DELIVERED


def test_a_job_that_was_removed_when_its_delivery_was_asked_for(
    queue: Queue, start: Callable[..., Courier], here: Settings, tmp_path: Path
) -> None:
    job = done(queue, tmp_path, deliver=False)
    queue.remove(job.id)
    Deliveries(queue.store).ask(job)
    start(here)
    until(queue, job, REVOKED)


def test_messages_of_removed_jobs_are_not_looked_up(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = done(queue, tmp_path, hook="https://example.com/hook")
    table = Deliveries(queue.store)
    claimed = table.claim()
    assert claimed and table.end(claimed, DELIVERED) and [one.id for one, _ in table.hooks_due()] == [job.id]
    queue.remove(job.id)
    asked: list[str] = []
    monkeypatch.setattr(queue.store, "get", asked.append)
    assert table.hooks_due() == [] and asked == []


# -- the copy here


@pytest.mark.parametrize("pinned", [False, True])
def test_the_copy_here_goes_once_the_other_is_verified(
    pinned: bool, queue: Queue, start: Callable[..., Courier], swift_bucket: Bucket, tmp_path: Path
) -> None:
    batch = queue.submit_batch(
        file(tmp_path, "v.wav"), [file(tmp_path, "p.mp4")], Options(), extras=Extras(deliver=True)
    )
    job = queue.jobs_of(batch.id)[0]
    queue.pin(job.id, pinned)
    job = queue.store.claim("w")
    assert job and queue.finish(job, "w", take_of(job))
    job = queue.need(job.id)
    assert job.take and len([*batch.folder.glob("*.mp4")]) == 1
    content, config = job.take.path.read_bytes(), swift_bucket.settings(keep_local="remove")
    start(config)
    there = until(queue, job, DELIVERED)
    assert there.key and swift_bucket.content(there.key) == content
    assert job.take.path.exists() == bool([*batch.folder.glob("*.mp4")]) == pinned
    assert httpx.get(Sharing(queue, config).make_link(job).url, trust_env=False).content == content


def test_retention_leaves_what_still_has_to_go_out(queue: Queue, tmp_path: Path) -> None:
    job = done(queue, tmp_path)
    old = Policy(result_days=1)
    queue.store.change(job.id, ["done"], ended=time.time() - 90 * 86400)
    assert prune(queue, old).jobs == 0
    Deliveries(queue.store).change(job.id, [PENDING], state=DELIVERED)
    assert prune(queue, old).jobs == 1


def test_taken_back_and_sent_again_at_once(
    queue: Queue, start: Callable[..., Courier], troubled: Bucket, proxy: Proxy, tmp_path: Path
) -> None:
    """The upload that is being stopped has no say in the new one."""
    slow(proxy)
    config, content = troubled.settings(s3_part_mb=5), os.urandom(12 << 20)
    start(config)
    job = done(queue, tmp_path, content=content)
    first = until(queue, job, lambda now: now.sent > 1 << 20).key
    share = Sharing(queue, config)
    share.revoke(job.id)
    share.deliver(job.id)
    proxy.block_seconds = 0
    there = until(queue, job, DELIVERED)
    assert there.key and there.key != first and troubled.content(there.key) == content
    time.sleep(0.5)
    assert objects(troubled) == [there.key]


def test_what_is_being_taken_back_keeps_its_copy_here(queue: Queue, tmp_path: Path) -> None:
    done(queue, tmp_path)
    table = Deliveries(queue.store)
    claimed = table.claim()
    assert claimed and table.note(claimed, key="k", verified=1)
    mine = replace(claimed, key="k")
    with table.held(mine) as there:
        assert there
    table.change(mine.job, [UPLOADING], verified=0)  # how revoking begins
    with table.held(mine) as there:
        assert not there
    assert not table.note(claimed, sent=1) and not table.end(claimed, DELIVERED), "it has another key now"
