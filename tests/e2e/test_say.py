"""A text instead of a recording: it is spoken on the page and then goes the way of an uploaded sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import go
from tests.e2e.test_browser import choose, state

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


def speak(page: Any, text: str, prefix: str = "") -> None:
    if not page.locator(f"#{prefix}say_text textarea").is_visible():
        page.click(f"#{prefix}say .label-wrap")
    page.fill(f"#{prefix}say_text textarea", text)
    page.click(f"#{prefix}say_make:not([disabled])")


def pick(page: Any, voice: str, prefix: str = "") -> None:
    page.click(f"#{prefix}say_voice input")
    page.get_by_role("option", name=voice, exact=True).click()


def plays(page: Any, name: str) -> float:
    """Seconds of the sound that the page shows, once the browser has read it."""
    page.wait_for_function(f"document.querySelector('#{name}_look audio')?.duration > 0")
    return page.eval_on_selector(f"#{name}_look audio", "audio => audio.duration")


def test_a_photo_speaks_a_text(visit: Visit, portrait: Path) -> None:
    page = visit()
    speak(page, "…")
    page.locator("#say_why .problem", has_text="没有可以念出来的内容").wait_for()
    speak(page, "你好，世界！")
    page.locator("#audio_look .name", has_text="你好，世界！.wav").wait_for()
    assert page.locator("#say_why .problem").count() == 0, "it was of another text"
    man = plays(page, "audio")
    assert 0.7 < man < 3 and page.locator("#say_make").is_enabled()
    pick(page, "日本語 (かな) · 女声")
    page.click("#say_make")
    page.locator("#say_why .problem", has_text="不会念“你好世界”").wait_for()
    assert plays(page, "audio") == man, "the sound before stays"
    choose(page, "video", portrait)
    page.click("#start:not([disabled])")
    page.wait_for_selector("#job .job:not([data-state=empty])")
    page.reload()
    assert "已完成" in state(page, "done").inner_text()
    with page.expect_download() as waiting:
        page.click("#job .download")
    assert waiting.value.suggested_filename == "portrait_你好，世界！.mp4"


def test_a_batch_speaks_a_text_in_english_on_a_phone(visit: Visit, portrait: Path) -> None:
    page = visit("en-US", viewport={"width": 390, "height": 844})
    go(page, "Batch")
    speak(page, "Hello everybody", "batch_")
    page.locator("#batch_audio_look .name", has_text="Hello everybody.wav").wait_for()
    before = plays(page, "batch_audio")
    pick(page, "English (UK) · woman", "batch_")
    page.fill("#batch_say_speed input[type=number]", "0.5")
    page.keyboard.press("Tab")
    speak(page, "Hello everybody", "batch_")
    page.wait_for_function(f"document.querySelector('#batch_audio_look audio').duration > {1.5 * before}")
    page.locator("#batch_videos input[type=file]").set_input_files(portrait)
    page.wait_for_selector("#batch_start:not([disabled])")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == 390, "nothing stands out sideways"
