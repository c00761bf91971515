"""How long the real work takes to stop, from the moment of asking until nothing of it is left."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from heygem import samples
from heygem.jobs.job import CANCELLED, DONE, Request
from heygem.jobs.worker import lipsync
from heygem.pipeline import Options
from tests.jobs.conftest import Site

CANCELS = 10


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_work_stops_within_two_seconds_at_any_moment(sites: Callable[..., Site], tmp_path: Path) -> None:
    site, dice = sites(lipsync), random.Random(5)
    clips = [samples.clip(tmp_path / f"{n}.mp4", 3 + n / 25, (540, 960), 150) for n in range(CANCELS // 2)]
    request = Request(clips[0], samples.long_voice(tmp_path / "voice.wav", 60), Options())
    took, stages = [], []
    for n in range(CANCELS):  # half of them with somebody who is not known yet
        job = site.queue.submit(replace(request, video=clips[n % len(clips)]))
        time.sleep(dice.uniform(0, 1.5 if n < len(clips) else 5))
        now = site.queue.need(job.id)
        begun = time.monotonic()
        assert site.queue.cancel(job.id)
        site.until(job, CANCELLED)
        took.append(time.monotonic() - begun)
        stages.append(now.stage or now.state)
        pid = site.fleet.workers()[0].pid
        started = [*map(psutil.Process.cmdline, psutil.Process(pid).children(True))] if pid else []
        assert all("heygem.jobs.child" in command for command in started), "its guard and nothing else"
        assert not [*job.folder.rglob("*.part")]
    print("seconds:", [round(seconds, 2) for seconds in took], "in", stages, "longest:", round(max(took), 2))
    assert max(took) < 2
    short = replace(request, audio=samples.long_voice(tmp_path / "short.wav", 3))
    site.until(site.queue.submit(short), DONE, 60)
