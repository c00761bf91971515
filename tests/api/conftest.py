"""A real server over a real queue with real workers; only the work itself is quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import uvicorn
from argon2 import PasswordHasher

from api.app import create
from api.security import secure
from heygem import settings
from heygem.jobs.fleet import Fleet, LocalFleet
from heygem.jobs.preflight import Preflight
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store
from heygem.jobs.worker import Work
from heygem.settings import Settings
from tests.api import works
from tests.media.clips import film, numbered, wav


@dataclass(frozen=True)
class Desk:
    queue: Queue
    fleet: Fleet
    preflight: Preflight
    settings: Settings


@dataclass(frozen=True)
class Server:
    """client: speaks to it. shared: the folders that its settings name."""

    desk: Desk
    client: httpx.Client
    address: str

    @property
    def queue(self) -> Queue:
        return self.desk.queue

    def json(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        answer = self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def wait(self, id: str, *states: str) -> Any:
        """The job as soon as it is in one of these states."""
        deadline = time.monotonic() + 30
        while (job := self.json("GET", f"/api/v1/jobs/{id}"))["state"] not in (states or ("done",)):
            assert time.monotonic() < deadline and job["state"] in ("queued", "running"), job
            time.sleep(0.05)
        return job


@contextmanager
def served(folder: Path, work: Work | None = works.by_name, **given: Any) -> Iterator[Server]:
    """work None: nothing is worked off."""
    given = {"home": folder / "home", "outputs": folder / "outputs", "min_free_mb": 0, **given}
    config = settings.load(**given)
    store = Store(config.home / "jobs.sqlite3", config.outputs)
    queue = Queue(store, floor=0)
    fleet = LocalFleet(queue, config, work or works.by_name)
    queue.changed = fleet.wake
    if work is not None:
        fleet.start()
    preflight = Preflight()
    desk = Desk(queue, fleet, preflight, config)
    app = create(desk)
    server = uvicorn.Server(
        uvicorn.Config(secure(app, config), "127.0.0.1", 0, log_level="warning", timeout_graceful_shutdown=3)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            yield Server(desk, client, address)
    finally:
        app.state.closing.set()
        server.should_exit = True
        thread.join(10)
        fleet.close(0)
        preflight.close()
        store.close()
    assert not thread.is_alive()


@pytest.fixture(scope="package", autouse=True)
def _hasty() -> Iterator[None]:
    """Passwords are hashed as in life, only not slowly on purpose."""
    with pytest.MonkeyPatch.context() as patched:
        cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patched.setattr("heygem.users.PasswordHasher", cheap)
        yield


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real film of a second, 128x96."""
    return film(tmp_path_factory.mktemp("clip") / "person.mp4", [numbered(n) for n in range(25)], "-c:v", "libx264")


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A real recording under a name of one's choice: it decides what the work does."""
    made: dict[tuple[str, float], Path] = {}

    def sound(stem: str = "voice", seconds: float = 1.0) -> Path:
        if (stem, seconds) not in made:
            samples = 0.3 * np.sin(np.arange(round(8000 * seconds)) / 3)
            made[stem, seconds] = wav(tmp_path_factory.mktemp("sound") / f"{stem}.wav", samples, 8000)
        return made[stem, seconds]

    return sound


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests that do not mind the jobs of others."""
    folder = tmp_path_factory.mktemp("server")
    shared: dict[str, Any] = {name: folder / name for name in ("input_folder", "easy_folder")}
    for path in shared.values():
        path.mkdir()
    with served(folder, max_upload_mb=2, max_minutes=1, max_videos=20, webhook_private=True, **shared) as server:
        yield server


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Server]:
    """A server of one's own on which no job ever begins."""
    with served(tmp_path, None) as server:
        yield server


@pytest.fixture
def send(clip: Path, sound: Callable[..., Path]) -> Callable[..., Any]:
    """Posts a job with real files; returns the answer."""

    def send(server: Server, stem: str = "voice", data: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        files = {"audio": sound(stem).open("rb"), "video": clip.open("rb")}
        return server.client.post("/api/v1/jobs", files=files, data=data or {}, **more)

    return send
