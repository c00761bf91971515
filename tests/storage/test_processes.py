"""The whole way in processes of their own: killed in the middle, through an outage, watched for what leaves them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, UNDELIVERED, UPLOADING, Delivery, Extras, Job, Request
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.pipeline import Options
from storage.sharing import Sharing
from tests.conftest import Figure
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy

PART = 5 << 20
ROOT = Path(__file__).parents[2]
AUDIT = Path(__file__).parent / "audit"


class App:
    """A running app (see ``site``) on a bucket; the list of jobs is open here, too."""

    def __init__(self, bucket: Bucket, folder: Path, **given: Any) -> None:
        self.bucket, self.folder, self._given = (
            bucket,
            folder,
            {"outputs": folder / "outputs", "s3_part_mb": 5, **given},
        )
        self.settings = bucket.settings(**self._given)
        self.queue = Queue(Store(self.settings.store, self.settings.outputs), floor=0)
        self.table = Deliveries(self.queue.store)
        self.connections = folder / "connections"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *how: str, **variables: str) -> None:
        path = os.pathsep.join([str(AUDIT), str(ROOT)])
        audit = {"PYTHONPATH": path, "CONNECTIONS": str(self.connections)}
        environment = {**self.bucket.environment(**self._given), **audit, **variables}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.site", *how],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout and self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """As a service is stopped. Seconds that it took."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        begin = time.monotonic()
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)
        return time.monotonic() - begin

    def submit(self, size: int = 100_000, deliver: bool = True) -> Job:
        """The result of the quick work is a copy of its video."""
        video, audio = self.folder / "王老师.mp4", self.folder / "课.wav"
        video.write_bytes(os.urandom(size))
        audio.write_text("voice")
        return self.queue.submit(Request(video, audio, Options()), Extras(deliver=deliver, link=False))

    def until(self, job: Job, wanted: str | Callable[[Delivery], Any], seconds: float = 40.0) -> Delivery:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            now = self.table.get(job.id)
            if now and (wanted(now) if callable(wanted) else now.state == wanted):
                return now
            time.sleep(0.02)
        raise AssertionError(f"not {wanted} after {seconds} s: {self.table.get(job.id)}")

    def done(self, job: Job) -> Job:
        end = time.monotonic() + 30
        while (now := self.queue.need(job.id)).busy:
            assert time.monotonic() < end
            time.sleep(0.02)
        assert now.state == "done", now.error
        return now

    def there(self) -> list[str]:
        client = self.bucket.server.client()
        return [one["Key"] for one in client.list_objects_v2(Bucket=self.bucket.name).get("Contents", [])]


@pytest.fixture
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., App]]:
    made: list[App] = []

    def app(bucket: Bucket, **given: Any) -> App:
        made.append(App(bucket, tmp_path, **given))
        return made[-1]

    yield app
    for one in made:
        if one.process and one.process.poll() is None:
            one.process.kill()
            one.process.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [1, 5])
def test_killed_in_the_middle_it_goes_on_where_it_was(
    request: pytest.FixtureRequest,
    app: Callable[..., App],
    troubled: Bucket,
    proxy: Proxy,
    figure: Figure,
    kills: int,
) -> None:
    """With --save one of the uploads has 1 GiB."""
    full = request.config.getoption("--save") and kills > 1
    size = 1 << 30 if full else 12 * PART * kills
    mine, dice, parts = app(troubled), random.Random(size), -(-size // PART)
    proxy.block_seconds = 0.01 if kills == 1 else 0.0005
    mine.start()
    job = mine.submit(size)
    for moment in sorted(dice.sample(range(4, parts - 4), kills)):
        mine.until(job, lambda now, moment=moment: now.state == UPLOADING and len(proxy.parts()) >= moment, 120)
        time.sleep(dice.uniform(0, 0.05))
        mine.kill()
        assert mine.table.get(job.id) and mine.there() == []
        mine.start()
    proxy.block_seconds = 0
    there = mine.until(job, DELIVERED, 300)
    now, again = mine.done(job), sum(seen.part is not None for seen in proxy.seen) - parts
    assert now.take and there.key and mine.there() == [there.key]
    equal = troubled.content(there.key) == now.take.path.read_bytes()
    name = f"an upload of {size >> 20} MiB with {kills} SIGKILL of the app"
    figure(f"{name}: content", "equal" if equal else "differs", "equal", equal)
    figure(f"{name}: parts sent again, whole or begun", f"{again} of {parts}", f"{kills}", again <= kills)
    assert (now.attempts, now.interruptions) == (0, 0), "the work was done once"


def test_killed_between_the_arrival_and_its_row_nothing_is_doubled(
    app: Callable[..., App], swift_bucket: Bucket
) -> None:
    mine = app(swift_bucket)
    mine.start("die")
    job = mine.submit(12 << 20)
    assert mine.process and mine.process.wait(40) == -signal.SIGKILL
    left = mine.table.get(job.id)
    assert left and left.state == UPLOADING and not left.verified and mine.there() == [left.key]
    mine.start()
    assert mine.until(job, DELIVERED).key == left.key and mine.there() == [left.key]
    assert mine.done(job).interruptions == 0


@pytest.mark.slow
def test_fifty_results_fill_the_line(
    request: pytest.FixtureRequest, app: Callable[..., App], swift_bucket: Bucket, figure: Figure
) -> None:
    megabytes, rate = 2.5 if request.config.getoption("--save") else 1, 5.0
    mine = app(swift_bucket, upload_limit_mb_s=rate)
    mine.start()
    warm = mine.submit(1000)
    mine.until(warm, DELIVERED)
    mine.stop()
    jobs = [mine.submit(int(megabytes * 1e6)) for _ in range(50)]
    mine.start()
    mine.until(jobs[0], UPLOADING)
    begin, most = time.monotonic(), 0
    while (states := mine.table.counts()).get(DELIVERED, 0) < 51:
        most = max(most, states.get(UPLOADING, 0))
        assert time.monotonic() - begin < 60
        time.sleep(0.05)
    ratio = (time.monotonic() - begin) / (50 * megabytes / rate)
    figure("50 results: uploads at once, at most", f"{most}", "3", most == 3)
    figure(f"50 results: time against the limit of {rate:g} MB/s", f"{ratio:.3f}", "1.1", ratio <= 1.1)


def test_the_app_ends_at_once_also_in_an_outage(app: Callable[..., App], troubled: Bucket, proxy: Proxy) -> None:
    mine = app(troubled)
    proxy.trouble = lambda seen: 503
    mine.start()
    job = mine.submit()
    mine.until(job, UPLOADING)
    time.sleep(4)  # it waits to try once more
    assert mine.stop() < 8


def test_off_means_that_nothing_leaves_the_machine(app: Callable[..., App], swift_bucket: Bucket) -> None:
    mine = app(swift_bucket)
    mine.start()
    job = mine.done(mine.submit(deliver=False))
    link = Sharing(mine.queue, mine.settings).make_link(job, by="ann")
    assert link.url.startswith("/share/"), "sharing by this server needs nobody else"
    time.sleep(1.5)
    assert not mine.connections.exists(), mine.connections.read_text()
    on = mine.submit(deliver=True)
    mine.until(on, DELIVERED)
    port = swift_bucket.server.endpoint.rpartition(":")[2]
    assert {line.split()[1] for line in mine.connections.read_text().splitlines()} == {port}, "the counter counts"


def test_no_secret_anywhere(app: Callable[..., App], swift_bucket: Bucket, tmp_path: Path) -> None:
    mine = app(swift_bucket)
    mine.start()
    job = mine.submit()
    there = mine.until(job, DELIVERED)
    share = Sharing(mine.queue, mine.settings)
    links = [share.make_link(one, by="ann") for one in (mine.done(job), mine.done(mine.submit(deliver=False)))]
    assert httpx.get(links[0].url, trust_env=False).status_code == 200
    assert mine.process
    ours = [psutil.Process(mine.process.pid), *psutil.Process(mine.process.pid).children(recursive=True)]
    commands = [word for process in ours for word in process.cmdline()]
    mine.stop()
    mine.start(AWS_SECRET_ACCESS_KEY="PLANTED-and-wrong")
    assert mine.until(mine.submit(), UNDELIVERED).error
    mine.stop()

    key = mine.settings.home / "share.key"
    places = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != key}
    head = swift_bucket.server.client().head_object(Bucket=swift_bucket.name, Key=there.key)
    places |= {"commands": " ".join(commands).encode(), "head": str(head).encode()}
    places["object"] = swift_bucket.content(there.key or "")
    assert str(mine.settings.store) in places and any(name.endswith(".log") for name in places) and len(ours) > 1
    signatures = [link.url.rpartition("=")[2].encode() for link in links]
    assert all(len(one) == 64 for one in signatures) and b"tests.storage.site" in places["commands"]
    for name, content in places.items():
        for secret in (swift_bucket.server.secret.encode(), b"PLANTED", *signatures, key.read_bytes()):
            assert secret not in content, name
