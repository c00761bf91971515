"""A real ComfyUI for all tests of a session. They skip unless COMFYUI_DIR names its checkout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from heygem import samples
from tests.comfyui.live.client import Client
from tests.comfyui.live.engine import Engine
from tests.media.clips import ffmpeg
from tests.notify.receiver import Receiver

SPOKEN = 2.0
"""Seconds of the voice."""
SIZE = 360, 480
"""Of the person, px."""
SECRETS = {"AWS_SECRET_ACCESS_KEY": "a-secret-of-the-bucket", "HEYGEM_TTS_KEY": "a-secret-of-the-voices"}


@dataclass(frozen=True)
class Live:
    engine: Engine
    client: Client
    receiver: Receiver
    """Takes what "HeyGem notify" sends."""


@pytest.fixture(scope="session")
def checkout() -> Path:
    folder = os.environ.get("COMFYUI_DIR")
    if not folder:
        pytest.skip("needs ComfyUI: COMFYUI_DIR names its checkout, COMFYUI_PYTHON its interpreter")
    assert (Path(folder) / "main.py").is_file(), f"COMFYUI_DIR is no ComfyUI: {folder}"
    return Path(folder).absolute()


@pytest.fixture(scope="session")
def media(portrait: Path, voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An input folder with what the example workflows name."""
    folder = tmp_path_factory.mktemp("input")
    shutil.copy(portrait, folder / "portrait.png")
    shutil.copy(voice, folder / "voice.wav")
    samples.clip(folder / "person.mp4", 3, SIZE, 130)
    _logo(folder / "logo.png")
    lessons = folder / "lessons"
    lessons.mkdir()
    for name in ("1 good.mp4", "2 no face.mp4", "10 broken.mp4"):
        shutil.copy(voice, (lessons / name).with_suffix(".wav"))
    shutil.copy(folder / "person.mp4", lessons / "1 good.mp4")
    faceless(lessons / "2 no face.mp4")
    (lessons / "10 broken.mp4").write_bytes((folder / "person.mp4").read_bytes()[:4000])
    return folder


@pytest.fixture(scope="session")
def live(checkout: Path, media: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    receiver = Receiver()
    told = {"HEYGEM_NOTIFY_WEBHOOK": receiver.url, "HEYGEM_NOTIFY_LANGUAGE": "zh", "HEYGEM_WEBHOOK_PRIVATE": "true"}
    engine = Engine(checkout, tmp_path_factory.mktemp("comfyui"), {**SECRETS, **told})
    shutil.copytree(media, engine.input)
    (engine.base / "custom_nodes").mkdir()
    shutil.copy(Path(__file__).with_name("probe.py"), engine.base / "custom_nodes" / "tests_probe.py")
    try:
        engine.start()
        yield Live(engine, Client(engine.address), receiver)
    finally:
        engine.end()
        receiver.close()


@pytest.fixture(scope="session")
def client(live: Live) -> Client:
    return live.client


def faceless(out: Path) -> Path:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240:d=1:r=25", "-pix_fmt", "yuv420p", out)
    return out


def _logo(out: Path) -> None:
    picture = Image.new("RGBA", (96, 48))
    ImageDraw.Draw(picture).rounded_rectangle((2, 2, 93, 45), 12, (200, 40, 40, 255))
    picture.save(out)
