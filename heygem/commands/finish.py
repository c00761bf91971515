"""``heygem compose | subtitle | enhance VIDEO``: what may be done to the pictures of a film that exists already."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.commands import options
from heygem.names import clean_stem, free

if TYPE_CHECKING:
    from heygem.finish.film import Finished

Check = Callable[[], None]

COMPOSE = ("background", "cutout", "logo", "logo_place", "logo_size", "logo_opacity")
SUBTITLE = ("captions", "font", "subtitle_size")
"""What the commands share with a take."""


def register(commands: Any) -> None:
    """Adds the commands to the subparsers of ``heygem``."""
    compose = _add(commands, "compose", _compose, "another background, a logo", "composed")
    options.add(compose, _part(COMPOSE))
    subtitle = _add(commands, "subtitle", _subtitle, "subtitles, in the picture or as a track", "subtitled")
    subtitle.add_argument("subtitles", metavar="FILE", help="SRT, ASS, WebVTT or text with times")
    options.add(subtitle, _part(SUBTITLE))
    enhance = _add(commands, "enhance", _enhance, "a sharper face", "enhanced")
    enhance.add_argument("--amount", type=float, default=1.0, metavar="0..1", help="how much; default: 1, all of it")


def _add(commands: Any, name: str, run: Callable[..., int], text: str, suffix: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=f"a finished video: {text}")
    parser.add_argument("video", type=Path, metavar="VIDEO")
    place = f"<video>_{suffix}.mp4 in the current folder"
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"the result, .mp4, replaced if it exists; default: {place}"
    )
    parser.add_argument(
        "--quality", default="standard", metavar="draft|standard|high", help="how well the result is encoded"
    )
    _, devices, text = options.STYLE["device"]
    parser.add_argument("--device", default="auto", choices=devices.split("|"), metavar=devices, help=text)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run, suffix=suffix)
    return parser


def _compose(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, _given(args, COMPOSE))


def _subtitle(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, {"subtitles": args.subtitles, **_given(args, SUBTITLE)})


def _enhance(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, {"enhance": args.amount})


def _part(names: Sequence[str]) -> dict[str, Any]:
    return {name: options.FINISH[name] for name in names}


def _given(args: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if hasattr(args, name)}


def _finish(args: argparse.Namespace, check: Check, wish: dict[str, Any]) -> int:
    """One film, shown on the terminal."""
    from heygem.finish.base import Finish
    from heygem.finish.film import finish
    from heygem.progress import shown

    out = args.out or free(Path(f"{clean_stem(args.video.name)}_{args.suffix}.mp4"))
    with shown(check) as tick:
        done = finish(args.video, out.absolute(), Finish(**wish), args.quality, args.device, tick)
    if args.json:
        print(json.dumps(done.as_dict(), ensure_ascii=False))
    else:
        print(done.path)
        print(_facts(done))
        for warning in done.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    return 0


def _facts(done: Finished) -> str:
    notes = "".join(f"; {effect}: {note}" for effect, note in done.notes.items())
    return f"{done.seconds:.2f} s, {done.frames} frames, {done.width}x{done.height}{notes}"
