"""start_app.sh really run: from another folder, with a space in its path, without any network."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
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


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> str:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return str(trial.getsockname()[1])


def test_help_needs_nothing(copy: Path) -> None:
    done = start(copy, "--help")
    assert done.returncode == 0 and "--background" in done.stdout


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--prot", "1"), "--prot"),
        (("restart",), "restart"),
        (("--port",), "--port"),
        (("--port", "http"), "http"),
        (("--port", "70000"), "70000"),
        (("stop", "--background"), "--background"),
        (("status", "now"), "now"),
        (("logs", "-5"), "-5"),
        (("logs", "5", "6"), "6"),
        (("--background", "stop"), "stop"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_a_bad_argument_is_named_and_nothing_starts(copy: Path, options: tuple[str, ...], named: str) -> None:
    done = start(copy, *options)
    assert done.returncode == 1 and named in done.stderr.split("Error:")[1]
    assert not (copy / "outputs" / "heygem.pid").exists()


def test_the_page_lives_in_the_background_and_only_ours_is_stopped(copy: Path) -> None:
    port = free_port()
    done = start(copy, "--background", "--host", "127.0.0.1", "--port", port)
    try:
        assert done.returncode == 0, done.stderr
        assert f"http://127.0.0.1:{port}" in done.stdout and "运行实时日志.log" in done.stdout
        assert urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10).status == 200
        assert (copy / ".venv" / "installed").is_file() and (copy / ".venv" / "bin" / "heygem").is_file()
        process = psutil.Process(int((copy / "outputs" / "heygem.pid").read_text().split()[0]))
        assert os.getsid(process.pid) == process.pid, "closing the terminal does not reach it"

        status = start(copy, "status", http_proxy="http://127.0.0.1:9")
        assert status.returncode == 0
        assert f"{process.pid}。" in status.stdout and f"http://127.0.0.1:{port}" in status.stdout
        assert "健康 Health: " in status.stdout and "no answer" not in status.stdout
        assert f"serving on 127.0.0.1:{port}" in start(copy, "logs", "20").stdout
        follow = subprocess.Popen(
            ["bash", copy / "start_app.sh", "logs"],
            env={**os.environ, "HEYGEM_OUTPUTS": str(copy / "outputs")},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert follow.stdout and "serving on" in next(line for line in follow.stdout if "serving" in line)

        again = start(copy, "--background", "--port", port)
        assert again.returncode == 1 and "bash start_app.sh stop" in again.stderr
    finally:
        stopped = start(copy, "stop")
    assert "Stopped" in stopped.stdout and "stopping" in next(line for line in follow.stdout if "stopping" in line)
    follow.kill()
    follow.wait()
    follow.stdout.close()
    assert not (copy / "outputs" / "heygem.pid").exists() and not alive(process)
    assert start(copy, "status").returncode == 3
    with socket.socket() as trial:
        assert trial.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.fixture
def stubborn(copy: Path) -> Iterator[psutil.Process]:
    """An app.py of this folder that ignores TERM, and a worker of it: started and noted as start_app.sh does."""
    app = copy / "app.py"
    app.unlink()
    app.write_text(
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen(['sleep', '300'])\n"
        "print('http://127.0.0.1:9\\n日志 Log: none', flush=True)\n"
        "time.sleep(300)\n"
    )
    done = start(copy, "--background", "--port", free_port())
    assert done.returncode == 0, done.stderr
    process = psutil.Process(int((copy / "outputs" / "heygem.pid").read_text().split()[0]))
    everybody = [process, *process.children()]
    yield process
    for one in everybody:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    app.unlink()
    app.symlink_to(ROOT / "app.py")


def test_one_that_does_not_answer_is_said_to_be_so_and_ends_by_force_alone(
    copy: Path, stubborn: psutil.Process
) -> None:
    (worker,) = stubborn.children()
    status = start(copy, "status")
    assert status.returncode == 0 and "no answer within 3 seconds" in status.stdout
    script = copy / "start_app.sh"
    script.write_text(script.read_text("utf-8").replace("wait_for_end 300", "wait_for_end 5"), "utf-8")
    try:
        refused = start(copy, "stop")
        assert refused.returncode == 1 and "stop --force" in refused.stderr
        assert stubborn.is_running() and worker.is_running()
        done = start(copy, "stop", "--force")
    finally:
        shutil.copy(ROOT / "start_app.sh", copy)
    assert done.returncode == 0 and "Stopped" in done.stdout
    assert not alive(stubborn) and not alive(worker)


@pytest.mark.parametrize("how", ["option", "environment", "file"])
def test_a_taken_port_is_a_sentence_before_anything_happens_and_its_owner_lives(tmp_path: Path, how: str) -> None:
    shutil.copy(ROOT / "start_app.sh", tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        if how == "file":
            (tmp_path / ".env").write_text(f'\ufeffOTHER=1\r\nexport HEYGEM_PORT = "{port}" # ours\r\n', "utf-8")
        options = ("--port", port) if how == "option" else ()
        more = {"HEYGEM_PORT": port} if how == "environment" else {}
        done = start(tmp_path, "--background", *options, **more)
        assert done.returncode == 1 and f"Port {port} is in use" in done.stderr
        assert not (tmp_path / ".venv").exists()
        socket.create_connection(("127.0.0.1", int(port)), timeout=2).close()


def birth(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]


@pytest.mark.parametrize("who", ["recycled number", "reborn", "another folder", "somebody who reads it", "nonsense"])
def test_a_stranger_is_left_alone(copy: Path, who: str) -> None:
    """Whatever the file of the number says, only an app.py of this folder that was born then is ours."""
    app = str(copy / "elsewhere" / "app.py") if who == "another folder" else str(copy / "app.py")
    argument = f"# {app}" if who == "somebody who reads it" else app
    command = ["sleep", "30"] if who == "recycled number" else [sys.executable, "-c", "input()", argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stranger:
        born = "1" if who == "reborn" else birth(stranger.pid)
        (copy / "outputs").mkdir(exist_ok=True)
        (copy / "outputs" / "heygem.pid").write_text("-1 x" if who == "nonsense" else f"{stranger.pid} {born}")
        assert start(copy, "status").returncode == 3
        done = start(copy, "stop", "--force")
        assert done.returncode == 0 and "Nothing is running" in done.stdout and not done.stderr
        assert stranger.poll() is None
        stranger.kill()


def test_two_do_not_start_at_once(copy: Path) -> None:
    with (copy / "outputs" / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = start(copy, "--background", "--port", free_port())
    assert done.returncode == 1 and "Another start_app.sh" in done.stderr


def test_without_a_log_it_says_so(tmp_path: Path) -> None:
    shutil.copy(ROOT / "start_app.sh", tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    done = start(tmp_path, "logs")
    assert done.returncode == 1 and "There is no log yet" in done.stderr
    assert start(tmp_path, "status").stderr == ""


def test_without_a_fitting_python_it_says_which(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "mkdir", "cat", "flock"):
        (tools / name).symlink_to(shutil.which(name) or name)
    shutil.copy(ROOT / "start_app.sh", tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    done = start(tmp_path, PATH=str(tools))
    assert done.returncode == 1 and "Python 3.11 or 3.12 is needed" in done.stderr
