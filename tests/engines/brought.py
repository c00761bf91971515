"""Weights as a user brings them, made here: tiny networks of the published shapes with random numbers in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from heygem.weights.store import FACTS, WEIGHTS, Facts
from heygem.weights.table import needs
from tests.engines.nets import diffusion, wav2lip_weights

MAKERS = {
    "wav2lip": wav2lip_weights.random,
    "wav2lip-gan": partial(wav2lip_weights.random, seed=1),
    "wav2lip-256": partial(wav2lip_weights.random, 256),
    "wav2lip-288": partial(wav2lip_weights.random, 288),
    "musetalk": diffusion.unet,
    "musetalk-1.0": partial(diffusion.unet, 1),
    "sd-vae": diffusion.vae,
    "whisper-tiny": diffusion.whisper,
    "face-parsing": diffusion.parsing,
}
"""Name of the weights -> what makes some."""


def bring(home: Path, engine: str, rights: bool = False) -> None:
    """Installs random weights of all that ``engine`` needs in ``home``."""
    for row in needs(engine):
        if not (home / "weights" / row.name).exists():
            put(home, row.name, MAKERS[row.name](), rights)


def put(home: Path, name: str, state: dict[str, Tensor], rights: bool = False) -> Path:
    """Installs these weights in ``home`` and returns their folder."""
    folder = home / "weights" / name
    folder.mkdir(parents=True)
    file = folder / WEIGHTS
    save_file({key: value.contiguous() for key, value in state.items()}, file)
    sums = hashlib.sha256(file.read_bytes()).hexdigest()
    size = file.stat().st_size
    facts = Facts(f"{name}.pth", size, sums, size, sums, "2026-11-21T12:00:00+00:00", "", rights)
    (folder / FACTS).write_text(json.dumps(asdict(facts)), "utf-8")
    return folder
