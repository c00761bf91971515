"""Asks of results what a player would."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.comfyui.lines import Prompt
from tests.comfyui.live.client import Ended
from tests.comfyui.live.conftest import Live


def good(live: Live, prompt: Prompt) -> Ended:
    """Runs it and wants it to work out."""
    ended = live.client.run(prompt)
    assert ended.status == "success", ended.problem
    return ended


def films(live: Live, ended: Ended, key: str) -> list[Path]:
    """What this node saved."""
    return [live.engine.output / name for name in ended.files(key)]


def seen(film: Path) -> dict[str, Any]:
    """By the libraries that ComfyUI itself uses: codecs, fps, size, frames, seconds of the sound, tags."""
    with av.open(str(film)) as opened:
        video, sound = opened.streams.video[0], opened.streams.audio[0]
        found = {"codecs": [stream.codec.canonical_name for stream in opened.streams], "fps": video.average_rate}
        found |= {"size": (video.width, video.height), "tags": dict(opened.metadata)}
        found["seconds"] = float((sound.duration or 0) * (sound.time_base or 0))
        return found | {"frames": sum(1 for _ in opened.decode(video))}


def picture(film: Path, number: int = 0) -> np.ndarray:
    """(h, w, 3) RGB of one frame."""
    with av.open(str(film)) as opened:
        for n, frame in enumerate(opened.decode(video=0)):
            if n == number:
                return frame.to_ndarray(format="rgb24").astype(float)
    raise AssertionError(f"{film.name} has no frame {number}")


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def newest(folder: Path, pattern: str) -> Path:
    return max(folder.rglob(pattern), key=lambda path: path.stat().st_mtime_ns)
