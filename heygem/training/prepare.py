"""Media -> one cached file a clip: the landmarks of every frame and the sound. Tracking takes longest, so it is kept.

The folder of media holds ``manifest.tsv`` (columns file, kind, use, seconds, sync_corr, yaw, notes and more), ``grid/``
and ``talking/``. Only rows marked ``train`` are trained on.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from heygem.quality.held_out import HELD_OUT

CHUNK = 12
"""Clips that one process follows with one tracker before it makes way for a fresh one."""


@dataclass(frozen=True)
class Source:
    """A clip to be tracked. ``person``: who speaks; clips of one person are never split between training and test."""

    file: str
    person: str

    @property
    def name(self) -> str:
        return Path(self.file).stem


def sources(media: Path, use: str) -> list[Source]:
    """Clips of ``media`` for ``train`` or ``eval`` (the held-out clips), in a fixed order."""
    with (media / "manifest.tsv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["kind"] == "talking"]
    if use == "eval":
        rows = [row for row in rows if Path(row["file"]).stem in HELD_OUT]
        assert len(rows) == len(HELD_OUT) and all(row["use"] == "eval" for row in rows)
        return [Source(row["file"], _person(row)) for row in rows]
    grid = [Source(f"grid/{clip.name}", "grid_s1") for clip in sorted((media / "grid").glob("*.mp4"))]
    return grid + [Source(row["file"], _person(row)) for row in rows if row["use"] == "train"]


def prepare(media: Path, cache: Path, clips: Sequence[Source]) -> None:
    """Tracks the clips that are not in ``cache`` yet, ``<name>.npz`` each; see ``track``."""
    cache.mkdir(parents=True, exist_ok=True)
    todo = [clip for clip in clips if not (cache / f"{clip.name}.npz").exists()]
    chunks = [todo[start : start + CHUNK] for start in range(0, len(todo), CHUNK)]
    with get_context("spawn").Pool(maxtasksperchild=4) as pool:
        for done in pool.imap_unordered(partial(track, media, cache), chunks):
            print(f"tracked {', '.join(done)}", flush=True)


def track(media: Path, cache: Path, clips: Sequence[Source]) -> list[str]:
    """Writes of each clip: landmarks (N, 468, 3) float32 px (NaN where no face was seen), fps, 16 kHz samples from
    the first picture on."""
    import cv2

    from heygem.faces.track import Tracker
    from heygem.media.reader import VideoReader
    from heygem.media.sound import RATE, load_sound

    cv2.setNumThreads(1)
    lost = np.full((468, 3), np.nan, np.float32)
    with Tracker() as tracker:
        for clip in clips:
            tracker.reset()
            with VideoReader(media / clip.file) as reader:
                faces = [tracker.follow(frame) for frame in reader]
                fps = float(reader.info.fps)
            landmarks = np.array([lost if face is None else face.landmarks for face in faces], np.float32)
            part = cache / f"{clip.name}.part.npz"
            late = round(_picture_start(media / clip.file) * RATE)
            np.savez(part, landmarks=landmarks, fps=fps, samples=load_sound(media / clip.file).samples[late:])
            part.replace(cache / f"{clip.name}.npz")
    return [clip.name for clip in clips]


def _picture_start(path: Path) -> float:
    """Seconds from the start of the file to its first picture: the sound may begin earlier."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first = Fraction(stream.start_time or 0) * (stream.time_base or 0)
        return max(0.0, float(first - Fraction(container.start_time or 0, av.time_base)))


def _person(row: dict[str, str]) -> str:
    """The speaker, with whom the notes of the manifest begin."""
    return row["notes"].split(";")[0].removeprefix("speaker ").strip()
