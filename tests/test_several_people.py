"""Several people in one picture, each with a voice of their own."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.engines.loudness import loudness
from heygem.errors import FileMissing, OptionInvalid
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS, align, gap
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, load_sound
from heygem.pipeline import Options, lipsync
from heygem.quality.agreement import agreement
from heygem.speech.motion import listen, mouth_basis
from tests.faces.conftest import stranger, woman
from tests.media.clips import wav

__all__ = ["stranger", "woman"]  # fixtures


def couple(woman: np.ndarray, stranger: np.ndarray, apart: int) -> np.ndarray:
    """(320, 640, 3): the woman (face 1) on the left, the larger stranger (face 0) ``apart`` px to the right of her."""
    picture = np.full((320, 640, 3), 110, np.uint8)
    left, right = woman[:, 30:220], stranger[:, 30:220]
    picture[30:286, 20:210] = left
    picture[30:286, 20 + apart : 210 + apart] = right
    return picture


@pytest.fixture
def pair(woman: np.ndarray, stranger: np.ndarray, tmp_path: Path) -> Path:
    Image.fromarray(couple(woman, stranger, 300)).save(tmp_path / "pair.png")
    return tmp_path / "pair.png"


def bursts(path: Path, starts: list[float], seconds: float) -> Path:
    """Noise of 0.2 s at each start."""
    sound = np.zeros(round(seconds * RATE), np.float32)
    for start in starts:
        at = round(start * RATE)
        sound[at : at + RATE // 5] = 0.3 * np.random.default_rng(0).standard_normal(RATE // 5)
    return wav(path, sound, RATE, "-c:a", "pcm_s16le")


def brightness(video: Path, avatars: list[Avatar]) -> np.ndarray:
    """(faces, frames) mean luma of the lips of the first frame."""
    with VideoReader(video) as reader:
        planes = [frame.planes()[0].copy() for frame in reader]
    found = []
    for avatar in avatars:
        (x0, y0), (x1, y1) = (
            edge(avatar.landmarks[0][list(LIPS), :2], axis=0).astype(int) for edge in (np.min, np.max)
        )
        found.append([plane[y0:y1, x0:x1].mean() for plane in planes])
    return np.array(found)


def test_each_face_follows_its_own_sound(pair: Path, tmp_path: Path, avatar_cache: Path) -> None:
    first = bursts(tmp_path / "first.wav", [0.2, 1.2], 1.6)
    second = bursts(tmp_path / "second.wav", [0.7], 1.0)
    out = tmp_path / "out.mp4"
    take = lipsync(pair, {0: first, 1: second}, out, Options(engine="loudness"), cache=avatar_cache)
    assert take.frames == 40, "as long as the longest"
    seen = brightness(out, Avatar.prepare_all(pair, (0, 1), avatar_cache))
    for lips, sound in zip(seen, (first, second), strict=True):
        level = loudness(load_sound(sound), Fraction(25), 40)
        assert np.corrcoef(lips, level)[0, 1] > 0.98
        assert lips[level == 0].std() < 1, "whoever is silent rests"
    record = json.loads(out.with_suffix(".take.json").read_text("utf-8"))
    assert record["voices"] == {"0": "first.wav", "1": "second.wav"}
    heard = loudness(load_sound(out), Fraction(25), 40) > 0.5
    assert heard[[6, 18, 31]].all() and not heard[[1, 14, 28, 38]].any(), "both voices in the sound"


def test_each_mouth_speaks_its_own_words(pair: Path, speech: np.ndarray, tmp_path: Path, avatar_cache: Path) -> None:
    voices = {n: wav(tmp_path / f"{n}.wav", speech[s * RATE : (s + 3) * RATE], RATE) for n, s in ((0, 1), (1, 4))}
    out = tmp_path / "out.mp4"
    lipsync(pair, voices, out, cache=avatar_cache)
    basis = mouth_basis()
    asked = [
        listen(load_sound(path).samples, Fraction(25), 75).rows @ gap(basis.components) for path in voices.values()
    ]
    for k, avatar in enumerate(Avatar.prepare_all(out, (0, 1), avatar_cache)):
        opening = gap(align(avatar.landmarks)[0])
        own, other = (agreement(opening, asked[n]) for n in (k, 1 - k))
        assert own.level > max(0.7, other.best + 0.3) and abs(own.offset) < 0.5


def test_cheek_to_cheek_both_speak_as_if_alone(
    woman: np.ndarray, stranger: np.ndarray, voice: Path, tmp_path: Path, avatar_cache: Path
) -> None:
    """Their patches overlap: the second works on what the first has made."""
    Image.fromarray(couple(woman, stranger, 140)).save(tmp_path / "pair.png")
    short = wav(tmp_path / "a.wav", load_sound(voice).samples[: RATE // 2], RATE)
    pictures = {}
    for name, voices in {"both": {0: short, 1: short}, "0": {0: short}, "1": {1: short}}.items():
        lipsync(tmp_path / "pair.png", voices, tmp_path / f"{name}.mp4", Options(quality="high"), cache=avatar_cache)
        with VideoReader(tmp_path / f"{name}.mp4") as reader:
            pictures[name] = [frame.rgb().astype(np.float32) for frame in reader]
    for avatar in Avatar.prepare_all(tmp_path / "pair.png", (0, 1), avatar_cache):
        lips = avatar.landmarks[0][list(LIPS), :2]
        (x0, y0), (x1, y1) = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
        alone, silent = pictures[str(avatar.face)], pictures[str(1 - avatar.face)]
        near = [np.abs(a - b)[y0:y1, x0:x1].mean() for a, b in zip(pictures["both"], alone, strict=True)]
        far = [np.abs(a - b)[y0:y1, x0:x1].mean() for a, b in zip(pictures["both"], silent, strict=True)]
        assert 3 * max(near) < max(far)


def test_a_wrong_face_or_sound_is_refused_before_rendering(pair: Path, voice: Path, tmp_path: Path) -> None:
    stages: set[str] = set()

    def refused(kind: type[Exception], voices: dict[int, Path]) -> None:
        with pytest.raises(kind):
            lipsync(pair, voices, tmp_path / "out.mp4", tick=lambda stage, *_: stages.add(stage), cache=tmp_path / "c")
        assert not (tmp_path / "out.mp4").exists()

    refused(OptionInvalid, {})
    refused(OptionInvalid, {0: voice, -1: voice})
    refused(FileMissing, {0: voice, 1: tmp_path / "none.wav"})
    assert stages == {"probe"}
    refused(OptionInvalid, {0: voice, 2: voice})
    assert "render" not in stages
