"""What stands behind the person, and how the two are put together."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from heygem.errors import FileMissing, FileUnreadable, NoVideo, OptionInvalid
from heygem.finish import background
from heygem.finish.background import Background, covering, laid_over
from heygem.finish.base import Finish
from heygem.finish.key import Keyer
from heygem.media.frame import Frame
from tests.media import clips

SIZE = (128, 96)
GREEN = (47, 168, 79)
"""A screen as cameras see it, under the usual “#00ff00”."""
RATE = Fraction(25)


def plain(colour: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Frame:
    return Frame.of(np.full((size[1], size[0], 3), colour, np.uint8))


def noise(seed: int, size: tuple[int, int] = SIZE) -> Frame:
    rng = np.random.default_rng(seed)
    return Frame.of(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))


def square(soft: float = 0) -> np.ndarray:
    """(96, 128) float32 alpha: a person in the middle."""
    alpha = np.zeros((96, 128), np.float32)
    alpha[24:72, 40:88] = 1
    return cv2.GaussianBlur(alpha, (0, 0), soft) if soft else alpha


def plate(wish: Finish, number: int, fps: Fraction = RATE) -> Frame:
    made = background._plate(wish, SIZE, fps)
    try:
        return made(number, plain((0, 0, 0)), square()).copy()
    finally:
        made.close()


def test_the_person_and_the_plate_stay_bit_equal() -> None:
    person, behind = noise(1), noise(2)
    made = laid_over(person, square(), behind)
    inside = (40, 24, 88, 72)
    for mine, theirs in zip(made.views(inside), person.views(inside), strict=True):
        assert np.array_equal(mine, theirs)
    outside = made.planes()[0].copy()
    outside[24:72, 40:88] = behind.planes()[0][24:72, 40:88]
    assert np.array_equal(outside, behind.planes()[0])
    assert np.array_equal(laid_over(person, np.zeros((96, 128), np.float32), behind).data, behind.data)


def test_the_old_background_leaves_no_rim() -> None:
    """Dark hair before a white wall, laid on black: the mix of the two colours alone would glow."""
    alpha = square(3)
    mixed = (alpha[..., None] * 30 + (1 - alpha[..., None]) * 240).repeat(3, axis=2)
    made = laid_over(Frame.of(np.rint(mixed).astype(np.uint8)), alpha, plain((0, 0, 0))).rgb().astype(float)
    ideal = alpha[..., None] * np.full(3, 30.0)
    naive = alpha[..., None] * mixed
    assert np.abs(naive - ideal).max() > 45
    assert np.abs(made - ideal).max() < 12


def test_a_blur_takes_nothing_from_the_person() -> None:
    """A white person before a grey wall: the wall stays grey up to their edge."""
    frame = plain((100, 100, 100))
    frame.planes()[0][24:72, 40:88] = 235
    blurred = background._Blur()(0, frame, square())
    luma = blurred.planes()[0].astype(int)
    assert np.abs(luma - int(plain((100, 100, 100)).planes()[0][0, 0])).max() <= 1


def test_a_blur_softens_the_old_background() -> None:
    frame = plain((0, 0, 0), (640, 360))
    frame.planes()[0][:, ::2] = 200
    blurred = background._Blur()(0, frame, np.zeros((360, 640), np.float32))
    assert frame.planes()[0].std() > 80 and blurred.planes()[0].std() < 2


def test_a_person_who_fills_the_picture_leaves_its_mean_behind() -> None:
    blurred = background._Blur()(0, plain((200, 60, 60)), np.ones((96, 128), np.float32))
    assert np.abs(blurred.rgb().astype(int) - (200, 60, 60)).max() <= 3


def test_a_colour_is_that_colour() -> None:
    assert np.abs(plate(Finish(background="#1060a0"), 0).rgb().astype(int) - (0x10, 0x60, 0xA0)).max() <= 2


def test_a_picture_covers_the_frame_and_keeps_its_shape(tmp_path: Path) -> None:
    """Twice as wide as the frame: its left and right quarters are cut away."""
    picture = np.zeros((96, 256, 3), np.uint8)
    picture[:, 64:128] = (200, 0, 0)
    picture[:, 128:192] = (0, 0, 200)
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), picture[..., ::-1])
    seen = plate(Finish(background=str(path)), 7).rgb().astype(int)
    assert np.abs(seen[:, :60] - (200, 0, 0)).max() < 12 and np.abs(seen[:, 68:] - (0, 0, 200)).max() < 12


@pytest.mark.parametrize(("wide", "high"), [(64, 200), (300, 50), (128, 96), (1000, 1000), (34, 700)])
def test_every_shape_covers(wide: int, high: int) -> None:
    fitted = covering(plain((90, 90, 90), (wide, high)), SIZE)
    assert (fitted.width, fitted.height) == SIZE
    assert np.unique(fitted.planes()[0]).size == 1


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten numbered frames at 25 a second."""
    path = tmp_path_factory.mktemp("film") / "ten.mp4"
    return clips.film(path, (clips.numbered(n) for n in range(10)), "-crf", 8, "-pix_fmt", "yuv420p")


@pytest.mark.parametrize(
    ("fps", "shown"),
    [
        (Fraction(25), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]),
        (Fraction(50), [0, 0, 1, 1, 2, 2, 3, 3]),
        (Fraction(25, 2), [0, 2, 4, 6, 8, 0, 2]),
        (Fraction(30000, 1001), [0, 0, 1, 2, 3, 4, 5, 5]),
    ],
)
def test_a_film_keeps_its_pace_and_begins_again(ten: Path, fps: Fraction, shown: list[int]) -> None:
    film = background._plate(Finish(background=str(ten)), SIZE, fps)
    frame, alpha = plain((0, 0, 0)), square()
    assert [clips.number(film(n, frame, alpha)) for n in range(len(shown))] == shown
    film.close()
    film.close()


def green_screen(person: tuple[int, int, int], light: float = 1.0) -> Frame:
    """A person with soft edges before a green screen that is darker to the right."""
    shade = np.linspace(1.1, 0.7, 128)[None, :, None] * light
    alpha = square(1.5)[..., None]
    picture = alpha * np.array(person) + (1 - alpha) * shade * np.array(GREEN)
    return Frame.of(np.rint(np.clip(picture, 0, 255)).astype(np.uint8))


@pytest.mark.parametrize("person", [(224, 172, 140), (70, 45, 35), (235, 235, 235), (40, 40, 60)])
def test_a_green_screen_goes_and_the_person_stays(person: tuple[int, int, int]) -> None:
    wish = Finish(background="#802080", cutout="#00ff00")
    effect = Background(wish, SIZE, RATE)
    seen = effect(0, green_screen(person)).rgb().astype(int)
    effect.close()
    assert np.abs(seen[:12] - (0x80, 0x20, 0x80)).max() <= 3 and np.abs(seen[:, -20:] - (0x80, 0x20, 0x80)).max() <= 3
    assert np.abs(seen[34:62, 50:78] - person).max() <= 6
    green = seen[..., 1] - np.maximum(seen[..., 0], seen[..., 2])
    assert green.max() <= 12, "no green is left at the edges"
    assert effect.warnings == [] and effect.note == "chroma key of #00ff00"


def test_light_from_the_screen_is_taken_off() -> None:
    """A greenish cheek becomes neutral; a red one stays as it is."""
    frame = plain(GREEN)
    frame.paste(40, 24, np.full((48, 24, 3), (165, 190, 165), np.uint8))
    frame.paste(64, 24, np.full((48, 24, 3), (200, 90, 80), np.uint8))
    before = frame.copy()
    alpha = Keyer("#00ff00")(frame)
    assert alpha[30:66, 44:84].min() == 1
    cheek = frame.rgb()[48, 50].astype(int)
    assert cheek[1] - max(cheek[0], cheek[2]) < 10
    assert np.array_equal(frame.rgb()[48, 76], before.rgb()[48, 76])


def test_a_wrong_colour_is_told() -> None:
    effect = Background(Finish(background="#000000", cutout="#0000ff"), SIZE, RATE)
    frame = green_screen((224, 172, 140))
    assert np.array_equal(effect(0, frame.copy()).data, frame.data)
    assert effect.warnings == ["the colour #0000ff was not found in 1 of 1 frames"]


def test_frames_without_anybody_are_told_where_they_are_most() -> None:
    class Nobody:
        found = False

        def __call__(self, frame: Frame) -> np.ndarray:
            return np.zeros((frame.height, frame.width), np.float32)

        def close(self) -> None:
            pass

    effect = Background(Finish(background="#000000", cutout="#00ff00"), SIZE, RATE)
    effect._cutter, effect._key = Nobody(), None  # pyright: ignore[reportAttributeAccessIssue]
    for n in range(3):
        effect(n, plain((9, 9, 9)))
    assert effect.warnings == ["no person was found in 3 of 3 frames"]
    effect._cutter.found = True  # pyright: ignore[reportAttributeAccessIssue]
    for n in range(3):
        effect(n, plain((9, 9, 9)))
    assert effect.warnings == []


def test_what_is_no_background_is_refused(tmp_path: Path, voice: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    for path, error in ((tmp_path / "none.png", FileMissing), (damaged, FileUnreadable), (voice, NoVideo)):
        with pytest.raises(error):
            background.check(Finish(background=str(path)))
    for colour in ("#808080", "#ffffff", "#c8c0b8"):
        with pytest.raises(OptionInvalid):
            background.check(Finish(background="blur", cutout=colour))
