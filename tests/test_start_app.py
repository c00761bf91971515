"""start_app.sh really run: from another folder, with a space in its path, without any network."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs bash")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product in a folder with a space, with a virtual environment that sees our libraries."""
    folder = tmp_path_factory.mktemp("start") / "Hey Gem"
    folder.mkdir()
    for name in ("app.py", "heygem", "ui", "scripts", "requirements.txt", "pyproject.toml", "README.md"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "start_app.sh", folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = folder / ".venv" / "lib" / version / "site-packages" / "ours.pth"
    path.write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def start(folder: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    home = {"HEYGEM_HOME": str(folder / "home"), "HEYGEM_OUTPUTS": str(folder / "outputs"), "PIP_NO_INDEX": "1"}
    return subprocess.run(
        ["bash", str(folder / "start_app.sh"), *options],
        env={**os.environ, **home, **more},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def free_port() -> str:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return str(trial.getsockname()[1])


def test_help_needs_nothing(copy: Path) -> None:
    done = start(copy, "--help")
    assert done.returncode == 0 and "--background" in done.stdout


def test_an_unknown_option_is_named(copy: Path) -> None:
    done = start(copy, "--prot", "1")
    assert done.returncode == 1 and "--prot" in done.stderr


def test_the_page_starts_in_the_background_and_only_ours_is_stopped(copy: Path) -> None:
    port = free_port()
    done = start(copy, "--background", "--host", "127.0.0.1", "--port", port)
    try:
        assert done.returncode == 0, done.stderr
        assert f"http://127.0.0.1:{port}" in done.stdout and "运行实时日志.log" in done.stdout
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10).status == 200
        assert (copy / ".venv" / "installed").is_file() and (copy / ".venv" / "bin" / "heygem").is_file()
        assert "serving on" in (copy / "outputs" / "运行实时日志.log").read_text("utf-8")
        again = start(copy, "--background", "--port", port)
        assert again.returncode == 1 and "--stop" in again.stderr
    finally:
        stopped = start(copy, "--stop")
    assert "Stopped" in stopped.stdout, stopped
    assert not (copy / "outputs" / "heygem.pid").exists()
    with socket.socket() as trial:
        assert trial.connect_ex(("127.0.0.1", int(port))) != 0


def test_a_taken_port_is_a_sentence_and_its_owner_lives(copy: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = start(copy, "--background", "--host", "127.0.0.1", "--port", port)
        assert done.returncode == 1 and f"Port {port} is in use" in done.stderr
        socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()


def test_stop_leaves_a_stranger_with_the_same_number_alone(copy: Path) -> None:
    with subprocess.Popen(["sleep", "30"]) as stranger:
        (copy / "outputs" / "heygem.pid").write_text(str(stranger.pid))
        done = start(copy, "--stop")
        assert done.returncode == 0 and "Nothing is running" in done.stdout
        assert stranger.poll() is None
        stranger.kill()


def test_without_a_fitting_python_it_says_which(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "mkdir", "cat", "tr"):
        (tools / name).symlink_to(shutil.which(name) or name)
    shutil.copy(ROOT / "start_app.sh", tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    done = start(tmp_path, PATH=str(tools))
    assert done.returncode == 1 and "Python 3.11 or 3.12 is needed" in done.stderr
