"""Wav2Lip on tiny random networks: what it hears, what it sees, and that the exact mode is the authors' program."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from heygem import engines
from heygem.engines.base import Style
from heygem.engines.nets.wav2lip import Wav2Lip
from heygem.engines.neural.place import Place, Steady, place
from heygem.engines.neural.resident import release
from heygem.engines.wav2lip.engine import Heard, Wav2LipEngine, face_boxes
from heygem.engines.wav2lip.exact import smoothed, speak
from heygem.engines.wav2lip.mel import LIMIT, windows
from heygem.engines.wav2lip.voice import BLOCK, Voice, half_hidden
from heygem.errors import LicenceRefused, WeightsMissing, WeightsUnusable
from heygem.faces.avatar import Avatar
from heygem.faces.shape import mean_face
from heygem.media.frame import Frame
from heygem.media.sound import Sound
from tests.engines.brought import bring, put
from tests.engines.nets.wav2lip_weights import random

FPS = Fraction(25)
CPU = place("cpu", "wav2lip", exact=True)


@pytest.fixture(scope="module")
def net() -> Wav2Lip:
    return Wav2Lip.of(random())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path))
    release()
    yield tmp_path
    release()


def mel_of(seconds: float) -> np.ndarray:
    return np.random.default_rng(3).uniform(-LIMIT, LIMIT, (80, int(80 * seconds))).astype(np.float32)


def voice(net: Wav2Lip, mel: np.ndarray, frames: int, strength: float = 1, smoothness: float = 0) -> Voice:
    return Voice(net, CPU, windows(mel, FPS, frames), Style(strength, smoothness))


def test_without_weights_it_says_which_and_where_from(home: Path):
    with pytest.raises(WeightsMissing) as caught:
        engines.load("wav2lip-gan").device(Style())
    assert "wav2lip-gan" in caught.value.message and "heygem weights" in caught.value.hint


def test_weights_of_another_network_are_refused_by_name(home: Path):
    put(home, "wav2lip", {"conv.weight": torch.zeros(3, 3)})
    engine = engines.load("wav2lip")
    assert engine.device(Style(device="cpu")).startswith("CPU")
    with pytest.raises(WeightsUnusable) as caught:
        engine.warm()
    assert "wav2lip" in caught.value.message


def test_a_commercial_server_refuses_weights_for_research(home: Path, monkeypatch: pytest.MonkeyPatch):
    bring(home, "wav2lip")
    bring(home, "wav2lip-256")
    monkeypatch.setenv("HEYGEM_COMMERCIAL", "true")
    for name in ("wav2lip", "wav2lip-256"):
        with pytest.raises(LicenceRefused):
            engines.load(name).device(Style())


def test_the_network_stays_in_memory_until_another_one_comes(home: Path):
    bring(home, "wav2lip")
    bring(home, "wav2lip-288")
    first, second, other = (Wav2LipEngine(name) for name in ("wav2lip", "wav2lip", "wav2lip-288"))
    net = first._network(exact=False)[0]
    assert second._network(exact=False)[0] is net
    assert other._network(exact=False)[0].side == 288
    assert first._network(exact=False)[0] is not net


def test_each_frame_hears_its_own_fifth_of_a_second(net: Wav2Lip):
    mel = mel_of(4)
    said = voice(net, mel, 90).of(np.array([0, 70, 89]))
    for row, frame in zip(said, (0, 70, 89), strict=True):
        start = min(int(frame * 80 / 25), mel.shape[1] - 16)
        alone = net.sound(torch.from_numpy(mel[None, None, :, start : start + 16]))
        assert torch.allclose(row, alone[0], atol=1e-4)


def test_frames_may_be_asked_for_in_any_grouping(net: Wav2Lip):
    mel = mel_of(6)
    whole = voice(net, mel, 150).of(np.arange(150))
    single = voice(net, mel, 150)
    assert torch.equal(torch.cat([single.of(np.array([n])) for n in range(0, 150, 7)]), whole[::7])
    assert BLOCK < 150


def test_strength_0_is_silence_and_2_is_twice_as_far_from_it(net: Wav2Lip):
    mel, frames = mel_of(1), np.arange(5)
    silence = net.sound(torch.full((1, 1, 80, 16), -LIMIT))
    never, once, twice = (voice(net, mel, 20, strength).of(frames) for strength in (0, 1, 2))
    assert torch.allclose(never, silence.expand(5, -1), rtol=1e-4, atol=1e-4)
    assert torch.allclose(twice - silence, 2 * (once - silence), rtol=1e-3, atol=1e-3)
    assert (once - silence).std() > 0.1 * silence.std()


def test_smoothness_calms_without_moving_in_time(net: Wav2Lip):
    mel = mel_of(3)
    rough = voice(net, mel, 60).of(np.arange(60))
    calm = voice(net, mel, 60, smoothness=1.0).of(np.arange(60))
    assert calm.diff(dim=0).square().mean() < 0.2 * rough.diff(dim=0).square().mean()
    assert torch.allclose(calm[5:-5].mean(0), rough[5:-5].mean(0), atol=0.1 * float(rough.std()))


def test_where_nobody_speaks_the_network_hears_silence():
    mel = np.full((80, 160), 1.5, np.float32)
    voiced = np.concatenate([np.ones(100, np.float32), np.zeros(120, np.float32)])
    heard = Heard(mel, voiced, FPS, 50)
    gated, open_ = heard.windows(gated=True), heard.windows(gated=False)
    assert np.allclose(gated[:1], 1.5) and np.allclose(gated[40:41], -LIMIT)
    assert np.allclose(open_[40:41], 1.5)
    assert 0.4 < heard.speaking < 0.6


def test_the_network_sees_the_upper_half_and_the_whole():
    faces = torch.rand(2, 3, 96, 96)
    given = half_hidden(faces)
    assert torch.equal(given[:, 3:], faces) and torch.equal(given[:, :3, :48], faces[:, :, :48])
    assert not given[:, :3, 48:].any()


def test_the_square_reaches_below_the_chin():
    points = 100 * mean_face()[None, :, :2].astype(np.float64) + 300
    (x0, y0, x1, y1), high = face_boxes(points.copy())[0], points[0].max(axis=0)
    assert (x0, y0) == tuple(points[0].min(axis=0)) and x1 == high[0]
    assert 0.04 < (y1 - high[1]) / (high[1] - y0) < 0.06


def test_exact_boxes_are_the_mean_of_five_and_lose_their_fractions():
    boxes = np.array(
        [(10, 20, 70, 91), (11, 20, 70, 90), (15, 22, 76, 95), (9, 20, 70, 90), (10, 20, 70, 90), (30,) * 4]
    )
    made = smoothed(boxes)
    assert made[0].tolist() == [11, 20, 71, 91]
    tail = np.array([made[1], *boxes[2:]])
    assert made[1].tolist() == boxes[1:].mean(axis=0).astype(int).tolist()
    assert made[2].tolist() == tail.mean(axis=0).astype(int).tolist(), "what was smoothed counts for the next"
    assert len(smoothed(boxes[:2])) == 2


def test_exact_faces_are_resized_masked_and_cut_to_bytes(net: Wav2Lip):
    rng = np.random.default_rng(1)
    crops = [rng.integers(0, 256, size, np.uint8) for size in ((120, 100, 3), (97, 133, 3))]
    heard = windows(mel_of(1), FPS, 2)[:2]
    made = speak(crops, heard, net, CPU)
    for crop, face, sound in zip(crops, made, heard, strict=True):
        small = cv2.resize(crop, (96, 96)).astype(np.float32) / 255
        hidden = small.copy()
        hidden[48:] = 0
        given = torch.from_numpy(np.concatenate([hidden, small], axis=2).transpose(2, 0, 1)[None])
        answer = net(torch.from_numpy(sound[None, None].copy()), given)[0].permute(1, 2, 0).numpy() * 255
        assert np.abs(cv2.resize(answer.astype(np.uint8), crop.shape[1::-1]).astype(int) - face).max() <= 1
        assert face.shape == crop.shape


def test_half_precision_changes_a_picture_by_little(net: Wav2Lip):
    """As on processors with AMX, and on a GPU."""
    half = Place(torch.device("cpu"), torch.bfloat16, "CPU, bf16")
    faces, said = torch.rand(4, 6, 96, 96), net.sound(torch.randn(4, 1, 80, 16))
    whole = net.face(faces, said)
    apart = (Steady(half.hold(net.fused()).face, half, 4)(faces, said) - whole).abs()
    assert apart.dtype == torch.float32 and 0 < apart.mean() < 0.01 < whole.std()


def test_exact_pastes_a_rectangle_and_improved_has_no_edge(
    home: Path, portrait: Path, avatar_cache: Path, speech: np.ndarray
):
    bring(home, "wav2lip")
    avatar = Avatar.prepare(portrait, cache=avatar_cache)
    engine, sound = engines.load("wav2lip"), Sound(speech[16000:32000], portrait)
    plan, heard = np.zeros(25, np.int64), engine.listen(sound, FPS, 25)
    changes = {}
    for exact in (True, False):
        frame = Frame.of(np.asarray(cv2.imread(str(portrait)))[..., ::-1])
        before = frame.rgb().astype(int)
        engine.begin(avatar, heard, plan, Style(exact=exact)).render(10, [frame])
        changes[exact] = np.abs(frame.rgb() - before).sum(axis=2)
    rows, columns = np.nonzero(changes[True])
    inner = changes[True][rows.min() + 1 : rows.max(), columns.min() + 1 : columns.max()]
    assert np.mean(inner > 0) > 0.95, "a full rectangle"
    rows, columns = np.nonzero(changes[False])
    soft = changes[False]
    edge = np.concatenate([soft[rows.min()], soft[rows.max()], soft[:, columns.min()], soft[:, columns.max()]])
    assert edge.max() < soft.max() / 8, "the change fades out"
