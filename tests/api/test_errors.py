"""Errors as programs get them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from loguru import logger
from starlette.testclient import TestClient

from api.errors import STATUS, answer, status_of, without_paths
from heygem import errors
from heygem.errors import HeyGemError, InputError
from heygem.jobs.job import Failure
from tests.api.house import house


def kinds(root: type[HeyGemError] = HeyGemError) -> Iterator[type[HeyGemError]]:
    for child in root.__subclasses__():
        yield child
        yield from kinds(child)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    async def app(scope, receive, send):
        scope.setdefault("state", {})["user"] = ""
        await inner(scope, receive, send)

    inner = house()
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.OptionInvalid(option="fps", value="x", allowed="y"), 422),
        (errors.NoFace(name="a"), 422),
        (errors.FileMissing(name="a"), 404),
        (errors.OutputError(name="a", reason="No space left on device"), 507),
        (errors.OutputError(name="a", reason="Permission denied"), 500),
        (errors.Cancelled(), 409),
        (errors.LoginMissing(), 401),
        (errors.WorkerDied(reason="SIGKILL"), 500),
        (HeyGemError(reason="x"), 500),
    ],
)
def test_the_status_fits(error: HeyGemError, status: int) -> None:
    assert status_of(error) == status and answer(error).status_code == status


def test_the_table_knows_only_codes_that_exist() -> None:
    assert set(STATUS) <= {kind.code for kind in kinds()}
    assert all(status_of(kind()) == 422 for kind in kinds(InputError) if kind.code not in STATUS)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            "the folder /srv/out puts/2026-01-01/4c1f does not exist",
            "the folder out puts/2026-01-01/4c1f does not exist",
        ),
        ("the folder /srv/outputs/4c1f does not exist", "the folder 4c1f does not exist"),
        ("[Errno 2] No such file: '/srv/outputs/a.mp4'", "[Errno 2] No such file: 'a.mp4'"),
        ("HTTP/1.1 at http://host/a/b, see /docs", "HTTP/1.1 at http://host/a/b, see /docs"),
    ],
)
def test_no_path_of_the_server_is_told(reason: str, shown: str) -> None:
    found = without_paths(Failure.of(errors.OutputError(name="/srv/my clips/a.mp4", reason=reason)))
    assert found.details == {"name": "a.mp4", "reason": shown}
    assert shown in found.message and "“a.mp4”" in found.message


def test_an_error_of_the_core(client: TestClient) -> None:
    got = client.get("/api/v1/jobs/7")
    error = errors.FileMissing(name="7.mp4")
    assert got.status_code == 404
    assert got.json() == {"error": {"code": "input.missing", "message": error.message, "hint": error.hint}}


def test_a_malformed_request(client: TestClient) -> None:
    got = client.get("/api/v1/jobs/seven")
    assert got.status_code == 422 and got.json()["error"]["code"] == "request.invalid"
    assert got.json()["error"]["message"].startswith("path.id: ")


def test_a_plain_http_error(client: TestClient) -> None:
    got = client.get("/api/v1/gone")
    assert got.json() == {"error": {"code": "http.410", "message": "It was removed.", "hint": ""}}
    assert got.status_code == 410 and got.headers["retry-after"] == "9"


def test_what_nobody_expected_is_logged_and_not_told(client: TestClient) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}{exception}")
    got = client.get("/api/v1/broken")
    logger.remove(sink)
    assert got.status_code == 500 and got.json()["error"]["code"] == "error"
    assert "secret" not in got.text and "Zero" not in got.text
    assert "ZeroDivisionError: a secret" in "".join(lines)
