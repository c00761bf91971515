"""The same things done to a film that exists already: read, changed frame by frame, written with its own sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, repeat
from pathlib import Path

from heygem.errors import OptionInvalid
from heygem.finish.base import Finish
from heygem.finish.effects import Effects, check, unseen
from heygem.media.container import best_stream, file_start, open_media
from heygem.media.frame import Frame
from heygem.media.probe import VideoInfo, heard, opening, probe, probe_video
from heygem.media.reader import VideoReader, count_frames
from heygem.media.stream import ReadAhead, WriteBehind, one_thread
from heygem.media.target import beside, check_target, disk_errors
from heygem.media.writer import VideoWriter
from heygem.tick import Tick, show, silent

_CHUNK = 8 << 20
_MP4_PICTURES = ("h264", "hevc", "av1", "vp9", "mpeg4")
_MP4_SOUNDS = ("aac", "mp3", "alac", "ac3", "eac3", "opus", "flac")


@dataclass(frozen=True)
class Finished:
    """What came out. ``notes``: effect -> what did it."""

    path: Path
    frames: int
    seconds: float
    width: int
    height: int
    notes: dict[str, str]
    warnings: list[str]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {**asdict(self), "path": str(self.path)}


def finish(
    video: str | Path,
    out: str | Path,
    wish: Finish,
    quality: str = "standard",
    device: str = "auto",
    tick: Tick = silent,
) -> Finished:
    """Writes ``video`` (or a photo) as ``out`` (MP4) with what ``wish`` asks for; its sound stays.

    Where an MP4 gets a subtitle track and nothing else, picture and sound are copied as they are.
    tick("render", done, total) is called once a frame and may raise ``Cancelled``: nothing is then left behind. Raises
    the errors of ``heygem.errors``.
    """
    video, out = Path(video), Path(out)
    with disk_errors(out):
        tick("probe", 0, 1)
        if not wish.changes:
            raise OptionInvalid(option="finish", value="empty", allowed="a background, subtitles, a logo or enhance")
        check_target(out, (video, *wish.files.values()))
        info = probe_video(video)
        check(wish, device)
        tick("probe", 1, 1)
        drawn = replace(wish, subtitles="") if wish.tracked else wish
        with captioned(out, wish, tick) as place:
            if drawn.changes or not _copyable(video):
                made = _rendered(video, place, wish, (quality, device), info, tick)
            else:
                made = _copied(video, place, wish, info, tick)
    try:
        tick("finish", 1, 1)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return replace(made, path=out)


@contextmanager
def captioned(out: Path, wish: Finish, tick: Tick = silent) -> Iterator[Path]:
    """Where to write a film: ``out`` itself, or a private place from which it comes there with its subtitle track."""
    if not wish.tracked:
        yield out
        return
    from heygem.finish.subtitles import add_track

    with beside(out) as folder:
        film = folder / "film.mp4"
        yield film
        add_track(film, Path(wish.subtitles), tick)
        film.replace(out)


def _rendered(video: Path, out: Path, wish: Finish, encoding: tuple[str, str], info: VideoInfo, tick: Tick) -> Finished:
    """Reader thread -> effects (here) -> writer thread, a few frames apart. encoding: quality and device."""
    quality, device = encoding
    size, codec = (info.width, info.height), "cpu" if device == "cpu" else "auto"
    sounds = [video] if heard(video) else []
    held = _late(video, info) if sounds else 0
    total, done = count_frames(video) + held, 0
    with (
        one_thread(),
        Effects(wish, size, info.fps, total, device) as effects,
        VideoWriter(out, info.fps, size, quality, sounds, codec) as writer,
        VideoReader(video, device=codec) as reader,
    ):
        with WriteBehind(writer.write) as behind, ReadAhead(_from_the_start(reader, held)) as ahead:
            for frame in ahead:
                behind.put(made := effects(done, frame))
                show(tick, made)
                done += 1
                tick("render", done, max(total, done))
        tick("finish", 0, 1)
        notes, warnings = effects.notes, effects.warnings
    return Finished(out, done, float(done / info.fps), *size, notes, warnings)


def _from_the_start(reader: VideoReader, held: int) -> Iterator[Frame]:
    """All frames, the first one ``held`` times more."""
    frames = iter(reader)
    first = next(frames)
    yield from (one.copy() for one in repeat(first, held))
    yield from chain([first], frames)


def _late(video: Path, info: VideoInfo) -> int:
    """Frames between the start of the file, where the sound begins, and the first picture."""
    with open_media(video, "a video") as container:
        start = file_start(container)
        first = opening(video, container, best_stream(container, "video")).first
    return max(round((first - start) * info.fps), 0)


def _copyable(video: Path) -> bool:
    """Is it an MP4 or MOV, of streams that players expect there?"""
    found = probe(video)
    pictures = found.video is not None and found.video.codec in _MP4_PICTURES
    sounds = found.sound is None or found.sound.codec in _MP4_SOUNDS
    return "mp4" in found.container.split(",") and pictures and sounds


def _copied(video: Path, out: Path, wish: Finish, info: VideoInfo, tick: Tick) -> Finished:
    """The file as it is."""
    with video.open("rb") as source, out.open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
            tick("finish", 0, 1)
    frames = count_frames(video)
    seconds = float(frames / info.fps)
    return Finished(out, frames, seconds, info.width, info.height, {}, unseen(wish, seconds))
