"""What works on this machine, what does not, and the remedy. Every check does the real thing on a small scale."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from heygem import __version__, engines, finding
from heygem.engines.cards import Card, cards
from heygem.errors import HeyGemError, WeightsDamaged
from heygem.finding import Finding
from heygem.settings import Settings

LEAST_ROOM = 1 << 30
"""Bytes: less room on a disk than this is reported as missing."""
LIBRARIES = ("torch", "mediapipe", "av", "opencv-contrib-python", "gradio", "numpy")
_INSTALL = "Run “pip install -r requirements.txt” in the environment of HeyGem."
_REPORT = "This should not happen; please report it with this line."
_HEADLESS = (
    "Run “pip install --force-reinstall --no-deps opencv-contrib-python-headless==5.0.0.93” in the environment of "
    "HeyGem, or install libGL (Debian and Ubuntu: apt-get install libgl1)."
)


class Missing(Exception):
    """A check failed: what was found, and the remedy."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.remedy = remedy


class Note(Missing):
    """Something that HeyGem works without."""


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks, one after the other, each as soon as it is done."""
    checks: dict[str, Callable[[], str]] = {
        "HeyGem": lambda: f"{__version__}, Python {platform.python_version()}, {platform.platform()}",
        "libraries": _libraries,
        "OpenCV": _opencv,
        "GPU": _gpu,
        "H.264 encoder": _x264,
        "GPU encoder": _nvenc,
        "GPU decoder": _nvdec,
        "face finder": _face_finder,
        "InsightFace": lambda: _insightface(settings.insightface),
        "SyncNet": lambda: _syncnet(settings.syncnet),
        **{f"engine {card.name}": partial(_engine, card) for card in cards(settings) if _is_here(card)},
        "offline voice": _offline_voice,
        "storage": lambda: _storage(settings),
        "cache folder": lambda: _room(settings.home),
        "outputs folder": lambda: _room(settings.outputs),
        "port": lambda: _port(settings.host, settings.port),
        "ffmpeg program": _ffmpeg,
    }
    for name, check in checks.items():
        yield _run(name, check)


def report(settings: Settings, as_json: bool) -> int:
    """Prints every finding. Returns 1 where something essential is missing, else 0."""
    return finding.report(examine(settings), as_json)


def _run(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", check())
    except Missing as lack:
        return Finding(name, "note" if isinstance(lack, Note) else "missing", str(lack), lack.remedy)
    except HeyGemError as error:
        return Finding(name, "missing", error.message, error.hint)
    except ImportError as error:
        return Finding(name, "missing", str(error), _INSTALL)
    except Exception as error:  # whatever goes wrong in a check is what the check is there to find
        return Finding(name, "missing", f"{type(error).__name__}: {error}", _REPORT)


def _libraries() -> str:
    found, absent = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    if absent:
        raise Missing(f"not installed: {', '.join(absent)}", _INSTALL)
    return ", ".join(found)


def _opencv() -> str:
    try:
        import cv2
    except ImportError as error:
        raise Missing(str(error), _HEADLESS) from error
    return f"loads ({cv2.__version__})"


def _gpu() -> str:
    import torch

    if not torch.cuda.is_available():
        raise Note("none that PyTorch can use; everything runs on the CPU", "")
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


@contextmanager
def _trial() -> Iterator[Path]:
    """A film of three frames that x264 wrote."""
    import numpy as np

    from heygem.media.frame import Frame
    from heygem.media.writer import VideoWriter

    with TemporaryDirectory() as folder:
        out = Path(folder, "trial.mp4")
        with VideoWriter(out, Fraction(25), (256, 256), "draft", device="cpu") as writer:
            for grey in (0, 128, 255):
                writer.write(Frame.of(np.full((256, 256, 3), grey, np.uint8)))
        yield out


def _x264() -> str:
    from heygem.media.probe import probe_video

    with _trial() as film:
        return f"x264 wrote {probe_video(film).frames} frames on the CPU"


def _nvdec() -> str:
    from heygem.media import decoders

    with _trial() as film:
        if not decoders.choose(film, "auto"):
            raise Note("no working NVDEC; the CPU decodes", "")
    return "NVDEC decodes"


def _nvenc() -> str:
    from heygem.media.encoders import nvenc_works

    if not nvenc_works():
        raise Note("no working NVENC; x264 encodes on the CPU", "")
    return "NVENC encodes"


def _face_finder() -> str:
    from heygem import samples
    from heygem.faces.avatar import Avatar

    with TemporaryDirectory() as folder:
        avatar = Avatar.prepare(samples.portrait(Path(folder, "portrait.png")), cache=Path(folder, "cache"))
    width = int(avatar.landmarks[0, :, 0].max() - avatar.landmarks[0, :, 0].min())
    return f"found the face of the sample portrait ({width} px wide) on the CPU"


def _offline_voice() -> str:
    from heygem.media.sound import load_sound
    from heygem.say import say, voices

    with TemporaryDirectory() as folder:
        made = say("你好", Path(folder, "trial.wav"), "espeak:cmn")
        loudest = abs(load_sound(made.path).samples).max()
    if loudest < 0.05:
        raise Missing("espeak-ng stays silent", _REPORT)
    return f"espeak-ng said 你好 in {made.seconds:.1f} s; {len(voices())} voices"


def _insightface(folder: Path | None) -> str:
    licence = "its published weights are for non-commercial research only"
    if folder is None:
        raise Note(f"not set up, not needed ({licence})", "")
    names = sorted(path.name for path in folder.glob("**/*.onnx"))
    if not names:
        raise Note(f"no .onnx file in {folder} ({licence})", "Put det_10g.onnx there, or unset HEYGEM_INSIGHTFACE.")
    return f"{', '.join(names)} in {folder} ({licence})"


def _syncnet(weights: Path | None) -> str:
    if weights is None:
        raise Note("no weights of your own, not needed; only “heygem bench --quality” would use them", "")
    from heygem.quality.syncnet import SyncNet

    SyncNet(weights)
    return f"{weights} loads"


def _is_here(card: Card) -> bool:
    """The default engine, and those that somebody has set up or installed, if only the weights that are its own."""
    if not card.parts:
        return card.name in (engines.DEFAULT, "remote") and card.state == "ready"
    own = card.parts[0]
    return own.facts is not None or isinstance(own.problem, WeightsDamaged)


def _engine(card: Card) -> str:
    """The default one must work; HeyGem does without the others."""
    if card.name == engines.DEFAULT:
        return _shipped()
    if not card.parts:
        return f"set up at {card.device}; nobody was asked there"
    try:
        for problem in card.problems:
            raise problem
        return _network(card.name)
    except HeyGemError as error:
        raise Note(error.message, error.hint) from error


def _network(name: str) -> str:
    """The installed weights are loaded."""
    from heygem.engines.base import Style

    engine = engines.load(name)
    device = engine.device(Style())
    engine.warm()
    return f"weights load, runs on {device}"


def _shipped() -> str:
    """The shipped weights listen to a second of the sample voice."""
    from heygem import samples
    from heygem.engines.base import Style
    from heygem.media.sound import Sound, load_sound

    engine = engines.load(engines.DEFAULT)
    sound = load_sound(samples.voice())
    engine.listen(Sound(sound.samples[:16000], sound.path), samples.FPS, 25)
    return f"version {engine.version}, weights load, runs on {engine.device(Style())}"


def _storage(settings: Settings) -> str:
    """What “heygem storage check” finds, in one line."""
    from storage import open_storage

    findings = list(open_storage(settings).check())
    for found in findings:
        if found.state == "missing":
            raise Missing(f"{found.name}: {found.found}", found.remedy)
    return f"{settings.storage}: {findings[0].found}"


def _room(folder: Path) -> str:
    exists = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(exists, os.W_OK):
        raise Missing(f"{folder} cannot be written to", "Give the user of HeyGem the right to write there.")
    free = shutil.disk_usage(exists).free
    if free < LEAST_ROOM:
        raise Missing(
            f"{folder} has only {free / 2**30:.1f} GiB left", "Make room, or choose a folder on another disk."
        )
    return f"{folder}, {free / 2**30:.0f} GiB free"


def _port(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "If that is not HeyGem itself, set HEYGEM_PORT to another port."
            raise Note(f"{host}:{port} cannot be taken: {error.strerror}", remedy) from error
    return f"{host}:{port} is free"


def _ffmpeg() -> str:
    path = shutil.which("ffmpeg")
    if path is None:
        raise Note("not on the PATH; only “heygem bench” uses it, and takes the one of imageio-ffmpeg then", "")
    return f"{path} (used by “heygem bench” only)"
