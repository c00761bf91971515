"""A real server on a free port and a real Chromium in front of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
ROOT = Path(__file__).parents[2]
NAME = "heygem.example"
"""This machine under a name, as browsers elsewhere in the network meet it: plain http, not localhost."""


def holding(questions: str) -> str:
    """A script for a page: what it asks the server waits in ``window.held``, to be called, where the JavaScript
    ``questions`` is true of the values ``data`` that it sends."""
    return """
        const real = window.fetch;
        window.held = [];
        window.fetch = async (address, options) => {
            const data = String(address).includes("queue/join") ? JSON.parse(options.body).data : [];
            if (QUESTIONS) await new Promise(resolve => window.held.push(resolve));
            return real(address, options);
        };
    """.replace("QUESTIONS", questions)


@dataclass(frozen=True)
class Server:
    address: str
    outputs: Path
    ready_after: float


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


class App:
    """``python app.py`` as a user starts it, with a home and an outputs folder of its own, on one port."""

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        """more: variables of its environment."""
        self._folder, self._port, self._more = folder, free_port(), more or {}
        self.address, self.outputs = f"http://127.0.0.1:{self._port}", folder / "outputs"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Seconds until the page was there."""
        home = {"HEYGEM_HOME": str(self._folder / "home"), "HEYGEM_OUTPUTS": str(self.outputs)}
        command = [sys.executable, str(ROOT / "app.py"), "--host", "127.0.0.1", "--port", str(self._port)]
        began = time.monotonic()
        with (self._folder / "stderr").open("ab") as sink:
            self._process = subprocess.Popen(
                command, env={**os.environ, **home, **self._more}, cwd=self._folder, stdout=sink, stderr=sink
            )
        wait_for(self.address, self._process, self._folder / "stderr")
        return time.monotonic() - began

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def end(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(sign)
            self._process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    app = App(tmp_path_factory.mktemp("server"))
    try:
        ready_after = app.start()
        yield Server(app.address, app.outputs, ready_after)
    finally:
        app.end()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            return urllib.request.urlopen(f"{address}/health", timeout=5).close()  # also behind a login
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page did not come up")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path
        known = (os.environ.get("CHROMIUM"), "/usr/bin/chromium-headless-shell", "/usr/bin/chromium", own)
        found = [path for path in known if path and Path(path).exists()]
        if not found:
            pytest.skip("needs Chromium: set CHROMIUM, install it, or run “playwright install chromium”")
        browser = driver.chromium.launch(
            executable_path=found[0],
            args=["--no-sandbox", "--disable-gpu", f"--host-resolver-rules=MAP {NAME} 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Opens the page as a browser of its own; afterwards: no script failed and no request left this machine."""
    contexts, strangers, failures = [], [], []

    def visit(locale: str = "zh-CN", **more: Any) -> Any:
        context = chromium.new_context(locale=locale, accept_downloads=True, **more)
        contexts.append(context)
        context.on("request", lambda r: r.url.startswith((server.address, "data:", "blob:")) or strangers.append(r.url))
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(server.address)
        page.wait_for_selector("#job .job")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert strangers == [] and failures == []
