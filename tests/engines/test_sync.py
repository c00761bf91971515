"""Sound and picture of the finished file, frame by frame, through the engine that paints the loudness."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem.engines.base import Style
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE
from heygem.media.writer import VideoWriter
from heygem.pipeline import Options, lipsync
from tests.media.clips import wav

BURSTS = (0.48, 1.0, 1.6)
"""Seconds at which a loud tone of 0.12 s begins."""


def bursts() -> np.ndarray:
    samples = np.zeros(2 * RATE, np.float32)
    for start in BURSTS:
        time = np.arange(round(0.12 * RATE))
        samples[round(start * RATE) :][: len(time)] = 0.5 * np.sin(2 * np.pi * 500 * time / RATE)
    return samples


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60)])
def test_the_mouth_lights_up_in_the_very_frame_of_the_sound(fps: Fraction, portrait: Path, tmp_path: Path) -> None:
    film, sound = tmp_path / "film.mp4", wav(tmp_path / "bursts.wav", bursts(), RATE)
    with VideoReader(portrait) as reader, VideoWriter(film, fps, (512, 512), "draft") as writer:
        picture = next(iter(reader))
        for _ in range(6):
            writer.write(Frame(picture.data.copy()))
    out = tmp_path / "out.mp4"
    take = lipsync(film, sound, out, Options(engine="loudness", style=Style(strength=2)), cache=tmp_path / "cache")
    assert take.fps == fps

    lips = Avatar.prepare(film, cache=tmp_path / "cache").landmarks[0][list(LIPS), :2].mean(axis=0).astype(int)
    with VideoReader(out) as reader:
        light = np.array([f.rgb((lips[0] - 4, lips[1] - 4, lips[0] + 4, lips[1] + 4)).mean() for f in reader])
    with av.open(str(out)) as container:
        parts = [(f.time or 0.0, f.to_ndarray().reshape(-1)) for f in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    heard = np.concatenate([np.zeros(max(round(parts[0][0] * rate), 0)), *(p for _, p in parts)])
    heard = heard[max(round(-parts[0][0] * rate), 0) :]
    loud = np.flatnonzero(np.abs(heard) > 0.1) / rate
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-1) > 0.1)]
    assert len(begins) == len(BURSTS)
    bright = light > (light.min() + light.max()) / 2
    lit = np.flatnonzero(np.diff(bright.astype(int), prepend=0) == 1)
    assert lit.tolist() == [int(Fraction(round(b * 1000), 1000) * fps) for b in begins]
