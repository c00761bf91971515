"""What comparisons of speed share: the same film and sound for both programs, ours from the command line, the table."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from heygem import samples
from heygem.bench import Run, measure
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, load_sound
from heygem.media.writer import VideoWriter

Found = dict[str, dict[str, float]]
"""Program -> part -> seconds a frame, or MiB."""


def cut(film: Path, frames: int, folder: Path) -> tuple[int, int]:
    """The first ``frames`` as clip.mp4, the voice of the samples, as long, as voice.wav. The size in px."""
    with VideoReader(film) as reader:
        size, fps = (reader.info.width, reader.info.height), reader.info.fps
        with VideoWriter(folder / "clip.mp4", fps, size, "high") as writer:
            for frame in islice(reader, frames):
                writer.write(frame)
    voice = load_sound(samples.long_voice(folder / "voice.wav", float(frames / Fraction(fps)))).samples
    wavfile.write(folder / "voice.wav", RATE, np.array(voice))
    return size


def ours(folder: Path, engine: str, options: list[str]) -> dict[str, float]:
    """Our program on that clip, with the weights and the cache of ``folder``/home: seconds, and MiB."""
    command = [sys.executable, "-m", "heygem", "lipsync", "--json", "--engine", engine, *options]
    command += ["--video", str(folder / "clip.mp4"), "--audio", str(folder / "voice.wav")]
    run = measure([*command, "--out", str(folder / "ours.mp4")], {"HEYGEM_HOME": str(folder / "home")})
    stages = json.loads(run.output)["stages"]
    return whole(run) | {"analysis": stages["analyse"], "network, composition, encoding": stages["render"]}


def whole(run: Run) -> dict[str, float]:
    return {"whole program": run.seconds, "seconds of all cores": run.cpu, "MiB": run.peak}


def each(found: Found, frames: int) -> Found:
    """Seconds of ``frames`` frames as seconds of one."""
    return {
        name: {part: value / (1 if part == "MiB" else frames) for part, value in of.items()}
        for name, of in found.items()
    }


def table(found: Found, note: str) -> str:
    """Markdown: a row for each part."""
    parts = dict.fromkeys(part for of in found.values() for part in of)
    rows = [
        f"| {part} | {' | '.join(f'{of[part]:.4g}' if part in of else '' for of in found.values())} |" for part in parts
    ]
    return "\n".join([f"| seconds a frame | {' | '.join(found)} |", f"|---|{'---|' * len(found)}", *rows, "", note])
