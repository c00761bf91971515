"""``heygem compare A B …`` and ``heygem compare --video V --audio A --set …``: films side by side."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heygem.commands import options
from heygem.errors import OptionInvalid
from heygem.names import free

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the command to the subparsers of ``heygem``."""
    parser = commands.add_parser("compare", help="films side by side, or one person with several sets of options")
    parser.add_argument("videos", type=Path, nargs="*", metavar="VIDEO", help="2 to 9 films")
    parser.add_argument("--labels", metavar="A,B", help="what stands over each, with commas; default: the file names")
    parser.add_argument("--video", type=Path, metavar="FILE", help="instead of films: the person, for every --set")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="and the voice")
    text = "options of one take, like strength=0.8,region=mouth; once for each; “” for the others as they are"
    parser.add_argument("--set", action="append", default=[], metavar="OPTIONS", dest="sets", help=text)
    where = "the result, .mp4, replaced if it exists; default: compare.mp4 in the current folder"
    parser.add_argument("--out", type=Path, metavar="FILE", help=where)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    options.add(parser, options.ONCE)
    parser.set_defaults(run=_compare)


def _compare(args: argparse.Namespace, check: Check) -> int:
    wish, out = options.of_one(args), (args.out or free(Path("compare.mp4"))).absolute()
    if args.sets or args.video or args.audio:
        if args.videos or not (args.video and args.audio and args.sets):
            raise OptionInvalid(option="compare", value="called so", allowed="films, or --video, --audio and --set")
        rows = _variants(args, wish, out, check)
    else:
        rows = _films(args, wish.quality, out, check)
    if args.json:
        print(json.dumps({"path": str(out), "shown": rows}, ensure_ascii=False))
    else:
        print(out)
        for row in rows:
            print(f"{row['label']}: quality {row['score']}" if "score" in row else row["label"])
    return 0


def _films(args: argparse.Namespace, quality: str, out: Path, check: Check) -> list[dict[str, Any]]:
    from heygem.finish.compare import compare
    from heygem.progress import shown

    labels = _labels(args.labels, [video.stem for video in args.videos])
    with shown(check) as tick:
        compare(args.videos, labels, out, quality, tick)
    return [{"label": label} for label in labels]


def _variants(args: argparse.Namespace, wish: Any, out: Path, check: Check) -> list[dict[str, Any]]:
    from heygem import settings
    from heygem.progress import shown
    from heygem.variants import variants

    labels = _labels(args.labels, [text.replace(",", ", ") or "as it is" for text in args.sets])
    sets = [(label, options.changed(wish, text)) for label, text in zip(labels, args.sets, strict=True)]
    with shown(check) as tick:
        takes = variants(args.video, args.audio, sets, out, tick, settings.load().cache)
    return [{"label": label, "score": take.quality.get("score")} for label, take in zip(labels, takes, strict=True)]


def _labels(given: str | None, usual: list[str]) -> list[str]:
    """Raises OptionInvalid where there are too many or too few."""
    labels = usual if given is None else [label.strip() for label in given.replace("，", ",").split(",")]
    if len(labels) != len(usual):
        allowed = f"{len(usual)}, with commas between them"
        raise OptionInvalid(option="labels", value=f"{len(labels)} of them", allowed=allowed)
    return labels
