"""The page is light: it builds without the heavy libraries, and the command is up in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_builds_without_torch_or_mediapipe(tmp_path: Path) -> None:
    out = python(
        "import sys; from pathlib import Path\n"
        "from heygem.jobs.runner import Runner; from ui.page import Place, build\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "runner = Runner(folder); page = build(runner, Place(folder, folder / 'log')); runner.close()\n"
        "print(len(page.fns), sorted({'torch', 'mediapipe', 'insightface', 'torchaudio'} & set(sys.modules)))"
    )
    count, _, heavy = out.partition(" ")
    assert int(count) >= 6 and heavy.strip() == "[]"


def test_nothing_of_gradio_is_imported_by_app_alone() -> None:
    assert python("import sys, app; print('gradio' in sys.modules)").strip() == "False"


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    code = (
        "import socket, app\n"
        "taken = socket.socket(); taken.bind(('127.0.0.1', 0)); taken.listen()\n"
        "print(app.main(['--host', '127.0.0.1', '--port', str(taken.getsockname()[1])]))"
    )
    assert python(code).strip() == "1"
