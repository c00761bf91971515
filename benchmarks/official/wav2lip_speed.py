"""How long Wav2Lip's own program and ours take for the same film, sound and random weights."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.io import wavfile

from benchmarks.official.wav2lip import SIDE, Side, boxes_of
from heygem import samples
from heygem.bench import Run, measure
from heygem.engines.wav2lip.mel import BANDS, COLUMNS, RATE
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from heygem.media.writer import VideoWriter
from heygem.weights.store import WeightStore

NOTE = (
    "Their detector computes its network with random weights and is then told the boxes; the loop over what it finds "
    "is not in the figures. Both start Python, load their weights and write a film with sound."
)


def against(checkout: Path, film: Path, frames: int, python: str = sys.executable) -> dict[str, dict[str, float]]:
    """Seconds a frame and MiB of "theirs", "ours" (first and second take) and "ours, exact"; of each its parts.

    frames: how many of the ``film`` are rendered, with a sound of the same length.
    """
    with TemporaryDirectory() as name:
        other = Side(checkout, Path(name), python)
        size = _cut(film, frames, other.folder)
        other.run(
            "net", faces=np.zeros((2, 6, 96, 96), np.float32), windows=np.zeros((2, 1, BANDS, COLUMNS), np.float32)
        )
        WeightStore(other.folder / "home" / "weights").add(other.folder / "weights.pth", "wav2lip", rights=True)
        theirs = _theirs(other, checkout, python, boxes_of(frames, size))
        ours = {"ours": [], "ours again": [], "ours, exact": ["--exact"]}
        found = {"theirs": theirs} | {name: _ours(other.folder, options) for name, options in ours.items()}
    return {
        name: {part: value / (1 if part == "MiB" else frames) for part, value in of.items()}
        for name, of in found.items()
    }


def table(found: dict[str, dict[str, float]]) -> str:
    """Markdown: a row for each part."""
    parts = dict.fromkeys(part for of in found.values() for part in of)
    rows = [
        f"| {part} | {' | '.join(f'{of[part]:.4g}' if part in of else '' for of in found.values())} |" for part in parts
    ]
    return "\n".join([f"| seconds a frame | {' | '.join(found)} |", f"|---|{'---|' * len(found)}", *rows, "", NOTE])


def _cut(film: Path, frames: int, folder: Path) -> tuple[int, int]:
    """The first ``frames`` as clip.mp4, the voice of the samples, as long, as voice.wav. The size in px."""
    with VideoReader(film) as reader:
        size, fps = (reader.info.width, reader.info.height), reader.info.fps
        with VideoWriter(folder / "clip.mp4", fps, size, "high") as writer:
            for frame in islice(reader, frames):
                writer.write(frame)
    voice = load_sound(samples.long_voice(folder / "voice.wav", float(frames / Fraction(fps)))).samples
    wavfile.write(folder / "voice.wav", RATE, np.array(voice))
    return size


def _theirs(other: Side, checkout: Path, python: str, boxes: np.ndarray) -> dict[str, float]:
    np.savez(other.folder / "given.npz", allow_pickle=False, boxes=boxes)
    run = measure([python, str(SIDE), str(checkout.absolute()), str(other.folder), "speed"])
    with np.load(other.folder / "speed.npz") as parts:
        seconds = {name: float(parts[name]) for name in parts.files}
    return _whole(run) | {"analysis": seconds["detection"], "network": seconds["network"]}


def _ours(folder: Path, options: list[str]) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "heygem",
        "lipsync",
        "--json",
        "--engine",
        "wav2lip",
        "--out",
        str(folder / "ours.mp4"),
    ]
    command += ["--video", str(folder / "clip.mp4"), "--audio", str(folder / "voice.wav"), *options]
    run = measure(command, {"HEYGEM_HOME": str(folder / "home")})
    stages = json.loads(run.output)["stages"]
    return _whole(run) | {"analysis": stages["analyse"], "network, composition, encoding": stages["render"]}


def _whole(run: Run) -> dict[str, float]:
    return {"whole program": run.seconds, "seconds of all cores": run.cpu, "MiB": run.peak}
