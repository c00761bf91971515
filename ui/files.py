"""What the page shows of a file: an address, a first picture, facts, or what is wrong with it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loguru import logger
from PIL import Image

from heygem.errors import HeyGemError
from heygem.media.probe import SoundInfo, VideoInfo, probe_sound, probe_video
from heygem.media.reader import VideoReader
from heygem.names import clean_stem
from ui.words import duration, explain, say

VIDEO_IN_BROWSERS = {"h264", "vp8", "vp9", "av1"}
SOUND_IN_BROWSERS = {"mp3", "aac", "flac", "opus", "vorbis", "pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le"}
SUFFIXES_IN_BROWSERS = {
    ".mp4",
    ".m4v",
    ".mov",
    ".webm",
    ".wav",
    ".mp3",
    ".m4a",
    ".aac",
    ".flac",
    ".ogg",
    ".oga",
    ".opus",
}
POSTER = 720
"""Longest side of a first picture in pixels."""

NOTHING: dict[str, Any] = {"kind": ""}


def url(path: Path) -> str:
    """Address of a file that the page may show. Relative, so that it also works behind a proxy's sub-path."""
    return "gradio_api/file=" + quote(str(path))


def shown_name(path: Path) -> str:
    return clean_stem(path.name) + path.suffix.lower()


def look(path: str | None, kind: str, language: str, log: str) -> dict[str, Any]:
    """A file as the template of ``pick`` shows it; ``kind`` is "audio" or "video". Never raises."""
    if not path:
        return NOTHING
    file = Path(path)
    try:
        return (
            _sound(file, probe_sound(file), language)
            if kind == "audio"
            else _picture(file, probe_video(file), language)
        )
    except Exception as error:
        return {"kind": "bad", "name": shown_name(file), **problem(error, language, log)}


def problem(error: Exception, language: str, log: str) -> dict[str, str]:
    """An error as two sentences. One that nobody foresaw goes to the log with its traceback."""
    if not isinstance(error, HeyGemError):
        logger.opt(exception=error).error("unexpected error on the page")
        error = HeyGemError(reason=type(error).__name__)
    details = {"log": log, "job": "-", **error.details}
    if "name" in details:
        details["name"] = shown_name(Path(details["name"]))
    message, hint = explain(error.code, details, language)
    return {"problem": message, "remedy": hint}


def _sound(file: Path, info: SoundInfo, language: str) -> dict[str, Any]:
    plays = info.codec in SOUND_IN_BROWSERS and file.suffix.lower() in SUFFIXES_IN_BROWSERS
    channels = {1: "mono", 2: "stereo"}.get(info.channels, "channels")
    return {
        "kind": "audio",
        "name": shown_name(file),
        "url": url(file) if plays else "",
        "note": "" if plays else say("no_preview", language),
        "facts": [
            duration(info.seconds, language),
            f"{info.rate / 1000:g} kHz",
            say(channels, language, n=info.channels),
            info.codec,
        ],
    }


def _picture(file: Path, info: VideoInfo, language: str) -> dict[str, Any]:
    plays = info.codec in VIDEO_IN_BROWSERS and file.suffix.lower() in SUFFIXES_IN_BROWSERS
    size = f"{info.width} × {info.height}"
    moving = [say("fps", language, n=f"{float(info.fps):.5g}"), duration(info.seconds, language), info.codec]
    return {
        "kind": "photo" if info.still else "video",
        "name": shown_name(file),
        "url": url(file) if plays and not info.still else "",
        "poster": poster(file),
        "note": "" if plays or info.still else say("no_preview", language),
        "facts": [size, say("photo", language)] if info.still else [size, *moving],
    }


def poster(file: Path) -> str:
    """The first picture as a data address: upright, small, and nothing to tidy up."""
    with VideoReader(file) as reader:
        picture = Image.fromarray(next(iter(reader)).rgb())
    picture.thumbnail((POSTER, POSTER))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()
