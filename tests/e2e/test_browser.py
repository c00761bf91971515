"""The page as its users meet it: a real face, a real voice, the real engine, a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from heygem.media.sound import RATE
from tests.e2e.conftest import holding
from tests.media.clips import wav

pytestmark = pytest.mark.browser
Visit = Callable[..., Any]


def choose(page: Any, kind: str, file: Path) -> Any:
    """Drops a file and waits until the page has looked at it."""
    name = page.locator(f"#{kind}_look .name")
    page.locator(f"#{kind} input[type=file]").set_input_files(file)
    name.filter(has_text=file.suffix).wait_for(timeout=10_000)
    return page.locator(f"#{kind}_look")


def state(page: Any, wanted: str, seconds: float = 60) -> Any:
    """The job card once it is in this state; fails where the job comes to rest in another."""
    rest = [f"#job .job-{state}" for state in {wanted, "done", "failed", "cancelled"}]
    page.wait_for_selector(", ".join(rest), timeout=seconds * 1000)
    card = page.locator("#job .job")
    assert card.get_attribute("data-state") == wanted, card.inner_text()
    return card


@pytest.fixture(scope="session")
def long_voice(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five minutes: enough work to stop in the middle of."""
    return wav(tmp_path_factory.mktemp("voice") / "long.wav", np.tile(speech, 38), RATE, "-c:a", "pcm_s16le")


def test_a_portrait_speaks(visit: Visit, portrait: Path, voice: Path, tmp_path: Path) -> None:
    page = visit()
    assert page.locator("#start").is_disabled() and page.locator("#cancel").is_disabled()
    assert choose(page, "audio", voice).locator("audio").count() == 1
    assert "512 × 512" in choose(page, "video", portrait).inner_text()
    assert page.locator("#video_look img").evaluate("img => img.naturalWidth") == 512
    page.click("#start:not([disabled])")
    page.wait_for_selector("#job .job:not([data-state=empty])")  # two seconds of voice may be done by now
    page.reload()
    card = state(page, "done")
    assert "已完成" in card.inner_text() and re.search(r"质量 \d+ / 100", card.inner_text())
    page.wait_for_function("document.querySelector('#job video').videoWidth == 512")
    with page.expect_download() as waiting:
        page.click("#job .download")
    assert waiting.value.suggested_filename == "portrait_voice.mp4"
    waiting.value.save_as(tmp_path / "result.mp4")
    with av.open(str(tmp_path / "result.mp4")) as result:
        video, sound = result.streams.video[0], result.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height, video.average_rate) == ("h264", 512, 512, 25)
        assert video.frames == 50
        assert sum(frame.samples for frame in result.decode(sound)) / sound.rate == pytest.approx(2.0, abs=0.1)
    assert page.locator("#start").is_enabled(), "the uploads survived the reload, too"


def test_progress_is_counted_found_again_and_cancelled(
    visit: Visit, server: Any, portrait: Path, long_voice: Path
) -> None:
    page = visit()
    choose(page, "audio", long_voice)
    choose(page, "video", portrait)
    page.click("#start:not([disabled])")
    numbers = page.locator("#job .numbers")
    numbers.filter(has_text=re.compile(r"第 \d+ / 7\d\d\d 帧.*帧/秒.*约剩")).wait_for(timeout=30_000)
    first = numbers.inner_text()
    state(page, "running")
    assert page.locator("#start").is_disabled()
    page.wait_for_timeout(1000)
    assert numbers.inner_text() != first
    job = page.locator("#job .job").get_attribute("data-job")
    for other in (page.context.new_page(), visit("en-US")):
        other.goto(server.address)
        assert state(other, "running").get_attribute("data-job") == job
    assert [folder.name for folder in server.outputs.glob(f"*/{job}")] == [job]
    page.click("#cancel")
    page.wait_for_selector("#job .job-cancelled", timeout=4000)
    assert "已取消" in page.inner_text("#job")
    (folder,) = server.outputs.glob(f"*/{job}")
    assert {path.name for path in folder.iterdir()} <= {"video", "audio", "thumbnail.jpg"}, "the inputs, no result"
    page.click("#job [data-act=retry]")
    page.wait_for_selector(f"#job .job-running[data-job='{job}']", timeout=30_000)
    page.click("#cancel")
    page.wait_for_selector("#job .job-cancelled", timeout=4000)
    assert page.locator("#start").is_enabled() and page.locator("#cancel").is_disabled()


@pytest.mark.parametrize(
    ("locale", "empty", "text", "faceless", "remedy"),
    [
        ("zh-CN", "是空文件", "无法作为声音打开", "没有找到可用的人脸", "人脸端正"),
        ("en-US", "is empty", "cannot be read as sound", "No usable face was found", "upright"),
    ],
)
def test_bad_files_get_a_sentence_and_a_remedy(
    visit: Visit, voice: Path, tmp_path: Path, locale: str, empty: str, text: str, faceless: str, remedy: str
) -> None:
    page = visit(locale)
    nothing, letter, wall = tmp_path / "nothing.mp4", tmp_path / "letter.wav", tmp_path / "wall.png"
    nothing.write_bytes(b"")
    letter.write_text("Dear Sir or Madam")
    Image.new("RGB", (320, 240), "tan").save(wall)
    assert empty in choose(page, "video", nothing).locator(".problem").inner_text()
    assert text in choose(page, "audio", letter).locator(".problem").inner_text()
    assert page.locator("#start").is_disabled()
    choose(page, "video", wall)
    page.locator("#audio_look .problem").wait_for()
    page.locator("#audio input[type=file]").set_input_files(voice)
    page.click("#start:not([disabled])")
    words = state(page, "failed").locator(".problem").inner_text()
    assert faceless in words and remedy in words and "Traceback" not in words


NOTHING_CHOSEN = "data.length === 3 && data.every(one => Object.keys(one ?? {}).length === 0)"


def test_files_that_are_chosen_before_the_page_is_answered_stay(visit: Visit, portrait: Path, voice: Path) -> None:
    page = visit("zh-CN")
    page.add_init_script(holding(NOTHING_CHOSEN))
    page.reload()
    page.wait_for_function("() => window.held.length > 1")
    for kind, file in (("video", portrait), ("audio", voice)):
        choose(page, kind, file)
    page.evaluate("window.held.forEach(release => release())")
    page.wait_for_selector("#start:not([disabled])")
    page.wait_for_timeout(1500)
    assert "portrait.png" in page.inner_text("#video_look") and "voice.wav" in page.inner_text("#audio_look")
    assert page.locator("#start").is_enabled()


def test_the_language_can_be_switched_and_is_remembered(visit: Visit, voice: Path) -> None:
    page = visit("zh-CN")
    choose(page, "audio", voice)
    assert "开始生成" in page.inner_text("#start") and "单个处理" in page.inner_text("body")
    page.click("button[data-language=en]")
    page.locator("#start", has_text="Generate").wait_for()
    page.reload()
    page.locator("#start", has_text="Generate").wait_for()
    page.locator("#audio_look .facts", has_text="mono").wait_for()
    assert not re.search(r"[\u4e00-\u9fff]", page.inner_text("body").replace("中文", ""))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scroll(visit: Visit, portrait: Path, voice: Path, scheme: str) -> None:
    page = visit("en-US", viewport={"width": 390, "height": 844}, color_scheme=scheme)
    choose(page, "video", portrait)
    choose(page, "audio", voice)
    page.click("#options button")
    page.locator("#engine").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    boxes = page.locator("#audio, #video, #start, #cancel, .job").all()
    assert all(box.bounding_box()["x"] + box.bounding_box()["width"] <= 390 for box in boxes)


def test_a_hostile_name_stays_text(visit: Visit, portrait: Path, tmp_path: Path) -> None:
    page = visit()
    trap = tmp_path / '<img src=x onerror="window.trapped=1">.png'
    trap.write_bytes(portrait.read_bytes())
    choose(page, "video", trap)
    trap.write_bytes(b"")
    choose(page, "video", trap).locator(".problem").wait_for()
    assert page.evaluate("window.trapped") is None
