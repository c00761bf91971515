"""Retake: the same take with other options until it is good enough; the best one stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from heygem import pipeline
from heygem.media.target import beside, check_target, disk_errors
from heygem.pipeline import Options, Take
from heygem.tick import Tick, silent


@dataclass(frozen=True)
class Step:
    """A change of the style: strength times ``strength``, smoothness plus ``smoothness``, both kept in their ranges."""

    strength: float = 1.0
    smoothness: float = 0.0

    def on(self, options: Options) -> Options:
        style = options.style
        strength = round(min(2.0, style.strength * self.strength), 3)
        smoothness = round(min(1.0, max(0.0, style.smoothness + self.smoothness)), 3)
        return replace(options, style=replace(style, strength=strength, smoothness=smoothness))


LADDER = (
    Step(strength=0.75),
    Step(strength=1.25),
    Step(strength=1.25, smoothness=0.3),
    Step(smoothness=-0.3),
    Step(strength=1.4),
)
"""What is tried after the user's own options, in this order.

A score depends on options but a little: most of what it lacks comes from the files (noise, a small or turned face, too
little of the mouth), and no option mends that. Measured on 10 clips and 4 photos with the engine ``mesh`` and five
seconds of speech: strength 0.7 gives three photos 8 points (the mouth is bent less far) and takes 2 from the fourth;
strength 1.2 gives six clips 0.7 to 2.7 (less of the mouth is drawn), takes 0.8 to 3.1 from three and 4.6 from photos;
smoothness moves a point, the region nothing.
"""


@dataclass(frozen=True)
class Try:
    """One take that was made. changed: option -> its value, where another one than in the first; score: 0 to 100, None
    where nobody measured."""

    changed: dict[str, object]
    score: int | None


@dataclass(frozen=True)
class Retaken:
    """take: the best one, the earliest of equals. tries: all of them, in turn."""

    take: Take
    tries: list[Try]


def retake(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    out: str | Path,
    options: Options | Sequence[Options] | None = None,
    tick: Tick = silent,
    cache: Path | None = None,
) -> Retaken:
    """``lipsync``, up to ``options.tries`` times, until a take scores ``options.least`` or more: first as ``options``
    say, then with the changes of ``LADDER``. Several options are tried as they are, one after the other.

    Only the best take stays, under ``out``; its record says under ``tries`` what was tried. What was analysed and heard
    is shared, so further tries only render. A take without a score is not made again. Raises what ``lipsync`` raises;
    nothing is left behind then, nor where ``tick`` stops it.
    """
    ladder = list(options) if isinstance(options, Sequence) else ladder_of(options or Options())
    least, out = ladder[0].least, Path(out)
    if len(ladder) == 1:
        take = pipeline.lipsync(video, audio, out, ladder[0], tick, cache)
        return Retaken(take, [Try({}, take.quality.get("score"))])
    check_target(out, pipeline.inputs(video, audio, *ladder))
    best: Take | None = None
    tries: list[Try] = []
    with disk_errors(out), beside(out) as folder:
        for n, chosen in enumerate(ladder):
            place = folder / str(n)
            place.mkdir()
            take = pipeline.lipsync(video, audio, place / out.name, chosen, tick, cache)
            tries.append(Try(_changed(ladder[0], chosen), take.quality.get("score")))
            worse = take
            if best is None or _worth(take) > _worth(best):
                worse, best = best, take
            if worse:
                shutil.rmtree(worse.path.parent)
            if not 0 <= _worth(best) < least:
                break
        assert best is not None
        return Retaken(_moved(best, out, tries), tries)


def lipsync(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    out: str | Path,
    options: Options | None = None,
    tick: Tick = silent,
    cache: Path | None = None,
) -> Take:
    """Makes the person in ``video`` (or photo) speak ``audio``, as often as ``options.tries`` allows: the best take of
    ``retake``. What it takes, raises and leaves stands there and at ``heygem.pipeline.lipsync``."""
    return retake(video, audio, out, options, tick, cache).take


def ladder_of(options: Options) -> list[Options]:
    """All options that are tried, the given ones first; a step that changes nothing is left out."""
    found = [options]
    for step in LADDER:
        if (changed := step.on(options)) not in found:
            found.append(changed)
    return found[: options.tries]


def _worth(take: Take) -> float:
    """Its score; less than any where nobody measured."""
    return take.quality.get("score", -1)


def _changed(first: Options, options: Options) -> dict[str, object]:
    """Flat name -> value of what is not as in the first."""
    before = first.flat
    return {name: value for name, value in options.flat.items() if value != before[name]}


def _moved(take: Take, out: Path, tries: Sequence[Try]) -> Take:
    """The take under its final name, its record with the tries in it."""
    record = take.record
    facts = {**json.loads(record.read_text("utf-8")), "tries": [asdict(one) for one in tries]}
    record.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", "utf-8", "backslashreplace")
    take.path.replace(out)
    moved = replace(take, path=out)
    record.replace(moved.record)
    return moved
