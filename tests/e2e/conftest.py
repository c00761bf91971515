"""A real server on a free port and a real Chromium in front of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    address: str
    outputs: Path
    ready_after: float


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``python app.py`` as a user starts it, with a home and an outputs folder of its own."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    environment = {**os.environ, "HEYGEM_HOME": str(folder / "home"), "HEYGEM_OUTPUTS": str(folder / "outputs")}
    command = [sys.executable, str(ROOT / "app.py"), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "stderr").open("wb") as sink:
        began = time.monotonic()
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=sink, stderr=sink)
        address = f"http://127.0.0.1:{port}"
        try:
            wait_for(address, process, folder / "stderr")
            yield Server(address, folder / "outputs", time.monotonic() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page did not come up")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        own = driver.chromium.executable_path
        found = [
            path for path in (os.environ.get("CHROMIUM"), "/usr/bin/chromium", own) if path and Path(path).exists()
        ]
        if not found:
            pytest.skip("needs Chromium: set CHROMIUM, install it, or run “playwright install chromium”")
        browser = driver.chromium.launch(executable_path=found[0], args=["--no-sandbox"])
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
