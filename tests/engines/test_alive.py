"""Photos blink and breathe, gently, always the same way; whoever switches it off gets the photo as it is."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem.engines.base import Style
from heygem.engines.mesh.alive import APART, DOWN, NODS, UP, Alive, blinks, closing, nods
from heygem.engines.mesh.engine import MeshEngine
from heygem.engines.mesh.lids import Lids
from heygem.engines.mesh.sway import Sway
from heygem.faces.avatar import Avatar
from heygem.faces.shape import OVAL, align, gap
from heygem.faces.track import Tracker
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, Sound
from heygem.speech.motion import listen, mouth_basis

EYES = ((159, 145, 33, 133), (386, 374, 263, 362))
"""Upper and lower lid, corners."""


@pytest.fixture
def avatar(portrait: Path, avatar_cache: Path) -> Avatar:
    return Avatar.prepare(portrait, cache=avatar_cache)


@pytest.fixture
def photo(portrait: Path) -> Frame:
    with VideoReader(portrait) as reader:
        return next(iter(reader))


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with Tracker() as tracker:
        yield tracker


def found(tracker: Tracker, frame: Frame) -> np.ndarray:
    """(468, 3) landmarks, as a tracker sees them that knows nothing."""
    tracker.reset()
    face = tracker.follow(frame)
    assert face is not None
    return face.landmarks


def eye_box(avatar: Avatar) -> tuple[slice, slice]:
    points = avatar.landmarks[0][[point for eye in EYES for point in eye], :2]
    (x0, y0), (x1, y1) = points.min(axis=0).astype(int) - 25, points.max(axis=0).astype(int) + 25
    return np.s_[y0:y1, x0:x1]


def test_blinks_come_as_often_as_with_people() -> None:
    voice = np.ones(25 * 60 * 20, np.float32)
    times = {rate: np.array(list(blinks(voice, 25, rate, np.random.default_rng(0)))) for rate in (0, 1, 2)}
    assert len(times[0]) == 0
    assert 12 <= len(times[1]) / 20 <= 18 and 24 <= len(times[2]) / 20 <= 36
    pauses = np.diff(times[1])
    assert pauses.min() > 0.3 and pauses.std() > 1, "irregular"


def test_blinks_wait_for_the_end_of_a_phrase() -> None:
    voice = (np.arange(25 * 600) % 100 < 75).astype(np.float32)  # 3 s of voice, 1 s of silence
    times = np.array(list(blinks(voice, 25, 1, np.random.default_rng(1))))
    at_end = np.abs(times % 4 - 2.96) < 0.05
    assert at_end.mean() > 0.15, "of all moments only 2 % are so near to an end"


def test_lids_fall_faster_than_they_rise() -> None:
    shut = closing(np.arange(-0.1, 0.5, 0.001))
    here = np.flatnonzero(shut > 0)
    fall, rise = np.argmax(shut) - here[0], here[-1] - np.flatnonzero(shut == shut.max())[-1]
    assert shut.max() == 1 and 80 <= fall <= 100 and 150 <= rise <= 200


def test_the_eyes_close_and_nothing_else_changes(avatar: Avatar, photo: Frame) -> None:
    before, dark = photo.rgb(), []
    lids = Lids(avatar.landmarks[0], photo)
    assert lids.able
    box = eye_box(avatar)
    iris = (
        avatar.landmarks[0][[point for upper, lower, *_ in EYES for point in (upper, lower)], :2]
        .reshape(2, 2, 2)
        .mean(1)
    )
    for share in (0.0, 0.5, 1.0):
        frame = photo.copy()
        lids.close(frame, share)
        after = frame.rgb()
        change = np.abs(after.astype(int) - before).max(axis=2)
        change[box] = 0
        assert not change.any()
        dark.append(np.mean([after[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].mean() for x, y in iris]))
    assert dark[2] > dark[0] + 40, "skin instead of pupils"


def test_closed_eyes_are_left_alone(avatar: Avatar, photo: Frame) -> None:
    points = avatar.landmarks[0].copy()
    for upper, lower, *_ in EYES:
        middle = (points[upper] + points[lower]) / 2
        near = np.linalg.norm(points[:, :2] - middle[:2], axis=1) < 12
        points[near, 1] = middle[1]
    lids = Lids(points, photo)
    before = photo.copy()
    lids.close(photo, 1)
    assert not lids.able and np.array_equal(photo.data, before.data)


@pytest.mark.parametrize("turn", [(2.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 2.0)])
def test_the_head_moves_as_one_and_the_picture_around_it_stays(
    avatar: Avatar, photo: Frame, tracker: Tracker, turn: tuple[float, float, float]
) -> None:
    before, still = found(tracker, photo), photo.copy()
    Sway(avatar).move(photo, np.radians(turn), 0.0)
    after = found(tracker, photo)
    shift = np.linalg.norm((after - before)[list(OVAL), :2], axis=1)
    wide = np.ptp(before[:, 0])
    assert 0.2 < shift.mean() < 0.04 * wide
    shape, moved = (align(points[None])[0][0, :, :2] for points in (before, after))
    assert np.abs(moved - shape).mean() < 0.02, "the same face"
    edge = np.ones(photo.planes()[0].shape, bool)
    edge[2:-2, 2:-2] = False
    assert np.array_equal(photo.planes()[0][edge], still.planes()[0][edge])
    assert np.array_equal(photo.planes()[0][400:], still.planes()[0][400:]), "far from the head not a bit changes"


def test_no_turn_changes_no_bit(avatar: Avatar, photo: Frame) -> None:
    before = photo.copy()
    Sway(avatar).move(photo, np.zeros(3), 0.0)
    assert np.array_equal(photo.data, before.data)


def test_straight_lines_beside_the_head_stay_straight(avatar: Avatar) -> None:
    places = np.arange(120, 360, 30)
    across = np.exp(-(((np.arange(512)[:, None] - places) / 2.5) ** 2)).sum(axis=1)
    frame = Frame.of(np.repeat(np.repeat((200 * across).astype(np.uint8)[None, :, None], 512, 0), 3, 2))
    Sway(avatar).move(frame, np.radians([1.6, 1.0, 0.7]), 0.01)  # far out
    luma = frame.planes()[0].astype(float) - 16
    for place in places:
        window = luma[:, place - 12 : place + 13]
        line = window @ np.arange(-12, 13) / window.sum(axis=1)
        assert np.abs(line).max() < 3 and np.abs(np.diff(line)).max() < 0.2, "px, and px a row"


def test_the_wandering_is_small_slow_and_repeatable(avatar: Avatar, speech: np.ndarray) -> None:
    motion, basis = listen(speech, Fraction(25), 200), mouth_basis()
    lives = [Alive(avatar, motion, basis, Style()) for _ in range(2)]
    turns = np.degrees([lives[0].turn(t)[0] for t in range(200)])
    assert np.array_equal(turns, np.degrees([lives[1].turn(t)[0] for t in range(200)])), "the same every time"
    assert np.abs(turns).max() < 3 and turns.std(axis=0).max() > 0.2
    assert np.abs(np.diff(turns, axis=0)).max() * 25 < 8, "degrees a second"


def made(avatar: Avatar, photo: Frame, speech: np.ndarray, style: Style, frames: int = 120) -> list[Frame]:
    engine, plan = MeshEngine(), np.zeros(frames, np.int64)
    heard = engine.listen(Sound(speech[: RATE * frames // 25], Path("voice.wav")), Fraction(25), frames)
    renderer = engine.begin(avatar, heard, plan, style)
    return [renderer.render(t, [photo.copy()])[0] for t in range(frames)]


def test_off_only_the_mouth_changes_and_on_the_mouth_moves_with_the_head(
    avatar: Avatar, photo: Frame, speech: np.ndarray, tracker: Tracker
) -> None:
    off = made(avatar, photo, speech, Style(blinks=0, sway=0), 40)
    top = int(avatar.landmarks[0, 195, 1])  # the bridge of the nose
    assert all(np.array_equal(frame.planes()[0][:top], photo.planes()[0][:top]) for frame in off)
    on = made(avatar, photo, speech, Style(blinks=0, sway=2), 40)
    assert not np.array_equal(on[30].planes()[0][:top], photo.planes()[0][:top])
    for t in (10, 30):
        shapes = [align(found(tracker, frames[t])[None])[0][0] for frames in (off, on)]
        assert np.abs(shapes[0] - shapes[1])[:, :2].mean() < 0.02, "the same mouth on the moved head"


def stressed(*peaks: tuple[float, float], seconds: float = 12.0) -> np.ndarray:
    """Stress at 25 frames a second with (time, height) peaks of a syllable's length, a little negative between them."""
    t = np.arange(round(25 * seconds)) / 25
    return sum((height * np.exp(-(((t - when) / 0.15) ** 2)) for when, height in peaks), -0.01 * np.ones(len(t)))


def test_every_stress_gets_one_nod_that_comes_back_to_where_it_began() -> None:
    pitch = nods(stressed((2, 0.1), (5, 0.05), (9, 0.2)), 25)
    bottoms = np.flatnonzero((pitch[1:-1] > pitch[:-2]) & (pitch[1:-1] >= pitch[2:])) + 1
    assert np.array_equal(bottoms, [50, 125, 225]), "down at the stress"
    assert NODS[0] < pitch[125] < pitch[50] <= NODS[1] and pitch[50] == pitch[225], "a calm speaker, however loud"
    away = np.ones(len(pitch), bool)
    for bottom in bottoms:
        away[bottom - round(DOWN * 25) : bottom + round(UP * 25) + 1] = False
    assert not pitch[away].any(), "no drift"
    speed = np.diff(np.degrees(pitch)) * 25
    assert np.abs(speed).max() < 27 and np.abs(np.diff(speed)).max() < 8, "degrees a second, and their change a frame"


def test_nods_are_few_and_whole() -> None:
    crowd = stressed(*((when, 0.05 + 0.04 * (when == 4.5)) for when in np.arange(0.1, 11, 0.7)))
    pitch = nods(crowd, 25)
    bottoms = np.flatnonzero((pitch[1:-1] > pitch[:-2]) & (pitch[1:-1] >= pitch[2:])) + 1
    assert np.diff(bottoms).min() >= APART * 25 and len(bottoms) <= 6
    assert not pitch[0], "the first frame is the photo"
    assert not nods(stressed((4, 0.015)), 25).any(), "nothing stands out"
    assert not nods(np.zeros(3), 25).any() and nods(np.zeros(0), 25).shape == (0,)


def test_the_head_nods_where_the_voice_is_strong_and_not_in_silence(avatar: Avatar, speech: np.ndarray) -> None:
    silence = np.zeros(3 * RATE, np.float32)
    sound = np.concatenate([silence, speech, silence, speech[: 4 * RATE]])
    frames = len(sound) * 25 // RATE
    motion, basis = listen(sound, Fraction(25), frames), mouth_basis()
    pitch, deeper = (
        np.array([alive.turn(t)[0] for t in range(frames)])
        for alive in (Alive(avatar, motion, basis, Style(sway=0, nod=nod)) for nod in (1, 2))
    )
    assert not pitch[:, [0, 2]].any() and np.array_equal(deeper, 2 * pitch)
    pitch = pitch[:, 1]
    tail = round(UP * 25)
    heard = np.convolve(motion.voice > 0.01, np.ones(2 * tail + 1), "same") > 0
    assert pitch.any() and not pitch[~heard].any()
    bottoms = np.flatnonzero((pitch[1:-1] > pitch[:-2]) & (pitch[1:-1] >= pitch[2:])) + 1
    assert 3 <= len(bottoms) <= 6 and (np.diff(bottoms) >= 2 * 25).all()
    power = (sound[: frames * RATE // 25].reshape(frames, -1) ** 2).mean(axis=1)
    around = np.convolve(power, np.ones(9) / 9, "same")
    assert around[bottoms].mean() > 1.2 * around[motion.voice > 0.5].mean()
    again = Alive(avatar, motion, basis, Style(sway=0, nod=1))
    assert np.array_equal(pitch, [again.turn(t)[0][1] for t in range(frames)]), "the same every time"


def test_a_nod_is_seen_on_the_head_and_not_at_the_edge(
    avatar: Avatar, photo: Frame, speech: np.ndarray, tracker: Tracker
) -> None:
    still, one, two = (made(avatar, photo, speech, Style(blinks=0, sway=0, nod=nod), 30) for nod in (0, 1, 2))
    shape = [[align(found(tracker, frames[t])[None]) for t in (0, 14)] for frames in (still, one, two)]
    down = [np.degrees(np.arctan2(-pose.rotation[0, 1, 2], pose.rotation[0, 2, 2])) for _, (_, pose) in shape]
    assert 1 < down[1] - down[0] < 4.5 and down[2] - down[0] > 1.5 * (down[1] - down[0]), "degrees"
    assert np.array_equal(one[0].data, still[0].data)
    openings = [float(gap(shape[0])) for _, (shape, _) in shape]
    assert np.ptp(openings) < 0.04, "the mouth goes with it"
    edge = np.ones(photo.planes()[0].shape, bool)
    edge[2:-2, 2:-2] = False
    assert np.array_equal(two[14].planes()[0][edge], photo.planes()[0][edge])
