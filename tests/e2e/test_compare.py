"""Two results side by side in a real browser: in step, stacked on a phone, and as a film to download."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heygem.media.probe import probe
from tests.e2e.conftest import Server
from tests.e2e.site import Site, done, go, named
from tests.media.clips import film, numbered

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]
TIMES = "[...document.querySelectorAll('.comparing video')].map(video => video.currentTime)"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, voice: Path) -> Iterator[Site]:
    """short: 2 s, 64x96; long: 4 s, 128x96; and three more."""
    site = Site(tmp_path_factory.mktemp("compare"))
    codec = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10")
    short = film(site.folder / "a.mp4", (numbered(n, 64, 96) for n in range(50)), *codec)
    long = film(site.folder / "b.mp4", map(numbered, range(100)), *codec)
    for name, result in (("x1", long), ("x2", long), ("x3", short), ("short", short), ("long", long)):
        done(site.queue, named(result, name), voice, result)
    site.start()
    yield site
    site.end()
    site.queue.store.close()


@pytest.fixture(scope="module")
def server(site: Site) -> Server:
    """For ``visit``."""
    return Server(site.address, site.outputs, 0)


def chosen(visit: Visit, *names: str, locale: str = "zh-CN", **more: Any) -> Any:
    """The history with these results selected, in this order."""
    page = visit(locale, **more)
    go(page, "生成结果历史" if locale.startswith("zh") else "History")
    page.wait_for_selector(".history .entry")
    for name in names:
        entry = page.locator(".history .entry", has=page.locator(".name", has_text=re.compile(f"^{name}$")))
        entry.locator("[data-choose]").check()
    return page


def opened(visit: Visit, *names: str, **more: Any) -> Any:
    """The window, with films that can play."""
    page = chosen(visit, *names, **more)
    page.locator(".chosen [data-compare]").click()
    page.wait_for_selector(".compare:modal")
    loaded = "[...document.querySelectorAll('.comparing video')].filter(video => video.readyState > 2).length"
    page.wait_for_function(f"{loaded} === {len(names)}")
    return page


def sought(page: Any, share: float) -> list[float]:
    """The times after the slider was moved there, as soon as all have arrived."""
    page.locator(".drive input").evaluate(
        "(range, share) => { range.value = share; range.dispatchEvent(new Event('input', {bubbles: true})); }", share
    )
    page.wait_for_function("[...document.querySelectorAll('.comparing video')].every(video => !video.seeking)")
    return page.evaluate(TIMES)


def test_they_play_in_step_and_only_the_first_is_heard(visit: Visit) -> None:
    page = opened(visit, "short", "long")
    assert page.locator(".comparing figcaption .name").all_inner_texts() == ["short_voice", "long_voice"]
    assert "质量" in page.locator(".comparing figcaption .grade").first.inner_text()
    assert page.evaluate("[...document.querySelectorAll('.comparing video')].map(video => video.muted)") == [
        False,
        True,
    ]
    assert sought(page, 0.25) == pytest.approx([1, 1], abs=0.1)
    page.get_by_role("button", name="播放", exact=True).click()
    page.wait_for_function(f"{TIMES}[1] > 1.4")
    first, second = page.evaluate(TIMES)
    assert first == pytest.approx(second, abs=0.15) and first > 1.2
    assert sought(page, 0.1) == pytest.approx([0.4, 0.4], abs=0.3), "and goes on"
    page.get_by_role("button", name="暂停", exact=True).click()
    page.wait_for_function("[...document.querySelectorAll('.comparing video')].every(video => video.paused)")
    first, second = page.evaluate(TIMES)
    assert first == pytest.approx(second, abs=0.1)


def test_the_shorter_one_waits_at_its_end_and_comes_along_again(visit: Visit) -> None:
    page = opened(visit, "short", "long")
    assert sought(page, 0.75) == pytest.approx([2, 3], abs=0.1)
    page.locator(".comparing video").last.click()
    page.wait_for_function("document.querySelector('.time').textContent === '0:04 / 0:04'")
    assert page.evaluate(TIMES) == pytest.approx([2, 4], abs=0.1), "it has not begun anew"
    page.get_by_role("button", name="播放", exact=True).click()
    page.wait_for_function(f"{TIMES}.every(time => time > 0.2 && time < 1.5)")
    page.keyboard.press("Escape")
    page.wait_for_selector(".compare", state="hidden")
    page.wait_for_function("!document.querySelector('.comparing video')")  # nothing plays on


def test_the_comparison_is_downloaded(visit: Visit, tmp_path: Path) -> None:
    page = opened(visit, "short", "long")
    sought(page, 0.5)
    with page.expect_download() as waiting:
        page.get_by_text("下载对比视频").click()
    assert waiting.value.suggested_filename == "compare.mp4"
    waiting.value.save_as(tmp_path / "compare.mp4")
    info = probe(tmp_path / "compare.mp4").video
    assert info is not None and (info.width, info.height, info.frames) == (64 + 128, 96, 100)
    page.get_by_text("下载对比视频").wait_for()
    assert page.evaluate(TIMES) == pytest.approx([2, 2], abs=0.1), "the window stays as it was"


def test_a_busy_server_is_said_in_words(visit: Visit) -> None:
    page = opened(visit, "short", "long", locale="en-US")
    page.route("**/api/v1/compare", lambda route: route.fulfill(status=503, json={}))
    page.get_by_text("Download the comparison").click()
    page.locator(".comparing .problem", has_text="making another comparison").wait_for()
    page.get_by_text("Download the comparison").wait_for()
    assert page.inner_text(".drive .time") == "0:00 / 0:04"


def test_two_to_four_can_be_compared(visit: Visit) -> None:
    page = chosen(visit, "short")
    button = page.locator(".chosen [data-compare]")
    assert button.is_disabled()
    for name, possible in (("long", True), ("x1", True), ("x2", True), ("x3", False)):
        page.locator(f".history [aria-label='选中 {name}']").check()
        page.wait_for_function(
            f"document.querySelector('.chosen [data-compare]').disabled === {str(not possible).lower()}"
        )


def test_on_a_phone_they_stand_above_each_other(visit: Visit) -> None:
    page = opened(visit, "short", "long", locale="en-US", viewport={"width": 390, "height": 844})
    first, second = (video.bounding_box() for video in page.locator(".comparing video").all())
    assert first["x"] == second["x"] and second["y"] >= first["y"] + first["height"]
    box = page.locator(".compare").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
