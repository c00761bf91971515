"""The engine MuseTalk with tiny random weights: what it keeps, what styles do, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.cache import Cache
from heygem.engines.base import Style
from heygem.engines.musetalk import engine as module
from heygem.engines.musetalk import exact
from heygem.engines.musetalk.engine import MuseTalkEngine
from heygem.engines.musetalk.exact import ExactRenderer
from heygem.engines.musetalk.painter import Painter
from heygem.engines.neural.resident import release
from heygem.errors import WeightsMissing, WeightsUnusable
from heygem.faces.avatar import Avatar
from heygem.media.frame import Frame
from heygem.media.sound import RATE, Sound
from heygem.weights.store import WeightStore
from tests.engines.brought import bring, put
from tests.engines.nets import diffusion

FPS, FRAMES = Fraction(25), 6
PLAN = np.arange(FRAMES) % 3


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    bring(home, "musetalk")
    bring(home, "musetalk-1.0")
    if not (home / "weights" / "face-parsing").exists():
        put(home, "face-parsing", diffusion.parsing())
    return home


@pytest.fixture(autouse=True)
def small(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything but the faces is as large as always."""
    monkeypatch.setenv("HEYGEM_HOME", str(home))
    for part in (module, exact):
        monkeypatch.setattr(part, "SIDE", 64)
    release()
    yield
    release()


@pytest.fixture
def avatar(portrait: Path, avatar_cache: Path, tmp_path: Path) -> Avatar:
    """Three frames of a face."""
    known = Avatar.prepare(portrait, cache=avatar_cache)
    landmarks = np.repeat(known.landmarks, 3, 0) + np.arange(3, dtype=np.float32)[:, None, None]
    return replace(known, landmarks=landmarks, weight=np.ones(3, np.float32), cache=Cache(tmp_path / "avatars"))


@pytest.fixture
def sound(speech: np.ndarray, tmp_path: Path) -> Sound:
    return Sound(speech[RATE : 2 * RATE], tmp_path / "voice.wav", Cache(tmp_path / "voices"), "spoken")


@pytest.fixture(scope="module")
def picture(portrait: Path) -> np.ndarray:
    return np.asarray(Image.open(portrait).convert("RGB"))


def rendered(
    avatar: Avatar, sound: Sound, picture: np.ndarray, style: Style | None = None, name: str = "musetalk"
) -> np.ndarray:
    engine = MuseTalkEngine(name)
    heard = engine.listen(sound, FPS, FRAMES)
    renderer = engine.begin(avatar, heard, PLAN, style or Style())
    frames = [Frame.of(picture) for _ in range(FRAMES)]
    return np.stack([frame.rgb() for frame in renderer.render(0, frames)]).astype(int)


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[int]:
    """The calls of ``owner.name`` from here on."""
    calls: list[int] = []
    work = getattr(owner, name)

    def counting(*given: object, **named: object) -> object:
        calls.append(1)
        return work(*given, **named)

    monkeypatch.setattr(owner, name, counting)
    return calls


def test_the_second_take_encodes_no_frame_and_hears_nothing_anew(
    avatar: Avatar, sound: Sound, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = counted(monkeypatch, Painter, "latents")
    listened = counted(monkeypatch, module, "parts")
    first = rendered(avatar, sound, picture)
    assert len(encoded) == 1 and len(listened) == 1
    second = rendered(avatar, sound, picture)
    assert len(encoded) == 1 and len(listened) == 1
    assert np.array_equal(first, second)


def test_networks_are_loaded_once(
    avatar: Avatar, sound: Sound, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = counted(monkeypatch, WeightStore, "state")
    MuseTalkEngine("musetalk").warm()
    before = len(loaded)
    rendered(avatar, sound, picture)
    rendered(avatar, sound, picture)
    assert before == 3 and len(loaded) == 4, "U-Net and both halves of the autoencoder, then Whisper"


def test_strength_0_is_the_same_mouth_whatever_is_said(
    avatar: Avatar, sound: Sound, speech: np.ndarray, picture: np.ndarray
) -> None:
    other = replace(sound, kept=speech[4 * RATE : 5 * RATE], content="other")
    still = [rendered(avatar, one, picture, Style(strength=0)) for one in (sound, other)]
    said = [rendered(avatar, one, picture, Style(strength=2)) for one in (sound, other)]
    assert np.array_equal(still[0], still[1])
    assert np.abs(said[0] - said[1]).max() > 1 and np.abs(said[0] - still[0]).max() > 1


def test_the_region_mouth_changes_less(avatar: Avatar, sound: Sound, picture: np.ndarray) -> None:
    before = Frame.of(picture).rgb().astype(int)
    jaw, mouth = (
        (rendered(avatar, sound, picture, Style(region=region)) != before).any(axis=3).sum()
        for region in ("jaw", "mouth")
    )
    assert 0 < mouth < 0.8 * jaw


def test_version_1_0_hears_and_sees_otherwise(avatar: Avatar, sound: Sound, picture: np.ndarray) -> None:
    engines = MuseTalkEngine("musetalk"), MuseTalkEngine("musetalk-1.0")
    now, then = (engine.listen(sound, FPS, FRAMES) for engine in engines)
    assert then.first and not now.first
    assert now.states.shape == then.states.shape == (50, 5, diffusion.WIDTH)
    assert not np.allclose(now.states[:, -1], then.states[:, -1], atol=0.1)
    assert not np.array_equal(rendered(avatar, sound, picture), rendered(avatar, sound, picture, name="musetalk-1.0"))


def test_exactly_as_the_authors_program(avatar: Avatar, sound: Sound, picture: np.ndarray) -> None:
    engine = MuseTalkEngine("musetalk")
    renderer = engine.begin(avatar, engine.listen(sound, FPS, FRAMES), PLAN, Style(exact=True))
    assert isinstance(renderer, ExactRenderer)
    out = rendered(avatar, sound, picture, Style(exact=True))
    assert out.shape == (FRAMES, 512, 512, 3)
    changed = (out != Frame.of(picture).rgb()).any(axis=(0, 3))
    bridge = int(avatar.landmarks[:, 5, 1].min())
    assert not changed[: bridge - 20].any(), "the upper half of the square round the face"


def test_without_weights_it_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path))
    with pytest.raises(WeightsMissing) as caught:
        MuseTalkEngine("musetalk").device(Style())
    assert "musetalk" in caught.value.message and "heygem weights" in caught.value.hint
    bring(tmp_path, "musetalk")
    assert MuseTalkEngine("musetalk").device(Style(device="cpu")).startswith("CPU")


def test_weights_of_another_network_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path))
    put(tmp_path, "musetalk", diffusion.whisper(layers=1))
    with pytest.raises(WeightsUnusable):
        MuseTalkEngine("musetalk").warm()
