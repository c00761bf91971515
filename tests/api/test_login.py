"""The login over a real connection: what stays shut, what opens, what gradio needs behind it."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from loguru import logger

from api.login import warning
from api.session import COOKIE
from heygem.users import Users
from tests.api.house import add, config, served

TOKEN = "0123456789abcdef-token"
HTML = {"accept": "text/html,*/*"}
SHUT = (
    "/",
    "/gradio_api/info",
    "/config",
    "/api/v1/jobs",
    "/easy/query",
    "/docs",
    "/openapi.json",
    "/metrics",
    "//login",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A server with the user ann and a token."""
    settings = config(home, api_token=TOKEN)
    add(settings)
    with served(settings) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=10) as client:
        yield client


def enter(client: httpx.Client, name: str = "ann", password: str = "correct horse", after: str = "/") -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, "next": after})


def test_without_users_and_token_all_is_open_until_a_user_is_added(tmp_path: Path) -> None:
    settings = config(tmp_path)
    with served(settings) as address, httpx.Client(base_url=address) as client:
        assert client.get("/", headers=HTML).status_code == 200
        assert client.get("/api/v1/jobs").json() == {"user": ""}
        assert client.get("/login").headers["location"] == "/"
        add(settings)
        assert client.get("/api/v1/jobs").status_code == 401, "at once, without a restart"
        settings.users.write_text("{}")
        assert client.get("/api/v1/jobs").status_code == 401, "an empty list lets nobody in"
        settings.users.write_text("{")
        assert client.get("/api/v1/jobs").status_code == 401, "a damaged one neither"
        page = enter(client)
        assert page.status_code == 500 and "用户文件不能用" in page.text and client.get("/health").status_code == 200


@pytest.mark.parametrize("path", SHUT)
def test_every_path_is_shut(client: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        refused = client.request(method, path)
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer", method
    assert client.get(path).json()["error"]["code"] == "login.missing"


def test_health_and_the_login_page_are_open(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"ok": True}
    page = client.get("/login")
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    assert not re.search(r"(src|href)=\"(?!data:)", page.text), "the page needs no other file"


def test_a_page_load_is_sent_to_the_login_and_back(client: httpx.Client) -> None:
    sent = client.get("/docs?a=1&b=2", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=/docs%3Fa%3D1%26b%3D2")
    form = client.get(sent.headers["location"])
    assert '<input type="hidden" name="next" value="/docs?a=1&amp;b=2">' in form.text
    assert enter(client, after="/docs?a=1&b=2").headers["location"] == "/docs?a=1&b=2"
    assert client.get("/docs", headers=HTML).status_code == 200
    assert client.get("/", headers=HTML).text.count("gradio") > 0
    assert client.get("/api/v1/jobs", headers=HTML).json() == {"user": "ann"}
    assert client.get("/login?next=/docs").headers["location"] == "/docs", "who is in need not log in"


@pytest.mark.parametrize(
    "after", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: a=b", "javascript:1", ""]
)
def test_the_way_back_never_leads_to_another_site(client: httpx.Client, after: str) -> None:
    assert 'name="next" value="/"' in client.get("/login", params={"next": after}).text
    assert enter(client, after=after).headers["location"] == "/"


def test_the_cookie_is_for_this_server_alone_and_its_key_for_its_owner(client: httpx.Client, home: Path) -> None:
    cookie = enter(client).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "max-age=604800" in cookie and "secure" not in cookie
    behind_https = client.post(
        "/login", data={"name": "ann", "password": "correct horse"}, headers={"x-forwarded-proto": "https"}
    )
    assert "; secure" in behind_https.headers["set-cookie"].lower()
    assert stat.S_IMODE((home / "session.key").stat().st_mode) == 0o600


def test_a_forged_cookie_is_worth_nothing(client: httpx.Client) -> None:
    enter(client)
    good = client.cookies[COOKIE]
    for bad in (good[:-1], "x" + good, good.split(".")[0], "W10.x.y", "", "😀"):
        assert client.get("/api/v1/jobs", headers=[(b"cookie", f"{COOKIE}={bad}".encode())]).status_code == 401, bad


def test_log_out_and_a_new_password_and_removal_end_a_session(client: httpx.Client, home: Path) -> None:
    users = Users(home / "users.json")
    users.set("bob", "battery staple")
    for end in (lambda: users.set("bob", "battery stapler"), lambda: users.remove("bob")):
        assert enter(client, "bob", "battery staple").status_code == 303
        assert client.get("/api/v1/jobs").status_code == 200
        end()
        assert client.get("/api/v1/jobs").status_code == 401
        users.set("bob", "battery staple")
    assert enter(client, "bob", "battery staple").status_code == 303
    assert client.get("/logout").status_code == 405, "a link cannot log anybody out"
    assert client.post("/logout").headers["location"] == "/login"
    assert COOKIE not in client.cookies and client.get("/api/v1/jobs").status_code == 401


def test_a_wrong_password_says_so_and_keeps_the_name(client: httpx.Client) -> None:
    page = client.post(
        "/login", data={"name": '"><script>', "password": "wrong"}, headers={"accept-language": "en", "user-agent": "x"}
    )
    assert page.status_code == 401 and "The name or the password is wrong" in page.text
    assert (
        'role="alert"' in page.text
        and 'value="&quot;&gt;&lt;script&gt;"' in page.text
        and "wrong horse" not in page.text
    )
    assert "密码不对" in enter(client, "ann", "wrong").text


def test_guessing_has_to_wait_for_one_name_and_the_log_is_told(tmp_path: Path) -> None:
    settings, lines = config(tmp_path), []
    add(settings)
    add(settings, "bob", "battery staple")
    sink = logger.add(lines.append, format="{message}")
    with served(settings) as address, httpx.Client(base_url=address) as client:
        assert [enter(client, "Ann", "my pass").status_code for _ in range(5)] == [401] * 5
        refused = enter(client)
        seconds = refused.headers["retry-after"]
        assert refused.status_code == 429 and seconds in ("1", "2") and f"{seconds} 秒后" in refused.text
        assert enter(client, "bob", "battery staple").status_code == 303, "others go on"
        time.sleep(2)
        assert enter(client).status_code == 303
    logger.remove(sink)
    assert len(lines) == 5 and "127.0.0.1" in lines[0] and "pass" not in "".join(map(str, lines))


def test_guessing_many_names_has_to_wait_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(tmp_path)
    add(settings)
    monkeypatch.setattr(Users, "check", lambda *_: False)  # the real one is slow on purpose
    with served(settings) as address, httpx.Client(base_url=address) as client:
        assert [enter(client, f"user{n}").status_code for n in range(21)] == [401] * 20 + [429]


def test_a_large_form_is_not_read(client: httpx.Client) -> None:
    assert client.post("/login", content=b"name=" + b"a" * 10_000).status_code == 413


def test_the_token_opens_the_api_and_nothing_like_it_does(client: httpx.Client) -> None:
    for path in ("/api/v1/jobs", "/gradio_api/info", "/openapi.json"):
        assert client.get(path, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.post("/easy/submit", headers={"authorization": f"bearer {TOKEN}"}).json() == {"code": 10000}
    for wrong in (f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", TOKEN, f"Basic {TOKEN}", "Bearer \xe4"):
        refused = client.get("/api/v1/jobs", headers=[(b"authorization", wrong.encode())])
        assert refused.status_code == 401, wrong


def test_with_a_token_alone_it_is_the_password_of_the_page(tmp_path: Path) -> None:
    settings = config(tmp_path, api_token=TOKEN)
    with served(settings) as address, httpx.Client(base_url=address) as client:
        form = client.get("/login", headers={"accept-language": "en"}).text
        assert "Access token" in form and 'name="name"' not in form
        assert client.post("/login", data={"password": "wrong"}).status_code == 401
        assert client.post("/login", data={"password": TOKEN}).status_code == 303
        assert client.get("/", headers=HTML).status_code == 200
        add(settings)
        assert client.get("/api/v1/jobs").status_code == 401, "with users everybody logs in by name"


def test_a_users_file_that_was_asked_for_but_is_not_there_lets_nobody_in(tmp_path: Path) -> None:
    with served(config(tmp_path, users_file=tmp_path / "typo.json")) as address:
        assert httpx.get(f"{address}/api/v1/jobs").status_code == 401


def sse(client: httpx.Client, path: str) -> Iterator[tuple[float, Any]]:
    with client.stream("GET", path) as stream:
        assert stream.status_code == 200
        for line in stream.iter_lines():
            if line.startswith("data:"):
                yield time.monotonic(), json.loads(line[5:])


def test_gradios_queue_and_uploads_work_behind_the_login(client: httpx.Client) -> None:
    files = {"files": ("photo.bin", b"x" * 3_000_000)}
    assert client.post("/gradio_api/upload", files=files).status_code == 401
    enter(client)
    [path] = client.post("/gradio_api/upload", files=files).json()
    assert client.get(f"/gradio_api/file={path}").content == b"x" * 3_000_000
    functions = {one["api_name"]: one["id"] for one in client.get("/config").json()["dependencies"]}
    joined = client.post(
        "/gradio_api/queue/join", json={"data": ["Ann"], "fn_index": functions["greet"], "session_hash": "s1"}
    )
    assert joined.status_code == 200
    seen = [(at, one["output"]) for at, one in sse(client, "/gradio_api/queue/data?session_hash=s1") if "output" in one]
    assert seen[0][1]["data"] == ["Hello Ann."] and seen[-1][0] - seen[0][0] > 0.15, "piece by piece"


def test_a_stream_passes_the_door_piece_by_piece(client: httpx.Client) -> None:
    enter(client)
    arrived = list(sse(client, "/api/v1/events"))
    assert [value for _, value in arrived] == [0, 1, 2]
    assert arrived[2][0] - arrived[0][0] > 0.15


def test_the_warning_is_for_servers_that_everybody_can_use(tmp_path: Path) -> None:
    settings = config(tmp_path)
    assert warning(settings) is None
    wide = settings.model_copy(update={"host": "0.0.0.0"})
    assert "heygem users add" in (warning(wide) or "")
    add(settings)
    assert warning(wide) is None
    assert warning(config(tmp_path / "b", api_token=TOKEN).model_copy(update={"host": "0.0.0.0"})) is None
