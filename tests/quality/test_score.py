"""The score: every missing point has a reason, better is never less, and it sees what was done to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest

from heygem.faces.avatar import Avatar
from heygem.faces.shape import mean_face
from heygem.media.frame import Frame
from heygem.media.sound import RATE
from heygem.quality.score import PAIRS, PARTS, WORTH, Sharpness, facts, judge, reasons

GOOD = {name: part.good for name, part in PARTS.items()}
SPEECH = np.random.default_rng(0).normal(0, 0.1, RATE * 4).astype(np.float32)


def person(frames: int = 100, unit: float = 60, yaw: float = 0, pictures: int = 250, seen: float = 1) -> Avatar:
    """A mean face in 400x400, ``unit`` px between the eyes, turned by ``yaw`` degrees, ``seen`` in that share."""
    angle = np.radians(yaw)
    turned = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    face = (unit * mean_face() @ turned.T + (200, 150, 0)).astype(np.float32)
    weight = (np.arange(frames) < seen * frames).astype(np.float32)
    made = SimpleNamespace(
        landmarks=np.repeat(face[None], frames, axis=0), weight=weight, mouths=range(pictures), fps=Fraction(25)
    )
    return cast(Avatar, made)


def test_all_good_is_a_hundred_without_a_reason() -> None:
    found = judge(GOOD)
    assert found["score"] == 100 and reasons(found) == []
    assert {part["name"]: (part["lost"], part["reason"]) for part in found["parts"]} == dict.fromkeys(PARTS, (0, ""))


def test_all_bad_is_zero() -> None:
    assert judge({name: part.bad for name, part in PARTS.items()})["score"] == 0


@pytest.mark.parametrize("name", PARTS)
def test_better_never_scores_less_and_every_missing_point_is_explained(name: str) -> None:
    part = PARTS[name]
    beyond = part.good + (part.good - part.bad), part.bad + (part.bad - part.good)
    takes = [judge({**GOOD, name: float(value)}) for value in np.linspace(*beyond, 31)]  # from better to worse
    scores = [take["score"] for take in takes]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 100 and scores[-1] == 100 - part.most
    for take in takes:
        lost = {part["name"]: part for part in take["parts"] if part["lost"]}
        assert 100 - take["score"] == round(sum(part["lost"] for part in lost.values()))
        assert set(lost) <= {name} and all(part["reason"] and "{" not in part["reason"] for part in lost.values())


def test_points_add_up_and_the_worst_three_are_said_first() -> None:
    known = {**GOOD, "width": 95.0, "turn": 30.0, "drawn": 1.0, "material": 2.5, "sharpness": 0.89}
    found = judge(known)
    lost = {part["name"]: part["lost"] for part in found["parts"]}
    assert lost["width"] == 12.5 and lost["turn"] == 15 and lost["drawn"] == 30 and lost["material"] == 7.5
    assert found["score"] == round(100 - sum(lost.values()))
    assert [part["name"] for part in reasons(found)] == ["drawn", "turn", "width"]
    assert "95 px" in reasons(found)[2]["reason"]
    assert [part["name"] for part in reasons(judge({**GOOD, "sharpness": 0.89}))] == [], "a trifle is not said"
    assert found["width"] == 95, "the facts stand beside the score"


def test_what_an_engine_does_not_know_takes_nothing() -> None:
    assert judge({"covered": 1.0})["score"] == 100
    assert reasons({"covered": 1.0}) == [], "a take of an older version has no parts"


def test_facts_measure_the_face_as_if_from_the_front() -> None:
    plan = np.arange(100)
    front, side = (facts(person(yaw=yaw), plan, SPEECH) for yaw in (0, 30))
    assert front["turn"] == pytest.approx(0, abs=0.5) and side["turn"] == pytest.approx(30, abs=1)
    assert side["width"] == pytest.approx(front["width"], rel=0.02)
    assert front["width"] == pytest.approx(60 * np.ptp(mean_face()[:, 0]), rel=0.01)
    assert facts(person(unit=20), plan, SPEECH)["width"] == pytest.approx(front["width"] / 3, rel=0.01)


def test_facts_count_frames_of_the_result_and_seconds_of_mouths() -> None:
    found = facts(person(seen=0.5, pictures=50), np.array([0, 10, 20, 60]), SPEECH)
    assert found["covered"] == 0.75 and found["material"] == 2
    assert facts(person(1, pictures=1), np.zeros(50, int), SPEECH)["material"] == 0, "a photo is no material"


def test_noise_hides_the_pauses_of_a_voice() -> None:
    talk = SPEECH * np.repeat(np.tile([1, 0.01], 4), RATE // 2)
    noisy = talk + np.random.default_rng(1).normal(0, 0.03, len(talk)).astype(np.float32)
    clear, hidden, noise = (facts(person(), np.arange(100), sound)["clarity"] for sound in (talk, noisy, SPEECH))
    assert clear == pytest.approx(40, abs=2) and 8 < hidden < 15 and noise < 2
    assert "clarity" not in facts(person(), np.arange(100), np.zeros(RATE, np.float32)), "silence is not noisy"


def textured() -> Frame:
    grain = np.random.default_rng(0).integers(90, 160, (400, 400), dtype=np.uint8)
    return Frame.of(np.repeat(cv2.GaussianBlur(grain, (0, 0), 1.0)[..., None], 3, axis=2))


def rendered(change: Any) -> dict[str, float]:
    """The sharpness of a take whose pictures are changed by ``change(luma of the whole frame)``."""

    def render(start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        for frame in frames:
            luma = frame.planes()[0]
            luma[:] = change(luma)
        return frames

    watch = Sharpness(person(), np.arange(100))
    watched = watch.watch(render)
    for start in range(0, 100, 8):
        frames = [textured() for _ in range(min(8, 100 - start))]
        assert len(watched(start, frames)) == len(frames)
    return watch.found()


def test_sharpness_sees_blur_and_not_an_opening() -> None:
    def open_wide(luma: np.ndarray) -> np.ndarray:
        opened = luma.copy()
        cv2.ellipse(opened, (200, 222), (20, 6), 0, 0, 360, 20, -1)  # a dark hole with hard edges
        return opened

    assert rendered(lambda luma: luma)["sharpness"] == 1
    assert rendered(lambda luma: cv2.GaussianBlur(luma, (0, 0), 0.8))["sharpness"] < 0.75
    assert rendered(open_wide)["sharpness"] == pytest.approx(1, abs=0.12)


def test_few_frames_are_looked_at_and_none_without_effect() -> None:
    looked: list[int] = []
    watch = Sharpness(person(seen=0.5), np.arange(100))
    watch._edge = lambda frame, source: float(looked.append(source) or 1)  # pyright: ignore
    render = watch.watch(lambda start, frames: frames)
    render(0, [textured()] * 100)
    assert len(looked) == 2 * PAIRS and max(looked) < 50
    assert watch.found() == {"sharpness": 1.0}
    nobody = Sharpness(person(seen=0), np.arange(100))
    nobody.watch(lambda start, frames: frames)(0, [textured()] * 100)
    assert nobody.found() == {}


def test_reasons_are_few() -> None:
    assert len(reasons(judge({name: part.bad for name, part in PARTS.items()}))) == WORTH
