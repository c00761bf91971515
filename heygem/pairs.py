"""Pair: a video and the voice that it speaks, many of them from a folder or from a table."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from natsort import natsorted, ns

from heygem.errors import FileMissing, InputError, PairsUnusable
from heygem.media.probe import probe
from heygem.names import clean_stem, distinct

COLUMNS = {"video": "video", "视频": "video", "audio": "audio", "音频": "audio", "name": "name", "名称": "name"}
"""Heading in a table -> what stands below it."""
NAMED = 5
"""How many files or rows an error names at most."""
LARGEST = 16 << 20
"""Bytes of a table: what is larger is none."""

# What a file is said to be that cannot be read: it must fail by itself, not be overlooked.
_FILMS = ".mp4 .m4v .mov .mkv .webm .avi .flv .ts .mpg .mpeg .wmv .jpg .jpeg .png .webp .bmp .tif .tiff .heic .avif"
_SOUNDS = ".wav .mp3 .m4a .aac .flac .ogg .oga .opus .amr .aiff .wma"


@dataclass(frozen=True)
class Pair:
    """name: harmless, and like no other of its list in any case of letters."""

    video: Path
    audio: Path
    name: str


def pairs(source: Path) -> list[Pair]:
    """The pairs of a folder, in natural order, or of a CSV file, in the order of its rows.

    Of a folder all plain files count whose content is a video, a photo or a sound; folders inside of it, hidden and
    half-written files do not. What has pictures is a video. A table has the columns video, audio and, if wanted, name,
    in any order, with commas, semicolons or tabs between them, in UTF-8 or GB18030; its paths begin at its folder.

    Raises FileMissing, PairsUnusable.
    """
    if _is(Path.is_file, source):
        return _table(source)
    if _is(Path.is_dir, source):
        return pairs_of(*_sorted_out(source))
    raise FileMissing(name=source.name)


def pairs_of(videos: Sequence[Path], sounds: Sequence[Path]) -> list[Pair]:
    """One sound goes with all videos, one video with all sounds, several of both by their names without suffix.

    Raises PairsUnusable where a file has no partner or could have several.
    """
    if not videos:
        raise PairsUnusable(reason="there is no video or photo")
    if not sounds:
        raise PairsUnusable(reason="there is no voice")
    if len(sounds) == 1:
        return _named((video, sounds[0], video.stem) for video in videos)
    if len(videos) == 1:
        return _named((videos[0], sound, sound.stem) for sound in sounds)
    films, voices = _by_stem(videos), _by_stem(sounds)
    lonely = [path for path in (*videos, *sounds) if (_key(path) in films) != (_key(path) in voices)]
    if lonely:
        raise PairsUnusable(reason="these files have no partner", names=_some(path.name for path in lonely))
    return _named((video, voices[key], video.stem) for key, video in films.items())


def _by_stem(paths: Sequence[Path]) -> dict[str, Path]:
    """Raises PairsUnusable where two have the same."""
    found: dict[str, Path] = {}
    for path in paths:
        if (other := found.setdefault(_key(path), path)) is not path:
            names = _some((other.name, path.name))
            raise PairsUnusable(reason="several files of one kind have the same name", names=names)
    return found


def _key(path: Path) -> str:
    return unicodedata.normalize("NFC", path.stem).casefold()  # systems differ in how they write an é


def _named(found: Iterable[tuple[Path, Path, str]]) -> list[Pair]:
    rows = list(found)
    names = distinct(clean_stem(f"{name}.mp4") for _, _, name in rows)
    return [Pair(video, audio, name) for (video, audio, _), name in zip(rows, names, strict=True)]


def _some(names: Iterable[str]) -> str:
    known = list(names)
    return f" ({', '.join([*known[:NAMED], *(['…'] if len(known) > NAMED else [])])})"


def _sorted_out(folder: Path) -> tuple[list[Path], list[Path]]:
    """(videos and photos, sounds) of a folder, in natural order. Raises PairsUnusable."""
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError as error:
        raise PairsUnusable(reason="the folder cannot be read", names=f" ({error.strerror})") from error
    shown = [path for path in files if not path.name.startswith(".") and path.suffix != ".part"]
    videos, sounds = [], []
    for path in natsorted(shown, key=lambda path: path.name, alg=ns.IGNORECASE):
        try:
            known = probe(path)
        except InputError:
            suffix = path.suffix.lower()
            film, sound = suffix in _FILMS.split(), suffix in _SOUNDS.split()
        else:
            film, sound = known.video is not None, known.video is None
        (videos if film else sounds if sound else []).append(path)
    return videos, sounds


def _table(file: Path) -> list[Pair]:
    rows = _rows(_text(file))
    if not rows:
        raise PairsUnusable(reason="the table has no rows below the first")
    empty = [str(number) for number, row in rows if not (row["video"] and row["audio"])]
    if empty:
        raise PairsUnusable(reason="these rows name no video or no audio", names=_some(empty))
    found = [(file.parent / row["video"], file.parent / row["audio"], row.get("name", "")) for _, row in rows]
    missing = [
        f"{number}: {path.name}"
        for (number, _), (video, audio, _) in zip(rows, found, strict=True)
        for path in (video, audio)
        if not _is(Path.is_file, path)
    ]
    if missing:
        raise PairsUnusable(reason="these rows name files that are not there", names=_some(missing))
    return _named((video, audio, name.removesuffix(".mp4") or video.stem) for video, audio, name in found)


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError:  # a cell may hold anything: too long for a name, in a folder that is locked
        return False


def _text(file: Path) -> str:
    try:
        with file.open("rb") as table:
            data = table.read(LARGEST + 1)
    except OSError as error:
        raise PairsUnusable(reason="the table cannot be read", names=f" ({error.strerror})") from error
    if len(data) > LARGEST:
        raise PairsUnusable(reason="the table cannot be read", names=f" (> {LARGEST >> 20} MiB)")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PairsUnusable(reason="its text is neither UTF-8 nor GB18030")


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """(number of the row as a spreadsheet counts, column -> cell), without empty ones. The first row tells what lies
    between the cells."""
    for delimiter in ",;\t":
        table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            columns = [COLUMNS.get(cell.strip().lower(), "") for cell in next(table, [])]
        except csv.Error:  # quoted cells with something else between them
            continue
        if {"video", "audio"} <= set(columns):
            try:
                rows = list(table)
            except csv.Error as error:  # a quotation mark that never ends, say
                raise PairsUnusable(reason="the table cannot be read", names=f" ({error})") from error
            cells = [(n, [cell.strip() for cell in row]) for n, row in enumerate(rows, 2)]
            padded = [(n, row + [""] * (len(columns) - len(row))) for n, row in cells if any(row)]
            return [(n, {name: cell for name, cell in zip(columns, row, strict=False) if name}) for n, row in padded]
    raise PairsUnusable(reason="the first row of the table does not name the columns video and audio")
