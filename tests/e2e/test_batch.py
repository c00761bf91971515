"""One voice, many videos: the tab 批量处理 as its users meet it, with real workers behind it."""

from __future__ import annotations

import re
import signal
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from heygem.media.sound import RATE
from tests.e2e.conftest import App, holding
from tests.media.clips import wav

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
HOSTILE = "${window.trapped=1}`${alert(1)}.png"


@pytest.fixture(scope="session")
def short_voice(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wav(tmp_path_factory.mktemp("short") / "短声音.wav", speech[RATE : 2 * RATE], RATE, "-c:a", "pcm_s16le")


@pytest.fixture
def long_voice(speech: np.ndarray, tmp_path: Path) -> Path:
    """Work for several seconds, also on a quick machine."""
    return wav(tmp_path / "长声音.wav", np.tile(speech, 3), RATE, "-c:a", "pcm_s16le")


@pytest.fixture
def videos(portrait: Path, tmp_path: Path) -> list[Path]:
    """Four faces and a file that is none: the last."""
    made = [tmp_path / name for name in ("甲.png", "b (1).png", HOSTILE, "丁.jpg")]
    for path in made:
        path.write_bytes(portrait.read_bytes())
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 5000)
    return [*made, broken]


def enter(page: Any) -> Any:
    page.click("#tab_batch-button")
    page.locator("#batch_setup, #batch_run").first.wait_for()
    return page


def choose(page: Any, voice: Path, videos: list[Path]) -> None:
    page.locator("#batch_audio input[type=file]").set_input_files(voice)
    page.locator("#batch_audio_look audio").wait_for()
    page.locator("#batch_videos input[type=file]").set_input_files(videos)
    page.locator(".draft .line").nth(len(videos) - 1).wait_for()


def draft_quality(page: Any) -> None:
    page.click("#batch_options button")
    page.locator("#batch_quality input[value=draft]").check()


def start(page: Any) -> str:
    """The id of the batch."""
    page.click("#batch_start:not([disabled])")
    page.locator(".batch .line").first.wait_for(timeout=10_000)
    return page.locator(".batch").get_attribute("data-batch")


def row(page: Any, name: str) -> Any:
    return page.locator(".batch .line", has_text=name)


def until(page: Any, name: str, state: str, seconds: float = 60) -> Any:
    wanted = page.locator(f".batch .line-{state}", has_text=name)
    wanted.wait_for(timeout=seconds * 1000)
    return wanted


VOICE_ALONE = "data.length === 2 && data[0]?.path && !data[1]?.videos?.length"


def test_an_answer_that_comes_late_does_not_undo_a_later_one(
    visit: Callable[..., Any], short_voice: Path, videos: list[Path]
) -> None:
    page = enter(visit())
    page.evaluate(holding(VOICE_ALONE))
    page.locator("#batch_audio input[type=file]").set_input_files(short_voice)
    page.wait_for_function("() => window.held.length")
    page.locator("#batch_videos input[type=file]").set_input_files(videos[0])
    page.wait_for_timeout(5000)  # whatever else is asked is answered, its face is found
    page.evaluate("window.held.forEach(release => release())")
    page.wait_for_timeout(1000)
    page.locator(".draft .line").wait_for()
    page.wait_for_selector("#batch_start:not([disabled])", timeout=3000)


def test_five_videos_of_which_one_is_broken(
    visit: Visit, server: Any, short_voice: Path, videos: list[Path], tmp_path: Path
) -> None:
    page, other = enter(visit()), visit("en-US")
    page.locator("#batch_why", has_text="请先上传声音").wait_for()
    assert page.locator("#batch_start").is_disabled()
    choose(page, short_voice, videos)
    assert page.locator("#batch_start").is_enabled(), "nobody waits for verdicts"
    page.locator(".draft .level-bad", has_text="broken.mp4").wait_for(timeout=30_000)
    page.wait_for_function("!document.querySelector('.draft .level-looking')", timeout=30_000)
    assert "标红的文件很可能会失败" in page.inner_text(".draft")
    draft_quality(page)
    queue = f"{server.address}/api/v1/queue"
    httpx.post(f"{queue}/pause").raise_for_status()  # until the second browser has found it
    batch = start(page)
    other.reload()
    assert enter(other).locator(".batch").get_attribute("data-batch") == batch, "found again in a second browser"
    row(page, "丁.jpg").locator("[data-do=cancel]").click()
    until(page, "丁.jpg", "cancelled", 5)
    httpx.post(f"{queue}/resume").raise_for_status()
    page.locator(".batch .line-running, .batch .line-done", has_text="甲.png").wait_for(timeout=60_000)
    page.reload()
    until(page, "甲.png", "done")
    failed = until(page, "broken.mp4", "failed")
    assert "无法作为视频打开" in failed.inner_text() and "重新导出" in failed.inner_text()
    page.locator(".batch .head", has_text="已结束，完成 3 / 5").wait_for(timeout=60_000)
    assert page.evaluate("window.trapped") is None
    row(page, "丁.jpg").locator("[data-do=retry]").click()
    until(page, "丁.jpg", "done")
    page.click("[data-do=retry_failed]")
    page.locator(".batch .head", has_text="已结束，完成 4 / 5").wait_for(timeout=30_000)
    check_results(page, tmp_path)
    page.click("[data-tab]")
    page.locator("#history", has_text="甲").wait_for()


def check_results(page: Any, tmp_path: Path) -> None:
    row(page, "甲.png").locator("button.act[data-play]").click()
    page.wait_for_function("document.querySelector('dialog video')?.videoWidth == 512")
    page.locator("dialog.player:modal").click(position={"x": 5, "y": 5})
    assert page.locator("dialog.player:modal").count() == 1, "its own margin is no place beside it"
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('dialog:modal')")
    with page.expect_download() as waiting:
        row(page, "甲.png").locator("a.act").click()
    assert waiting.value.suggested_filename == "甲_短声音.mp4"
    with page.expect_download() as waiting:
        page.get_by_role("link", name="报告 CSV").click()
    waiting.value.save_as(tmp_path / "report.csv")
    report = (tmp_path / "report.csv").read_text("utf-8-sig").splitlines()
    assert len(report) == 6 and sum(",done," in line for line in report) == 4
    with page.expect_download() as waiting:
        page.click(".batch .head a.main")
    waiting.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        films = [name for name in archive.namelist() if name.endswith(".mp4")]
        assert len(films) == 4 and any(name.endswith("甲_短声音.mp4") for name in films)
        for name in films:
            with av.open(archive.open(name)) as film:
                assert film.streams.video[0].frames == 25 and film.streams.audio


def test_the_server_is_killed_in_the_middle_and_nothing_is_lost(
    chromium: Any, app: App, long_voice: Path, videos: list[Path]
) -> None:
    page = chromium.new_page(locale="zh-CN")
    page.goto(app.address)
    choose(enter(page), long_voice, videos[:2])
    draft_quality(page)
    start(page)
    until(page, "甲.png", "running")
    app.end(signal.SIGKILL)
    page.locator(".batch [role=alert]", has_text="连接中断").wait_for(timeout=10_000)
    app.start()
    until(page, "甲.png", "done", 90)
    until(page, "b (1).png", "done", 90)
    assert "全部完成，共 2 个视频" in page.inner_text(".batch .head")
    assert not page.locator(".batch [role=alert]").is_visible()
    page.close()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App(tmp_path)
    app.start()
    yield app
    app.end()


def test_the_list_is_changed_and_found_again(visit: Visit, short_voice: Path, videos: list[Path]) -> None:
    page = enter(visit("en-US"))
    page.on("dialog", lambda dialog: dialog.accept())
    if page.locator("[data-new]").count():
        page.click("[data-new]")
    choose(page, short_voice, videos[:3])
    page.locator("#batch_videos input[type=file]").set_input_files(videos[2:4])
    page.locator(".draft .line").nth(3).wait_for()
    assert page.locator(".draft .line").count() == 4, "the same file twice is one"
    page.locator(".draft .line", has_text="b (1).png").locator("input").check()
    page.click("[data-remove]")
    page.wait_for_function("document.querySelectorAll('.draft .line').length == 3")
    page.reload()
    page.locator(".draft .line").nth(2).wait_for()
    assert page.locator("#batch_start").is_enabled() and "b (1)" not in page.inner_text(".draft")
    page.locator("[data-all]").check()
    assert page.inner_text(".draft .picked") == "Selected: 3"
    page.click("[data-clear]")
    page.locator("#batch_why", has_text="add at least one video").wait_for()
    assert page.locator("#batch_start").is_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_a_keyboard_are_enough(visit: Visit, short_voice: Path, videos: list[Path], scheme: str) -> None:
    page = enter(visit("en-US", viewport={"width": 390, "height": 844}, color_scheme=scheme))
    if page.locator("[data-new]").count():
        page.click("[data-new]")
    long = videos[0].with_name("a very long name of a video that does not fit into any row of a phone.png")
    choose(page, short_voice, [videos[0].rename(long)])
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#tab_server-button").is_visible(), "all tabs fit"
    reached: list[str] = []
    page.focus("#batch_audio_look audio")
    for _ in range(25):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("[...document.activeElement.attributes].map(one => one.name + '=' + one.value).join(' ')")
        )
    for wanted in ("data-all", "data-clear", "data-id", "batch_start"):
        assert any(wanted in one for one in reached), f"{wanted} is not reached: {reached}"
    page.focus("[data-clear]")
    width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert re.fullmatch(r"[1-9]\d*px", width)


def test_a_refusal_stays_until_the_next_press_and_who_comes_back_asks_once(
    visit: Visit, server: Any, short_voice: Path, videos: list[Path]
) -> None:
    page = enter(visit())
    page.on("dialog", lambda dialog: dialog.accept())
    if page.locator("[data-new]").count():
        page.click("[data-new]")
    choose(page, short_voice, [videos[0].rename(videos[0].with_name("没了.png")), videos[1]])
    queue = f"{server.address}/api/v1/queue"
    httpx.post(f"{queue}/pause").raise_for_status()
    start(page)
    row(page, "没了.png").locator("[data-do=cancel]").click()
    until(page, "没了.png", "cancelled", 5)
    for file in server.outputs.rglob("没了.png"):
        file.unlink()
    look = "window.dispatchEvent(new Event('heygem:delivery'))"
    page.evaluate(f"document.querySelector('.batch .line-cancelled [data-do=retry]').click(), {look}")
    refused = page.locator(".batch .head .problem", has_text="找不到文件")
    refused.wait_for(timeout=3000)
    page.wait_for_timeout(2500)
    assert refused.is_visible(), "later looks do not take it away"
    page.click("[data-do=cancel_all]")
    refused.wait_for(state="detached")
    httpx.post(f"{queue}/resume").raise_for_status()
    for _ in range(2):
        page.click("[data-new]")
        page.click("#batch_back")
        page.locator(".batch .line").first.wait_for()
    page.evaluate("window.asked = 0, window.real = fetch, void (window.fetch = count)".replace("count", COUNT))
    page.evaluate(look)
    page.wait_for_timeout(200)
    assert page.evaluate("window.asked") == 1, "the views before ask no more"


COUNT = "(...given) => { asked += String(given[1]?.body).includes('{\"batch\":'); return real(...given); }"


def test_a_voice_that_is_none_is_refused(visit: Visit, portrait: Path, tmp_path: Path) -> None:
    page = enter(visit())
    if page.locator("[data-new]").count():
        page.click("[data-new]")
    wall = tmp_path / "wall.png"
    Image.new("RGB", (320, 240), "tan").save(wall)
    page.locator("#batch_audio input[type=file]").set_input_files(wall)
    page.locator("#batch_audio_look .problem").wait_for()
    page.locator("#batch_videos input[type=file]").set_input_files(portrait)
    page.locator("#batch_why", has_text="请上传声音").wait_for()
    assert page.locator("#batch_start").is_disabled()
