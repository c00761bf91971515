"""Is it good? A number from 0 to 100 for one take, with its reasons, from what is known while it is made.

Every part takes points for one fact, in proportion between a value that is good and one that is bad; what is left of
100 is the score. So it never falls when a fact becomes better, and every missing point has a reason. It knows what
usually looks and sounds wrong; it does not watch the film.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from heygem.faces.avatar import Avatar
from heygem.faces.people import turn
from heygem.faces.shape import LIPS, align, mean_face
from heygem.media.frame import Frame
from heygem.media.sound import RATE

Render = Callable[[int, Sequence[Frame]], Sequence[Frame]]
"""What a renderer does: frames ``start``, ``start + 1`` … in, as many out."""
SAMPLE, PAIRS = 200, 24
"""Frames whose pose is looked at; frames whose mouth is compared before and after. Evenly spread over the take."""
WINDOW = RATE // 50
"""Samples whose loudness is one value: 20 ms."""
SILENT = -45.0
"""dB of full scale: a sound whose loud moments are quieter has no voice to judge."""
TEXTURE = 0.7
"""Share of the pixels round the mouth, the ones without edges, that tell how sharp it is: an open mouth has other
edges than a closed one, but the same skin."""
WORTH = 3
"""Points from which a reason is worth saying, and how many reasons are said."""


@dataclass(frozen=True)
class Part:
    """A fact takes no points where it is ``good``, ``most`` where it is ``bad``. ``reason``: what and what to do."""

    good: float
    bad: float
    most: int
    reason: str


PARTS = {
    "speaking": Part(0.1, 0, 70, "almost no voice is heard: use a recording of someone speaking"),
    "clarity": Part(26, 6, 30, "there is noise or music in the sound: use a recording of the voice alone"),
    "covered": Part(1, 0.2, 60, "only {covered:.0%} of the frames show a usable face: use one that always does"),
    "width": Part(140, 50, 25, "the face is only {width:.0f} px wide: film from nearer, or use a larger original"),
    "turn": Part(15, 45, 30, "the head is turned away by {turn:.0f}° on average: let the person look into the camera"),
    "material": Part(5, 0, 15, "there is little of the mouth to build on: use 5 s or more of the person talking"),
    "drawn": Part(0.05, 1, 30, "the inside of the mouth is drawn in {drawn:.0%} of the frames: use a video of talking"),
    "misfit": Part(0.02, 0.06, 30, "the mouth had to be bent far: use a video of talking, without a fixed smile"),
    "sharpness": Part(
        0.9, 0.5, 30, "the mouth is softer than the original: try a sharper video or less mouth strength"
    ),
}
"""Fact -> what it takes. The values were set on clips whose results were looked at."""


def judge(known: Mapping[str, float]) -> dict[str, Any]:
    """The facts, "score" and "parts": name, value, points lost and reason (empty where nothing is lost).

    A fact that an engine does not report takes nothing.
    """
    known, parts = {name: round(value, 4) for name, value in known.items()}, []
    for name, part in PARTS.items():
        if name in known:
            share = min(1.0, max(0.0, (known[name] - part.good) / (part.bad - part.good)))
            reason = part.reason.format_map(known) if share else ""
            parts.append({"name": name, "value": known[name], "lost": round(part.most * share, 1), "reason": reason})
    return {**known, "score": max(0, round(100 - sum(part["lost"] for part in parts))), "parts": parts}


def reasons(quality: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts that took most, worst first: at most three, none that took less than three points."""
    parts = sorted(quality.get("parts", ()), key=lambda part: -part["lost"])
    return [part for part in parts if part["lost"] >= WORTH][:WORTH]


def facts(avatar: Avatar, plan: np.ndarray, samples: np.ndarray) -> dict[str, float]:
    """What is known without rendering. plan (T,): the source frame under each output frame.

    covered: share of frames with a usable face. material: seconds of mouth pictures. clarity: dB between loud and quiet
    moments, about 40 for a voice alone, under 20 in noise; not known where all is quiet. width: of the face in px as if
    seen from the front. turn: of the head to the side in degrees, without sign.
    """
    shown = plan[avatar.weight[plan] > 0]
    material = len(avatar.mouths) / avatar.fps if len(avatar.mouths) > 1 else 0
    found = {"covered": len(shown) / len(plan), "material": float(material), **_clarity(samples)}
    if len(shown):
        _, pose = align(avatar.landmarks[_spread(shown, SAMPLE)])
        found["width"] = float(np.median(pose.scale) * np.ptp(mean_face()[:, 0]))
        found["turn"] = float(np.mean(np.abs(turn(pose))))
    return found


class Sharpness:
    """Compares mouths before and after rendering."""

    def __init__(self, avatar: Avatar, plan: np.ndarray) -> None:
        self._avatar, self._plan = avatar, plan
        self._chosen = set(_spread(np.flatnonzero(avatar.weight[plan] > 0.9), PAIRS).tolist())
        self._edges: dict[int, list[float]] = {}

    def watch(self, render: Render) -> Render:
        """The same ``render``, looked at before and after."""

        def watched(start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
            self._look(start, frames)
            made = render(start, frames)
            self._look(start, made)
            return made

        return watched

    def _look(self, start: int, frames: Sequence[Frame]) -> None:
        for t in self._chosen & set(range(start, start + len(frames))):
            self._edges.setdefault(t, []).append(self._edge(frames[t - start], int(self._plan[t])))

    def found(self) -> dict[str, float]:
        """{"sharpness": result over source}, empty where nothing could be compared."""
        pairs = [made / source for source, made in self._edges.values() if source > 0]
        return {"sharpness": float(np.median(pairs))} if pairs else {}

    def _edge(self, frame: Frame, source: int) -> float:
        """Mean Laplacian of the calm part of the luma round the lips; 0 where they are outside the frame."""
        lips = self._avatar.landmarks[source][list(LIPS), :2]
        low, high = lips.min(axis=0), lips.max(axis=0)
        room = 0.3 * (high[0] - low[0])
        (x0, y0), (x1, y1) = np.maximum(low - room, 0).astype(int), np.maximum(high + room, 0).astype(int)
        luma = frame.planes()[0][y0:y1, x0:x1]
        if luma.size < 2:
            return 0.0
        edges = np.abs(cv2.Laplacian(luma, cv2.CV_16S)).ravel()
        calm = int(TEXTURE * edges.size)
        return float(np.partition(edges, calm)[:calm].mean())


def _clarity(samples: np.ndarray) -> dict[str, float]:
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    power = np.einsum("ij,ij->i", windows, windows) / WINDOW
    quiet, loud = np.percentile(10 * np.log10(power + 1e-9), (10, 95))
    return {"clarity": float(loud - quiet)} if loud > SILENT else {}


def _spread(values: np.ndarray, most: int) -> np.ndarray:
    """At most ``most`` of values (n,), evenly spread."""
    return values[np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))]
