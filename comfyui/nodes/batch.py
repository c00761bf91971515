"""Many takes: pairs from a folder or a table come in as lists, and a report of all of them goes out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..compat import io, new, ui
from ..inputs import choice, result, schema, socket, switch, text
from ..paths import copied, film_stem, inside, readable, saved, shown, state
from ..running import plain_words

if TYPE_CHECKING:
    from heygem.report import Line

_WHERE = "a folder, or a CSV file with the columns video, audio and name, inside of ComfyUI's input folder"


class PairList(io.ComfyNode):
    NEEDS = ("av", "natsort")

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemPairList",
            "HeyGem pair list",
            "Pairs of videos and voices as lists, of a folder in natural order, of a table in the order of its rows: "
            "what follows runs once for each.",
            [
                text("source", "", f"{_WHERE}; in a folder files with the same name belong together"),
                inputs.count("first", 0, 0, 100_000, "so many pairs are left out at the beginning"),
                inputs.count("most", 0, 0, 100_000, "how many pairs; 0: all"),
            ],
            [
                result(io.Video, "video", "videos and photos", is_output_list=True),
                result(io.Audio, "audio", "the voice of each", is_output_list=True),
                result(io.String, "name", "the name of each", is_output_list=True),
                result(io.Int, "count", "how many"),
            ],
            search_aliases=["load folder", "batch", "csv", "批量"],
        )

    @classmethod
    def execute(cls, source: str, first: int = 0, most: int = 0) -> Any:
        from heygem.errors import OptionInvalid
        from heygem.pairs import pairs

        with plain_words():
            found = pairs(readable(source, "source"))
            if strange := next((path for one in found for path in (one.video, one.audio) if not inside(path)), None):
                where = "files inside of ComfyUI's input folder"
                raise OptionInvalid(
                    option="source", value=f"a list that names “{strange.name}” elsewhere", allowed=where
                )
            if first >= len(found):
                allowed = f"a number below {len(found)}, the number of pairs"
                raise OptionInvalid(option="first", value=first, allowed=allowed)
            found = found[first : first + most if most else None]
        videos = [sockets.as_video(one.video) for one in found]
        audios = [sockets.FileAudio(one.audio) for one in found]
        return io.NodeOutput(videos, audios, [one.name for one in found], len(found))

    @classmethod
    def validate_inputs(cls, source: str | None = None) -> bool | str:
        if source is None:  # comes from another node, which has not run yet
            return True
        from heygem.errors import HeyGemError

        try:
            readable(source, "source")
        except HeyGemError as error:
            return f"{error.message} {error.hint}"
        return True

    @classmethod
    def fingerprint_inputs(cls, source: str | None = None, **_: Any) -> str:
        from heygem.errors import HeyGemError

        if source is None:
            return ""
        try:
            place = readable(source, "source")
            files = sorted(place.iterdir()) if place.is_dir() else _named_in(place)
        except HeyGemError as error:
            return error.message
        return "\n".join(state(path) for path in (place, *files))


class BatchReport(io.ComfyNode):
    NEEDS = ()

    @classmethod
    def define_schema(cls) -> Any:
        line = sockets.HeyGemLine
        return schema(
            "HeyGemBatchReport",
            "HeyGem batch report",
            "Collects what became of all items of a list; saves their videos under their names, and a report.",
            [
                socket(line, "lines", "of “HeyGem talking head” or “HeyGem retry”", optional=True, lazy=True),
                socket(line, "skipped", "of “HeyGem face gate”", optional=True),
                text("name", "HeyGem/batch", "folder and name in ComfyUI's output folder"),
                choice("format", ["csv", "json", "both"], "csv", "CSV opens in spreadsheets, JSON is for programs"),
                switch("save_videos", True, "off: the videos only stay where other nodes save them"),
            ],
            [
                result(io.String, "report", "all of it, in words"),
                result(io.Int, "done", "how many worked out"),
                result(io.Int, "failed", "how many did not"),
                result(io.Int, "skipped", "how many were left out"),
                result(io.String, "file", "of the report, in the output folder"),
            ],
            search_aliases=["collect", "summary", "批量报告"],
            is_input_list=True,
            is_output_node=True,
        )

    @classmethod
    def check_lazy_status(cls, lines: Any = None, skipped: Any = None, **_: Any) -> list[str]:
        """Where a gate lets nothing through, lines would never come, and no report either."""
        unknown = lines is not None and list(lines) == [None]
        return ["lines"] if unknown and sockets.NONE_PASSED not in (skipped or ()) else []

    @classmethod
    def execute(
        cls,
        name: list[str],
        format: list[str],
        save_videos: list[bool],
        lines: Sequence[Any] | None = None,
        skipped: Sequence[Any] | None = None,
    ) -> Any:
        from heygem.report import DONE, FAILED, SKIPPED, Line, write_report

        known = [line for line in (*(lines or ()), *(skipped or ())) if isinstance(line, Line)]
        with plain_words():
            out = saved(name[0], ".csv")
            rows = _kept(known, out.with_suffix("")) if save_videos[0] else [_without_places(line) for line in known]
            suffixes = {"csv": [".csv"], "json": [".json"], "both": [".csv", ".json"]}[format[0]]
            files = [write_report(rows, out.with_suffix(suffix)) for suffix in suffixes]
        counts = [sum(line.state == state for line in rows) for state in (DONE, FAILED, SKIPPED)]
        said = "\n".join([f"done {counts[0]}, failed {counts[1]}, skipped {counts[2]}", *map(_words, rows)])
        return io.NodeOutput(said, *counts, shown(files[0]), ui=new(ui.PreviewText, said))


def _named_in(table: Path) -> list[Path]:
    """All files of a table, in whatever folder. Raises PairsUnusable."""
    from heygem.pairs import pairs

    return [path for one in pairs(table) for path in (one.video, one.audio)]


def _kept(lines: Sequence[Line], folder: Path) -> list[Line]:
    """The same with their videos in ``folder``, under the names of the items."""
    from heygem.names import distinct

    folder.mkdir(parents=True, exist_ok=True)
    names = distinct(film_stem(line.name) for line in lines)
    return [
        _without_places(line, _moved(line, folder / f"{name}.mp4")) for line, name in zip(lines, names, strict=True)
    ]


def _moved(line: Line, out: Path) -> str:
    """Where the video of a line lies now. It also stays where it was: other nodes may still read it."""
    if not line.result:
        return ""
    try:
        os.link(line.result, out)
    except OSError:  # another disk, or one without links
        copied(Path(line.result), out)
    return shown(out)


def _without_places(line: Line, result: str | None = None) -> Line:
    return replace(line, result=Path(line.result).name if result is None else result)


def _words(line: Line) -> str:
    score = "" if line.score is None else f", score {line.score:g}"
    return f"{line.name}: {line.state}{score}{f', {line.message}' if line.message else ''}"


NODES = [PairList, BatchReport]
