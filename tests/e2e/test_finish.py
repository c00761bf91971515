"""After the mouth, on the page: background, subtitles and logo reach the result; several voices find their videos."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heygem.media.reader import VideoReader

pytestmark = pytest.mark.browser
SRT = "1\n00:00:00,000 --> 00:00:05,000\nHELLO\n"
BLUE, RED, WHITE = (20, 60, 200), (255, 0, 0), (255, 255, 255)


@pytest.fixture
def extras(tmp_path: Path) -> dict[str, Path]:
    logo, subtitles = tmp_path / "logo.png", tmp_path / "lesson.srt"
    Image.new("RGB", (80, 80), RED).save(logo)
    subtitles.write_text(SRT)
    return {"logo": logo, "subtitles": subtitles}


def near(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(h, w) bool: where a picture is of this colour."""
    return np.abs(picture.astype(int) - colour).max(axis=2) < 40


def test_background_subtitles_and_logo(
    visit: Callable[..., Any], server: Any, portrait: Path, voice: Path, extras: dict[str, Path]
) -> None:
    page = visit()
    page.locator("#audio input[type=file]").set_input_files(voice)
    page.locator("#video input[type=file]").set_input_files(portrait)
    page.locator("#finish > button").click()
    assert not page.locator("#colour").is_visible()
    page.locator("#background").get_by_text("纯色").click()
    page.locator("#colour button").first.click()
    page.locator("#colour .input input").fill("#143cc8")
    page.locator("#colour .input input").press("Enter")
    for name, path in extras.items():
        page.locator(f"#{name} input[type=file]").set_input_files(path)
        page.locator(f"#{name} .file-preview").wait_for()
    page.click("#start:not([disabled])")
    page.wait_for_selector("#job .job-done, #job .job-failed", timeout=120_000)
    assert page.locator("#job .job").get_attribute("data-state") == "done", page.locator("#job").inner_text()
    assert "标志：logo.png" in page.locator("#job").inner_text()
    result = max(server.outputs.glob("*/*/portrait_voice.mp4"), key=lambda path: path.stat().st_mtime)
    said = json.loads(result.with_suffix(".take.json").read_text("utf-8"))["options"]["finish"]
    assert (said["background"], said["logo"], said["subtitles"]) == ("#143cc8", "logo.png", "lesson.srt")
    with VideoReader(result) as reader:
        picture = next(iter(reader)).rgb()
    height, width = picture.shape[:2]
    assert near(picture, RED)[: height // 4, width * 3 // 4 :].mean() > 0.2, "the logo stands at the top right"
    assert near(picture, BLUE)[height // 3, : width // 12].mean() > 0.5, "the colour stands beside the person"
    words = near(picture, WHITE)[height * 3 // 4 :, width // 4 : width * 3 // 4]
    assert words.mean() > 0.01, "the subtitle stands at the bottom"


def test_every_voice_finds_its_video(
    visit: Callable[..., Any], server: Any, portrait: Path, voice: Path, tmp_path: Path
) -> None:
    ann, ben, eve = (shutil.copyfile(portrait, tmp_path / f"{name}.png") for name in ("ann", "ben", "eve"))
    voices = [shutil.copyfile(voice, tmp_path / f"{name}.wav") for name in ("ben", "ann")]
    page = visit()
    page.click("#tab_batch-button")
    page.locator("#batch_audio input[type=file]").set_input_files(voices)
    page.locator("#batch_audio_look").get_by_text("2 个录音").wait_for()
    page.locator("#batch_videos input[type=file]").set_input_files([ann, eve])
    page.locator("#batch_why .problem").wait_for()
    assert "eve" in page.locator("#batch_why").inner_text() and page.locator("#batch_start").is_disabled()
    page.locator("#batch_list .line", has_text="eve").locator("input").check()
    page.locator("#batch_list [data-remove]").click()
    page.locator("#batch_list .line", has_text="eve").wait_for(state="detached")
    page.locator("#batch_videos input[type=file]").set_input_files(ben)
    page.locator("#batch_options > button").click()
    page.locator("#batch_quality input[value=draft]").check()
    page.click("#batch_start:not([disabled])")
    page.wait_for_function("() => document.querySelectorAll('#batch .line-done').length === 2", timeout=120_000)
    made = {path.name for path in server.outputs.glob("*/batch_*/*.mp4")}
    assert made >= {"ann_ann.mp4", "ben_ben.mp4"} and "ann_ben.mp4" not in made
