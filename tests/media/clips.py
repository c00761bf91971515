"""Clips with known truth: frames that carry their own number, sounds with clicks at known times."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

from heygem.media.frame import Frame

WIDTH, HEIGHT, BITS = 128, 96, 8
BAR = WIDTH // BITS


def numbered(n: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """RGB picture with ``n`` as eight upright bars, bright for one, least bit on the left."""
    bits = (n >> np.arange(BITS)) & 1
    bar = np.repeat(np.where(bits, 210, 40), -(-width // BITS))[:width]
    return np.broadcast_to(bar[None, :, None], (height, width, 3)).astype(np.uint8)


def number(frame: Frame) -> int:
    """What ``numbered`` wrote."""
    y, _, _ = frame.planes()
    bar = frame.width / BITS
    middles = [y[frame.height // 2, int((k + 0.5) * bar)] for k in range(BITS)]
    return sum(1 << k for k, level in enumerate(middles) if level > 120)


def ffmpeg(*arguments: object, data: bytes = b"") -> None:
    """The ffmpeg of imageio-ffmpeg, silent; a failure is an error with its words."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def film(
    out: Path, pictures: Iterable[np.ndarray], *options: object, rate: object = 25, before: Sequence[object] = ()
) -> Path:
    """Encodes RGB pictures with the options of ffmpeg; ``before`` goes before the input."""
    pictures = list(pictures)
    height, width = pictures[0].shape[:2]
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", rate, *before, "-i", "-")
    ffmpeg(*raw, *options, out, data=b"".join(np.ascontiguousarray(p).tobytes() for p in pictures))
    return out


def timed_film(out: Path, pictures: Iterable[np.ndarray], stamps: Iterable[int], tick: int = 30000) -> Path:
    """H.264 with each picture at its own time stamp, in ticks of ``1 / tick`` s."""
    with av.open(str(out), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "8", "preset": "veryfast", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, tick)
        for picture, stamp in zip(pictures, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
            frame.pts, frame.time_base = stamp, Fraction(1, tick)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out


def wav(out: Path, samples: np.ndarray, rate: int, *options: object) -> Path:
    """Encodes float samples (n,) or (n, channels) in whatever form the options and the suffix say."""
    samples = np.atleast_2d(samples.T).T.astype("<f4")
    source = ("-f", "f32le", "-ar", rate, "-ac", samples.shape[1], "-i", "-")
    ffmpeg(*source, *options, out, data=samples.tobytes())
    return out


def clicks(times: Iterable[float | Fraction], seconds: float, rate: int) -> np.ndarray:
    """(n,) silence with a burst of 10 ms of a 1 kHz tone that begins at each time."""
    sound = np.zeros(round(seconds * rate))
    burst = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(rate // 100) / rate)
    for time in times:
        at = round(time * rate)
        sound[at : at + len(burst)] = burst[: len(sound) - at]
    return sound


def onsets(samples: np.ndarray, rate: int) -> np.ndarray:
    """Seconds at which bursts begin."""
    loud = np.flatnonzero(np.abs(samples) > 0.2)
    return loud[np.flatnonzero(np.diff(loud, prepend=-rate) > rate // 20)] / rate
