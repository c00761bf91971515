"""The best of several takes: again until the score is good enough, or all sets of parameters side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..compat import blocked, io
from ..inputs import LIBRARIES, count, number, result, schema, socket
from ..memory import booked
from ..paths import scratch
from ..running import Bar, made, may_be_skipped, plain_words, removed
from .talking import NOT_MEASURED, failed, line_of, person, report_of, score_of

if TYPE_CHECKING:
    from heygem.pipeline import Take

_SETS = ("set_a", "set_b", "set_c", "set_d")
_STEPS = ("step_2", "step_3", "step_4")


def _set(name: str, about: str, **more: Any) -> Any:
    return socket(sockets.HeyGemOptions, name, about, **more)


class Retry(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        step = "parameters of this try; without any of them HeyGem goes through a list of its own"
        return schema(
            "HeyGemRetry",
            "HeyGem retry",
            "A talking head that is made again with other parameters while its score is too low; the best take stays.",
            [
                inputs.video(optional=True),
                inputs.audio(),
                inputs.engine(),
                count("tries", 3, 1, 6, "how many takes at most"),
                number("least_score", 80.0, 0, 100, "the first take that reaches it ends the search", step=1.0),
                inputs.resolution(),
                inputs.use_gpu(),
                inputs.length(),
                inputs.face(),
                *inputs.item(),
                _set("options", "parameters of the first try", optional=True),
                *(_set(name, step, optional=True) for name in _STEPS),
            ],
            [
                result(io.Video, "video", "the best take"),
                result(io.Float, "score", "of the best take, 0 to 100; -1 where nobody measured"),
                result(io.String, "report", "all tries with their scores, as JSON"),
                result(sockets.HeyGemLine, "line", "a line for “HeyGem batch report”"),
            ],
            search_aliases=["quality", "again", "重试"],
        )

    @classmethod
    def execute(
        cls,
        audio: Any,
        on_error: str,
        video: Any = None,
        name: str = "",
        avatar: dict[str, Any] | None = None,
        **said: Any,
    ) -> Any:
        try:
            with plain_words(), scratch() as fresh:
                path, sound = person(video, avatar, fresh), sockets.audio_path(audio, fresh)
                return _retried(path, sound, name, avatar, said)
        except Exception as error:
            if on_error == "stop" or not may_be_skipped(error):
                raise
            return io.NodeOutput(blocked(), NOT_MEASURED, str(error), failed(video, avatar, name, error))


class Compare(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemCompare",
            "HeyGem compare",
            "The same person and voice with two to four sets of parameters, side by side in one labelled video.",
            [
                inputs.video(),
                inputs.audio(),
                inputs.resolution(),
                inputs.use_gpu(),
                inputs.length(),
                inputs.face(),
                _set("set_a", "of “HeyGem parameters”"),
                _set("set_b", "of “HeyGem parameters”"),
                _set("set_c", "of “HeyGem parameters”", optional=True),
                _set("set_d", "of “HeyGem parameters”", optional=True),
            ],
            [
                result(io.Video, "comparison", "all of them side by side"),
                result(io.Video, "best", "the one with the highest score, alone"),
                result(io.String, "label", "of the best one"),
                result(io.String, "report", "all sets with their scores, as JSON"),
            ],
            search_aliases=["A/B", "side by side", "对比"],
        )

    @classmethod
    def execute(cls, video: Any, audio: Any, **said: Any) -> Any:
        from heygem.finish.compare import compare

        sets = [(name[-1].upper(), said.pop(name, None)) for name in _SETS]
        with plain_words(), scratch() as fresh, ExitStack() as films:
            known = sockets.widgets(**said)
            wishes = [(f"{letter} {one.get('label', '')}".strip(), {**known, **one}) for letter, one in sets if one]
            path, sound, bar = sockets.video_path(video, fresh), sockets.audio_path(audio, fresh), Bar(len(wishes) + 1)
            bar.poster(path)
            takes = [_take(path, sound, films.enter_context(made()), wish, bar) for _, wish in wishes]
            labels = [_label(label, take) for (label, _), take in zip(wishes, takes, strict=True)]
            out = compare([take.path for take in takes], labels, films.enter_context(made()), tick=bar)
            bar.done(out)
        best = max(range(len(takes)), key=lambda n: score_of(takes[n]))
        for n, take in enumerate(takes):
            if n != best:
                removed(take.path)
        rows = [{"label": label, **json.loads(report_of(take))} for label, take in zip(labels, takes, strict=True)]
        report = json.dumps(rows, ensure_ascii=False, indent=1)
        return io.NodeOutput(sockets.as_video(out), sockets.as_video(takes[best].path), labels[best], report)


def _take(video: Path, audio: Path, out: Path, wish: Mapping[str, Any], bar: Bar) -> Take:
    from heygem.pipeline import lipsync

    options = sockets.options_of(wish)
    with booked(options):
        return lipsync(video, audio, out, options, bar)


def _label(label: str, take: Take) -> str:
    score = take.quality.get("score")
    return label if score is None else f"{label} · {score}"


def _retried(video: Path, audio: Path, name: str, avatar: dict[str, Any] | None, said: dict[str, Any]) -> Any:
    from heygem.retake import retake

    steps = [step for step in (said.pop(one, None) for one in _STEPS) if step]
    last = {"face": avatar["face"]} if avatar else None
    options, said["least"] = said.pop("options", None), said.pop("least_score")
    known = [sockets.widgets(**said), options]
    first = sockets.options_of(*known, last)
    wishes = [first, *(sockets.options_of(*known, step, last) for step in steps)][: first.tries]
    bar = Bar(len(wishes) if steps else first.tries)
    bar.poster(video)
    with made() as out:
        with booked(*wishes):
            found = retake(video, audio, out, wishes if steps else first, bar)
        bar.done(out)
    tries = [vars(one) for one in found.tries]
    report = json.dumps({"tries": tries, **json.loads(report_of(found.take))}, ensure_ascii=False, indent=1)
    line = line_of(name or video.stem, found.take, video, audio)
    return io.NodeOutput(sockets.as_video(out), score_of(found.take), report, line)


NODES = [Retry, Compare]
