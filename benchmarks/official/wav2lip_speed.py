"""How long Wav2Lip's own program and ours take for the same film, sound and random weights."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.official.speed import Found, cut, each, ours, whole
from benchmarks.official.wav2lip import SIDE, Side, boxes_of
from heygem.bench import measure
from heygem.engines.wav2lip.mel import BANDS, COLUMNS
from heygem.weights.store import WeightStore

NOTE = (
    "Their detector computes its network with random weights and is then told the boxes; the loop over what it finds "
    "is not in the figures. Both start Python, load their weights and write a film with sound."
)


def against(checkout: Path, film: Path, frames: int, python: str = sys.executable) -> Found:
    """Seconds a frame and MiB of "theirs", "ours" (first and second take) and "ours, exact"; of each its parts.

    frames: how many of the ``film`` are rendered, with a sound of the same length.
    """
    with TemporaryDirectory() as name:
        other = Side(checkout, Path(name), python)
        size = cut(film, frames, other.folder)
        other.run(
            "net", faces=np.zeros((2, 6, 96, 96), np.float32), windows=np.zeros((2, 1, BANDS, COLUMNS), np.float32)
        )
        WeightStore(other.folder / "home" / "weights").add(other.folder / "weights.pth", "wav2lip", rights=True)
        theirs = _theirs(other, checkout, python, boxes_of(frames, size))
        takes = {"ours": [], "ours again": [], "ours, exact": ["--exact"]}
        found = {"theirs": theirs}
        found |= {name: ours(other.folder, "wav2lip", options) for name, options in takes.items()}
    return each(found, frames)


def _theirs(other: Side, checkout: Path, python: str, boxes: np.ndarray) -> dict[str, float]:
    np.savez(other.folder / "given.npz", allow_pickle=False, boxes=boxes)
    run = measure([python, str(SIDE), str(checkout.absolute()), str(other.folder), "speed"])
    with np.load(other.folder / "speed.npz") as parts:
        seconds = {name: float(parts[name]) for name in parts.files}
    return whole(run) | {"analysis": seconds["detection"], "network": seconds["network"]}
