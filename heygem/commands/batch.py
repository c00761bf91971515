"""``heygem pairs SOURCE | batch SOURCE --out FOLDER``: many takes, from a folder or a table, with a report."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.commands import options
from heygem.errors import HeyGemError, NoFace, OptionInvalid, OutputError

if TYPE_CHECKING:
    from heygem.pairs import Pair
    from heygem.pipeline import Options
    from heygem.report import Line

Check = Callable[[], None]
LOOKED_AT = 16
"""Frames of a video that are looked at for a face."""
_SOURCE = "a folder of videos and voices, or a table (CSV) with the columns video, audio and name"


def register(commands: Any) -> None:
    """Adds the commands to the subparsers of ``heygem``."""
    shown = commands.add_parser("pairs", help="which video of a folder or table would speak which voice")
    shown.add_argument("source", type=Path, metavar="SOURCE", help=_SOURCE)
    shown.add_argument("--json", action="store_true", help="one JSON list on standard output")
    shown.set_defaults(run=_pairs)
    batch = commands.add_parser("batch", help="many takes from a folder or table; goes on where it was stopped")
    batch.add_argument("source", type=Path, metavar="SOURCE", help=_SOURCE)
    batch.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="results, <name>.mp4 each")
    batch.add_argument(
        "--report", type=Path, metavar="FILE", help="what became of each, .csv or .json; default: FOLDER/report.csv"
    )
    policy = "what follows when one fails: the others (skip, default), or the end (stop)"
    batch.add_argument("--on-error", choices=("skip", "stop"), default="skip", help=policy)
    faces = "videos without a usable face are left out (skip, default), or nothing begins where there is one (need)"
    batch.add_argument("--faces", choices=("skip", "need"), default="skip", help=faces)
    batch.add_argument("--json", action="store_true", help="the report as one JSON list on standard output")
    options.add(batch)
    batch.set_defaults(run=_batch)


def _pairs(args: argparse.Namespace, check: Check) -> int:
    from heygem.pairs import pairs

    found = pairs(args.source)
    if args.json:
        rows = [{"name": pair.name, "video": str(pair.video), "audio": str(pair.audio)} for pair in found]
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for pair in found:
            print(f"{pair.name}: {pair.video.name} speaks {pair.audio.name}")
    return 0


def _batch(args: argparse.Namespace, check: Check) -> int:
    from heygem import settings
    from heygem.engines import cards
    from heygem.finish import effects
    from heygem.pairs import pairs
    from heygem.progress import Stopped
    from heygem.report import check_report

    wish, out = options.of_one(args), args.out.resolve()
    report = (args.report or out / "report.csv").absolute()
    check_report(report)
    config = settings.load()
    cards.check(wish.engine, wish.style, config)
    effects.check(wish.finish, wish.style.device)
    run = _Run(pairs(args.source), out, report, wish, config.cache, check)
    run.check_place(args.source)
    if args.faces == "need":
        run.need_faces()
    try:
        run.all(stop=args.on_error == "stop")
    except Stopped as stop:
        stop.kept = f"{len(run.lines)} of {len(run.pairs)} are over, see {report}"
        raise
    return run.end(as_json=args.json)


@dataclass
class _Run:
    """The takes of one batch. lines: of those that are over."""

    pairs: Sequence[Pair]
    out: Path
    report: Path
    wish: Options
    cache: Path
    check: Check
    lines: list[Line] = field(default_factory=list)
    _looked: dict[Path, tuple[int, bool]] = field(default_factory=dict)  # video -> frames looked at, has it a face?

    def target(self, pair: Pair) -> Path:
        return self.out / f"{pair.name}.mp4"

    def check_place(self, source: Path) -> None:
        """Makes the folder. Raises OptionInvalid where a result or the report would replace what is read here, or
        results would be the inputs of the next time; OutputError."""
        inputs = {path.resolve() for pair in self.pairs for path in (pair.video, pair.audio)} | {source.resolve()}
        if taken := inputs & {self.out, self.report.resolve(), *map(self.target, self.pairs)}:
            allowed = "another --out or --report: this is read"
            raise OptionInvalid(option="a result", value=f"written to {min(taken)}", allowed=allowed)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(name=str(self.out), reason=error.strerror or str(error)) from error

    def need_faces(self) -> None:
        """Raises NoFace for the first video without one."""
        for pair in self.pairs:
            self._need_face(pair.video)

    def all(self, stop: bool) -> None:
        """Makes one take after the other; the report is written anew after each, and before, to see that it can be."""
        from heygem.report import FAILED, write_report

        write_report(self.lines, self.report)
        for n, pair in enumerate(self.pairs, 1):
            print(f"{n}/{len(self.pairs)} {pair.name}", file=sys.stderr, flush=True)
            self.lines.append(line := self._line(pair))
            write_report(self.lines, self.report)
            if line.message:
                print(f"{line.state}: {line.message}", file=sys.stderr, flush=True)
            if stop and line.state == FAILED:
                return

    def end(self, as_json: bool) -> int:
        """Says how it went. 1 where one failed, else 0."""
        from heygem.report import DONE, FAILED, SKIPPED

        counts = Counter(line.state for line in self.lines)
        if as_json:
            print(json.dumps([vars(line) for line in self.lines], ensure_ascii=False))
        else:
            print(self.report)
            print(", ".join(f"{counts[state]} {state}" for state in (DONE, FAILED, SKIPPED)))
        return int(bool(counts[FAILED]))

    def _line(self, pair: Pair) -> Line:
        from loguru import logger

        from heygem.report import FAILED, SKIPPED, Line

        place = pair.name, str(pair.video), str(pair.audio)
        if line := self._made_before(pair):
            return line
        try:
            return self._made(pair)
        except NoFace as error:
            state, code, message = SKIPPED, error.code, error.message
        except HeyGemError as error:
            state, code, message = FAILED, error.code, error.message
        except Exception as error:  # the others must have their turn
            logger.exception("{} failed", pair.name)
            state, code, message = FAILED, HeyGemError.code, f"{type(error).__name__}: {error}"
        name, video, audio = place
        return Line(name, state, video, audio, code=code, message=message)

    def _made(self, pair: Pair) -> Line:
        from heygem.progress import shown
        from heygem.report import DONE, Line
        from heygem.retake import retake

        self._need_face(pair.video)
        with shown(self.check) as tick:
            take = retake(pair.video, pair.audio, self.target(pair), self.wish, tick, self.cache).take
        score = take.quality.get("score")
        return Line(pair.name, DONE, str(pair.video), str(pair.audio), str(take.path), score, take.seconds)

    def _made_before(self, pair: Pair) -> Line | None:
        """The result that an earlier run made of the same files: whole, with its record, and younger than they are."""
        from heygem.report import DONE, Line

        out = self.target(pair)
        try:
            record = json.loads(out.with_suffix(".take.json").read_text("utf-8"))
            made = out.stat().st_mtime
            fresh = all(path.stat().st_mtime <= made for path in (pair.video, pair.audio))
            names = [record.get("video") or pair.video.name, *record["voices"].values()]  # older records name no video
            if not fresh or names != [pair.video.name, pair.audio.name]:
                return None
            facts = record["quality"].get("score"), record["seconds"]
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None
        message = "it was there already"
        return Line(pair.name, DONE, str(pair.video), str(pair.audio), str(out), *facts, message=message)

    def _need_face(self, video: Path) -> None:
        """Raises NoFace where a quick look finds none, and what the reader raises."""
        from heygem.detect import look_at

        if video not in self._looked:
            seen = look_at(video, LOOKED_AT)
            self._looked[video] = len(seen), any(frame.usable for frame in seen)
        frames, found = self._looked[video]
        if not found:
            raise NoFace(name=video.name, frames=frames)
