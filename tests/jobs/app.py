"""An app without a page, in a process of its own that tests may kill: ``python -m tests.jobs.app HOME WHAT [NUMBER]``.

WHAT: "claim" takes NUMBER jobs off the queue without a fleet and prints their numbers; "idle" serves the queue;
"quick" serves it with half a second of fake work a job, "lipsync" with the real one; else one such job is submitted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from heygem.jobs import attempt
from heygem.jobs.worker import lipsync
from tests.jobs import works
from tests.jobs.conftest import Site


def claim(site: Site, number: int) -> None:
    print("ready", flush=True)
    for _ in range(number):
        while (job := site.store.claim("another process")) is None:
            time.sleep(0.01)
        print(job.id, flush=True)
        time.sleep(0.01)


def serve(site: Site, what: str) -> None:
    site.fleet.start()
    if what not in ("idle", "quick", "lipsync"):
        site.submit(what)
    print("ready", flush=True)
    time.sleep(600)


def main(home: str, what: str, number: str = "0") -> None:
    attempt.BACKOFF = (0.05, 0.1)
    site = Site(Path(home), {"quick": works.quick, "lipsync": lipsync}.get(what, works.by_name), 10.0)
    if what == "claim":
        claim(site, int(number))
    else:
        serve(site, what)


if __name__ == "__main__":
    main(*sys.argv[1:])
