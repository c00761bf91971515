"""A face and a voice that come with the libraries, for a first result without any file of one's own.

The face is NASA's portrait of Eileen Collins (public domain) from the scikit-image wheel. The voice is a recording from
the gradio wheel, a quotation from a film: good for trying, not for publishing.
"""

from __future__ import annotations

import math
import wave
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from heygem.errors import ToolMissing
from heygem.media.frame import Frame
from heygem.media.sound import RATE, load_sound
from heygem.media.writer import VideoWriter

FPS = Fraction(25)
_VOICE = Path("media_assets", "audio", "cate_blanch.mp3")
_FACE_WIDTH = 100
"""Width of the face in the portrait, in pixels."""
_FACE_CENTRE = (225, 118)


def portrait(out: Path) -> Path:
    """Writes the portrait, 512x512, as a picture to ``out`` (.png or .jpg)."""
    from PIL import Image

    Image.fromarray(_portrait()).save(out)
    return out


def voice() -> Path:
    """A recording of a woman speaking English for 8 seconds. Raises ToolMissing."""
    spec = find_spec("gradio")
    path = Path(spec.origin).parent / _VOICE if spec and spec.origin else _VOICE
    if not path.is_file():
        raise ToolMissing(tool="gradio")
    return path


def long_voice(out: Path, seconds: float) -> Path:
    """Writes the voice, repeated to ``seconds``, as a WAV file to ``out``."""
    samples = load_sound(voice()).samples
    once = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    left = round(seconds * RATE) * 2
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        while left > 0:
            file.writeframesraw(once[:left])
            left -= len(once)
    return out


def clip(out: Path, seconds: float = 20, size: tuple[int, int] = (1080, 1920), face: int = 300) -> Path:
    """Writes a silent video of the portrait in gentle motion (sway, nod, zoom) at 25 fps to ``out``.

    face: width of the face in pixels. Around the portrait its edge, repeated, fills the picture.
    """
    import cv2

    picture = _portrait()
    with VideoWriter(out, FPS, size, "high") as writer:
        for number in range(round(seconds * FPS)):
            turn = 2 * math.pi * number / float(FPS)
            scale = face / _FACE_WIDTH * (1 + 0.02 * math.sin(turn / 7))
            tilt = 0.02 * math.sin(turn / 5)
            matrix = np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]]) * scale
            sway = np.array([math.sin(turn / 4), math.sin(turn / 3)]) * face * 0.05
            shift = np.array(size) * (0.5, 0.28) + sway - matrix @ _FACE_CENTRE
            frame = cv2.warpAffine(
                picture, np.column_stack([matrix, shift]), size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
            )
            writer.write(Frame.of(frame))
    return out


def _portrait() -> np.ndarray:
    """(512, 512, 3) uint8 RGB."""
    from skimage import data

    return data.astronaut()
