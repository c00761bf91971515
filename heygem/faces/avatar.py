"""Avatar: who is in this video and where, analysed once and cached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from heygem.cache import Arrays, Beat, Cache, Entry, content_key, reserve
from heygem.errors import NoFace, OptionInvalid
from heygem.faces.detect import InsightFace
from heygem.faces.mouths import Mouths
from heygem.faces.notes import Notes, take_notes
from heygem.faces.people import FADE, WHY, Track, group, weights
from heygem.faces.smooth import pieces, smooth
from heygem.media.container import check
from heygem.media.probe import PathLike, VideoInfo
from heygem.media.reader import VideoReader
from heygem.settings import load
from heygem.tick import Tick, silent

VERSION = 3
"""Version of the analysis: a change makes all cached avatars stale."""


@dataclass(frozen=True, eq=False)
class Avatar:
    """Everything that engines know about the person in a video. Arrays are read-only and may be mapped from files.

    landmarks: (N, 468, 3) float32 px, smoothed; rows without a face repeat the nearest one.
    weight: (N,) float32: 0 = leave the frame untouched, 1 = full effect, soft in between.
    mouths: pictures of the lower face.
    people: how many people have a usable face; ``face`` counts them from 0, the one who fills most of the film first.
    looked_at: how many frames were looked at, N.
    score: (N,) float32 0..1: how sure the tracker is; 0 where the person is not seen.
    cuts: (N,) bool: first frames after a cut.
    cache: where others keep what they find in it.
    """

    key: str
    face: int
    width: int
    height: int
    fps: Fraction
    still: bool
    landmarks: np.ndarray
    weight: np.ndarray
    mouths: Mouths
    people: int = 1
    looked_at: int = 0
    score: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    cuts: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    cache: Cache | None = field(default=None, repr=False)
    _entry: Entry | None = field(default=None, repr=False)  # alive, it keeps the files from being evicted

    def once(self, analyser: str, analyse: Callable[[], Arrays], beat: Beat) -> Arrays:
        """What ``analyse`` finds in the person: found once, and then shared with all who have the same avatar.

        analyser: a name that changes with what is found. beat: called every second while another process is at it.
        """
        return self.cache.arrays(f"{self.key}-{analyser}", analyse, beat) if self.cache else analyse()

    @classmethod
    def prepare(cls, video: PathLike, face: int = 0, cache: Path | None = None, tick: Tick = silent) -> Avatar:
        """The avatar of person ``face`` in a video or photo, from the cache or by one pass over the frames.

        ``cache``: folder of the caches; by default the one of the settings. ``tick("analyse", done, total)`` per frame,
        every second while another process analyses the same video: it is then waited for.

        Raises NoFace where no face is usable in the whole file, OptionInvalid where there are fewer people, and what
        the reader raises for files that are no video.
        """
        return cls.prepare_all(video, (face,), cache, tick)[0]

    @classmethod
    def prepare_all(
        cls, video: PathLike, faces: Sequence[int], cache: Path | None = None, tick: Tick = silent
    ) -> list[Avatar]:
        """The avatars of several people of one video or photo, in the order of ``faces``: one pass serves them all."""
        path = Path(video)
        check(path, "a video")
        if min(faces) < 0:
            raise OptionInvalid(option="face", value=min(faces), allowed="a number from 0 on")
        settings = load()
        analyser = f"v{VERSION}{'i' if settings.insightface else ''}"
        content = content_key(path)
        keys = {face: f"{content}-{face}-{analyser}" for face in faces}

        def prepared(store: Cache) -> list[Avatar]:
            entries = _found(store, keys)
            if len(entries) < len(keys):
                with store.workshop(f"{content}-{analyser}", lambda: tick("analyse", 0, 1)) as folder:
                    entries = _found(store, keys)  # somebody else may have been at it
                    missing = sorted(keys.keys() - entries.keys())
                    for face, built, facts in _analyse(path, missing, folder, settings.insightface, tick):
                        entries[face] = store.keep(keys[face], built, facts)
            return [_load(entries[face], keys[face], kept) for face in faces]

        kept = Cache((cache or settings.cache) / "avatars", settings.avatar_bytes)
        return kept.attempt(prepared)


def _found(store: Cache, keys: Mapping[int, str]) -> dict[int, Entry]:
    return {face: entry for face, key in keys.items() if (entry := store.find(key))}


def _analyse(
    path: Path, faces: Sequence[int], folder: Path, insightface: Path | None, tick: Tick
) -> Iterator[tuple[int, Path, dict[str, Any]]]:
    """Each of ``faces`` with a folder of its arrays and the facts about it, by one pass over the video."""
    if not faces:
        return
    detector = InsightFace(insightface) if insightface else None
    with VideoReader(path) as reader:
        notes = take_notes(reader, folder, tick, detector)
        people = _people(notes, reader.info, path.name, most=faces[-1] + 1)
        for face in faces:
            built = folder / str(face)
            built.mkdir()
            facts = _work_out(notes, people[face], reader.info, built, path.name)
            yield face, built, facts | {"face": face, "people": len(people)}


def _people(notes: Notes, info: VideoInfo, name: str, most: int) -> list[list[Track]]:
    """Everybody with a usable face. Raises NoFace where there is nobody, OptionInvalid where there are fewer than
    ``most``."""
    tracks = notes.tracks()
    lasting = [track for track in tracks if track.usable.sum() >= FADE * float(info.fps) / 2]
    people = group(lasting or tracks)  # a film may be shorter than a fade
    if not people:
        raise NoFace(name=name, frames=notes.frames, why=_why(notes))
    if most > len(people):
        allowed = "0, the only person" if len(people) == 1 else f"0 to {len(people) - 1}, one of the people found"
        raise OptionInvalid(option="face", value=most - 1, allowed=allowed)
    return people


def _work_out(notes: Notes, person: list[Track], info: VideoInfo, folder: Path, name: str) -> dict[str, Any]:
    """Fills ``folder`` with the arrays of an avatar and returns the facts about it."""
    tracks = sorted(person, key=lambda track: track.frames[0])
    usable, score = np.zeros(notes.frames, bool), np.zeros(notes.frames, np.float32)
    for track in tracks:
        usable[track.frames] = track.usable
        score[track.frames] = notes.rows["score"][track.rows]
    weight = weights(usable, notes.cuts, FADE * float(info.fps))
    if not weight.any():
        raise NoFace(name=name, frames=notes.frames, why=", the face is seen for moments only")
    _write_landmarks(notes, tracks, info.fps, folder / "landmarks.npy")
    ids = {int(notes.rows["track"][track.rows[0]]) for track in tracks}
    frames, boxes = notes.pictures.pack(ids, weight > 0, folder / "mouths.yuv")
    np.savez(folder / "arrays.npz", weight=weight, score=score, cuts=notes.cuts, frames=frames, boxes=boxes)
    facts = {"width": info.width, "height": info.height, "fps": str(info.fps)}
    return facts | {"still": info.still, "looked_at": notes.frames}


def _why(notes: Notes) -> str:
    """The reason that most faces were refused for, in words; nothing where there was no face at all."""
    if not len(notes.rows):
        return ""
    return WHY[int(np.bincount(notes.rows["why"], minlength=len(WHY))[1:].argmax()) + 1]


def _write_landmarks(notes: Notes, tracks: Sequence[Track], fps: Fraction, path: Path) -> None:
    """The person's landmarks (N, 468, 3), smoothed track by track; frames without them repeat the nearest."""
    shape = (notes.frames, 468, 3)
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    reserve(path)
    points = notes.rows["points"]
    mean = np.average([track.shape for track in tracks], axis=0, weights=[track.size for track in tracks])
    for track in tracks:
        for outer, inner, kept in pieces(len(track.rows)):
            out[track.frames[kept]] = smooth(points[track.rows[outer]], fps, mean)[inner]
    known = np.sort(np.concatenate([track.frames for track in tracks]))
    missing = np.setdiff1d(np.arange(notes.frames), known)
    after = np.searchsorted(known, missing).clip(0, len(known) - 1)
    before = (after - 1).clip(0)
    nearer = np.where(np.abs(known[before] - missing) <= np.abs(known[after] - missing), before, after)
    for n, source in zip(missing, known[nearer], strict=True):
        out[n] = out[source]
    out.flush()


def _load(entry: Entry, key: str, cache: Cache) -> Avatar:
    facts = entry.facts
    with np.load(entry.folder / "arrays.npz") as stored:
        arrays = dict(stored)
    pixels = entry.folder / "mouths.yuv"
    mapped = np.asarray(np.memmap(pixels, np.uint8, "r")) if pixels.stat().st_size else np.zeros(0, np.uint8)
    return Avatar(
        key=key,
        face=facts["face"],
        width=facts["width"],
        height=facts["height"],
        fps=Fraction(facts["fps"]),
        still=facts["still"],
        landmarks=np.asarray(np.load(entry.folder / "landmarks.npy", mmap_mode="r")),
        weight=arrays["weight"],
        score=arrays["score"],
        cuts=arrays["cuts"],
        mouths=Mouths(arrays["frames"], arrays["boxes"], mapped),
        people=facts["people"],
        looked_at=facts["looked_at"],
        cache=cache,
        _entry=entry,
    )
