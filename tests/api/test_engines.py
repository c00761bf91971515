"""The engines over HTTP: what is known of each, and a clear no, before anything is kept, to one that is not ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from heygem.engines import ENGINES
from heygem.jobs.job import QUEUED
from tests.api.conftest import Server, served
from tests.engines.brought import bring


def kept(server: Server) -> list[Path]:
    """What lies in the folders of jobs and of uploads."""
    home = server.desk.settings.home
    return [*server.desk.settings.outputs.glob("*/*"), *(home / "uploads" / "api").glob("*")]


def engine(server: Server, name: str) -> dict:
    return next(one for one in server.json("GET", "/api/v1/engines")["items"] if one["name"] == name)


def test_every_engine_is_listed_with_what_it_lacks(idle: Server):
    found = {one["name"]: one for one in idle.json("GET", "/api/v1/engines")["items"]}
    assert list(found) == list(ENGINES) and [name for name, one in found.items() if one["default"]] == ["mesh"]
    assert found["mesh"]["state"] == "ready" and found["mesh"]["errors"] == found["mesh"]["weights"] == []
    lacking = found["musetalk"]
    assert lacking["state"] == "missing" and lacking["errors"][0]["code"] == "weights.missing"
    assert lacking["weights"][0]["commands"] == ["heygem weights download musetalk"]
    assert lacking["gpu_memory"]["source"] and found["wav2lip"]["gpu_memory"] is None
    assert [one["optional"] for one in lacking["weights"]] == [False, False, False, True]
    assert found["remote"]["state"] == "off" and found["wav2lip"]["licence"]["commercial"] == "no"


def test_the_list_follows_what_is_installed_and_holds_no_path(idle: Server):
    home = idle.desk.settings.home
    bring(home, "wav2lip-288", rights=True)
    ready = engine(idle, "wav2lip-288")
    assert ready["state"] == "ready" and ready["installed"] == ready["weights"][0]["size"] > 0
    assert ready["weights"][0]["rights"] and ready["weights"][0]["installed"]
    (home / "weights" / "wav2lip-288" / "weights.safetensors").write_bytes(b"cut")
    assert engine(idle, "wav2lip-288")["state"] == "damaged"
    assert str(home) not in json.dumps(idle.json("GET", "/api/v1/engines"))


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"engine": "wav2lip"}, 409, "weights.missing"),
        ({"engine": "musetalk"}, 409, "weights.missing"),
        ({"engine": "wav2lip-256"}, 409, "weights.damaged"),
        ({"engine": "remote"}, 409, "remote.missing"),
        ({"device": "cuda"}, 409, "engine.unavailable"),
    ],
)
def test_a_job_or_batch_for_an_engine_that_is_not_ready_is_refused_and_nothing_is_kept(
    idle: Server, send, clip: Path, sound, fields: dict, status: int, code: str
):
    bring(idle.desk.settings.home, "wav2lip-256")
    (idle.desk.settings.home / "weights" / "wav2lip-256" / "weights.safetensors").write_bytes(b"cut")
    single = send(idle, data=fields)
    files = [("audio", sound("voice").open("rb")), *(("videos", clip.open("rb")) for _ in range(2))]
    batch = idle.client.post("/api/v1/batches", files=files, data=fields)
    for answer in (single, batch):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code) and error["message"] and error["hint"]
    assert kept(idle) == [] and idle.queue.store.counts() == {}


def test_a_licence_that_forbids_it_is_a_403_in_commercial_mode(tmp_path: Path, send):
    bring(tmp_path / "home", "wav2lip", rights=True)
    with served(tmp_path, None, commercial=True) as server:
        answer = send(server, data={"engine": "wav2lip"})
        assert answer.status_code == 403 and "LRS2" in answer.json()["error"]["message"]
        assert answer.json()["error"] == engine(server, "wav2lip")["errors"][0] and kept(server) == []


def test_an_engine_that_is_ready_is_taken_and_a_job_is_not_done_again_by_one_that_is_not(idle: Server, send):
    job = send(idle).json()
    refused = idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 409, json={"engine": "wav2lip"})
    assert refused["error"]["code"] == "weights.missing" and idle.queue.store.counts() == {QUEUED: 1}
    bring(idle.desk.settings.home, "wav2lip")
    again = idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 201, json={"engine": "wav2lip"})
    assert again["options"]["engine"] == "wav2lip" and idle.queue.store.counts() == {QUEUED: 2}
