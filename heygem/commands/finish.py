"""``heygem compose | subtitle | enhance VIDEO``: what may be done to the pictures of a film that exists already."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.names import free

if TYPE_CHECKING:
    from heygem.finish.film import Finished

Check = Callable[[], None]

COMPOSE = {
    "background": (str, "blur|#rrggbb|FILE", "what stands behind the person: a blur, a colour, a picture or a video"),
    "cutout": (
        str,
        "person|#rrggbb",
        "how the person is cut out: found in the picture, or before a screen of this colour",
    ),
    "logo": (str, "FILE", "a picture, best with transparency"),
    "logo-place": (str, "top-left|top-right|bottom-left|bottom-right", "its corner"),
    "logo-size": (float, "0.02..1", "its width as a share of the picture's"),
    "logo-opacity": (float, "0..1", "0 cannot be seen, 1 covers"),
}
SUBTITLE = {
    "captions": (str, "burn|track", "drawn into the picture, or beside it, to be switched on in the player"),
    "font": (str, "NAME", "an installed font; default: one that has all signs"),
    "subtitle-size": (float, "0.02..0.2", "height of a line as a share of the picture's"),
}
"""Option -> type, allowed values, help. The defaults stand in Finish alone."""


def register(commands: Any) -> None:
    """Adds the commands to the subparsers of ``heygem``."""
    compose = _add(commands, "compose", _compose, "another background, a logo", "composed")
    _add_options(compose, COMPOSE)
    subtitle = _add(commands, "subtitle", _subtitle, "subtitles, in the picture or as a track", "subtitled")
    subtitle.add_argument("subtitles", metavar="FILE", help="SRT, ASS, WebVTT or text with times")
    _add_options(subtitle, SUBTITLE)
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
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda", help="where to compute")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=run, suffix=suffix)
    return parser


def _add_options(parser: argparse.ArgumentParser, options: dict[str, tuple[type, str, str]]) -> None:
    for name, (kind, values, text) in options.items():
        parser.add_argument(f"--{name}", type=kind, metavar=values, help=text, default=argparse.SUPPRESS)


def _compose(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, _given(args, COMPOSE))


def _subtitle(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, {"subtitles": args.subtitles, **_given(args, SUBTITLE)})


def _enhance(args: argparse.Namespace, check: Check) -> int:
    return _finish(args, check, {"enhance": args.amount})


def _given(args: argparse.Namespace, options: dict[str, tuple[type, str, str]]) -> dict[str, Any]:
    names = (name.replace("-", "_") for name in options)
    return {name: getattr(args, name) for name in names if hasattr(args, name)}


def _finish(args: argparse.Namespace, check: Check, wish: dict[str, Any]) -> int:
    """One film, shown on the terminal."""
    from heygem.finish.base import Finish
    from heygem.finish.film import finish
    from heygem.progress import shown

    out = args.out or free(Path(f"{args.video.stem}_{args.suffix}.mp4"))
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
