"""``heygem jobs``: beside a running page, on the same store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from loguru import logger

from heygem import cli
from heygem.jobs.job import DONE, FAILED, Failure
from heygem.jobs.queue import Queue
from heygem.jobs.retention import DAY
from tests.jobs.made import request, take_of


def say(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Standard output of a command that succeeds."""
    assert cli.main(["jobs", *words]) == 0
    return capsys.readouterr().out


def test_list_and_show(queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = queue.submit(request(tmp_path)), queue.submit(request(tmp_path, "王老师.mp4"))
    claimed = queue.store.claim("w")
    assert claimed
    queue.finish(claimed, "w", take_of(claimed))
    lines = say(capsys, "list").splitlines()
    assert [line.split()[:2] for line in lines] == [[second.id, "queued"], [first.id, "done"]]
    assert "王老师_voice" in lines[0]
    [found] = json.loads(say(capsys, "list", "--json", "--state", "done"))
    assert found["id"] == first.id and found["score"] == 87 and found["result"].endswith("person_voice.mp4")
    assert say(capsys, "list", "--text", "nobody") == ""
    assert cli.main(["jobs", "list", "--state", "runing"]) == 2
    assert "running" in capsys.readouterr().err
    assert json.loads(say(capsys, "show", first.id, "--json")) == found
    assert f"id             {second.id}" in say(capsys, "show", second.id)


def test_cancel_and_retry_reach_the_page(queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running, waiting = queue.submit(request(tmp_path)), queue.submit(request(tmp_path))
    assert queue.store.claim("w")
    assert say(capsys, "cancel", running.id, waiting.id).count("stopped") == 2
    assert not queue.store.may_go_on(running.id, "w") and queue.need(waiting.id).state == "cancelled"
    assert "waits again" in say(capsys, "retry", waiting.id)
    assert queue.need(waiting.id).state == "queued"


def test_what_a_command_mutes_speaks_again_afterwards(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, filter="heygem")
    say(capsys, "pause")
    queue.submit(request(queue.outputs.parent))
    logger.remove(sink)
    assert any("queued" in line for line in lines)


def test_one_bad_number_does_not_stop_the_others(
    queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = queue.submit(request(tmp_path))
    assert cli.main(["jobs", "cancel", "nobody", job.id]) == 1
    shown = capsys.readouterr()
    assert "job.missing" in shown.err and "hint:" in shown.err and job.id in shown.out
    assert queue.need(job.id).state == "cancelled"
    assert cli.main(["jobs", "show", "nobody"]) == 1


def test_pause_and_resume(queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
    say(capsys, "pause")
    assert queue.held() == "paused"
    say(capsys, "resume")
    assert queue.held() is None


def test_prune_removes_what_the_settings_no_longer_keep(
    queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = queue.submit(request(tmp_path))
    claimed = queue.store.claim("w")
    assert claimed
    queue.finish(claimed, "w", Failure("x", "m", "h", {}))
    queue.store.change(job.id, [FAILED], state=DONE, ended=job.created - 3 * DAY)
    assert say(capsys, "prune").startswith("removed 0 jobs")
    monkeypatch.setenv("HEYGEM_KEEP_DAYS", "2")
    assert say(capsys, "prune").startswith("removed 1 jobs")
    assert queue.get(job.id) is None and not job.folder.exists()
