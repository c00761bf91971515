"""Links and deliveries over HTTP, on a real server; the storage is this server's own."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from heygem.jobs.deliveries import Deliveries
from heygem.users import Users
from storage import courier, local
from storage.base import Meta
from storage.courier import Courier
from storage.local import Local
from tests.api.conftest import Server, served
from tests.api.test_health import figures
from tests.notify.receiver import Receiver

web = httpx.Client(trust_env=False)
"""A browser of somebody who has nothing but the link."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that delivers."""
    patch = pytest.MonkeyPatch()
    patch.setattr(courier, "INTERVAL", 0.05)
    with served(tmp_path_factory.mktemp("shop"), webhook_private=True) as server:
        sends = Courier(server.queue, server.desk.settings)
        sends.start()
        yield server
        sends.close()
    patch.undo()


@pytest.fixture
def made(shop: Server, send: Callable[..., Any]) -> str:
    """The address of a job that is done and was not to be delivered."""
    id = send(shop, "说话").json()["id"]
    shop.wait(id)
    return f"/api/v1/jobs/{id}"


def linked(server: Server, job: str, **body: Any) -> dict[str, Any]:
    return server.json("POST", f"{job}/link", 201, **({"json": body} if body else {}))


def delivered(server: Server, job: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while (now := server.json("GET", f"{job}/delivery"))["state"] != "delivered":
        assert time.monotonic() < end, now
        time.sleep(0.02)
    return now


def test_every_result_can_be_shared_without_any_delivery(shop: Server, made: str, clip: Path) -> None:
    assert shop.json("GET", f"{made}/delivery")["state"] == "off"
    link = linked(shop, made)
    assert link["url"].startswith(f"{shop.address}/share/") and not link["capped"]
    answer = web.get(link["url"])
    assert answer.content == clip.read_bytes() and answer.headers["content-type"] == "video/mp4"
    assert "filename*=UTF-8''person_%E8%AF%B4%E8%AF%9D.mp4" in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    part = web.get(link["url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, clip.read_bytes()[10:20])
    head = web.head(link["url"])
    assert int(head.headers["content-length"]) == clip.stat().st_size and not head.content
    job = shop.json("GET", made)
    assert job["delivery"]["state"] == "off" and job["link_expires"] == link["expires"]


def test_a_link_ends_when_it_says(shop: Server, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, now = linked(shop, made, seconds=60)["url"], time.time()
    for later, status in ((58, 200), (61, 403)):
        with monkeypatch.context() as clock:
            clock.setattr(local, "time", SimpleNamespace(time=lambda later=later: now + later))
            answer = web.get(url)
        assert answer.status_code == status
    assert answer.json()["error"]["code"] == "link.expired"
    for seconds in (59, 604801):
        shop.json("POST", f"{made}/link", 422, json={"seconds": seconds})


@pytest.mark.parametrize(("accept", "said"), [("*/*", "link.refused"), ("text/html", "请完整地重新复制")])
def test_a_changed_link_is_refused(shop: Server, made: str, accept: str, said: str) -> None:
    url = linked(shop, made)["url"]
    headers = {"accept": accept, "accept-language": "zh-CN"}
    for other in (
        url.replace("expires=", "expires=9"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("/share/heygem/", "/share/other/"),
        url.replace("name=", "name=x"),
        url.partition("?")[0],
        f"{shop.address}/share/..%2F..%2Fjobs.sqlite3?{url.partition('?')[2]}",
        f"{shop.address}/share/%252e%252e/jobs.sqlite3",
        f"{shop.address}/share//etc/passwd",
    ):
        answer = web.get(other, headers=headers)
        assert answer.status_code == 403 and said in answer.text, other


def test_a_link_to_nothing(shop: Server) -> None:
    signed = Local(shop.desk.settings).link("nobody/has/this.mp4", Meta("x.mp4"), 600).url
    answer = web.get(shop.address + signed)
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "result.gone"


def test_taking_back_ends_all_links_and_a_later_one_does_not_revive_them(shop: Server, made: str) -> None:
    first, second = linked(shop, made)["url"], linked(shop, made)["url"]
    assert web.get(first).status_code == web.get(second).status_code == 200
    shop.json("DELETE", f"{made}/delivery", 204)
    assert web.get(first).status_code == web.get(second).status_code == 404
    assert shop.json("GET", made)["link_expires"] is None
    third = linked(shop, made)["url"]
    assert (web.get(third).status_code, web.get(first).status_code) == (200, 404)
    id = made.rpartition("/")[2]
    audit = Deliveries(shop.queue.store).links(id)
    assert [bool(one["revoked"]) for one in audit] == [True, True, False] and {one["asked_by"] for one in audit} == {
        "api"
    }


def test_a_removed_result_takes_its_links_along(shop: Server, made: str) -> None:
    url = linked(shop, made)["url"]
    shop.json("DELETE", made, 204)
    assert web.get(url).status_code == 404


def test_delivered_with_the_switch_and_by_hand(shop: Server, send: Callable[..., Any], made: str) -> None:
    job = send(shop, "talk", {"deliver": "true"}).json()
    assert job["deliver"] is True and job["delivery"]["state"] == "off"
    on = delivered(shop, job["links"]["self"])
    assert on["storage"] == "local" and on["size"] == on["sent"] > 0 and on["error"] is None
    assert shop.json("POST", f"{made}/delivery", 202)["state"] in ("pending", "uploading", "delivered")
    delivered(shop, made)
    assert web.get(linked(shop, made)["url"]).status_code == 200
    shop.json("DELETE", f"{made}/delivery", 204)
    assert shop.json("GET", f"{made}/delivery")["state"] == "revoked"
    shop.json("POST", f"{made}/delivery", 202)
    delivered(shop, made)
    assert figures(shop)["heygem_deliveriesdelivered"] >= 2


def test_what_cannot_be_delivered_is_said(shop: Server, send: Callable[..., Any]) -> None:
    failed = f"/api/v1/jobs/{send(shop, 'faceless', {'deliver': 'true'}).json()['id']}"
    shop.wait(failed.rpartition("/")[2], "failed")
    for method, path in (("POST", "delivery"), ("POST", "link")):
        assert shop.json(method, f"{failed}/{path}", 409)["error"]["code"] == "job.state"
        assert shop.json(method, f"/api/v1/jobs/none/{path}", 404)["error"]["code"] == "job.missing"
    shop.json("GET", "/api/v1/jobs/none/delivery", 404)
    shop.json("DELETE", "/api/v1/jobs/none/delivery", 404)
    assert shop.json("GET", f"{failed}/delivery")["state"] == "off", "a failed job delivers nothing"


def test_a_cloud_that_is_not_set_up_is_said_before_anything_runs(
    tmp_path: Path, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_PROFILE", "")):
        monkeypatch.setenv(name, value)
    with served(tmp_path, None, storage="s3") as server:
        answer = send(server, "talk", {"deliver": "true"})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "storage.missing"
        assert "HEYGEM_S3_BUCKET" in answer.text and server.json("GET", "/api/v1/jobs")["total"] == 0
        assert send(server, "talk").status_code == 201


def test_the_links_of_a_batch(shop: Server, clip: Path, sound: Callable[..., Path]) -> None:
    names = ["甲.mp4", "=1+1.mp4"]
    files = [("audio", sound("talk").open("rb")), *(("videos", (name, clip.read_bytes())) for name in names)]
    batch = shop.json("POST", "/api/v1/batches", 201, files=files)
    for job in batch["jobs"]:
        shop.wait(job["id"])
    found = shop.json("GET", batch["links"]["links"])
    assert [line["name"] for line in found] == ["甲_talk", "=1+1_talk"]
    for line in found:
        assert web.get(line["url"]).content == clip.read_bytes()
    sheet = shop.client.get(f"{batch['links']['links']}?format=csv&seconds=3600")
    assert sheet.content.startswith(b"\xef\xbb\xbf") and "attachment" in sheet.headers["content-disposition"]
    rows = [*csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))]
    assert [row[0] for row in rows] == ["name", "甲_talk", "'=1+1_talk"], "no name is a formula"
    assert web.get(rows[1][2]).status_code == 200 and rows[1][3].endswith(" UTC")


def test_a_login_is_not_needed_for_a_link_and_for_nothing_beside_it(tmp_path: Path, send: Callable[..., Any]) -> None:
    with served(tmp_path, api_token="0123456789abcdef-token") as server:
        server.client.headers["authorization"] = "Bearer 0123456789abcdef-token"
        job = send(server, "talk").json()
        server.wait(job["id"])
        url = linked(server, job["links"]["self"])["url"]
        Users(server.desk.settings.users).set("ann", "correct horse")
        stranger = httpx.Client(base_url=server.address, trust_env=False)
        assert stranger.get(url).status_code == 200
        assert stranger.get("/share/").status_code == 403
        assert stranger.get(job["links"]["result"]).status_code == 401
        assert stranger.post(f"{job['links']['self']}/link").status_code == 401
        assert stranger.get("/share/../api/v1/jobs").status_code == 401
        assert stranger.get(f"{server.address}/share/..%2Fapi/v1/jobs").status_code == 403


def test_a_second_message_when_it_is_delivered(shop: Server, send: Callable[..., Any]) -> None:
    receiver = Receiver()
    try:
        send(shop, "talk", {"deliver": "true", "webhook": receiver.url})
        receiver.wait(2)
        said = {told["type"]: told["data"] for told in (json.loads(body) for _, body in receiver.got)}
    finally:
        receiver.close()
    assert set(said) == {"job.done", "job.delivered"}
    data = said["job.delivered"]
    assert data["delivery"]["state"] == "delivered" and "link" not in said["job.done"]
    assert web.get(shop.address + data["link"]["url"]).status_code == 200
