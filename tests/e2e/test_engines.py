"""The engines in a real browser: the cards, how they follow what is installed, and a no before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Server
from tests.e2e.site import Site, go
from tests.engines.brought import bring

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
FITS = "document.documentElement.scrollWidth <= 390"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("engines"), {"HEYGEM_COMMERCIAL": "false"})
    bring(site.folder / "home", "wav2lip-256")
    (site.folder / "home" / "weights" / "wav2lip-256" / "weights.safetensors").write_bytes(b"cut")
    site.start()
    yield site
    site.end()
    site.queue.store.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    """For ``visit``."""
    return Server(site.address, site.outputs, 0)


def card(page: Any, name: str) -> Any:
    return page.locator(f'.engine[data-engine="{name}"]')


def pick(page: Any, prefix: str, label: str) -> None:
    """Opens the options and chooses an engine by what stands in the list."""
    page.locator(f"#{prefix}options > button").click()
    page.locator(f"#{prefix}engine input").click()
    page.get_by_role("option", name=label).click()


def test_the_cards_say_how_things_stand_and_follow_what_is_installed(visit: Visit, site: Site) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    go(page, "设置")
    card(page, "mesh").get_by_text("可以使用").wait_for()
    assert "禁止商用" in card(page, "wav2lip").inner_text() and "权重损坏" in card(page, "wav2lip-256").inner_text()
    assert "文件大小和当初记录的不一样" in card(page, "wav2lip-256").inner_text()
    card(page, "musetalk").get_by_text("怎样安装").click()
    page.wait_for_timeout(3500)
    copy = card(page, "musetalk").get_by_role("button", name="复制").first
    copy.click()
    card(page, "musetalk").get_by_text("已复制").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "heygem weights download musetalk"
    bring(site.folder / "home", "wav2lip")
    card(page, "wav2lip").get_by_text("可以使用").wait_for(timeout=8000)
    page.route("**/component_server/", lambda route: route.fulfill(json={"problem": "意料之外", "remedy": ""}))
    page.locator(".engines .note", has_text="意料之外").wait_for(timeout=8000)
    assert card(page, "wav2lip").is_visible(), "what was known stays"


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_phone_shows_them_without_a_sideways_scroll(visit: Visit, locale: str) -> None:
    page = visit(locale, viewport={"width": 390, "height": 844})
    go(page, "设置" if locale.startswith("zh") else "Settings")
    card(page, "musetalk").wait_for()
    for lines in card(page, "musetalk").locator("summary").all():
        lines.click()
    card(page, "musetalk").get_by_text("heygem weights download whisper-tiny").wait_for()
    assert page.evaluate(FITS)


def test_an_engine_that_is_not_ready_is_marked_and_refused_before_any_work(
    visit: Visit, site: Site, portrait: Path, voice: Path
) -> None:
    page = visit()
    page.locator("#audio input[type=file]").set_input_files(voice)
    page.locator("#video input[type=file]").set_input_files(portrait)
    pick(page, "", "MuseTalk 1.5（未安装权重）")
    page.locator("#engine_note", has_text="还没有安装权重“musetalk”").wait_for()
    page.click("#start:not([disabled])")
    refused = page.locator("#refused", has_text="heygem weights download musetalk")
    refused.wait_for()
    page.wait_for_function("!document.querySelector('#video_verdict .level-looking')")
    page.wait_for_timeout(1500)
    assert refused.is_visible(), "the look at the photo, which ended meanwhile, does not take it away"
    assert site.jobs() == [] and not [*site.outputs.glob("*/*")]


def test_a_batch_says_so_too(visit: Visit, site: Site, portrait: Path, voice: Path) -> None:
    page = visit("en-US")
    go(page, "Batch")
    page.locator("#batch_audio input[type=file]").set_input_files(voice)
    page.locator("#batch_audio_look audio").wait_for()
    page.locator("#batch_videos input[type=file]").set_input_files(portrait)
    pick(page, "batch_", "Remote service (face2face) (not set up)")
    page.click("#batch_start:not([disabled])")
    refused = page.locator("#batch_refused", has_text="HEYGEM_REMOTE_URL")
    refused.wait_for()
    page.wait_for_function("!document.querySelector('.draft .level-looking')")
    assert refused.is_visible(), "the look at the photo, which ended meanwhile, does not take it away"
    assert site.jobs() == [] and page.locator("#batch_start").is_enabled()
    page.get_by_label("Takes, where the quality is too low").fill("99")
    page.click("#batch_start")
    page.locator(".toast-body", has_text="99").wait_for()
    page.wait_for_selector("#batch_start:not([disabled])", timeout=3000)
    page.locator("#batch_videos input[type=file]").set_input_files(voice)
    refused.wait_for(state="detached")
