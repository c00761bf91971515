"""The history and the settings in a real browser, over a real server with results of yesterday in its store."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from heygem import log
from heygem.errors import NoFace
from heygem.jobs.job import Failure, Job, Request
from heygem.pipeline import Options
from tests.e2e.conftest import Server
from tests.e2e.site import Site, claim, done, finish, go, named
from tests.media.clips import film, numbered
from ui.listing import PAGE

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
TRAP = '<img src=x onerror="window.trapped=1"> “it\'s” ${window.trap()} `'
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, portrait: Path, voice: Path) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("history"))
    clip = film(site.folder / "clip.mp4", map(numbered, range(25)), "-c:v", "libx264", "-pix_fmt", "yuv420p")
    for name in ("old", "keep", "bin", "first", "second", "third"):
        done(site.queue, named(clip, name), voice, clip)
    done(site.queue, named(portrait, "speaker"), voice, clip)
    batch = site.queue.submit_batch(voice, [named(clip, n) for n in ("lesson1", "lesson2")], Options(), "十一月课程")
    finish(site.queue, site.queue.jobs_of(batch.id)[0], clip)
    site.queue.finish(claim(site.queue), "test", Failure.of(NoFace(name="lesson2.mp4", frames=25)))
    trapped = done(site.queue, named(clip, "harmless"), voice, clip)
    nasty = trapped.request.video.with_name(f"{TRAP}.mp4")
    trapped.request.video.rename(nasty)
    site.queue.store.change(trapped.id, [trapped.state], video=f"video/{nasty.name}")
    site.start()
    yield site
    site.end()
    site.queue.store.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    """For ``visit``."""
    return Server(site.address, site.outputs, 0)


@pytest.fixture
def history(visit: Visit) -> Visit:
    """Opens the tab."""

    def open_tab(locale: str = "zh-CN", **more: Any) -> Any:
        page = visit(locale, **more)
        page.evaluate("void (window.trap = () => { window.trapped = 1; })")
        go(page, "生成结果历史" if locale.startswith("zh") else "History")
        page.wait_for_selector(".history .entry")
        return page

    return open_tab


def entry(page: Any, name: str) -> Any:
    return page.locator(".history .entry", has=page.locator(".name", has_text=re.compile(f"^{name}$")))


def open_player(page: Any, name: str) -> Any:
    entry(page, name).locator(".thumb").click()
    page.wait_for_selector("dialog.player[open]")
    return page.locator("dialog.player")


def asked(page: Any) -> str:
    """The question over the page."""
    page.wait_for_selector("dialog.ask[open] strong")
    return page.inner_text("dialog.ask")


def job_of(site: Site, name: str) -> Job:
    return next(job for job in site.jobs() if job.request.video.stem == name)


def names(page: Any) -> list[str]:
    return page.locator(".history .entry .name").all_inner_texts()


def test_search_and_filters(history: Visit) -> None:
    page = history()
    everything = names(page)
    assert everything[-1] == "old" and len(everything) == len(set(everything)) >= 9
    assert "十一月课程" in page.inner_text(".history h3") and "完成 1" in page.inner_text(".history h3")
    page.locator(".history [name=text]").press_sequentially("lesson", delay=20)
    page.wait_for_function("document.querySelectorAll('.history .entry').length === 2")
    page.click(".history [data-state=failed]")
    page.wait_for_function("document.querySelectorAll('.history .entry').length === 1")
    assert "没有找到可用的人脸" in page.inner_text(".entry-failed") and "人脸端正" in page.inner_text(".entry-failed")
    page.fill(".history [name=text]", "no such name")
    page.get_by_text("没有找到符合条件的结果").wait_for()
    page.fill(".history [name=text]", "")
    page.click(".history [data-state=all]")
    page.click(".history h3 [data-batch]")
    page.wait_for_function("document.querySelectorAll('.history .entry').length === 2")
    page.get_by_text("显示全部批次").click()
    page.wait_for_function(f"document.querySelectorAll('.history .entry').length === {len(everything)}")
    assert names(page) == everything


def test_the_player_plays_says_the_score_and_closes_by_keyboard(history: Visit) -> None:
    page = history()
    player = open_player(page, "first")
    page.wait_for_function("document.querySelector('.player video').videoWidth === 128")
    assert "质量" in player.locator(".score").inner_text() and "脸太小" in player.locator(".score").inner_text()
    page.keyboard.press("ArrowRight")
    page.locator(".player .name", has_text="keep").or_(page.locator(".player .name", has_text="bin")).wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.player", state="hidden")
    open_player(page, "first")
    with page.expect_download() as waiting:
        page.get_by_text("下载当前视频").click()
    assert waiting.value.suggested_filename == "first_voice.mp4"
    page.locator(".player [data-close]").click()
    page.wait_for_selector("dialog.player", state="hidden")


def test_delete_asks_first_and_another_browser_sees_it(history: Visit, site: Site) -> None:
    page, other = history(), history("en-US")
    job = job_of(site, "bin")
    open_player(page, "bin")
    page.get_by_text("删除当前视频").click()
    question = asked(page)
    assert "bin_voice" in question and "不能恢复" in question
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.ask", state="hidden")
    assert job.folder.is_dir() and page.locator("dialog.player").is_visible()
    page.get_by_text("删除当前视频").click()
    page.locator("dialog.ask [data-remove]").click()
    page.get_by_text("已删除 1 个。").wait_for()
    assert not job.folder.exists() and site.queue.get(job.id) is None
    page.wait_for_selector("dialog.player", state="hidden")
    assert entry(page, "bin").count() == 0
    entry(other, "bin").wait_for(state="detached", timeout=8000)


def test_several_are_chosen_packed_and_deleted(history: Visit, site: Site, tmp_path: Path) -> None:
    page = history()
    for name in ("second", "third"):
        entry(page, name).locator("[data-choose]").check()
    assert "2" in page.inner_text(".chosen strong")
    with page.expect_download() as waiting:
        page.locator(".chosen a").click()
    waiting.value.save_as(tmp_path / "chosen.zip")
    with ZipFile(tmp_path / "chosen.zip") as packed:
        assert packed.testzip() is None
        assert sorted(packed.namelist()) == ["second_voice.mp4", "third_voice.mp4"]
    folders = [job_of(site, name).folder for name in ("second", "third")]
    page.get_by_text("批量删除选中").click()
    assert "删除选中的 2 个？" in asked(page)
    page.locator("dialog.ask [data-remove]").click()
    page.get_by_text("已删除 2 个。").wait_for()
    assert not any(folder.exists() for folder in folders)
    assert page.locator(".chosen").is_hidden() and entry(page, "first").count() == 1


def test_all_of_a_page_are_chosen_and_let_go(history: Visit) -> None:
    page = history()
    page.locator("[data-choose=page]").check()
    assert page.inner_text(".chosen strong") == str(len(names(page)))
    entry(page, "old").locator("[data-choose]").uncheck()
    assert page.locator("[data-choose=page]").evaluate("tick => tick.indeterminate")
    page.get_by_text("取消选择").click()
    page.wait_for_selector(".chosen", state="hidden")
    assert not page.locator(".history [data-choose]:checked").count()


def test_a_page_that_is_not_there_becomes_the_last_one(history: Visit, site: Site, voice: Path) -> None:
    site.queue.pause()
    jobs = [site.queue.submit(Request(voice, voice, Options())) for _ in range(PAGE + 1)]
    for job in jobs:
        site.queue.cancel(job.id)
    site.queue.resume()
    page = history()
    page.click(".history [data-state=cancelled]")
    field = page.locator(".history [name=page]")
    for wanted in ("2", "99"):
        field.fill(wanted)
        page.keyboard.press("Enter")
        page.wait_for_function("document.querySelectorAll('.history .entry').length === 1")
        page.wait_for_function("document.querySelector('.history [name=page]').value === '2'")
    for job in jobs:
        site.queue.remove(job.id)


def test_a_batch_is_packed(history: Visit, tmp_path: Path) -> None:
    page = history()
    with page.expect_download() as waiting:
        page.locator(".history h3 a[href$=zip]").click()
    assert waiting.value.suggested_filename == "十一月课程.zip"
    waiting.value.save_as(tmp_path / "batch.zip")
    with ZipFile(tmp_path / "batch.zip") as packed:
        assert packed.namelist() == ["lesson1_voice.mp4"]


def test_again_with_other_options(history: Visit, site: Site) -> None:
    page = history()
    before = len(names(page))
    open_player(page, "speaker").get_by_text("再次生成").click()
    window = page.locator("#again_window")
    window.get_by_text("speaker_voice").wait_for()
    window.get_by_text("草稿（最快）").click()
    page.click("#again_start")
    page.get_by_text("已加入队列：speaker_voice").wait_for()
    assert not window.is_visible()
    page.wait_for_function(f"document.querySelectorAll('.history .entry').length === {before + 1}")
    page.locator(".entry-running .bar").wait_for(timeout=20_000)
    page.locator(".history .entry:first-child.entry-done").wait_for(timeout=60_000)
    job = site.jobs()[0]
    assert job.request.options == Options(quality="draft") and job.take is not None and job.take.seconds > 1


def test_again_without_its_inputs_says_so_and_keeps_the_window(history: Visit, site: Site) -> None:
    job_of(site, "old").request.video.unlink()
    page = history()
    open_player(page, "old").get_by_text("再次生成").click()
    window = page.locator("#again_window")
    window.get_by_text("old_voice").wait_for()
    page.click("#again_start")
    window.locator(".problem", has_text="找不到文件").wait_for()
    page.keyboard.press("Escape")
    window.wait_for(state="hidden")


def test_a_failed_one_is_tried_again_and_says_why(history: Visit) -> None:
    page = history()
    entry(page, "lesson2").get_by_text("重试").click()
    page.get_by_text("已重新排队。").wait_for()
    entry(page, "lesson2").locator(".why").wait_for(timeout=60_000)
    assert "没有成功" in entry(page, "lesson2").inner_text()


def test_pinned_after_a_restart_seen_by_the_page_that_stayed_open(history: Visit, site: Site) -> None:
    page = history()
    open_player(page, "keep").get_by_text("固定：不会被自动清理").click()
    page.locator(".player").get_by_text("取消固定").wait_for()
    page.keyboard.press("Escape")
    before = names(page)
    site.end()
    page.get_by_text("连接中断").wait_for(timeout=15_000)
    site.start()
    page.locator(".history .note").wait_for(state="hidden", timeout=15_000)
    assert names(page) == before
    fresh = history()
    assert names(fresh) == before and "已固定" in entry(fresh, "keep").inner_text()


def test_a_hostile_name_stays_text(history: Visit) -> None:
    page = history()
    assert any('<img src=x onerror="window.trapped=1">' in name for name in names(page))
    page.locator(".entry", has_text="onerror").locator(".thumb").click()
    page.locator(".player .name", has_text="onerror").wait_for()
    page.get_by_text("删除当前视频").click()
    page.locator("dialog.ask strong", has_text="onerror").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("window.trapped") is None and page.locator("img[src=x]").count() == 0


def test_the_log_shows_a_planted_line_as_text_follows_and_filters(visit: Visit, site: Site) -> None:
    file = site.outputs / log.NAME
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("void (window.trap = () => { window.trapped = 1; })")
    go(page, "设置")
    page.wait_for_selector(".logview .record")
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"2026-11-21 10:00:00 ERROR   7d96d1cfbe994061 {TRAP} C:\\a.mp4\n")
    planted = page.locator(".logview .record.ERROR", has_text="onerror")
    planted.wait_for(timeout=6000)
    assert '<img src=x onerror="window.trapped=1">' in planted.inner_text()
    assert page.evaluate("window.trapped") is None and page.locator("img[src=x]").count() == 0
    planted.locator("button").click()
    page.wait_for_function("document.querySelectorAll('.logview .record').length === 1")
    assert page.input_value(".logview [name=text]") == "7d96d1cfbe994061"
    page.get_by_role("button", name="复制").click()
    page.get_by_text("已复制").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"10:00:00 ERROR 7d96d1cfbe994061 {TRAP} C:\\a.mp4", "letter by letter"
    page.uncheck(".logview [name=follow]")
    with file.open("a", encoding="utf-8") as stream:
        stream.write("2026-11-21 10:00:01 INFO    7d96d1cfbe994061 while it was held\n")
    page.wait_for_timeout(2500)
    assert page.locator(".logview .record").count() == 1
    page.check(".logview [name=follow]")
    page.get_by_text("while it was held").wait_for(timeout=3000)


def test_a_check_is_followed_where_one_answer_is_lost(visit: Visit) -> None:
    page = visit()
    go(page, "设置")
    page.locator(".checks dt", has_text="通知").wait_for()
    asked: list[int] = []  # the sheet, at the press and once more

    def answer(route: Any) -> None:
        question = route.request.post_data_json
        if question["data"].get("do") == "check":
            route.fulfill(json={"going": True})
        elif asked == [question["component_id"]]:
            route.abort()
        else:
            return route.continue_()
        asked.append(question["component_id"])

    page.route("**/component_server/", answer)
    for _ in range(3):  # a look that was under way at the press may bring the answer
        asked.clear()
        page.click(".checks [data-do=check]")
        page.wait_for_selector(".checks [data-do=check][disabled]")
        page.wait_for_selector(".checks [data-do=check]:not([disabled])", timeout=5000)
        if len(asked) == 2:
            return
    raise AssertionError("no answer was lost")


def test_the_queue_is_paused_and_resumed_for_everybody(visit: Visit, site: Site) -> None:
    page, other = visit(), visit("en-US")
    go(page, "设置")
    page.get_by_role("button", name="暂停队列").click()
    page.locator(".banner", has_text="队列已暂停").wait_for()
    assert site.queue.held() == "paused"
    other.locator(".banner", has_text="The queue is paused").wait_for(timeout=8000)
    other.get_by_role("button", name="Resume the queue").click()
    other.locator(".banner").wait_for(state="detached")
    assert site.queue.held() is None
    page.get_by_role("button", name="暂停队列").wait_for(timeout=8000)


@pytest.mark.parametrize(("locale", "scheme"), [("zh-CN", "dark"), ("en-US", "light")])
def test_a_phone_needs_no_sideways_scroll(history: Visit, locale: str, scheme: str) -> None:
    page = history(locale, viewport=PHONE, color_scheme=scheme)
    fits = "document.documentElement.scrollWidth <= 390"
    assert page.evaluate(fits)
    box = open_player(page, "first").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] + box["height"] <= 844
    page.keyboard.press("Escape")
    go(page, "设置" if locale.startswith("zh") else "Settings")
    page.wait_for_selector(".logview .record")
    assert page.evaluate(fits)


def test_a_list_that_changes_nothing_moves_nothing(history: Visit) -> None:
    page = history()
    places = "[...document.querySelectorAll('.history .entry')].map(one => one.offsetTop)"
    before = page.evaluate(places)
    entry(page, "first").locator("[data-choose]").check()
    time.sleep(1.5)
    assert page.evaluate(places) == before
