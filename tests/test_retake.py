"""Retake: again until it is good enough, and only the best one stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from heygem import retake as module
from heygem.engines.base import Style
from heygem.errors import Cancelled, OptionInvalid, OutputError
from heygem.finish.base import Finish
from heygem.pipeline import Options, Take
from heygem.pipeline.take import write_record
from heygem.retake import LADDER, Step, Try, ladder_of, retake

THREE = Options(tries=3)
Scored = Callable[..., list[Options]]
Files = tuple[Path, Path, Path]
"""(video, audio, out)."""


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> Scored:
    """scored(60, 90 …): takes are made at once and have these scores, in turn. The options that were asked for."""

    def scored(*scores: int | None) -> list[Options]:
        asked: list[Options] = []

        def lipsync(video: Path, audio: Path, out: Path, options: Options, tick: object, cache: object) -> Take:
            score = scores[len(asked)]
            asked.append(options)
            out.write_bytes(f"film {len(asked)}".encode())
            quality = {} if score is None else {"score": score}
            take = Take(out, 1, Fraction(25), 0.04, 2, 2, "mesh", "CPU", {}, quality, [], {0: audio.name})
            write_record(take, options)
            return take

        monkeypatch.setattr(module.pipeline, "lipsync", lipsync)
        return asked

    return scored


@pytest.fixture
def pair(tmp_path: Path) -> Files:
    """The result has a folder of its own."""
    for name in ("v.mp4", "v.wav"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "out").mkdir()
    return tmp_path / "v.mp4", tmp_path / "v.wav", tmp_path / "out" / "o.mp4"


def behind(options: Options, background: Path) -> Options:
    return replace(options, finish=Finish(background=str(background)))


def left(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


def test_the_best_of_all_tries_stays_with_its_record(scored: Scored, pair: Files) -> None:
    asked = scored(50, 70, 60)
    found = retake(*pair, THREE)
    out = pair[2]
    assert asked == ladder_of(THREE) and asked[0] == THREE
    assert out.read_bytes() == b"film 2" and found.take.path == out and found.take.quality["score"] == 70
    assert left(out) == ["o.mp4", "o.take.json"]
    record = json.loads(out.with_suffix(".take.json").read_text("utf-8"))
    assert record["tries"] == [
        {"changed": {}, "score": 50},
        {"changed": {"strength": 0.75}, "score": 70},
        {"changed": {"strength": 1.25}, "score": 60},
    ]
    assert record["path"] == "o.mp4" and record["options"]["style"]["strength"] == 0.75
    assert found.tries[1] == Try({"strength": 0.75}, 70)


def test_a_name_that_is_no_utf8_stands_in_the_record(scored: Scored, pair: Files) -> None:
    audio = pair[1].rename(pair[1].with_name(os.fsdecode(b"\xcd\xf5.wav")))
    for options in (THREE, Options()):
        scored(50, 70, 60)
        retake(pair[0], audio, pair[2], options)
        record = json.loads(pair[2].with_suffix(".take.json").read_text("utf-8"))
        assert record["voices"] == {"0": audio.name} and left(pair[2]) == ["o.mp4", "o.take.json"]


def test_it_ends_with_the_first_that_is_good_enough(scored: Scored, pair: Files) -> None:
    assert len(scored(79, 80, 99)) == 0
    assert [one.score for one in retake(*pair, THREE).tries] == [79, 80]
    asked = scored(85, 99)
    assert [one.score for one in retake(*pair, THREE).tries] == [85] and len(asked) == 1
    assert pair[2].read_bytes() == b"film 1"


def test_of_equals_the_earliest_stays(scored: Scored, pair: Files) -> None:
    scored(60, 60, 60)
    assert retake(*pair, THREE).take.quality["score"] == 60 and pair[2].read_bytes() == b"film 1"


def test_a_take_that_nobody_measured_is_not_made_again(scored: Scored, pair: Files) -> None:
    asked = scored(None, 90)
    assert retake(*pair, THREE).tries == [Try({}, None)] and len(asked) == 1
    assert left(pair[2]) == ["o.mp4", "o.take.json"]


def test_one_try_is_a_plain_take(scored: Scored, pair: Files) -> None:
    scored(10)
    assert retake(*pair).tries == [Try({}, 10)]
    assert "tries" not in json.loads(pair[2].with_suffix(".take.json").read_text("utf-8"))


def test_options_of_ones_own_are_tried_as_they_are(scored: Scored, pair: Files) -> None:
    mine = [Options(least=100), Options(length="hold"), Options(style=Style(strength=0.5), quality="draft")]
    asked = scored(1, 2, 3)
    assert retake(*pair, mine).tries[-1].changed == {"strength": 0.5, "quality": "draft", "least": 80.0}
    assert asked == mine


def test_what_was_there_stays_until_there_is_a_better_one(scored: Scored, pair: Files) -> None:
    video, audio, out = pair
    out.write_bytes(b"before")
    scored(50, 60)

    def tick(stage: str, done: int, total: int) -> None:
        raise AssertionError

    with pytest.raises(IndexError):  # the third try fails
        retake(video, audio, out, THREE, tick)
    assert out.read_bytes() == b"before" and left(out) == ["o.mp4"]
    with pytest.raises(OptionInvalid):
        retake(video, audio, out.with_suffix(".avi"), THREE)
    for inputs in ((out, audio, THREE), (video, {1: out}, THREE), (video, audio, behind(THREE, out))):
        with pytest.raises(OutputError, match="one of the inputs"):
            retake(*inputs[:2], out, inputs[2])


def test_the_ladder_stays_in_the_ranges_and_leaves_out_what_changes_nothing() -> None:
    loud = Options(style=Style(strength=2.0, smoothness=1.0), tries=6)
    for options in ladder_of(loud):
        assert 0 <= options.style.strength <= 2 and 0 <= options.style.smoothness <= 1
    assert len(ladder_of(loud)) == len(set(map(repr, ladder_of(loud)))) < 6
    mute = ladder_of(Options(style=Style(strength=0.0, smoothness=0.0), tries=6))
    assert [one.style.smoothness for one in mute] == [0.0, 0.3]
    assert len(ladder_of(Options(tries=6))) == 1 + len(LADDER)
    assert Step(strength=0.5, smoothness=0.2).on(Options()) == Options(style=Style(strength=0.5, smoothness=0.5))


def test_a_photo_that_really_speaks(portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path) -> None:
    wish, stages = Options(quality="draft", tries=2, least=100), []
    out = tmp_path / "真.mp4"
    found = retake(portrait, voice, out, wish, lambda stage, *_: stages.append(stage), avatar_cache)
    assert len(found.tries) == 2 and left(out) == ["真.mp4", "真.take.json"]
    assert found.take.quality["score"] == max(one.score or 0 for one in found.tries)
    record = json.loads(out.with_suffix(".take.json").read_text("utf-8"))
    assert len(record["tries"]) == 2 and str(tmp_path) not in json.dumps(record)
    seen = 0

    def stop(stage: str, done: int, total: int) -> None:
        nonlocal seen
        seen += stage == "render" and done == total
        if seen == 2:
            raise Cancelled

    def stop_late(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("finish", 1):
            raise Cancelled

    for tries, tick in ((2, stop), (1, stop_late)):
        with pytest.raises(Cancelled):
            retake(portrait, voice, tmp_path / "b.mp4", replace(wish, tries=tries), tick, avatar_cache)
    assert left(out) == ["真.mp4", "真.take.json"]
