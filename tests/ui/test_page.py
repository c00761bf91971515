"""What ``app.py`` wires: light, refused in a sentence where it cannot run, gone when it is asked to go."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """Settings of a server of its own, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as trial:
        port = trial.getsockname()[1]
    given = {"home": tmp_path / "home", "outputs": tmp_path / "outputs", "host": "127.0.0.1", "port": port}
    return {**os.environ, "PYTHONPATH": str(ROOT), **{f"HEYGEM_{name.upper()}": str(of) for name, of in given.items()}}


def python(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


WIRE = "import sys, app; from contextlib import ExitStack; from pathlib import Path; from heygem import settings\n"


def test_everything_is_wired_without_torch_or_mediapipe(surroundings: dict[str, str]) -> None:
    heavy = python(
        f"{WIRE}with ExitStack() as parts: app._wire(settings.load(), Path('log'), parts)\n"
        "print({'torch', 'mediapipe', 'insightface', 'torchaudio'} & set(sys.modules))",
        surroundings,
    )
    assert heavy == "set()"


def test_nothing_of_gradio_is_imported_by_app_alone(surroundings: dict[str, str]) -> None:
    assert python("import sys, app; print('gradio' in sys.modules)", surroundings) == "False"


def test_a_second_app_on_the_same_list_of_jobs_is_refused_in_a_sentence(surroundings: dict[str, str]) -> None:
    said = python(
        f"{WIRE}import contextlib, io; said = io.StringIO()\n"
        "with ExitStack() as parts, contextlib.redirect_stderr(said):\n"
        "    app._work(settings.load(), parts); code = app.main(['--quiet'])\n"
        "print(code, said.getvalue())",
        surroundings,
    )
    assert said.startswith("1 Another HeyGem (process ") and "HEYGEM_HOME" in said and "Traceback" not in said


def test_a_damaged_list_of_jobs_is_a_sentence(surroundings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jobs.sqlite3").write_bytes(b"somebody's work, but no database" * 100)
    done = subprocess.run([sys.executable, "app.py"], capture_output=True, text=True, env=surroundings, cwd=ROOT)
    assert done.returncode == 1 and "cannot be used: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_a_sentence(surroundings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(surroundings["HEYGEM_PORT"]))):
        done = subprocess.run([sys.executable, "app.py"], capture_output=True, text=True, env=surroundings, cwd=ROOT)
    assert done.returncode == 1 and "端口已被占用" in done.stderr


def test_gradio_does_not_parse_itself_at_every_start() -> None:
    """Its stubs for editors come with its package; making them anew took half of the time that it needs to load."""
    probe = (
        "import ast, inspect; parse, getfile, parsed = ast.parse, inspect.getfile, []\n"
        "ast.parse = lambda *given, **more: (parsed.append(given), parse(*given, **more))[1]\n"
        "import ui; print(len(parsed), inspect.getfile is getfile)"
    )
    parsed, restored = subprocess.check_output([sys.executable, "-c", probe], cwd=ROOT, text=True).split()
    assert int(parsed) < 20 and restored == "True", "it parses itself 160 times else"
