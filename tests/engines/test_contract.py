"""What every engine of the table must do. A new engine is covered by its line there; one that makes whole takes
elsewhere has its own tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem import engines
from heygem.engines.base import Engine, Studio, Style
from heygem.errors import EngineUnavailable, OptionInvalid
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import RATE, Sound
from heygem.weights.table import needs
from tests.engines.brought import bring

FPS = Fraction(25)
FRAMES = 11
"""More than any engine makes at once on the processor, and no multiple of a batch."""
STUDIOS = ("remote",)


@pytest.fixture(params=[name for name in engines.ENGINES if name not in STUDIOS], scope="module")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """With tiny random weights, where it needs some."""
    home = tmp_path_factory.mktemp("home")
    bring(home, request.param)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HEYGEM_HOME", str(home))
        engine = engines.load(request.param)
        engine.warm()
        assert engine.name == request.param
        yield engine


@pytest.fixture(scope="module")
def avatar(portrait: Path, avatar_cache: Path) -> Avatar:
    return Avatar.prepare(portrait, cache=avatar_cache)


@pytest.fixture(scope="module")
def sound(speech: np.ndarray, voice: Path) -> Sound:
    return Sound(speech[RATE : RATE + RATE * FRAMES // 25], voice)


def film(portrait: Path) -> list[Frame]:
    picture = np.asarray(Image.open(portrait).convert("RGB"))
    return [Frame.of(picture) for _ in range(FRAMES)]


@pytest.fixture
def frames(portrait: Path) -> list[Frame]:
    return film(portrait)


@pytest.fixture(scope="module")
def whole(engine: Engine, avatar: Avatar, sound: Sound, portrait: Path) -> list[Frame]:
    """Rendered at once."""
    return render(engine, avatar, sound, film(portrait), Style(), FRAMES)


def render(engine: Engine, avatar: Avatar, sound: Sound, frames: list[Frame], style: Style, batch: int) -> list[Frame]:
    speech = engine.listen(sound, FPS, FRAMES)
    renderer = engine.begin(avatar, speech, np.zeros(FRAMES, np.int64), style)
    out: list[Frame] = []
    for start in range(0, FRAMES, batch):
        out += renderer.render(start, frames[start : start + batch])
    assert all(0 <= share <= 1 for share in renderer.report().values())
    renderer.close()
    renderer.close()
    return out


def planes(frames: list[Frame]) -> np.ndarray:
    return np.stack([frame.data for frame in frames])


def test_as_many_frames_of_the_same_size_come_out(whole: list[Frame]) -> None:
    assert [(f.width, f.height) for f in whole] == [(512, 512)] * FRAMES


def test_the_mouth_changes_with_the_voice_and_nothing_far_from_it_does(
    engine: Engine, avatar: Avatar, sound: Sound, frames: list[Frame]
) -> None:
    before = frames[0].rgb()
    out = [frame.rgb() for frame in render(engine, avatar, sound, frames, Style(blinks=0, sway=0), 8)]
    eyes = int(avatar.landmarks[0][[33, 133, 362, 263], 1].max())
    mouth = avatar.landmarks[0][:, :2][[61, 291, 0, 17]]
    (x0, y0), (x1, y1) = mouth.min(axis=0).astype(int), mouth.max(axis=0).astype(int)
    changes = [np.abs(picture[y0:y1, x0:x1].astype(int) - before[y0:y1, x0:x1]).mean() for picture in out]
    lively = 0.02 if needs(engine.name) else 1  # the frames are all the same; networks with random weights say little
    assert max(changes) > 8 and np.std(changes) > lively
    for picture in out:
        assert np.array_equal(picture[:eyes], before[:eyes]), "bit-equal above the lower face"
        assert np.array_equal(picture[:, :80], before[:, :80])


def test_batches_do_not_matter(
    engine: Engine, avatar: Avatar, sound: Sound, frames: list[Frame], whole: list[Frame]
) -> None:
    assert np.array_equal(planes(render(engine, avatar, sound, frames, Style(), 3)), planes(whole))


def test_frames_without_weight_are_left_alone(
    engine: Engine, avatar: Avatar, sound: Sound, frames: list[Frame]
) -> None:
    before = planes(frames)
    twice = np.concatenate([avatar.landmarks, avatar.landmarks])
    half_seen = replace(avatar, landmarks=twice, weight=np.array([1, 0], np.float32))
    renderer = engine.begin(half_seen, engine.listen(sound, FPS, FRAMES), np.arange(FRAMES) % 2, Style())
    changed = (planes(list(renderer.render(0, frames))) != before).any(axis=(1, 2))
    assert not changed[1::2].any()
    assert changed[::2].any()


def test_an_absent_device_is_an_error_not_a_silent_fall(engine: Engine) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineUnavailable) as caught:
        engine.device(Style(device="cuda"))
    assert caught.value.hint
    assert engine.device(Style(device="cpu")) == engine.device(Style())
    assert engine.device(Style(exact=True)) == "CPU", "in single precision"


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionInvalid) as caught:
        engines.load("magic")
    assert all(name in caught.value.hint for name in engines.ENGINES)


def test_only_studios_are_not_held_to_this() -> None:
    assert all(isinstance(engines.load(name), Studio) for name in STUDIOS)
    assert not any(isinstance(engines.load(name), Studio) for name in ("mesh", "loudness"))
