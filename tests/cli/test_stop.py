"""Ctrl-C, SIGTERM and kill -9 in the middle of the work: no result, no rubbish, the right exit code, at once."""

from __future__ import annotations

import signal
import time

import pytest


def until(shell, child, word: str) -> None:
    """Reads the child's progress until a line begins with ``word``."""
    for line in child.stderr:
        if line.startswith(word):
            return
    pytest.fail(f"the child ended before {word!r}")


def started(shell, portrait, long_voice, stage: str):
    child = shell.start("lipsync", "--video", portrait, "--audio", long_voice, "--out", "out.mp4")
    until(shell, child, stage)
    return child


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("stage", ["listen", "render"])
def test_a_signal_stops_the_work_within_a_second(shell, portrait, long_voice, stage, number):
    with started(shell, portrait, long_voice, stage) as child:
        time.sleep(0.3)  # well inside the stage
        begin = time.monotonic()
        child.send_signal(number)
        code = child.wait(10)
        seconds = time.monotonic() - begin
        rest = child.stderr.read()
    assert code == 128 + number
    assert seconds < 1
    assert "Traceback" not in rest and "stopped" in rest
    assert shell.files() == []


def test_kill_leaves_no_file_under_the_final_name(shell, portrait, long_voice):
    with started(shell, portrait, long_voice, "render") as child:
        time.sleep(0.3)
        child.kill()
    assert "out.mp4" not in shell.files()


def test_the_next_run_works_in_spite_of_what_a_killed_one_left(shell, portrait, voice):
    (shell.folder / "out.mp4.part").write_bytes(b"half a video")
    shell.take("--video", portrait, "--audio", voice, "--out", "out.mp4", "--quality", "draft")
    assert shell.files() == ["out.mp4", "out.take.json"]
