"""Links to results as their makers and their receivers meet them: from this server, and from a real store."""

from __future__ import annotations

import csv
import io
import re
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest

from heygem import settings
from heygem.jobs.job import DONE, Job
from heygem.pipeline import Options
from heygem.users import Users
from storage import Meta
from storage.local import Local
from tests.e2e.conftest import NAME
from tests.e2e.site import Site, done, finish, go, named
from tests.media.clips import film, numbered
from tests.storage import servers
from tests.storage.proxy import Proxy

pytestmark = pytest.mark.browser
Enter = Callable[..., Any]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return film(folder / "clip.mp4", map(numbered, range(25)), "-c:v", "libx264", "-pix_fmt", "yuv420p")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, voice: Path, clip: Path) -> Iterator[Site]:
    """With a login, and without any cloud."""
    site = Site(tmp_path_factory.mktemp("local"), {"HEYGEM_STORAGE": "local"})
    Users(site.folder / "home" / "users.json").set("anna", PASSWORD)
    done(site.queue, named(clip, "第1课 & more"), voice, clip)
    batch = site.queue.submit_batch(voice, [named(clip, n) for n in ("a", "=b", "c")], Options(), "十一月课程")
    for job in site.queue.jobs_of(batch.id)[:2]:
        finish(site.queue, job, clip)
    site.queue.cancel(site.queue.jobs_of(batch.id)[2].id)
    site.start()
    yield site
    site.end()
    site.queue.store.close()


@pytest.fixture
def enter(chromium: Any) -> Iterator[Enter]:
    """enter(site): its history in a browser of its own, logged in; by_name: over plain http from elsewhere."""
    contexts, failures = [], []

    def enter(site: Site, by_name: bool = False, locale: str = "zh-CN", **more: Any) -> Any:
        context = chromium.new_context(locale=locale, accept_downloads=True, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(site.address.replace("127.0.0.1", NAME) if by_name else site.address)
        if page.locator("#password").count():
            page.fill("#name", "anna")
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
        page.wait_for_selector("#job .job")
        go(page, "生成结果历史" if locale.startswith("zh") else "History")
        page.wait_for_selector(".history .entry")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert failures == []


def entry(page: Any, name: str) -> Any:
    return page.locator(".history .entry", has=page.get_by_text(name, exact=True))


def pasted(page: Any) -> str:
    """What the clipboard holds, the way a person looks: by pasting it somewhere."""
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'paper'}))")
    page.locator("#paper").press("Control+V")
    text = page.locator("#paper").input_value()
    page.evaluate("document.getElementById('paper').remove()")
    return text


def share(page: Any, name: str) -> Any:
    """The window of the links to a result."""
    entry(page, name).locator(".thumb").click()
    page.locator("dialog.player:modal [data-share]").click()
    page.wait_for_selector("dialog.share:modal textarea")
    return page.locator("dialog.share:modal")


def content(url: str) -> bytes:
    """What somebody gets who has nothing but the link."""
    with urllib.request.urlopen(url.replace(NAME, "127.0.0.1"), timeout=10) as answer:
        return answer.read()


def status(url: str) -> int:
    try:
        return 200 if content(url) else 0
    except urllib.error.HTTPError as error:
        return error.code


def result(site: Site, name: str) -> bytes:
    job = next(job for job in site.jobs() if job.request.video.stem == name and job.state == DONE)
    assert job.take
    return job.take.path.read_bytes()


def copied(page: Any) -> str:
    page.locator(".sharing .said:popover-open", has_text="已复制").wait_for()
    return pasted(page)


def test_a_copied_link_is_downloaded_by_somebody_without_a_login(enter: Enter, site: Site, chromium: Any) -> None:
    page = enter(site, permissions=["clipboard-read", "clipboard-write"])
    assert page.evaluate("isSecureContext") and "signature=" not in page.content()
    entry(page, "第1课 & more").locator("[data-link]").click()
    page.locator(".sharing .said", has_text="本机链接").wait_for()
    url = page.evaluate("navigator.clipboard.readText()")
    assert url.startswith(f"{site.address}/share/") and copied(page) == url
    entry(page, "第1课 & more").get_by_text("链接剩余 23 小时").wait_for()
    stranger = chromium.new_context(accept_downloads=True)
    other = stranger.new_page()
    with other.expect_download() as waiting:
        other.evaluate("url => { location.href = url; }", url)
    assert waiting.value.suggested_filename == "第1课 & more_voice.mp4"
    assert Path(waiting.value.path()).read_bytes() == result(site, "第1课 & more")
    stranger.close()


def test_over_plain_http_it_is_copied_too_also_from_within_a_window(enter: Enter, site: Site) -> None:
    page = enter(site, by_name=True)
    assert not page.evaluate("isSecureContext || !!navigator.clipboard")
    entry(page, "第1课 & more").locator("[data-link]").click()
    url = copied(page)
    assert url.startswith(f"http://{NAME}:") and content(url) == result(site, "第1课 & more")
    window = share(page, "a")
    window.locator("[data-copy]").click()
    window.get_by_text("已复制").wait_for()
    window.get_by_text("复制直链").wait_for(timeout=4000)
    inside = window.locator("textarea").input_value()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.share", state="hidden")
    assert page.locator("dialog.player").is_visible(), "the window below stays"
    page.keyboard.press("Escape")
    assert pasted(page) == inside and content(inside) == result(site, "a")


def test_where_no_page_may_copy_the_address_is_selected(enter: Enter, site: Site) -> None:
    page = enter(site, by_name=True, locale="en-US")
    page.evaluate("document.execCommand = () => false")
    entry(page, "a").locator("[data-link]").click()
    page.locator("dialog.share:modal", has_text="press Ctrl+C").wait_for()
    selected = page.evaluate("getSelection().toString()")
    assert selected == page.locator("dialog.share textarea").input_value() and content(selected)


def test_the_code_leads_to_the_link(enter: Enter, site: Site) -> None:
    page = enter(site, device_scale_factor=2)
    window = share(page, "第1课 & more")
    picture = cv2.imdecode(np.frombuffer(window.locator(".qr").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    text, *_ = cv2.QRCodeDetectorAruco().detectAndDecode(picture)  # the older one misses one code in twelve
    assert text == window.locator("textarea").input_value() and "signature=" in text


def test_the_end_of_a_link_is_counted_down_and_it_is_made_anew(enter: Enter, site: Site) -> None:
    page = enter(site)
    page.clock.install()
    page.clock.resume()
    window = share(page, "a")
    assert window.locator("[role=timer]").inner_text().startswith("23:59:")
    for press in ("[data-renew]", "[data-copy]"):
        first = window.locator("textarea").input_value()
        time.sleep(1.1)  # links are signed by the second
        page.clock.fast_forward("24:00:00")
        window.get_by_text("已过期").wait_for()
        window.locator(press).click()
        window.locator("[role=timer]").wait_for()
        second = window.locator("textarea").input_value()
        assert second != first and status(first) == status(second) == 200, "the older one was given to somebody"


def test_words_that_did_not_come_are_asked_for_again(enter: Enter, site: Site) -> None:
    page = enter(site)
    page.route("**/component_server/", lambda route: route.abort())
    page.reload()
    page.wait_for_selector("#job .job", state="attached")
    page.wait_for_timeout(500)
    page.unroute("**/component_server/")
    go(page, "生成结果历史")
    page.wait_for_selector(".history .entry")
    window = share(page, "a")
    window.click(position={"x": 5, "y": 5})
    window.get_by_role("button", name="复制直链").wait_for(timeout=6000)


def test_an_expired_and_a_changed_link_are_refused(enter: Enter, site: Site) -> None:
    page = enter(site)
    window = share(page, "a")
    url = window.locator("textarea").input_value()
    assert status(url) == 200 and status(url[:-1] + ("0" if url[-1] != "0" else "1")) == 403
    own = Local(settings.load(home=site.folder / "home", outputs=site.outputs))
    key = url.partition("/share/")[2].partition("?")[0]
    brief = site.address + own.link(key, Meta("a.mp4"), 2).url
    assert status(brief) == 200
    time.sleep(2.1)
    assert status(brief) == 403
    page.goto(brief)
    assert "过期" in page.inner_text("body")


def test_a_link_is_taken_back_after_a_question(enter: Enter, site: Site) -> None:
    page = enter(site)
    window = share(page, "第1课 & more")
    url = window.locator("textarea").input_value()
    window.get_by_role("button", name="撤回链接").click()
    window.get_by_text("全部失效").wait_for()
    assert page.evaluate("document.activeElement.matches('[data-keep]')"), "the harmless answer comes first"
    page.keyboard.press("Enter")
    window.get_by_role("button", name="撤回链接").click()
    assert status(url) == 200
    window.locator("[data-revoke]").click()
    page.get_by_text("链接已撤回，全部失效。").wait_for()
    assert status(url) == 404
    page.keyboard.press("Escape")
    entry(page, "第1课 & more").locator("[data-link]").click()
    assert status(copied(page)) == 200, "a new one is another one"


def test_all_links_of_a_batch_as_text_and_as_a_table(enter: Enter, site: Site) -> None:
    page = enter(site, by_name=True)
    head = page.locator(".history h3", has_text="十一月课程")
    head.get_by_text("复制全部链接").click()
    page.get_by_text("已复制 2 个链接").wait_for()
    lines = [line.split("\t") for line in pasted(page).splitlines()]
    assert [name for name, _ in lines] == ["a_voice", "=b_voice"]
    with page.expect_download() as waiting:
        head.get_by_text("下载链接表").click()
    assert waiting.value.suggested_filename == "十一月课程.csv"
    table = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    assert [row["name"] for row in table if row["link"]] == ["a_voice", "'=b_voice"], "no formula for spreadsheets"
    for url in [url for _, url in lines] + [row["link"] for row in table if row["link"]]:
        assert url.startswith(f"http://{NAME}:") and content(url) == result(site, "a")


def test_the_switch_says_what_is_missing(enter: Enter, site: Site) -> None:
    page = enter(site, locale="en-US")
    for tab, name in (("Single", "#deliver"), ("Batch", "#batch_deliver")):
        go(page, tab)
        page.locator(name, has_text="HEYGEM_STORAGE=s3, HEYGEM_S3_BUCKET").wait_for()
        assert page.locator(f"{name} input").is_disabled() and not page.locator(f"{name} input").is_checked()


# -- with a cloud


class Cloud(Site):
    """A server whose results may go to a bucket of a real store, which is reached through a proxy."""

    def __init__(self, folder: Path, store: servers.Server, proxy: Proxy, **more: str) -> None:
        bucket = f"heygem-{uuid4().hex[:12]}"
        store.client().create_bucket(Bucket=bucket)
        given = {"STORAGE": "s3", "S3_ENDPOINT": proxy.endpoint, "S3_REGION": "us-east-1", "S3_BUCKET": bucket, **more}
        super().__init__(folder, {**store.environment(), **{f"HEYGEM_{name}": value for name, value in given.items()}})
        self.store, self.proxy = store, proxy

    def job(self, name: str) -> Job:
        return next(job for job in self.jobs() if job.request.video.stem == name)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, voice: Path, clip: Path) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with servers.swift(tmp_path_factory.mktemp("swift") / "data") as store, Proxy(store.endpoint) as proxy:
        cloud = Cloud(folder, store, proxy, UPLOAD_LIMIT_MB_S="1.5", LINK_SECONDS="60")
        done(cloud.queue, named(clip, "stays"), voice, heavy(clip, folder / "heavy.mp4"))
        cloud.start()
        yield cloud
        cloud.end()
        cloud.queue.store.close()


def heavy(clip: Path, out: Path) -> Path:
    """The same film with 8 MB that nobody plays, so that an upload takes a while."""
    free = 8 << 20
    out.write_bytes(clip.read_bytes() + struct.pack(">I4s", free, b"free") + bytes(free - 8))
    return out


def test_while_the_switch_is_off_nothing_leaves(enter: Enter, cloud: Cloud) -> None:
    page = enter(cloud)
    entry(page, "stays").locator("[data-link]").click()
    url = copied(page)
    assert url.startswith(cloud.address) and content(url) == result(cloud, "stays")
    go(page, "批量处理")
    page.locator("#batch_deliver", has_text="存储桶").wait_for()
    assert page.locator("#batch_deliver input").is_enabled()
    assert not page.locator("#batch_deliver input").is_checked()
    assert cloud.proxy.seen == []


def test_a_batch_goes_to_the_cloud_is_shared_and_taken_back(
    enter: Enter, cloud: Cloud, portrait: Path, voice: Path, tmp_path: Path
) -> None:
    page = enter(cloud, by_name=True)
    go(page, "批量处理")
    photo = tmp_path / "王老师.png"
    photo.write_bytes(portrait.read_bytes())
    page.locator("#batch_audio input[type=file]").set_input_files(voice)
    page.locator("#batch_videos input[type=file]").set_input_files(photo)
    page.locator("#batch_deliver input").check()
    page.click("#batch_start:not([disabled])")
    row = page.locator(".batch .line")
    row.locator(".cloud-delivered", has_text="已分发").wait_for(timeout=60_000)
    row.locator("[data-link]").click()
    page.locator(".sharing .said", has_text="云端链接").wait_for()
    row.locator("[data-share]").click()
    window = page.locator("dialog.share:modal")
    url = window.locator("textarea").input_value()
    assert url.startswith(cloud.proxy.endpoint) and content(url) == result(cloud, "王老师")
    assert window.locator("[role=timer]").inner_text().startswith("00:00:5")
    window.get_by_role("button", name="删除云端文件").click()
    window.get_by_text("这台服务器上的视频不受影响").wait_for()
    window.locator("[data-revoke]").click()
    page.get_by_text("云端文件已删除，链接全部失效。").wait_for()
    assert status(url) == 404 and result(cloud, "王老师")
    row.locator(".cloud-revoked", has_text="云端文件已删除").wait_for()


def test_what_was_refused_says_why_and_goes_on_by_a_press(enter: Enter, cloud: Cloud) -> None:
    cloud.proxy.trouble = lambda seen: 403 if seen.method in ("PUT", "POST") else None
    page = enter(cloud)
    job = cloud.job("stays")
    urllib.request.urlopen(
        urllib.request.Request(f"{cloud.address}/api/v1/jobs/{job.id}/delivery", method="POST"), timeout=10
    ).close()
    failed = entry(page, "stays").locator(".cloud-failed")
    failed.get_by_text("拒绝了请求").wait_for(timeout=20_000)
    cloud.proxy.trouble = lambda seen: None
    failed.get_by_text("重试上传").click()
    going = entry(page, "stays").locator(".cloud-uploading", has_text="MB/s")
    going.wait_for(timeout=10_000)
    assert re.search(r"正在上传 \d+%.*\d\.\d MB/s.*约剩 \d", going.inner_text(), re.DOTALL)
    assert going.locator(".mark").evaluate("mark => getComputedStyle(mark, '::after').animationName") == "rise"
    page.emulate_media(reduced_motion="reduce")
    assert going.locator(".mark").evaluate("mark => getComputedStyle(mark, '::after').animationName") == "none"
    entry(page, "stays").locator(".cloud-delivered").wait_for(timeout=20_000)
    entry(page, "stays").locator("[data-link]").click()
    assert copied(page).startswith(cloud.proxy.endpoint)


def test_the_storage_is_tried_in_the_settings(enter: Enter, cloud: Cloud) -> None:
    page = enter(cloud)
    go(page, "设置")
    page.locator("[data-do=check]").click()
    page.locator(".checks .finding-ok", has_text="写入了一个文件，核对无误").wait_for(timeout=20_000)
    page.locator(".checks .summary", has_text="留意").or_(page.locator(".checks .summary", has_text="正常")).wait_for(
        timeout=30_000
    )
    assert page.locator(".checks .finding-missing").count() == 0


@pytest.mark.slow
def test_a_link_to_the_cloud_ends_when_it_says(enter: Enter, cloud: Cloud) -> None:
    page = enter(cloud)
    window = share(page, "stays")
    url = window.locator("textarea").input_value()
    if not url.startswith(cloud.proxy.endpoint):
        pytest.skip("was not delivered in this run")
    window.get_by_text("已过期").wait_for(timeout=70_000)
    time.sleep(1)
    assert status(url) == 403
    window.locator("[data-renew]").click()
    window.locator("[role=timer]").wait_for()
    assert content(window.locator("textarea").input_value()) == result(cloud, "stays")
