"""Subtitles: drawn into the picture, or as a track beside it that the player switches on."""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from fractions import Fraction
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from loguru import logger
from pysubs2 import Alignment, Color, SSAEvent, SSAFile, SSAStyle

from heygem.errors import OutputError, SubtitlesUnusable
from heygem.finish.ass import Pictures, ffmpeg, frame_of
from heygem.finish.base import Finish
from heygem.finish.captions import Captions, read, spoken
from heygem.finish.fonts import BOLD, Face, dispensable, faces_for, faces_named, lacked, signs
from heygem.finish.lines import broken
from heygem.media.frame import Frame
from heygem.media.probe import probe
from heygem.tick import Tick, silent

_MARGIN = 0.05
"""Room around the text, as a share of the side."""
_OUTLINE = 0.045
"""As a share of the height of a line."""
_MOST_LINES = 3
_SMALLER = (1.0, 0.9, 0.8, 0.7)
"""What the size of longer texts is multiplied with until they fit into so many lines."""
_MOVING = re.compile(r"\\(?:t|move|fade?)\s*\(|\\[kK]")
_FONT_TAG = re.compile(r"\\fn@?([^\\{}]*)")
_APOSTROPHE = re.compile("’(?=[A-Za-z])")  # as wide as a Chinese sign in Chinese fonts
_MOST_TOGETHER = 8  # texts at the same time in a track
_MOST_FONTS = 20
"""So many of the fonts that an ASS file names are looked for; another one is drawn in place of the rest."""
_LATE = "no line of the subtitles lies within the film"
_STEP = 0.1


def check(wish: Finish) -> None:
    """Raises SubtitlesUnusable, ToolMissing, and FontMissing where they are to be drawn."""
    ffmpeg()
    captions = read(Path(wish.subtitles))
    if not wish.tracked:
        _choose_fonts(captions, wish.font)


def late(subtitles: Path, seconds: float) -> list[str]:
    """What the user should know of a track for a film of this length. Raises SubtitlesUnusable."""
    return [] if _track(read(subtitles), round(seconds * 1000)).events else [_LATE]


@dataclass(frozen=True)
class _Stretch:
    """Frames (first and last) in which something is seen. moving: it changes within them."""

    first: int
    last: int
    moving: bool

    @property
    def drawn(self) -> tuple[int, int]:
        """First and last frame that are drawn: what stands still is drawn once."""
        return self.first, self.last if self.moving else self.first


class Burned:
    """Effect. size: (w, h) of the frames; height: of a line, as a share of the picture's; ASS files keep their own.

    Frames without a subtitle are not touched and cost nothing; one picture serves as long as nothing changes.
    Raises as ``check``.
    """

    name = "subtitles"

    def __init__(
        self, path: Path, size: tuple[int, int], fps: Fraction, frames: int, font: str = "", height: float = 0.065
    ) -> None:
        captions = read(path)
        faces = _choose_fonts(captions, font)
        self._file, self.note = path.name, faces[0].family
        if captions.plain:
            _style(captions.subs, faces, size, height * size[1])
        stretches = list(_stretches(captions.subs.events, fps, frames))
        self.warnings = [] if stretches else [_LATE]
        self._stretches = iter(stretches)
        self._stretch = next(self._stretches, None)
        drawn = [stretch.drawn for stretch in stretches]
        self._pictures = Pictures(captions.subs, {face.path for face in faces}, size, fps, drawn) if drawn else None

    def __call__(self, number: int, frame: Frame) -> Frame:
        while self._stretch and self._stretch.last < number:
            self._stretch = next(self._stretches, None)
        if self._pictures and self._stretch and self._stretch.first <= number:
            try:
                parts = self._pictures.at(number if self._stretch.moving else self._stretch.first)
            except EOFError as error:
                raise SubtitlesUnusable(name=self._file, reason="the program that draws them ended or hangs") from error
            for part in parts:
                part.over(frame)
        return frame

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.close()


def add_track(video: Path, subtitles: Path, tick: Tick = silent) -> None:
    """Puts the subtitles into the MP4 file ``video`` as a track (mov_text) of their language; packets of picture and
    sound stay as they are. Styles of ASS files are lost, texts at the same time stand below each other.

    Raises SubtitlesUnusable, OutputError, ToolMissing, and what ``tick`` raises; the file is then as it was.
    """
    found = probe(video)
    seconds = max(part.seconds for part in (found.video, found.sound) if part)
    track = _track(read(subtitles), round(seconds * 1000))
    if not track.events:
        return
    said = "\n".join(event.plaintext for event in track)
    part = video.with_name(video.name + ".part")
    with TemporaryDirectory(prefix="heygem-subtitles-") as folder:
        text = Path(folder) / "captions.srt"
        track.save(str(text), format_="srt", keep_ssa_tags=True)
        command = [ffmpeg(), "-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file"]
        command += ["-i", f"file:{video.absolute()}", "-i", f"file:{text}"]
        command += ["-map", "0:v", "-map", "0:a?", "-map", "1", "-c", "copy", "-c:s", "mov_text"]
        command += ["-metadata:s:s:0", f"language={_language(said)}", "-movflags", "+faststart"]
        try:
            _run([*command, "-f", "mp4", f"file:{part.absolute()}"], Path(folder) / "log", video.name, tick)
            part.replace(video)
        finally:
            part.unlink(missing_ok=True)


def _run(command: list[str], log: Path, name: str, tick: Tick) -> None:
    """Runs ffmpeg and ticks. Raises OutputError, and what the tick raises."""
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        while process.poll() is None:
            tick("finish", 0, 1)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STEP)
    finally:
        process.kill()
        process.wait()
    if process.returncode:
        said = log.read_text("utf-8", "replace").strip()
        logger.error("ffmpeg: {}", said[-1000:])
        full = os.strerror(ENOSPC)
        raise OutputError(name=name, reason=full if full in said else "the track of subtitles cannot be written")


def _choose_fonts(captions: Captions, font: str) -> list[Face]:
    """The faces that are drawn with, the most important one first. Signs that no face has and that nobody misses go;
    in ASS files, fonts that are not installed become one that is. Raises FontMissing."""
    if captions.plain:
        faces = faces_for(captions.text, font, BOLD)
    else:
        names = _font_names(captions.subs)
        named = {name: found for name, found in faces_named(islice(names, _MOST_FONTS)).items() if found}
        faces = [face for found in named.values() for face in found]
        lacking = "".join(lacked(signs(captions.text), faces))
        missing = set(map(str.casefold, names)) - named.keys()
        if lacking or missing or not named:
            spare = faces_for(lacking, font)
            faces += spare
            _rename(captions.subs, missing, spare[0].family)
    unseen = str.maketrans(dict.fromkeys(lacked(filter(_symbol, captions.text), faces), ""))
    for event in captions.subs.events:
        event.text = event.text.translate(unseen)
    return faces


def _symbol(sign: str) -> bool:
    return dispensable(sign) and not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cf")


def _font_names(subs: SSAFile) -> list[str]:
    """In the order in which the file names them."""
    tags = (tag.strip() for event in subs.events for tag in _FONT_TAG.findall(event.text))
    names = (*(style.fontname.lstrip("@") for style in subs.styles.values()), *tags)
    return [name for name in dict.fromkeys(names) if name]


def _rename(subs: SSAFile, missing: set[str], family: str) -> None:
    """Gives ``family`` to what asks for one of the missing fonts (in lower case)."""

    def tag(found: re.Match[str]) -> str:
        return f"\\fn{family}" if found[1].strip().casefold() in missing else found[0]

    for style in subs.styles.values():
        style.fontname = family if style.fontname.lstrip("@").casefold() in missing else style.fontname
    for event in subs.events:
        event.text = _FONT_TAG.sub(tag, event.text)


def _style(subs: SSAFile, faces: list[Face], size: tuple[int, int], height: float) -> None:
    """White with a thin dark outline, at the bottom, in few lines. height: of a line, in pixels."""
    outline = max(height * _OUTLINE, 1.0)
    margin = round(size[0] * _MARGIN)
    subs.info = {"PlayResX": str(size[0]), "PlayResY": str(size[1]), "WrapStyle": "2", "ScaledBorderAndShadow": "yes"}
    subs.styles["Default"] = SSAStyle(
        fontname=faces[0].family,
        fontsize=height,
        bold=True,
        primarycolor=Color(255, 255, 255),
        outlinecolor=Color(16, 16, 16),
        outline=outline,
        shadow=0,
        alignment=Alignment.BOTTOM_CENTER,
        marginl=margin,
        marginr=margin,
        marginv=round(size[1] * _MARGIN),
    )

    advances = ChainMap(*(face.advances for face in faces))

    def width(sign: str) -> float:
        return advances.get(ord(sign), 0.0) * height

    room = size[0] - 2 * (margin + outline)
    for event in subs.events:
        event.text = _arranged(_APOSTROPHE.sub("'", event.text), width, room, height)


def _arranged(text: str, width: Callable[[str], float], room: float, height: float) -> str:
    """The text in lines, smaller where it needs too many."""
    most = max(_MOST_LINES, text.count("\\N") + 1)
    for smaller in _SMALLER:
        lines = broken(text, width, room / smaller)
        if len(lines) <= most:
            break
    size = "" if smaller == 1 else f"{{\\fs{height * smaller:.1f}}}"
    return size + "\\N".join(lines)


def _stretches(events: Iterable[SSAEvent], fps: Fraction, frames: int) -> Iterator[_Stretch]:
    changes: list[tuple[int, int, int]] = []
    for event in events:
        event.start, event.end = (round(time, -1) for time in (event.start, event.end))  # ASS has no shorter ones
        first, after = frame_of(event.start, fps), min(frame_of(event.end, fps), frames)
        moving = bool(event.effect or _MOVING.search(event.text))
        if first < after:
            changes += [(first, 1, moving), (after, -1, -moving)]
    since = seen = moving = 0
    for frame, changed in groupby(sorted(changes), itemgetter(0)):
        if seen:
            yield _Stretch(since, frame - 1, moving > 0)
        for _, more, more_moving in changed:
            seen, moving = seen + more, moving + more_moving
        since = frame


def _track(captions: Captions, ms: int) -> SSAFile:
    """The bare texts until ``ms``; a track shows one at a time, so those at the same time become one."""
    changes: list[tuple[int, bool, int]] = []
    texts = ["\\N".join(spoken(event.text)) for event in captions.subs.events]
    for number, event in enumerate(captions.subs.events):
        start, end = max(event.start, 0), min(event.end, ms)
        if start < end and texts[number]:
            changes += [(start, True, number), (end, False, number)]
    track, shown, since = SSAFile(), dict[int, str](), 0
    for time, changed in groupby(sorted(changes), itemgetter(0)):
        if shown:
            track.append(SSAEvent(since, time, "\\N".join(islice(shown.values(), _MOST_TOGETHER))))
        for _, begins, number in changed:
            if begins:
                shown[number] = texts[number]
            else:
                del shown[number]
        since = time
    return track


def _language(text: str) -> str:
    """ISO 639-2 by the kind of signs; "und" where they do not tell."""
    scripts = (("jpn", "\u3040-\u30ff"), ("kor", "\uac00-\ud7af"), ("zho", "\u4e00-\u9fff"))
    letters = sum(map(str.isalpha, text))
    for language, kind in scripts:
        if len(re.findall(f"[{kind}]", text)) > 0.1 * letters:
            return language
    return "eng" if letters and text.isascii() else "und"
