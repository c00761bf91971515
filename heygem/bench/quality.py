"""Renders the suite and measures what came out: the tracked result file against the tracked source."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from loguru import logger

from heygem import bench, engines
from heygem.bench.suite import Case, cases, made_cases, write_sound
from heygem.engines.base import Style
from heygem.errors import HeyGemError, NoFace
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS
from heygem.media.frame import Frame
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from heygem.pipeline import Options, Take, lipsync
from heygem.plan import source_plan
from heygem.quality import lips, pictures
from heygem.quality.agreement import agreement
from heygem.quality.canonical import Cutter, outside
from heygem.settings import load
from heygem.speech.features import ROWS, mel_power
from heygem.speech.voice import loudness, voice_activity

COMPARED = 8
"""Frames of a result that PSNR and SSIM look at, evenly spread."""
RENDERED = 24
"""Frames, the first ones, that are rendered once more to be seen before encoding."""
SHOWN = 12
"""Frames of a contact sheet."""
TILE = (0.8, 300)
"""Half a tile of it in inter-ocular distances, and its side in px at most."""

MOUTH_ALONE = Style(blinks=0, sway=0)
"""Photos are held still, so that what changes is the engine's mouth."""
ASTRAY = 0.5
"""Inter-ocular distances between all points of result and source from which the tracker saw something else."""
NOTHING = 1e-6
"""Motion of a photo: nothing to compare with."""

Measures = dict[str, float]


def quality(media: Path | None, only: str, folder: Path, check: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """Figures of every case whose "group/name" contains ``only``; results and contact sheets stay in ``folder``.

    A case that fails does not stop the others: its row has the code of the error. Raises OptionInvalid where ``media``
    is no folder of the suite's clips, WeightsUnusable where SyncNet's are none.
    """
    _syncnet()  # bad weights end here
    folder.mkdir(parents=True, exist_ok=True)
    suite = cases(media) if media else made_cases(folder)
    rows = []
    for case in suite:
        if only in f"{case.group}/{case.name}":
            print(f"{case.group}/{case.name}", file=sys.stderr, flush=True)
            rows.append(measured(case, folder, check))
    return {"kind": "quality", **bench.where(), "engine": Options().engine, "rows": rows, "medians": medians(rows)}


def medians(rows: Sequence[dict[str, Any]]) -> dict[str, Measures]:
    """Group -> measure -> median of the rows that have it."""
    found: dict[str, Measures] = {}
    for group in dict.fromkeys(row["group"] for row in rows):
        own = [row["measures"] for row in rows if row["group"] == group]
        names = dict.fromkeys(name for measures in own for name in measures)
        found[group] = {name: float(np.median([one[name] for one in own if name in one])) for name in names}
    return found


def measured(case: Case, folder: Path, check: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """One row: group, name, error (a code, or None), measures, stages, picture (the contact sheet in ``folder``)."""
    row: dict[str, Any] = {"group": case.group, "name": case.name, "error": None, "measures": {}, "stages": {}}
    stem = f"{case.group}_{case.name}".replace(" ", "_")
    try:
        sound = write_sound(case, folder / f"{stem}.wav")
        take = lipsync(case.video, sound, folder / f"{stem}.mp4", Options(style=MOUTH_ALONE), tick=lambda *_: check())
        with TemporaryDirectory() as cache:
            view = View.of(case.video, sound, take, Path(cache))
            measures = {**_moves(view, case), **_looks(view, folder / f"{stem}.png"), **_before_encoding(view)}
            measures |= _sync(view, case)
        measures["score"] = take.quality.get("score", np.nan)
        row["stages"] = {**take.stages, "frames": take.frames}
        row["measures"] = {name: round(float(value), 4) for name, value in measures.items() if np.isfinite(value)}
        row["picture"] = f"{stem}.png"
    except HeyGemError as error:
        row["error"] = error.code
    except Exception as error:  # a fault of the program; the figures of the other cases are still worth having
        logger.exception(row["name"])
        row["error"] = type(error).__name__
    return row


@dataclass(frozen=True)
class View:
    """One take as the ruler sees it. avatar, result: of the source and of the finished file; made, true: lips of the
    result and of the source under it, T frames; shut: the person's gap of closed lips; seen: (T,) bool, both show a
    face; voice (T,) 0..1; loud (T,) dB of the sound."""

    video: Path
    sound: Path
    out: Path
    avatar: Avatar
    result: Avatar
    plan: np.ndarray
    made: lips.Lips
    true: lips.Lips
    shut: float
    seen: np.ndarray
    cutter: Cutter
    voice: np.ndarray
    loud: np.ndarray

    @classmethod
    def of(cls, video: Path, sound: Path, take: Take, cache: Path) -> View:
        """Tracks the result into the empty folder ``cache``; the avatar of the source comes from the usual one.

        Raises NoFace.
        """
        avatar, result = Avatar.prepare(video), Avatar.prepare(take.path, cache=cache)
        points = np.array(result.landmarks)
        plan = source_plan(len(avatar.weight), take.frames, "pingpong")[: len(points)]
        person = lips.mean_shape(np.array(avatar.landmarks))
        source = lips.lips_of(np.array(avatar.landmarks), person)
        true, made = source[plan], lips.lips_of(points[: len(plan)], person)
        away = np.linalg.norm((made.landmarks - true.landmarks)[..., :2], axis=2).mean(axis=1) / true.pose.scale
        seen = (avatar.weight[plan] > 0) & (result.score[: len(plan)] > 0) & (away < ASTRAY)
        if seen.mean() < 0.5:
            raise NoFace(name=take.path.name, frames=len(plan), why=", the tracker of the result went astray")
        loud = loudness(np.asarray(mel_power(load_sound(sound).samples))).astype(np.float32)
        times = np.arange(len(plan)) * float(ROWS / take.fps)
        voice, level = (np.interp(times, np.arange(len(loud)), x) for x in (voice_activity(loud), loud.mean(axis=1)))
        cutter = Cutter.of(person, true.pose)
        shut = lips.shut_level(source.gap)
        return cls(video, sound, take.path, avatar, result, plan, made, true, shut, seen, cutter, voice, level)

    @property
    def follows(self) -> np.ndarray:
        """(T,) bool: the frame continues the one before."""
        steps = np.abs(np.diff(self.plan, prepend=self.plan[0])) <= 1
        return steps & ~self.avatar.cuts[self.plan] & self.seen


def _moves(view: View, case: Case) -> Measures:
    """What the landmarks alone tell."""
    made, true, seen = view.made[view.seen], view.true[view.seen], view.seen
    quiet = np.zeros(int(seen.sum())) if case.group in ("silence", "noise") else view.voice[seen]
    own, source = lips.jitter(made), lips.jitter(true)
    found = {
        "still": lips.stillness(made.gap, quiet),
        "rest": lips.resting(made.gap, quiet),
        "jitter_made": own,
        "jitter_source": source,
        "jitter": own / source if source > NOTHING else np.nan,
    }
    if case.group in ("own", "cross", "still"):
        found["voice"] = agreement(made.gap, view.loud[seen]).best
    if case.group == "own":
        for name in ("opening", "rounding", "gap"):
            agreed = agreement(getattr(made, name), getattr(true, name))
            found |= {name: agreed.best, f"{name}0": agreed.level, f"{name}_offset": agreed.offset}
        found |= dict(zip(("lmd", "lmd_picture"), lips.distance(made, true), strict=True))
        found |= vars(lips.closures(made.gap - view.shut < lips.SHUT, true.gap - view.shut < lips.SHUT))
    return found


def _looks(view: View, sheet: Path) -> Measures:
    """What the pictures of the decoded result tell. Writes the contact sheet on the way."""
    last = len(view.plan) - 1
    compared, shown = (set(np.linspace(0, last, n).astype(int).tolist()) for n in (COMPARED, SHOWN))
    cuts, tiles, ratios = [], [], []
    with VideoReader(view.video) as source, VideoReader(view.out) as result:
        for t, frames in enumerate(zip(source.frames(view.plan), islice(result, len(view.plan)), strict=True)):
            lumas = [frame.planes()[0] for frame in frames]
            cuts.append([view.cutter.cut(luma, t) for luma in lumas])
            if t in shown:
                tiles.append([_tile(frame, view, t) for frame in frames])
            if t in compared and (where := _outside(view, t, frames[0])).any():
                ratios.append((pictures.psnr(lumas[1], lumas[0], where), pictures.ssim(lumas[1], lumas[0], where)))
    _write_sheet(tiles, sheet)
    true, made = np.array(cuts).swapaxes(0, 1)
    flicker = [pictures.flicker(each, view.cutter, view.follows) for each in (made, true)]
    psnr, ssim = np.median(ratios, axis=0) if ratios else (np.nan, np.nan)
    seen = view.seen
    gaps = view.made.gap[seen], view.true.gap[seen]
    return {
        "sharpness": pictures.sharpness(made[seen], true[seen], gaps, view.cutter),
        "seam": pictures.seam(made[seen], true[seen], view.cutter),
        "flicker_made": flicker[0],
        "flicker_source": flicker[1],
        "flicker": flicker[0] / flicker[1] if flicker[1] > NOTHING else np.nan,
        "psnr": psnr,
        "ssim": ssim,
    }


def _before_encoding(view: View) -> Measures:
    """The first frames as the renderer leaves them: outside the region they should equal the source to the bit."""
    engine = engines.load(Options().engine)
    speech = engine.listen(load_sound(view.sound), view.avatar.fps, len(view.plan))
    renderer = engine.begin(view.avatar, speech, view.plan, MOUTH_ALONE)
    plan, equal, found = view.plan[:RENDERED], [], []
    try:
        with VideoReader(view.video) as reader:
            frames = reader.frames(plan)
            for start in range(0, len(plan), engine.batch):
                batch = list(islice(frames, engine.batch))
                kept = [frame.copy() for frame in batch]
                for t, (made, true) in enumerate(zip(renderer.render(start, batch), kept, strict=True), start):
                    where = _outside(view, t, true)
                    equal.append(_equal(made, true, where))
                    found.append(pictures.psnr(made.planes()[0], true.planes()[0], where) if where.any() else np.nan)
    finally:
        renderer.close()
    return {"equal": float(np.mean(equal)), "psnr_before": float(np.mean(found))}


def _sync(view: View, case: Case) -> Measures:
    """LSE-D, LSE-C and offset of a voice where the user brought the weights of SyncNet."""
    if case.group in ("silence", "noise") or not (net := _syncnet()):
        return {}
    from heygem.quality.syncnet import measure

    found = measure(net, view.out, view.sound, view.result)
    return {"lse_d": found.distance, "lse_c": found.confidence, "lse_offset": found.offset}


def _syncnet() -> Any:
    """SyncNet with the user's weights, or None. Raises WeightsUnusable, ToolMissing."""
    if not getattr(load(), "syncnet", None):
        return None
    from heygem.quality.syncnet import brought

    return brought()


def _equal(made: Frame, true: Frame, where: np.ndarray) -> bool:
    """Are luma and chroma of ``where``, which is made of 2x2 blocks, the same to the bit?"""
    masks = (where, where[::2, ::2], where[::2, ::2])
    planes = zip(made.planes(), true.planes(), masks, strict=True)
    return all(np.array_equal(a[mask], b[mask]) for a, b, mask in planes)


def _outside(view: View, t: int, frame: Frame) -> np.ndarray:
    return outside(view.true.landmarks[t], (frame.width, frame.height))


def _tile(frame: Frame, view: View, t: int) -> np.ndarray:
    """(h, w, 3) RGB: the mouth, twice as large."""
    half = max(8, TILE[0] * float(np.median(view.true.pose.scale)))
    x, y = view.true.landmarks[t, list(LIPS), :2].mean(axis=0)
    side = min(TILE[1], round(4 * half))
    return cv2.resize(cv2.getRectSubPix(frame.rgb(), (round(2 * half),) * 2, (float(x), float(y))), (side, side))


def _write_sheet(tiles: list[list[np.ndarray]], out: Path) -> None:
    """Rows of six tiles: the original, below it the result."""
    rows = [np.hstack([pair[k] for pair in tiles[i : i + 6]]) for i in range(0, len(tiles), 6) for k in (0, 1)]
    width = min(row.shape[1] for row in rows)
    cv2.imwrite(str(out), cv2.cvtColor(np.vstack([row[:, :width] for row in rows]), cv2.COLOR_RGB2BGR))
