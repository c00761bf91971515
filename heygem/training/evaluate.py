"""What the weights are worth on people they never saw: each held-out clip's own sound drives it, through ``listen``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from pathlib import Path

import numpy as np

from heygem.quality.agreement import NEAR, correlations
from heygem.quality.lips import SHUT, closures
from heygem.speech.motion import listen, mouth_basis
from heygem.training.data import Clip, load_clips, rows_in
from heygem.training.prepare import Source


@dataclass(frozen=True)
class Figures:
    """Of one clip. opening, rounding: Pearson correlation of predicted and tracked component at the best lag within two
    frames (``lag``, of the opening, positive where the prediction is early); opening0, rounding0: at lag 0.
    gap: the same agreement of the distance of the lips. recall, precision: of frames with closed lips (opening < 0.03
    canonical; nan where there are none); met, meant: of closures of any length, to a frame. still: deviation of the
    predicted opening where there is no voice, canonical."""

    opening: float
    rounding: float
    opening0: float
    rounding0: float
    lag: float
    gap: float
    recall: float
    precision: float
    met: float
    meant: float
    still: float


def evaluate(cache: Path, sources: Sequence[Source]) -> dict[str, Figures]:
    """Figures of every prepared clip, by name."""
    clips = load_clips(cache, sources)
    rows_in(clips, mouth_basis())
    return {clip.name: figures(clip, _samples(cache, clip)) for clip in clips}


def figures(clip: Clip, samples: np.ndarray) -> Figures:
    """Figures of one clip (rows set) that speaks ``samples``."""
    basis = mouth_basis()
    motion = listen(samples, Fraction(clip.fps).limit_denominator(1001), len(clip.offsets))
    opened = (motion.rows - basis.rest) @ basis.gaps
    at = [correlations(motion.rows[:, k], clip.rows[:, k]) for k in (0, 1)]
    best = int(np.argmax(at[0]))
    shut = closures(opened < SHUT, clip.gap < SHUT)
    silent = opened[motion.voice == 0]
    return Figures(
        *(float(max(found)) for found in at),
        *(float(found[NEAR]) for found in at),
        lag=float(best - NEAR),
        gap=max(correlations(opened, clip.gap)),
        recall=shut.recall,
        precision=shut.precision,
        met=shut.event_recall,
        meant=shut.event_precision,
        still=float(silent.std()) if len(silent) else 0.0,
    )


def table(found: dict[str, Figures]) -> str:
    """The figures of every clip and their means, as a Markdown table."""
    names = [one.name for one in fields(Figures)]
    mean = np.nanmean([astuple(one) for one in found.values()], axis=0)
    lines = ["| clip | " + " | ".join(names) + " |", "|" + "---|" * (len(names) + 1)]
    for clip, row in [*((clip, astuple(one)) for clip, one in found.items()), ("**mean**", mean)]:
        lines.append(
            f"| {clip} | "
            + " | ".join(
                f"{value:.2f}" if name != "still" else f"{value:.4f}" for name, value in zip(names, row, strict=True)
            )
            + " |"
        )
    return "\n".join(lines)


def _samples(cache: Path, clip: Clip) -> np.ndarray:
    with np.load(cache / f"{clip.name}.npz") as stored:
        return stored["samples"]
