"""Wav2Lip's own code (and that for faces of 256 and 288 px) beside ours, with the same random weights."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from scipy.io import wavfile

from benchmarks.official.figure import Figure
from heygem import samples
from heygem.engines.nets.wav2lip import Wav2Lip
from heygem.engines.neural.place import Place
from heygem.engines.wav2lip.exact import BELOW, smoothed, speak
from heygem.engines.wav2lip.mel import BANDS, HIGHEST, LOWEST, RATE, WINDOW, filter_bank, mel, windows
from heygem.media.sound import load_sound

SIDE = Path(__file__).with_name("wav2lip_side.py")
SIDES = {"avatars/wav2lip": 256, "models/wav2lipv2.py": 288, "models/wav2lip.py": 96}
"""What a checkout has -> the side of its faces in px."""
HERE = Place(torch.device("cpu"), torch.float32, "CPU")
NET, SOUND, PIXEL = 1e-5, 1e-4, 1 / 255
FUSED = 1e-4
"""Its layers are multiplied in another order: a fortieth of a step of grey."""
FRAMES = 40
"""Of the film that both render."""


def compare(checkout: Path, python: str = sys.executable) -> list[Figure]:
    """The largest differences between both sides. python: an interpreter with what the checkout needs."""
    side = next(side for path, side in SIDES.items() if (checkout / path).exists())
    with TemporaryDirectory() as folder, torch.inference_mode():
        other = Side(checkout, Path(folder), python)
        figures = [*_network(other, side), *_sound(other)]
        return figures + (_film(other) if (checkout / "inference.py").exists() else [])


class Side:
    """The other side: runs parts of the checkout's code on ``given`` arrays, in a folder of its own."""

    def __init__(self, checkout: Path, folder: Path, python: str) -> None:
        self._checkout, self._python = checkout, python
        self.folder = folder

    def run(self, part: str, **given: np.ndarray) -> dict[str, np.ndarray]:
        np.savez(self.folder / "given.npz", allow_pickle=False, **given)
        command = [self._python, str(SIDE), str(self._checkout), str(self.folder), part]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        with np.load(self.folder / f"{part}.npz") as found:
            return dict(found)

    def net(self) -> Wav2Lip:
        """Ours, with the weights that the other side wrote down, as published files are written."""
        state = torch.load(self.folder / "weights.pth", weights_only=True)["state_dict"]
        return Wav2Lip.of({key.removeprefix("module."): value for key, value in state.items()})


def _network(other: Side, side: int) -> list[Figure]:
    rng = np.random.default_rng(0)
    heard = rng.standard_normal((4, 1, 80, 16)).astype(np.float32)
    faces = rng.random((4, 6, side, side), np.float32)
    faces[:, :3, side // 2 :] = 0
    theirs = other.run("net", faces=faces, windows=heard)
    net = other.net()
    given = torch.from_numpy(heard), torch.from_numpy(faces)
    fused = HERE.hold(net.fused())
    return [
        Figure(f"network for {side} px", _apart(net(*given).numpy(), theirs["made"]), NET),
        Figure("the same, fused", _apart(fused(*given).numpy(), theirs["made"]), FUSED),
        Figure("seconds of the network for 4 faces: ours, theirs", _seconds(fused, *given), float(theirs["seconds"])),
    ]


def _sound(other: Side) -> list[Figure]:
    heard = load_sound(samples.voice()).samples[: RATE * 5 + 123]
    theirs = other.run("mel", samples=heard)
    bank = filter_bank(RATE, WINDOW, BANDS, LOWEST, HIGHEST)
    return [
        Figure("mel bands", _apart(bank, theirs["bank"]), NET),
        Figure("mel of 5 s", _apart(mel(heard), theirs["mel"]), SOUND),
    ]


def _film(other: Side) -> list[Figure]:
    """Their whole program and ours on one film with moving boxes, the sound a little longer than the film."""
    samples.clip(other.folder / "clip.mp4", FRAMES / 25, (640, 480), 200)
    heard = load_sound(samples.voice()).samples[: RATE * (FRAMES + 12) // 25]
    wavfile.write(other.folder / "voice.wav", RATE, heard)
    boxes = boxes_of(FRAMES, (640, 480))
    theirs = other.run("film", boxes=boxes)
    ours = _render(other.net(), theirs["seen"], boxes, heard, len(theirs["made"]))
    apart = np.abs(ours.astype(int) - theirs["made"])
    return [
        Figure("their program's frames, in steps of 1/255", float(apart.max()), 1),
        Figure("the same, mean", float(apart.mean()), 0.01),
    ]


def _render(net: Wav2Lip, seen: np.ndarray, boxes: np.ndarray, heard: np.ndarray, count: int) -> np.ndarray:
    """(count, h, w, 3) uint8 BGR: the frames ``seen``, over and over, as the exact renderer changes them."""
    calm = smoothed(boxes + np.array([0, 0, 0, BELOW]))
    frames = [seen[k % len(seen)].copy() for k in range(count)]
    places = [calm[k % len(seen)] for k in range(count)]
    crops = [frame[y0:y1, x0:x1] for frame, (x0, y0, x1, y1) in zip(frames, places, strict=True)]
    made = speak(crops, windows(mel(heard), Fraction(25), count)[:], HERE.hold(net.fused()), HERE)
    for crop, face in zip(crops, made, strict=True):
        crop[:] = face
    return np.stack(frames)


def boxes_of(count: int, size: tuple[int, int]) -> np.ndarray:
    """(count, 4) int px: x0, y0, x1, y1 that wander and grow inside frames of ``size``."""
    turn = np.arange(count) / 7
    middle = np.array(size) * (0.5, 0.4) + np.column_stack([np.sin(turn), np.cos(turn * 1.7)]) * min(size) * 0.05
    half = min(size) * (0.2 + 0.03 * np.sin(turn * 2.3))[:, None] * (0.8, 1)
    return np.concatenate([middle - half, middle + half], axis=1).astype(int)


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _seconds(work: Callable[..., Any], *given: Any) -> float:
    """Of the quickest of three runs."""
    found = []
    for _ in range(3):
        begin = time.perf_counter()
        work(*given)
        found.append(time.perf_counter() - begin)
    return min(found)
