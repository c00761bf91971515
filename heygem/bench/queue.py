"""What the queue stands: kills, a thousand jobs, a long batch, a long day. Everything against the real program."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from loguru import logger

from heygem import samples
from heygem.bench import where
from heygem.bench.server import Server, until
from heygem.jobs.job import DONE, RUNNING, Extras, Job, Request
from heygem.jobs.queue import Queue
from heygem.jobs.store import Filter, Store
from heygem.pipeline import Options

DRAFT = Options(quality="draft")


Found = dict[str, Any]
"""One figure: what, value, aim, met."""


def measure(only: str = "", progress: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    """The figures of the measures whose name contains ``only``. About a quarter of an hour on two cores for all."""
    logger.disable("heygem")  # a line for each of thousands of jobs
    found: list[Found] = []
    for name, run in MEASURES.items():
        if only in name:
            progress(name)
            with TemporaryDirectory() as folder:
                found += run(Path(folder))
    return {"kind": "queue", **where(), "clip": "`heygem bench --queue`", "found": found}


def first_job(folder: Path) -> list[Found]:
    """From the start of the program to the first frame of a job that was waiting."""
    server = Server(folder)
    job = server.queue.submit(_request(folder))
    with server:  # the job may have ended before the page answers
        until(lambda: not server.queue.need(job.id).busy, "the first job ends")
        seconds = (server.queue.need(job.id).started or 0) - server.app.create_time()
    return [_found("start of the program to the first job running", f"{seconds:.1f} s", "10 s", seconds <= 10)]


def many_waiting(folder: Path) -> list[Found]:
    """Claims and lists with 1,000 waiting jobs, and the history with 10,000 rows."""
    store = Store(folder / "home" / "jobs.sqlite3", folder / "outputs")
    claims = _filled(Queue(store, floor=0), _request(folder), 1000)
    found = [_at_95("claim with 1,000 waiting", claims, 0.005)]
    with Server(folder) as server:
        server.queue.pause()
        for number, name, aim in ((1000, "1,000 waiting", 0.3), (10_000, "10,000 rows", 0.5)):
            _fill(server.queue, number)
            found += [
                _at_95(f"GET /{path}, {name}", [_timed(server.get, path) for _ in range(40)], aim)
                for path in ("api/v1/jobs?limit=24", "api/v1/queue", "health")
            ]
            assert server.ask("history", {"text": "asked"})["rows"], "it answers as it does for a browser"
            for what, question in (("newest", {}), ("last page", {"page": 10**6}), ("search", {"text": "asked"})):
                answers = [_timed(server.ask, "history", question) for _ in range(40)]
                found.append(_at_95(f"history in the page, {what}, {name}", answers, aim))
    return found


def long_batch(folder: Path) -> list[Found]:
    """50 short videos with one voice against the sum of their renders."""
    voice = samples.long_voice(folder / "voice.wav", 2)
    videos = [samples.clip(folder / f"{n}.mp4", 1, (320, 320), 90 + n) for n in range(50)]
    with Server(folder) as server:
        warm = server.queue.submit(Request(videos[0], voice, DRAFT))
        until(lambda: not server.queue.need(warm.id).busy, "the models are loaded")
        kept = len(_voices(server))
        batch = server.queue.submit_batch(samples.long_voice(folder / "other.wav", 2.4), videos, DRAFT)
        whole = until(lambda: not server.queue.need_batch(batch.id).busy, "the batch ends")
        jobs = server.queue.jobs_of(batch.id)
        heard = (len(_voices(server)) - kept) / 2  # an entry with its samples, one with what was heard in them
    renders = sum(sum(job.take.stages.values()) for job in jobs if job.take)
    ratio = whole / renders
    return [
        _found("50 videos, one voice: done", f"{sum(job.state == DONE for job in jobs)}", "50", len(jobs) == 50),
        _found("total against the sum of the renders", f"{ratio:.3f} ({whole:.1f} s)", "1.05", ratio <= 1.05),
        _found("analyses of the voice", f"{heard:g}", "1", heard == 1),
    ]


def cancels(folder: Path) -> list[Found]:
    """Ten cancels at random moments, until the worker is free for the next job."""
    chance, waits = random.Random(4), []
    with Server(folder) as server:
        request = _request(folder, seconds=60)
        for _ in range(10):
            job = server.queue.submit(request)
            until(lambda job=job: server.queue.need(job.id).state == RUNNING, "the job runs")
            time.sleep(chance.uniform(0, 4))
            server.queue.cancel(job.id)
            waits.append(until(lambda job=job: not server.queue.need(job.id).busy, "the job is stopped"))
    worst = max(waits)
    return [_found("cancel to idle, the slowest of 10", f"{worst:.2f} s", "2 s", worst <= 2)]


def storm(folder: Path, kills: int = 20, jobs: int = 10) -> list[Found]:
    """SIGKILL at random moments, of the program and of its workers, while a batch is worked off."""
    chance = random.Random(20)
    voice = samples.long_voice(folder / "voice.wav", 20)
    videos = [samples.clip(folder / f"{n}.mp4", 2, (320, 320), 90 + 5 * n) for n in range(jobs)]
    with Server(folder) as server:
        batch = server.queue.submit_batch(voice, videos, DRAFT)
        for _ in range(kills):
            time.sleep(chance.uniform(0.3, 3))
            workers = server.workers()
            if workers and chance.random() < 0.5:
                chance.choice(workers).kill()
            else:
                server.kill()
                server.start(wait=chance.random() < 0.5)
        busy = server.queue.need_batch(batch.id).busy
        until(lambda: not server.queue.need_batch(batch.id).busy, "the batch ends")
        until(lambda: len([*batch.folder.glob("*.mp4")]) == jobs, "the results are shown", 5)
        ended = server.queue.jobs_of(batch.id)
    whole = sum(job.state == DONE and job.take is not None and job.take.path.stat().st_size > 0 for job in ended)
    parts = len([*server.outputs.rglob("*.part")])
    results = len([*server.outputs.glob("*/*/*.mp4")]) - len([*batch.folder.glob("*.mp4")])
    return [
        _found(f"{kills} kills in a batch of {jobs}: done", f"{whole} of {len(ended)}", f"{jobs}", whole == jobs),
        _found("the kills reached into the work", "yes" if busy else "no", "yes", busy),
        _found("results beside one a job", f"{results - jobs}", "0", results == jobs),
        _found("half-written files left", f"{parts}", "0", parts == 0),
    ]


def soak(folder: Path, jobs: int = 200) -> list[Found]:
    """Memory of program and worker over many jobs in a row."""
    voice = samples.long_voice(folder / "voice.wav", 1.5)
    videos = [samples.clip(folder / f"{n}.mp4", 1, (320, 320), 90 + 10 * n) for n in range(5)]
    sizes: dict[str, list[float]] = {"program": [], "worker": []}
    with Server(folder) as server:
        for number in range(jobs):
            job = server.queue.submit(Request(videos[number % 5], voice, DRAFT))
            until(lambda job=job: not server.queue.need(job.id).busy, "the job ends")
            sizes["program"].append(_resident([server.app]))
            sizes["worker"].append(_resident(server.workers()))
        ended = server.queue.store.counts()
    found = [_found(f"{jobs} jobs in a row: done", f"{ended.get(DONE, 0)}", f"{jobs}", ended == {DONE: jobs})]
    for who, series in sizes.items():
        early, late = (statistics.median(part) for part in (series[jobs // 10 : jobs // 5], series[-jobs // 10 :]))
        text = f"{early:.0f} to {late:.0f} MiB ({100 * (late / early - 1):+.1f} %)"
        found.append(_found(f"memory of the {who}, after a tenth and at the end", text, "5 %", late <= 1.05 * early))
    return found


MEASURES: dict[str, Callable[[Path], list[Found]]] = {
    "first": first_job,
    "many": many_waiting,
    "batch": long_batch,
    "cancel": cancels,
    "storm": storm,
    "soak": soak,
}


def _found(what: str, value: str, aim: str, met: bool) -> Found:
    return {"what": what, "value": value, "aim": aim, "met": met}


def _voices(server: Server) -> list[Path]:
    return [*(server.folder / "home" / "cache" / "voices").glob("*/entry.json")]


def _request(folder: Path, seconds: float = 2) -> Request:
    voice = samples.long_voice(folder / "asked.wav", seconds)
    return Request(samples.clip(folder / "asked.mp4", 2, (320, 320), 100), voice, DRAFT)


def _filled(queue: Queue, request: Request, number: int) -> list[float]:
    """Seconds of each of 100 claims while ``number`` jobs wait. Everything has ended afterwards."""
    queue.submit(request, Extras(key="first"))
    _fill(queue, number + 100)
    claims = [_timed(queue.store.claim, "bench") for _ in range(100)]
    for job in queue.store.running():
        queue.store.put_back(job.id, None)
    for job in queue.store.waiting():
        queue.cancel(job.id)
    return claims


def _fill(queue: Queue, number: int) -> None:
    """So many more rows, all of the same inputs: only rows are measured."""
    one: Job = queue.find(Filter(limit=1))[0][0]
    start = sum(queue.store.counts().values())
    queue.store.add([replace(one, id=f"{start + n:016x}", key=None, hook=None) for n in range(number)])


def _timed(call: Callable[..., object], *values: object) -> float:
    start = time.perf_counter()
    call(*values)
    return time.perf_counter() - start


def _at_95(what: str, seconds: list[float], aim: float) -> Found:
    value = statistics.quantiles(seconds, n=20)[-1]
    return _found(f"{what}, 95th percentile", f"{value * 1000:.1f} ms", f"{aim * 1000:.0f} ms", value <= aim)


def _resident(processes: list[psutil.Process]) -> float:
    """Resident memory in MiB."""
    return sum(process.memory_info().rss for process in processes) / 2**20
