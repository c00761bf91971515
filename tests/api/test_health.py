"""For those who watch the server, and for those who read its documentation."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from api.app import create
from heygem import __version__
from tests.api.conftest import served


def test_a_server_that_is_well(server):
    found = server.json("GET", "/health")
    assert (found["status"], found["version"]) == ("ok", __version__)
    assert found["workers"]["all"] >= 1 and found["queue"]["held"] is None
    assert str(server.desk.settings.home) not in json.dumps(found)


def test_a_store_that_does_not_answer(tmp_path):
    with served(tmp_path, None) as server:
        server.queue.store._db.execute("DROP TABLE jobs")  # as good as a damaged file
        answer = server.client.get("/health")
        assert answer.status_code == 503
        assert answer.json() == {"status": "failing", "version": __version__, "code": "store.unusable"}
        assert server.client.get("/api/v1/jobs").status_code == 503


def figures(server) -> dict[str, float]:
    text = server.client.get("/metrics").text
    return {
        "".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_figures(tmp_path, send):
    with served(tmp_path) as server:
        assert figures(server)["heygem_job_seconds_count"] == 0
        for stem in ("talk", "faceless"):
            server.wait(send(server, stem).json()["id"], "done", "failed")
        found = figures(server)
        assert found["heygem_jobsdone"] == found["heygem_jobsfailed"] == 1 and found["heygem_jobsqueued"] == 0
        assert found["heygem_job_seconds_count"] == found["heygem_job_seconds_bucket+Inf"] == 1
        assert 0 < found["heygem_job_seconds_sum"] < 5 and found["heygem_job_seconds_bucket5.0"] == 1
        assert found["heygem_workers"] >= 1 and found["heygem_disk_free_bytes"] > 0 and found["heygem_queue_held"] == 0
        server.queue.pause()
        assert figures(server)["heygem_queue_held"] == 1
    with served(tmp_path) as server:
        assert figures(server)["heygem_jobsdone"] == 1, "a restart loses nothing"


def test_everything_is_described(server):
    with warnings.catch_warnings(action="error"):
        found = create(server.desk).openapi()
    assert server.json("GET", "/openapi.json") == json.loads(json.dumps(found))
    assert {"/api/v1/jobs", "/api/v1/batches/{id}/zip", "/easy/submit", "/health"} <= {*found["paths"]}
    upload = found["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert upload["properties"]["video"]["format"] == "binary" and upload["required"] == ["audio", "video"]
    assert {"strength", "engine", "webhook", "priority", "options"} <= {*upload["properties"]}
    assert found["paths"]["/api/v1/jobs"]["get"]["security"] == [{"HTTPBearer": []}]
    assert "mesh" in upload["properties"]["engine"]["description"]
    for name, schema in found["components"]["schemas"].items():
        if name.endswith("Reply"):
            assert schema["description"], name


def test_the_guide_names_every_address(server):
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    for path in create(server.desk).openapi()["paths"]:
        last = path.replace("{code}", "<code>").rpartition("/")[2]
        assert last in guide, path
    for code in ("limit.exceeded", "queue.full", "result.gone", "job.state", "option.invalid"):
        assert f"`{code}`" in guide


def test_an_address_of_the_api_that_is_none(server):
    answer = server.client.get("/api/v2/jobs")
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "http.404"
    assert server.client.get("/").status_code == 404, "the page is mounted there later"
