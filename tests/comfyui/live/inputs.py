"""What the example workflows name in ComfyUI's input folder, made here."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image, ImageDraw

from heygem import samples
from heygem.media.sound import RATE, load_sound
from tests.media.clips import ffmpeg, wav

SPOKEN = 2.0
"""Seconds of the voice."""
SIZE = 360, 480
"""Of the person, px."""


def write_inputs(folder: Path) -> Path:
    """person.mp4, portrait.png, logo.png, voice.wav, and lessons with a good pair, one without a face, a broken one."""
    folder.mkdir(parents=True)
    sound = load_sound(samples.voice()).samples[RATE : round((1 + SPOKEN) * RATE)]
    voice = wav(folder / "voice.wav", sound, RATE, "-c:a", "pcm_s16le")
    person = samples.clip(folder / "person.mp4", 3, SIZE, 130)
    samples.portrait(folder / "portrait.png")
    _logo(folder / "logo.png")
    lessons = folder / "lessons"
    lessons.mkdir()
    for name in ("1 good.wav", "2 no face.wav", "10 broken.wav"):
        shutil.copy(voice, lessons / name)
    shutil.copy(person, lessons / "1 good.mp4")
    faceless(lessons / "2 no face.mp4")
    (lessons / "10 broken.mp4").write_bytes(person.read_bytes()[:4000])
    return folder


def faceless(out: Path) -> Path:
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240:d=1:r=25", "-pix_fmt", "yuv420p", out)
    return out


def _logo(out: Path) -> None:
    picture = Image.new("RGBA", (96, 48))
    ImageDraw.Draw(picture).rounded_rectangle((2, 2, 93, 45), 12, (200, 40, 40, 255))
    picture.save(out)
