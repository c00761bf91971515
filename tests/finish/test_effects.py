"""What a wish asks for is done in one order, looked at before any work, and freed whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from heygem.errors import FileMissing, OptionInvalid
from heygem.finish import background, logo
from heygem.finish.base import Finish
from heygem.finish.effects import Effects, check
from heygem.media.frame import Frame

SIZE, RATE = (64, 64), Fraction(25)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All four effects write down what happens to them."""
    said: list[str] = []

    def maker(name: str) -> Callable[..., object]:
        class Made:
            note = f"{name} of the test"
            warnings = (f"{name} warns",)

            def __init__(self, *_: object) -> None:
                said.append(f"open {name}")
                self.name = name

            def __call__(self, number: int, frame: Frame) -> Frame:
                said.append(f"{name} {number}")
                return frame

            def close(self) -> None:
                said.append(f"close {name}")

        return Made

    others = {name: ModuleType(f"heygem.finish.{name}") for name in ("enhance", "subtitles")}
    vars(others["enhance"])["Enhancer"] = maker("enhance")
    vars(others["subtitles"]).update(Burned=maker("subtitles"), late=lambda path, seconds: [f"{path} {seconds}"])
    for name, module in others.items():
        monkeypatch.setitem(sys.modules, f"heygem.finish.{name}", module)
        monkeypatch.setattr(f"heygem.finish.{name}", module, raising=False)
    monkeypatch.setattr(background, "Background", maker("background"))
    monkeypatch.setattr(logo, "Logo", maker("logo"))
    return said


ALL = Finish(background="blur", enhance=0.5, subtitles="words.srt", logo="logo.png")
ORDER = ["background", "enhance", "subtitles", "logo"]


def test_the_order_is_fixed(told: list[str]) -> None:
    with Effects(ALL, SIZE, RATE, 2) as made:
        frame = Frame.blank(*SIZE)
        assert made(0, frame) is frame and made(1, frame) is frame
        assert list(made.notes) == ORDER and made.notes["logo"] == "logo of the test"
        assert made.warnings == [f"{name} warns" for name in ORDER]
    made.close()
    steps = [f"{name} {number}" for number in (0, 1) for name in ORDER]
    assert told[4:-4] == steps
    assert sorted(told[-4:]) == sorted(f"close {name}" for name in ORDER), "once each"


def test_a_track_is_not_drawn(told: list[str]) -> None:
    with Effects(Finish(subtitles="words.srt", captions="track"), SIZE, RATE, 1) as made:
        assert made.notes == {} and told == [] and made.warnings == ["words.srt 0.04"]


def test_what_was_opened_is_closed_when_the_next_one_fails(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise FileMissing(name="logo.png")

    monkeypatch.setattr(logo, "Logo", fails)
    with pytest.raises(FileMissing):
        Effects(ALL, SIZE, RATE, 1)
    assert sorted(told[3:]) == ["close background", "close enhance", "close subtitles"]


def test_nothing_wished_changes_nothing() -> None:
    frame = Frame.of(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    with Effects(Finish(), SIZE, RATE, 1) as made:
        assert made(0, frame) is frame


@pytest.mark.parametrize("option", ["background", "logo"])
def test_a_missing_file_is_found_before_the_work(tmp_path: Path, option: str) -> None:
    with pytest.raises(FileMissing, match=r"none\.png"):
        check(Finish().moved({option: tmp_path / "none.png"}))


def test_a_device_that_nobody_knows_is_refused() -> None:
    with pytest.raises(OptionInvalid, match="gpu"):
        check(Finish(logo="logo.png"), "gpu")


def test_a_background_is_below_a_logo(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    Image.new("RGB", (8, 8), "white").save(path)
    wish = Finish(background="#000000", cutout="#00ff00", logo=str(path), logo_size=0.2)
    check(wish)
    with Effects(wish, SIZE, RATE, 1) as made:
        seen = made(0, Frame.of(np.full((64, 64, 3), (0, 200, 0), np.uint8))).rgb()
    assert seen[8, 56].min() > 240 and seen[50, 10].max() < 10
