"""Headers on every answer, no foreign pages, CORS off until somebody sets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from api.security import HEADERS, secure
from tests.api.house import add, config, served

FOREIGN = "https://evil.example"
TRUSTED = "https://shop.example"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without a login: also that must not be used by pages of other sites."""
    with served(config(tmp_path_factory.mktemp("home"))) as address:
        yield address


@pytest.fixture(scope="module")
def open_to_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = config(
        tmp_path_factory.mktemp("home"), cors_origins=f"{TRUSTED}, http://localhost:3000", api_token="t" * 16
    )
    with served(settings) as address:
        yield address


@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/jobs", "/api/v1/jobs/7", "/nothing", "/gradio_api/info"])
def test_every_answer_has_the_headers(address: str, path: str) -> None:
    answer = httpx.get(address + path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    ("kept", "players"), [("keep", "media-src 'self' data:"), ("remove", "media-src 'self' https: ")]
)
def test_players_reach_the_storage_where_results_lie_there_alone(kept: str, players: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    answer = TestClient(secure(app, config(Path("/nowhere"), storage="s3", keep_local=kept))).get("/")
    assert players in answer.headers["content-security-policy"]


def test_an_answer_may_set_its_own() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"DENY")]})
        await send({"type": "http.response.body", "body": b""})

    answer = TestClient(secure(app, config(Path("/nowhere")))).get("/")
    assert answer.headers.get_list("x-frame-options") == ["DENY"] and answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # curl, Python: no browser
        ({"origin": "{own}"}, 200),
        ({"origin": "{own}", "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": FOREIGN, "x-forwarded-host": "evil.example"}, 200),  # a proxy that says under which name it serves
        ({"origin": FOREIGN}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "{own}", "sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/easy/submit", "/api/v1/jobs"])
def test_pages_of_other_sites_cannot_act(address: str, path: str, headers: dict[str, str], status: int) -> None:
    given = {name: value.replace("{own}", address) for name, value in headers.items()}
    answer = httpx.post(address + path, headers=given)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["code"] == "origin.refused"


def test_gradio_is_behind_it_too(address: str) -> None:
    """By itself gradio would accept this under every host name but localhost."""
    files = {"files": ("a.txt", b"a")}
    headers = {"host": "server.company", "origin": FOREIGN}
    assert httpx.post(f"{address}/gradio_api/upload", files=files, headers=headers).status_code == 403
    assert httpx.post(f"{address}/gradio_api/upload", files=files).status_code == 200


@pytest.mark.parametrize("path", ["/config", "/api/v1/jobs", "/gradio_api/info"])
def test_cors_is_off(address: str, path: str) -> None:
    headers = {"host": "server.company", "origin": FOREIGN}
    asked = httpx.options(address + path, headers={**headers, "access-control-request-method": "POST"})
    for answer in (httpx.get(address + path, headers=headers), asked):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_cors_is_for_the_origins_that_were_named(open_to_shop: str) -> None:
    wish = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    asked = httpx.options(f"{open_to_shop}/api/v1/jobs", headers={"origin": TRUSTED, **wish})
    assert asked.status_code == 200 and asked.headers["access-control-allow-origin"] == TRUSTED
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    token = {"authorization": "Bearer " + "t" * 16}
    done = httpx.post(f"{open_to_shop}/api/v1/jobs", headers={"origin": TRUSTED, **token})
    assert done.status_code == 200 and done.headers["access-control-allow-origin"] == TRUSTED
    refused = httpx.post(f"{open_to_shop}/api/v1/jobs", headers={"origin": TRUSTED})
    assert refused.status_code == 401 and refused.headers["access-control-allow-origin"] == TRUSTED, "readable"
    foreign = httpx.options(f"{open_to_shop}/api/v1/jobs", headers={"origin": FOREIGN, **wish})
    assert foreign.status_code == 400 and "access-control-allow-origin" not in foreign.headers


def test_a_web_socket_needs_the_login_and_the_own_origin(tmp_path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})

    settings = config(tmp_path)
    client = TestClient(secure(app, settings))
    with client.websocket_connect("/ws", headers={"origin": "http://testserver"}):
        pass
    for headers in ({"origin": FOREIGN}, {}):
        if not headers:
            add(settings)
        with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/ws", headers=headers):
            pass
        assert caught.value.code == 1008


def test_the_own_origin_is_host_and_port(address: str) -> None:
    port = urlsplit(address).port
    own = {"host": f"server.company:{port}", "origin": f"http://server.company:{port}"}
    assert httpx.post(f"{address}/easy/submit", headers=own).status_code == 200
    assert httpx.post(f"{address}/easy/submit", headers={**own, "host": "server.company"}).status_code == 403
