"""What a process can still do after it has locked itself: compute, and write to what is open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BEFORE = f"""
import ctypes, json, mmap, os, resource, signal, socket, subprocess, sys, threading
sys.path.append({str(ROOT)!r})
from heygem.weights.lock import lock
other = socket.socket()
if not lock(64 << 20, 60, 1000):
    print("no filter here"); sys.exit()
try:
    {{}}
except BaseException as error:
    print(type(error).__name__)
else:
    print("did it")
"""


def does(what: str) -> str:
    """What becomes of a line of Python behind the lock."""
    done = subprocess.run([sys.executable, "-I", "-c", BEFORE.format(what)], capture_output=True, text=True, timeout=60)
    said = done.stdout.strip() or f"ended with {done.returncode}"
    if said == "no filter here":
        pytest.skip("this kernel has no filter of system calls")
    return said


@pytest.mark.parametrize(
    "what",
    [
        "open('/etc/passwd').read()",
        "open('x', 'w')",
        "os.listdir('/')",
        "os.unlink('/tmp/x')",
        "os.fork()",
        "subprocess.run(['true'])",
        "os.execv('/bin/true', ['true'])",
        "socket.socket()",
        "other.connect(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "os.kill(os.getppid(), 0)",
        "threading.Thread(target=print).start()",
        "os.chmod('/tmp', 0o777)",
        "os.dup(2)",
    ],
)
def test_nothing_can_be_reached(what):
    assert does(what) in ("PermissionError", "RuntimeError", "gaierror")


def test_what_is_needed_still_works():
    assert does("bytearray(1 << 20); json.loads('[1]'); os.fstat(0); sys.stdout.flush()") == "did it"


def test_memory_is_bounded():
    assert does("bytearray(1 << 30)") == "MemoryError"


LOCKED = (
    f"import os, sys; sys.path.append({str(ROOT)!r}); from heygem.weights.lock import lock; lock(1 << 20, 1, 1000)\n"
)


def test_the_processor_is_bounded():
    done = subprocess.run([sys.executable, "-I", "-c", LOCKED + "while 1: 0"], timeout=60)
    assert done.returncode < 0


def test_files_are_bounded(tmp_path):
    command = [sys.executable, "-I", "-c", LOCKED + "while 1: os.write(1, bytes(100))"]
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, timeout=60)
    assert (tmp_path / "out").stat().st_size <= 1000
