"""A server that keeps its results in the cloud alone and knows many secrets: the page still plays them, and none of the
secrets is found in anything that a browser, a program or a look at the disk can see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from heygem.jobs.job import Job
from heygem.users import Users
from tests.e2e.site import go
from tests.e2e.test_delivery import PASSWORD, Cloud, content
from tests.storage import servers
from tests.storage.proxy import Proxy

pytestmark = pytest.mark.browser
TOKEN = "PLANTED-token-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SECRETS = {
    "API_TOKEN": TOKEN,
    "WEBHOOK_SECRET": "whsec_UExBTlRFRC13ZWJob29rLXNlY3JldC1vZi0zMmJ5dGU=",
    "NOTIFY_WECOM": "http://127.0.0.1:9/PLANTED-wecom",
    "NOTIFY_DINGTALK": "http://127.0.0.1:9/PLANTED-dingtalk",
    "NOTIFY_DINGTALK_SECRET": "SECPLANTEDdingtalk8f2a",
    "NOTIFY_FEISHU": "http://127.0.0.1:9/PLANTED-feishu",
    "NOTIFY_FEISHU_SECRET": "PLANTED-feishu-secret-77",
    "NOTIFY_WEBHOOK": "http://127.0.0.1:9/PLANTED-webhook",
    "SMTP_PASSWORD": "PLANTED-mail-password",
    "TTS_KEY": "PLANTED-speech-key",
}
OPEN = {
    "KEEP_LOCAL": "remove",
    "TTS_URL": "http://127.0.0.1:9/v1",
    "NOTIFY_ON": "both",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_USER": "heygem",
    "NOTIFY_EMAIL_TO": "a@example.com",
}
TABS = ("批量处理", "生成结果历史", "设置", "单个处理")
PAGES = ("", "config", "health", "metrics", "docs", "openapi.json", "gradio_api/info", "theme.css", "share/x")
CALLS = (
    "jobs",
    "queue",
    "batches",
    "options",
    "jobs/{id}",
    "jobs/{id}/delivery",
    "batches/{batch}",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("secrets")
    with servers.swift(tmp_path_factory.mktemp("swift") / "data") as store, Proxy(store.endpoint) as proxy:
        cloud = Cloud(folder, store, proxy, **OPEN, **SECRETS)
        Users(folder / "home" / "users.json").set("anna", PASSWORD)
        cloud.start()
        yield cloud
        cloud.end()
        cloud.queue.store.close()


@pytest.fixture(scope="module")
def seen(server: Cloud, chromium: Any, portrait: Path, voice: Path) -> Iterator[dict[str, bytes]]:
    """What a browser was told while it had a batch made and shared, by address; and what the page became."""
    told: dict[str, bytes] = {}

    def note(answer: Any) -> None:
        if answer.url.startswith(server.address) and answer.status == 200:
            told[f"{len(told)} {answer.url}"] = json.dumps(answer.all_headers()).encode() + _body(answer)

    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.on("response", note)
    page.goto(server.address)
    page.fill("#name", "anna")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("#job .job")
    go(page, "批量处理")
    page.locator("#batch_audio input[type=file]").set_input_files(voice)
    page.locator("#batch_videos input[type=file]").set_input_files(portrait)
    page.locator("#batch_deliver input").check()
    page.click("#batch_start:not([disabled])")
    page.locator(".batch .line .cloud-delivered").wait_for(timeout=60_000)
    for tab in TABS:
        go(page, tab)
        page.wait_for_timeout(500)
        told[f"page {tab}"] = page.content().encode()
    page.remove_listener("response", note)
    go(page, "生成结果历史")
    yield {**told, "page": page}  # pyright: ignore[reportReturnType]
    context.close()


def _body(answer: Any) -> bytes:
    if answer.headers.get("content-type", "").startswith(("text/event-stream", "video/")):
        return b""  # a stream has no end; the page that it made is looked at instead
    return answer.body()


def job_of(server: Cloud) -> Job:
    [job] = server.jobs()
    return job


def test_the_copy_here_is_gone_and_the_page_plays_the_one_in_the_cloud(server: Cloud, seen: dict[str, Any]) -> None:
    job, page = job_of(server), seen["page"]
    assert job.take and not job.take.path.exists() and not [*server.outputs.rglob("*.mp4")]
    page.locator(".history .entry .thumb").click()
    video = page.locator("dialog.player:modal video")
    page.wait_for_function("video => video.readyState >= 2", arg=video.element_handle())
    assert video.evaluate("video => video.duration") == pytest.approx(job.take.seconds, abs=0.1)
    page.locator("dialog.player:modal [data-share]").click()
    window = page.locator("dialog.share:modal")
    url = window.locator("textarea").input_value()
    assert url.startswith(server.proxy.endpoint) and len(content(url)) > 10_000
    window.get_by_role("button", name="删除云端文件").click()
    window.get_by_text("云端是唯一的一份").wait_for()
    page.keyboard.press("Enter")


def test_no_secret_is_seen_anywhere(server: Cloud, seen: dict[str, Any]) -> None:
    job = job_of(server)
    places = {name: text for name, text in seen.items() if name != "page"}
    for call in [*PAGES, *(f"api/v1/{call.format(id=job.id, batch=job.batch)}" for call in CALLS)]:
        answer = httpx.get(f"{server.address}/{call}", headers=HEADERS, trust_env=False)
        places[f"GET /{call} {answer.status_code}"] = str(answer.headers).encode() + answer.content
    refused = httpx.get(f"{server.address}/api/v1/jobs", headers={"Authorization": "Bearer PLANTED-x"}, trust_env=False)
    assert refused.status_code == 401
    places["refusal"] = str(refused.headers).encode() + refused.content
    places |= {str(path): path.read_bytes() for path in server.folder.rglob("*") if path.is_file()}
    keys = [places.pop(name) for name in [*places] if name.endswith(".key")]
    app = server.process
    for process in (app, *app.children(recursive=True)):
        places[f"process {process.pid}"] = " ".join(process.cmdline()).encode()
    url = httpx.post(f"{server.address}/api/v1/jobs/{job.id}/link", headers=HEADERS, trust_env=False).json()["url"]
    film = server.folder / "film.mp4"
    film.write_bytes(content(url))
    places["metadata"] = json.dumps(_tags(film)).encode()
    assert sum(name.startswith("GET") and name.endswith(" 200") for name in places) >= 13
    assert sum(len(text) for text in places.values()) > 1_000_000 and len(places) > 60
    signature = url.partition("X-Amz-Signature=")[2].partition("&")[0].encode()
    hidden = [server.store.secret.encode(), *keys, *map(str.encode, (*SECRETS.values(), PASSWORD))]
    for name, text in places.items():
        for secret in [*hidden, b"PLANTED", signature]:
            assert secret not in text, f"{secret!r} in {name}"


def _tags(film: Path) -> dict[str, str]:
    import av

    with av.open(str(film)) as container:
        return {**container.metadata, **{f"{s.index} {k}": v for s in container.streams for k, v in s.metadata.items()}}
