"""The command line as a user meets it: a child process in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from heygem import samples
from heygem.jobs.queue import Queue
from heygem.jobs.store import Store

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "heygem"]


class Shell:
    """Starts ``heygem`` in ``folder`` with settings of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "HEYGEM_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """A child process; standard output and error are pipes of text."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The child process at its end."""
        with self.start(*arguments) as child:
            out, error = child.communicate(timeout=120)
        return subprocess.CompletedProcess(child.args, child.returncode, out, error)

    def take(self, *arguments: object) -> dict[str, Any]:
        """``heygem lipsync --json`` that must succeed: its JSON."""
        done = self.run("lipsync", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*"))


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def shell(tmp_path: Path, home: Path) -> Shell:
    folder = tmp_path / "a folder"
    folder.mkdir()
    return Shell(folder, home)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a gently moving face, 320x360 at 25 fps, without sound."""
    return samples.clip(tmp_path_factory.mktemp("clip") / "person.mp4", 1, (320, 360), 120)


@pytest.fixture(scope="session")
def long_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of speech: long enough to be interrupted."""
    return samples.long_voice(tmp_path_factory.mktemp("voice") / "long.wav", 60)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The connection of a running page, on whose store the commands work."""
    monkeypatch.chdir(tmp_path)
    for name in ("home", "outputs"):
        monkeypatch.setenv(f"HEYGEM_{name.upper()}", str(tmp_path / name))
    return Queue(Store(tmp_path / "home" / "jobs.sqlite3", tmp_path / "outputs"), floor=0)
