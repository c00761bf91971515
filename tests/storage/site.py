"""An app without a page that renders (quickly) and delivers, in a process of its own that tests may kill:
``python -m tests.storage.site [die]``. All is set by HEYGEM_* variables. die: at the moment the upload has arrived."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from heygem import log, settings
from heygem.jobs.fleet import LocalFleet
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.settings import Settings
from storage import Item, Meta, Progress, Storage, courier, open_storage, silent
from storage.courier import Courier
from tests.api import works


class Dies:
    """The real storage; the process is killed once the file is there."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
        self._storage.put(file, key, meta, progress)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def deadly(config: Settings) -> Dies:
    return Dies(open_storage(config))


def main(how: str = "") -> None:
    courier.INTERVAL, courier.FIRST, courier.LONGEST = 0.05, 0.2, 1.0
    config = settings.load()
    log.start(config.outputs / log.NAME, secrets=config.secrets)
    queue = Queue(Store(config.store, config.outputs), floor=0)
    fleet = LocalFleet(queue, config, works.by_name)
    queue.changed = fleet.wake
    sends = Courier(queue, config, deadly) if how else Courier(queue, config)  # pyright: ignore[reportArgumentType]
    fleet.start()
    sends.start()
    print("ready", flush=True)
    sys.stdin.read()
    sends.close()
    fleet.close(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
