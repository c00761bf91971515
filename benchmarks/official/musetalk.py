"""MuseTalk's own code beside ours, with the same random weights: networks, sound, pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.official.figure import Figure
from benchmarks.official.made import weights
from heygem import samples
from heygem.engines.musetalk.exact import Cut, mask_of
from heygem.engines.musetalk.heard import Heard, windows
from heygem.engines.musetalk.painter import Painter
from heygem.engines.musetalk.sound import hear, log_mel
from heygem.engines.nets.parsing import BiSeNet
from heygem.engines.nets.unet import UNet
from heygem.engines.nets.vae import VAE
from heygem.engines.nets.whisper import Encoder
from heygem.engines.neural.place import Place
from heygem.media.frame import Frame
from heygem.media.sound import load_sound

AIM = 1e-4
PIXEL = 1 / 255 + 1e-9
SIDE = Path(__file__).with_name("musetalk_side.py")
HERE = Place(torch.device("cpu"), torch.float32, "CPU")
NUMBERS = np.array([3, 40])
"""Frames that are painted by both."""


def compare(checkout: Path, python: str = sys.executable) -> list[Figure]:
    """The largest differences between both sides. python: an interpreter with what the checkout needs.

    The U-Net of full size needs 8 GB of memory on the other side, 5 on ours.
    """
    with TemporaryDirectory() as folder, torch.inference_mode():
        side = Side(checkout, Path(folder), python)
        figures = [*_sound(side), *_openai(side), *_parsing(side)]
        return figures + _painting(side)


class Side:
    """The other side: runs parts of the checkout's code on ``given`` arrays."""

    def __init__(self, checkout: Path, folder: Path, python: str) -> None:
        self._checkout, self._folder, self._python = checkout, folder, python
        rng = np.random.default_rng(0)
        frame = Frame.of(_picture(samples.portrait(folder / "portrait.png")))
        box = (170, 150, 341, 389)
        self.given = {
            "samples": load_sound(samples.voice()).samples[: 16000 * 7 + 123],
            "face": Cut.of(frame, box).seen(),
            "frame": frame.rgb(),
            "box": np.array(box),
            "made": rng.integers(0, 256, (256, 256, 3), np.uint8),
            "classes": _drawn(),
        }

    def run(self, part: str) -> dict[str, np.ndarray]:
        np.savez(self._folder / "given.npz", allow_pickle=False, **self.given)
        command = [self._python, str(SIDE), str(self._checkout), str(self._folder), part]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)
        with np.load(self._folder / f"{part}.npz") as found:
            return dict(found)

    def state(self, name: str) -> dict[str, Tensor]:
        """The weights that the other side has: the names and shapes are theirs."""
        return weights(json.loads((self._folder / f"{name}.json").read_text("utf-8")))


def _sound(side: Side) -> list[Figure]:
    theirs, voice = side.run("whisper"), side.given["samples"]
    encoder = Encoder.of(side.state("whisper-tiny"))
    states = hear(voice, encoder)
    heard = Heard(states, states, np.ones(1), Fraction(25), 0)
    side.given["heard"] = heard.exact(NUMBERS)
    side.given["chunk"] = theirs["chunks25"][NUMBERS]
    found = [
        Figure("log-mel", _apart(log_mel(voice, 480_000), theirs["mel"]), AIM),
    ]
    for fps in (25, 30):
        chunks = theirs[f"chunks{fps}"]
        ours = windows(states, Fraction(fps), np.arange(len(chunks))) - _places(chunks)
        found.append(Figure(f"Whisper's states of all frames, {fps} fps", _apart(ours, chunks), AIM))
    return found


def _openai(side: Side) -> list[Figure]:
    theirs, voice = side.run("openai"), side.given["samples"]
    states = hear(voice, Encoder.of(side.state("whisper-openai")), first=True)
    chunks = theirs["chunks25"][: 25 * 7]
    ours = windows(states, Fraction(25), np.arange(len(chunks)), first=True) - _places(chunks)
    return [
        Figure("states of version 1.0", _apart(states, theirs["states"]), AIM),
        Figure("states of all frames, version 1.0", _apart(ours, chunks), AIM),
    ]


def _parsing(side: Side) -> list[Figure]:
    theirs = side.run("parsing")
    net = BiSeNet.of(side.state("face-parsing"))
    from PIL import Image

    square = np.asarray(Image.fromarray(side.given["face"]).resize((512, 512), Image.Resampling.BILINEAR))
    ours = net(torch.from_numpy(square.copy()).permute(2, 0, 1)[None] / 255)
    found = [Figure("BiSeNet", _apart(ours, theirs["classes"]), AIM)]
    for mode in ("jaw", "raw"):
        cut = Cut.of(Frame.of(side.given["frame"]), tuple(side.given["box"].tolist()))
        x0, y0, x1, y1 = cut.box
        picture = np.zeros_like(cut.picture)
        inner = side.given["frame"][max(y0, 0) : y1, max(x0, 0) : x1]
        picture[max(-y0, 0) :, max(-x0, 0) :][: len(inner), : inner.shape[1]] = inner
        cut = Cut(picture, cut.box, cut.face)
        made = cut.exchanged(side.given["made"], mask_of(cut, side.given["classes"], first=mode == "raw"))
        part = theirs[mode][max(y0, 0) : y1, max(x0, 0) : x1]
        ours = made[max(-y0, 0) :, max(-x0, 0) :][: len(part), : part.shape[1]]
        found.append(Figure(f"composition, {mode}", _apart(ours / 255, part / 255), PIXEL))
    return found


def _painting(side: Side) -> list[Figure]:
    theirs, face = side.run("vae"), torch.from_numpy(side.given["face"]).permute(2, 0, 1)[None] / 255
    vae = VAE.of(side.state("sd-vae"))
    unasked: Any = nn.Identity()
    latents = Painter(unasked, vae.encoder, vae.decoder, HERE, 1).latents(face)
    given = torch.from_numpy(theirs["latents"])
    picture = vae.decode(given[:, :4])
    pixels = (picture / 2 + 0.5).clamp(0, 1)
    found = [
        Figure("VAE, latents masked and whole", _apart(latents, theirs["latents"]), AIM),
        Figure("VAE, decoded", _apart(picture, theirs["picture"]), AIM),
        Figure("VAE, pixels", _apart(_bytes(pixels) / 255, theirs["pixels"] / 255), PIXEL),
    ]
    side.given["latents"] = given.repeat(len(NUMBERS), 1, 1, 1).numpy()
    theirs = side.run("unet")
    unet = UNet.of(side.state("musetalk"))
    heard, given = torch.from_numpy(side.given["heard"]), torch.from_numpy(side.given["latents"])
    said = unet(given, heard)
    painter = Painter(unet, vae.encoder, vae.decoder, HERE, len(NUMBERS))
    pixels = painter.faces(latents.repeat(len(NUMBERS), 1, 1, 1), heard)
    return [
        *found,
        Figure("U-Net of full size", _apart(said, theirs["said"]), AIM),
        Figure("frames painted from sound and picture", _apart(_bytes(pixels) / 255, theirs["pixels"] / 255), PIXEL),
    ]


def _apart(ours: np.ndarray | Tensor, theirs: np.ndarray | Tensor) -> float:
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape, f"{ours.shape} beside {theirs.shape}"
    return float(np.abs(ours - theirs).max())


def _bytes(pictures: Tensor) -> np.ndarray:
    return (pictures.permute(0, 2, 3, 1) * 255).round().byte().numpy()


def _places(chunks: np.ndarray) -> np.ndarray:
    """What ``windows`` adds to mark places, which the other side adds later."""
    return windows(np.zeros((1, 5, chunks.shape[2])), Fraction(25), np.array([100]))


def _picture(path: Path) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))


def _drawn() -> np.ndarray:
    """(512, 512) uint8: classes of a face made of ellipses."""
    import cv2

    classes = np.zeros((512, 512), np.uint8)
    for kind, centre, axes in ((1, (256, 250), (120, 160)), (10, (256, 250), (22, 40)), (12, (256, 330), (45, 12))):
        cv2.ellipse(classes, centre, axes, 0, 0, 360, kind, -1)
    cv2.ellipse(classes, (256, 345), (45, 12), 0, 0, 360, 13, -1)
    return classes
