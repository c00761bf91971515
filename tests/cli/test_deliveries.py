"""``heygem deliveries``: beside a running page, on the same store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heygem import cli
from heygem.errors import StorageRefused
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.job import DELIVERED, PENDING, REVOKED, UNDELIVERED, Extras, Failure, Job
from heygem.jobs.queue import Queue
from tests.jobs.made import request, take_of


def done(queue: Queue, folder: Path, deliver: bool = True) -> Job:
    job = queue.submit(request(folder, "王老师.mp4"), Extras(deliver=deliver))
    assert queue.store.claim("w") and queue.finish(job, "w", take_of(job))
    return job


def test_list_and_retry(queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed, waiting, never = done(queue, tmp_path), done(queue, tmp_path), done(queue, tmp_path, deliver=False)
    table = Deliveries(queue.store)
    claimed = table.claim()
    assert claimed and table.end(claimed, UNDELIVERED, Failure.of(StorageRefused(place="b", reason="no right")))
    assert cli.main(["deliveries", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[waiting.id, "pending"], [failed.id, "failed"]]
    assert "no right" in lines[1] and "王老师_voice" in lines[1]
    assert cli.main(["deliveries", "list", "--state", "failed", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["job"] == failed.id and found["error"]["code"] == "storage.refused"
    assert cli.main(["deliveries", "list", "--state", "sleeping"]) == 2

    assert cli.main(["deliveries", "retry"]) == 0
    again = table.get(failed.id)
    assert again and again.state == PENDING and again.error is None and again.tries == 0
    assert cli.main(["deliveries", "retry", never.id, "nobody"]) == 1
    asked = table.get(never.id)
    assert asked and asked.state == PENDING and "job.missing" in capsys.readouterr().err


def test_revoke(queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = done(queue, tmp_path)
    assert cli.main(["deliveries", "revoke", job.id]) == 0
    now = Deliveries(queue.store).get(job.id)
    assert now and now.state == REVOKED != DELIVERED
    assert cli.main(["deliveries", "revoke", "nobody"]) == 1 and "job.missing" in capsys.readouterr().err
