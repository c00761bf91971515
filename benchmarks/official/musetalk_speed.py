"""How long MuseTalk's own offline script and ours take for the same film, sound and random weights of full size."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.official.musetalk import SIDE
from benchmarks.official.speed import Found, cut, each, ours, whole
from benchmarks.official.wav2lip import boxes_of
from heygem.bench import measure
from heygem.weights.store import WeightStore

NOTE = (
    "Their pose network (DWPose) needs libraries that no longer install: its points are given and its time is missing. "
    "S3FD computes its network with random weights and is then told the boxes. On a GPU theirs runs in half precision. "
    "Both start Python, load their weights and write a film with sound."
)
FILES = {
    "musetalk": "models/musetalkV15/unet.pth",
    "sd-vae": "models/sd-vae/diffusion_pytorch_model.safetensors",
    "whisper-tiny": "models/whisper/model.safetensors",
}
"""Name of the weights -> where the other side has them."""
POINTS, BRIDGE = 68, slice(28, 31)
"""Points of a face that their script looks at, and those of them along the nose."""


def against(checkout: Path, film: Path, frames: int, python: str = sys.executable) -> Found:
    """Seconds a frame and MiB of "theirs" and of "ours" (first and second take); of each its parts.

    frames: how many of the ``film`` are rendered, with a sound of the same length.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        boxes = boxes_of(frames, cut(film, frames, folder))
        theirs = _theirs(folder, checkout, python, boxes)
        store = WeightStore(folder / "home" / "weights")
        for weights, file in FILES.items():
            store.add(folder / file, weights, rights=True)
        found = {"theirs": theirs} | {name: ours(folder, "musetalk", []) for name in ("ours", "ours again")}
    return each(found, frames)


def _theirs(folder: Path, checkout: Path, python: str, boxes: np.ndarray) -> dict[str, float]:
    np.savez(folder / "given.npz", allow_pickle=False, boxes=boxes, points=np.stack([_points(box) for box in boxes]))
    command = [python, str(SIDE), str(checkout.absolute()), str(folder)]
    measure([*command, "made"])  # the weights: it would load them from files that are there
    run = measure([*command, "speed"])
    if run.code:
        sys.exit(f"their script failed:\n{run.output}")
    with np.load(folder / "speed.npz") as parts:
        return whole(run) | {name: float(parts[name]) for name in parts.files}


def _points(box: np.ndarray) -> np.ndarray:
    """(POINTS, 2) px round a box x0, y0, x1, y1; the nose in its middle."""
    angle = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    middle, reach = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    points = middle + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    points[BRIDGE] = middle
    return points
