"""The real program under measurement: ``app.py`` in a child process with folders and a port of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from heygem.errors import HeyGemError
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store

_ROOT = Path(__file__).parents[2]
_PATIENCE = 600.0


class Server:
    """Context manager. ``queue`` is our own hand on its store, as the command line has one."""

    def __init__(self, folder: Path, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        self.folder, self.outputs = folder, folder / "outputs"
        given = {"home": folder / "home", "outputs": self.outputs, "host": "127.0.0.1", "port": self.port, **settings}
        self._environment = {**os.environ, **{f"HEYGEM_{name.upper()}": str(value) for name, value in given.items()}}
        self._process: subprocess.Popen[bytes] | None = None
        self._parts: dict[str | None, int] = {}
        self.queue = Queue(Store(folder / "home" / "jobs.sqlite3", self.outputs), floor=0)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.queue.store.close()

    def start(self, wait: bool = True) -> None:
        """Starts the program; ``wait`` until it answers."""
        command = [sys.executable, str(_ROOT / "app.py"), "--quiet"]
        with (self.folder / "server.txt").open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log, cwd=self.folder)
        if wait:
            until(self._answers, "the page answers")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def kill(self) -> None:
        """SIGKILL, as an out-of-memory killer or a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    @property
    def app(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def workers(self) -> list[psutil.Process]:
        """Processes that render."""
        return [child for child in self.app.children() if "heygem.jobs.child" in child.cmdline()]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=60) as answer:
            return answer.read()

    def ask(self, part: str, question: object) -> Any:
        """What a part of the page (by its id) gets when a browser asks the server."""
        if part not in self._parts:
            parts = json.loads(self.get("config"))["components"]
            self._parts = {part["props"].get("elem_id"): part["id"] for part in parts}
        asked = {"data": question, "component_id": self._parts[part], "fn_name": "ask", "session_hash": "bench"}
        address = f"http://127.0.0.1:{self.port}/gradio_api/component_server/"
        body, headers = json.dumps(asked).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60) as answer:
            return json.loads(answer.read())

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise HeyGemError(reason=f"app.py ended: {(self.folder / 'server.txt').read_text()[-2000:]}")
        try:
            return bool(self.get("health"))
        except (urllib.error.URLError, OSError):
            return False


def until(done: Callable[[], object], what: str, patience: float = _PATIENCE, step: float = 0.02) -> float:
    """Waits until ``done()`` is true; the seconds that took. Raises HeyGemError."""
    start = time.monotonic()
    while not done():
        if time.monotonic() - start > patience:
            raise HeyGemError(reason=f"waited {patience:.0f} s in vain: {what}")
        time.sleep(step)
    return time.monotonic() - start


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
