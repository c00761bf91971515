"""Those who asked are told when a job ends: by a real server, with answers of its choice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from heygem import settings
from heygem.errors import NoFace, OutputError
from heygem.jobs.job import CANCELLED, DONE, FAILED, RUNNING, Extras, Failure, Job
from heygem.jobs.queue import Queue
from heygem.notify import post, webhook
from heygem.notify.post import Post
from tests.jobs.made import queue_in, request, take_of
from tests.notify.receiver import Receiver, until

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path)


@pytest.fixture
def start(queue: Queue, tmp_path: Path, monkeypatch) -> Iterator[Callable[..., Post]]:
    monkeypatch.setattr(post, "INTERVAL", 0.02)
    started: list[Post] = []

    def start(**given: Any) -> Post:
        given = {"webhook_secret": SECRET, "webhook_private": True, **given}
        couriers = given.pop("couriers", None)
        config = settings.load(home=tmp_path / "home", **given)
        started.append(Post(queue.store, config, lambda job, _: {"id": job.id, "state": job.state}, couriers))
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        one.close()


def ended(queue: Queue, folder: Path, hook: str, error: Failure | None = None) -> Job:
    job = queue.submit(request(folder), Extras(hook=hook))
    assert queue.store.claim("w")
    assert queue.finish(job, "w", error or take_of(job))
    return queue.need(job.id)


def test_a_signed_message_for_each_way_to_end(queue, start, receiver, tmp_path):
    start()
    jobs = [
        ended(queue, tmp_path, receiver.url),
        ended(queue, tmp_path, receiver.url, Failure.of(NoFace(name="x"))),
        queue.submit(request(tmp_path), Extras(hook=receiver.url)),
    ]
    queue.cancel(jobs[2].id)
    receiver.wait(3)
    bodies = {}
    for headers, body in receiver.got:
        Webhook(SECRET).verify(body, headers)
        bodies[json.loads(body)["data"]["id"]] = json.loads(body)["type"]
    assert bodies == dict(zip([job.id for job in jobs], ["job.done", "job.failed", "job.cancelled"], strict=True))
    until(lambda: all(queue.need(job.id).hook_state == "sent" for job in jobs))
    time.sleep(0.1)
    assert len(receiver.got) == 3, "once each"


def test_a_running_job_that_is_cancelled_is_told_too(queue, start, receiver, tmp_path):
    start()
    for end in (lambda job: queue.store.finish(job.id, "w", FAILED), lambda job: queue.store.put_back(job.id, "w")):
        job = queue.submit(request(tmp_path), Extras(hook=receiver.url))
        assert queue.store.claim("w") and queue.cancel(job.id) and end(job)
        assert queue.need(job.id).state == CANCELLED
    receiver.wait(2)


def test_once_each_however_slowly_the_table_is_read(queue, start, receiver, tmp_path, monkeypatch):
    read = queue.store.hooks_due

    def slowly() -> Any:
        found = read()
        time.sleep(0.15)  # the message that is under way arrives, and its row says so
        return found

    receiver.delay = 0.05
    job = ended(queue, tmp_path, receiver.url)
    monkeypatch.setattr(queue.store, "hooks_due", slowly)
    start()
    until(lambda: queue.need(job.id).hook_state == "sent")
    time.sleep(0.3)
    assert len(receiver.got) == 1


def test_who_does_not_listen_is_tried_again_with_the_same_id(queue, start, receiver, tmp_path, monkeypatch):
    monkeypatch.setattr(webhook, "PAUSES", (0.05, 0.05, 0.05, 0.05))
    receiver.statuses = [500, 302, 404]
    start()
    job = ended(queue, tmp_path, receiver.url)
    receiver.wait(4)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    until(lambda: queue.need(job.id).hook_state == "sent")


def test_after_five_tries_it_is_given_up(queue, start, receiver, tmp_path, monkeypatch):
    monkeypatch.setattr(webhook, "PAUSES", (0.05, 0.05, 0.05, 0.05))
    receiver.statuses = [500] * 20
    start()
    job = ended(queue, tmp_path, receiver.url)
    until(lambda: queue.need(job.id).hook_state == "failed")
    assert len(receiver.got) == 5


def test_what_is_due_survives_a_restart(queue, start, receiver, tmp_path):
    receiver.statuses = [500]
    first = start()
    job = ended(queue, tmp_path, receiver.url)
    receiver.wait(1)
    until(lambda: not queue.store.hooks_due())
    first.close()
    queue.store.change(job.id, [DONE], hook_next=0.0)  # the time has come
    start()
    receiver.wait(2)
    until(lambda: queue.need(job.id).hook_state == "sent")


def test_an_address_that_became_private_is_not_called(queue, start, receiver, tmp_path):
    start(webhook_private=False)
    job = ended(queue, tmp_path, receiver.url)
    until(lambda: queue.need(job.id).hook_state == "failed")
    assert receiver.got == []


def test_a_slow_receiver_does_not_keep_the_others_waiting(queue, start, receiver, tmp_path):
    slow = Receiver()
    slow.delay = 2.0
    start()
    ended(queue, tmp_path, slow.url)
    began = time.monotonic()
    ended(queue, tmp_path, receiver.url)
    receiver.wait(1)
    assert time.monotonic() - began < 1
    slow.wait(1)
    slow.close()


def test_a_job_that_was_started_again_is_told_when_it_ends_anew(queue, start, receiver, tmp_path):
    receiver.delay = 0.3
    start()
    job = ended(queue, tmp_path, receiver.url, Failure.of(NoFace(name="x")))
    time.sleep(0.15)
    queue.retry(job.id)
    receiver.wait(1)
    time.sleep(0.1)
    assert queue.need(job.id).hook_state is None, "the answer to the first end says nothing about the second"
    receiver.delay = 0
    assert queue.store.claim("w")
    queue.finish(queue.need(job.id), "w", take_of(job))
    receiver.wait(2)
    assert [json.loads(body)["type"] for _, body in receiver.got] == ["job.failed", "job.done"]


def test_couriers_of_other_schemes(queue, start, tmp_path, monkeypatch):
    monkeypatch.setattr(webhook, "PAUSES", (0.05, 0.05, 0.05, 0.05))
    got: list[str] = []

    def courier(job: Job) -> None:
        got.append(job.hook or "")
        if len(got) == 1:
            raise OutputError(name="x", reason="disk full")
        if len(got) == 3:
            raise ZeroDivisionError

    start(couriers={"easy": courier})
    first = ended(queue, tmp_path, "easy:1")
    until(lambda: queue.need(first.id).hook_state == "sent")
    second = ended(queue, tmp_path, "easy:2")
    until(lambda: queue.need(second.id).hook_state == "failed")
    third = ended(queue, tmp_path, "gopher:3")
    until(lambda: queue.need(third.id).hook_state == "failed")
    assert got == ["easy:1", "easy:1", "easy:2"]


def test_nothing_is_told_of_a_job_that_runs(queue, start, receiver, tmp_path):
    start()
    queue.submit(request(tmp_path), Extras(hook=receiver.url))
    job = queue.store.claim("w")
    time.sleep(0.15)
    assert job and queue.need(job.id).state == RUNNING and receiver.got == []
