"""Variants: the same video and voice with several sets of options, side by side in one film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from heygem.finish.compare import check_compare, compare
from heygem.media.target import beside, disk_errors
from heygem.pipeline import Options, Take, inputs, lipsync
from heygem.tick import Tick, silent


def variants(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    sets: Sequence[tuple[str, Options]],
    out: str | Path,
    tick: Tick = silent,
    cache: Path | None = None,
) -> list[Take]:
    """Makes a take with each of ``sets`` (label, options), 2 to 9, and writes ``out``: all side by side, each under its
    label and score, encoded as the first set says. The takes come back in their order, their path is that of ``out``.

    Raises what ``lipsync`` and ``compare`` raise; nothing is left behind then, nor where ``tick`` stops it.
    """
    out, takes = Path(out), []
    check_compare([label for label, _ in sets], out, inputs(video, audio, *(options for _, options in sets)))
    with disk_errors(out), beside(out) as folder:
        for n, (_, options) in enumerate(sets):
            takes.append(lipsync(video, audio, folder / f"{n}.mp4", options, tick, cache))
        labels = [_label(label, take) for (label, _), take in zip(sets, takes, strict=True)]
        compare([take.path for take in takes], labels, out, sets[0][1].quality, tick)
    return [replace(take, path=out) for take in takes]


def _label(label: str, take: Take) -> str:
    score = take.quality.get("score")
    return label if score is None else f"{label} · {score}".lstrip(" ·")
