"""A real ComfyUI in a process of its own: on the CPU, with folders of its own, this pack linked into them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from heygem.comfyui_install import install
from tests.e2e.conftest import free_port

CPU = ("--cpu", "--listen", "127.0.0.1", "--disable-api-nodes", "--disable-auto-launch")
FOLDERS = ("custom_nodes", "input", "output", "temp", "user", "models")


class Engine:
    """COMFYUI_DIR names its checkout, COMFYUI_PYTHON an interpreter that has what it and the pack need (else the one of
    the tests), COMFYUI_ARGS further arguments of its main.py."""

    def __init__(
        self,
        checkout: Path,
        base: Path,
        more: Mapping[str, str] | None = None,
        add: Callable[[Path], object] = install,
    ) -> None:
        """base: where its folders are made. more: variables of its environment. add: puts the pack into base."""
        self.checkout, self.base, self._more, self._add = checkout, base, more or {}, add
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self.log = base / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def input(self) -> Path:
        return self.base / "input"

    @property
    def output(self) -> Path:
        return self.base / "output"

    @property
    def temp(self) -> Path:
        return self.base / "temp"

    def start(self) -> None:
        for name in FOLDERS:
            (self.base / name).mkdir(parents=True, exist_ok=True)
        for name in ("main.py", "comfy"):  # by these the checkout is known, which stays as it is
            (self.base / name).symlink_to(self.checkout / name)
        self._add(self.base)
        database = ("--database-url", f"sqlite:///{self.base / 'user' / 'comfyui.db'}")
        own = ("--port", str(self._port), "--base-directory", str(self.base), *database)
        command = [os.environ.get("COMFYUI_PYTHON", sys.executable), "main.py", *CPU, *own]
        command += shlex.split(os.environ.get("COMFYUI_ARGS", ""))
        home = {"HEYGEM_HOME": str(self.base / "home"), "HEYGEM_OUTPUTS": str(self.base / "outputs")}
        with self.log.open("ab") as sink:
            self._process = subprocess.Popen(
                command, cwd=self.checkout, env={**os.environ, **home, **self._more}, stdout=sink, stderr=sink
            )
        self._wait()

    def _wait(self, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self._process is not None and self._process.poll() is None, self.said()
            try:
                return urllib.request.urlopen(f"{self.address}/system_stats", timeout=5).close()
            except OSError:
                time.sleep(0.2)
        raise AssertionError(f"ComfyUI did not come up in {seconds} s: {self.said()}")

    def said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
