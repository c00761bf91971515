"""The storage fails in every way for minutes while the real program renders: neither time nor a result is lost."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from heygem import samples
from heygem.bench.server import Server, until
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, DONE, Extras, Job, Request
from heygem.pipeline import Options
from tests.conftest import Figure
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy

FAULTS = (500, 503, "reset", "silent", "reset after")
TURNS = ["off", "on", "on", "on", "on", "off"]
"""Who renders next. While one does, the other stands still; so a drift of the machine counts for both alike."""


class Renders:
    """The real program on the bucket, with the switch on or off. seconds: what each of its renders took."""

    def __init__(self, folder: Path, bucket: Bucket, request: Request, deliver: bool) -> None:
        given = {**bucket.given, "home": folder / "home"}
        self.server = Server(folder, **given)
        self._request, self._extras = request, Extras(deliver=deliver)
        self.jobs: list[Job] = []
        self.seconds: list[float] = []

    def freeze(self, frozen: bool = True) -> None:
        for process in (self.server.app, *self.server.app.children(recursive=True)):
            process.suspend() if frozen else process.resume()

    def render(self) -> None:
        queue = self.server.queue
        job = queue.submit(self._request, self._extras)
        until(lambda: not queue.need(job.id).busy, "the render ends", 120)
        now = queue.need(job.id)
        assert now.state == DONE and now.started and now.ended, now.error
        self.jobs.append(now)
        self.seconds.append(now.ended - now.started)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_outage_costs_no_time_and_no_result(
    request: pytest.FixtureRequest,
    troubled: Bucket,
    proxy: Proxy,
    tmp_path: Path,
    figure: Figure,
) -> None:
    full = request.config.getoption("--save")
    faults = itertools.cycle(FAULTS)
    proxy.trouble = lambda seen: next(faults)
    work = Request(
        samples.clip(tmp_path / "p.mp4", 4, (540, 960), 150),
        samples.long_voice(tmp_path / "voice.wav", 8 if full else 3),
        Options(),
    )
    with ExitStack() as stack:
        both = {name: Renders(tmp_path / name, troubled, work, deliver=name == "on") for name in ("off", "on")}
        for one in both.values():
            stack.enter_context(one.server)
            stack.callback(one.freeze, False)
            one.render()  # the model is loaded, the person is known
            one.freeze()
            one.seconds.clear()
        lasted = _turns(both, 600 if full else 8)
        on, off = both["on"], both["off"]
        off.freeze(False)
        on.freeze(False)
        refused = sum(seen.status != 200 for seen in proxy.seen)
        table = Deliveries(on.server.queue.store)
        assert not any(seen.status == 200 for seen in proxy.seen), "nothing came through"
        proxy.trouble = lambda seen: None
        waited = until(lambda: all(_arrived(table, job) for job in on.jobs), "all is delivered", 700)
        whole = sum(troubled.content(_arrived(table, job)) == _result(job) for job in on.jobs)
        assert off.server.queue.store.counts() == {DONE: len(off.jobs)}
        assert on.server.queue.store.counts() == {DONE: len(on.jobs)}
        assert all(on.server.queue.need(job.id).attempts == 0 for job in on.jobs), "the work was done once"
        assert len({_arrived(table, job) for job in on.jobs}) == len(on.jobs) == _objects(troubled), (
            "nothing is doubled"
        )
    ratio = _mean(off.seconds) / _mean(on.seconds)
    what = f"{lasted / 60:.1f} minutes of 500, 503, silence and broken connections"
    if full:  # a few renders say nothing about three in a hundred
        figure(f"{what}: renders a minute against none", f"{ratio:.3f}", "0.97", ratio >= 0.97)
    figure("requests that failed meanwhile", f"{refused}", "some", refused > 5)
    count = len(on.jobs)
    figure("delivered afterwards", f"{whole} of {count} after {waited:.0f} s", f"{count}", whole == count)


def _turns(both: dict[str, Renders], seconds: float) -> float:
    """Both render by turns until the one with the switch on has taken so many seconds. Returns how many it took."""
    lasted = 0.0
    for name in itertools.cycle(TURNS):
        begin = time.monotonic()
        both[name].freeze(False)
        both[name].render()
        both[name].freeze()
        lasted += (name == "on") * (time.monotonic() - begin)
        if lasted > seconds and name == "off":
            return lasted
    raise AssertionError("the turns never end")


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds)


def _arrived(table: Deliveries, job: Job) -> str:
    """The key, once it is there."""
    now = table.get(job.id)
    return now.key or "" if now and now.state == DELIVERED else ""


def _objects(bucket: Bucket) -> int:
    """How many lie in the bucket."""
    pages = bucket.server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name)
    return sum(page["KeyCount"] for page in pages)


def _result(job: Job) -> bytes:
    assert job.take
    return job.take.path.read_bytes()
