"""The command line: ``heygem lipsync | demo | doctor | bench | serve | jobs | deliveries | notify | …``.

It wires; others do the work. Exit codes: 0 done, 1 failed, 2 called wrongly (also an option outside its range), 130 and
143 stopped by a signal. Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heygem import __version__
from heygem.bench import command as measuring
from heygem.commands import (
    batch,
    compare,
    deliveries,
    detect,
    engines,
    finish,
    jobs,
    notify,
    options,
    say,
    storage,
    users,
    weights,
)
from heygem.errors import HeyGemError, OptionInvalid
from heygem.names import clean, clean_stem, free

if TYPE_CHECKING:
    from heygem.pipeline import Take
    from heygem.retake import Try

Check = Callable[[], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be of another encoding
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # PyTorch's threads leave the cores to others while they wait
    from heygem.progress import Stopped, stoppable

    try:
        with stoppable() as check:
            return args.run(args, check)
    except HeyGemError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        print(f"hint: {error.hint}", file=sys.stderr)
        return 2 if isinstance(error, OptionInvalid) else 1
    except Stopped as stop:
        print(f"stopped; {stop.kept}", file=sys.stderr, flush=True)
        os._exit(128 + stop.number)  # all is cleaned up; the libraries' own way out may take seconds on a busy machine
    finally:
        from loguru import logger

        logger.enable("heygem")  # a command that says all on the terminal may have muted it, for itself alone


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("heygem", description="A voice and a face in, a talking video out.")
    parser.add_argument("--version", action="version", version=f"heygem {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    lipsync = commands.add_parser("lipsync", help="make the person in a video or photo speak a recording")
    lipsync.add_argument("--audio", type=Path, metavar="FILE", help="the voice: sound, or a video with sound")
    lipsync.add_argument("--text", help="what to say, instead of --audio: it is spoken first")
    say.add_voice(lipsync)
    lipsync.add_argument("--video", type=Path, required=True, metavar="FILE", help="the person: a video or a photo")
    _add_output(lipsync, "<video>_<audio>.mp4 in the current folder")
    options.add(lipsync)
    lipsync.set_defaults(run=_lipsync)

    demo = commands.add_parser("demo", help="a first result without any file of your own")
    _add_output(demo, "heygem_demo.mp4 in the current folder")
    demo.set_defaults(run=_demo)

    doctor = commands.add_parser("doctor", help="what works on this machine, and the remedy for what does not")
    doctor.add_argument("--json", action="store_true", help="one JSON list on standard output")
    doctor.set_defaults(run=_doctor)

    measuring.register(commands)

    serve = commands.add_parser("serve", help="the page in the browser, as “python app.py”")
    serve.add_argument("--host", help="address to listen on")
    serve.add_argument("--port", help="port")
    serve.set_defaults(run=_serve)
    for group in (batch, compare, detect, engines, finish, jobs, deliveries, notify, say, storage, users, weights):
        group.register(commands)
    return parser


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"the result, .mp4, replaced if it exists; default: {default}"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _lipsync(args: argparse.Namespace, check: Check) -> int:
    with say.spoken(args, check):
        voices = _voices(args)
        said = clean("_".join(path.stem for path in voices.values()))
        out = args.out or free(Path(f"{clean_stem(args.video.name)}_{said}.mp4"))
        _make(args, check, args.video, out, voices)
    return 0


def _voices(args: argparse.Namespace) -> dict[int, Path]:
    """The recording of every face that speaks: of one by --audio and --face N, or of each by --face N=FILE."""
    faces = getattr(args, "face", None) or [(options.of(args).face, None)]
    numbers = [number for number, _ in faces]
    if args.audio and any(voice for _, voice in faces):
        raise OptionInvalid(option="audio", value="given beside --face N=FILE", allowed="one of the two")
    if args.audio and len(faces) > 1:
        raise OptionInvalid(option="face", value=numbers, allowed="one face, or a voice for each: --face N=FILE")
    if len(set(numbers)) < len(numbers):
        raise OptionInvalid(
            option="face", value=f"{max(numbers, key=numbers.count)} twice", allowed="one voice for each face"
        )
    voices = {number: voice or args.audio for number, voice in faces}
    if None in voices.values():
        allowed = "--audio FILE, --text TEXT, or --face N=FILE for each face"
        raise OptionInvalid(option="audio", value="left out", allowed=allowed)
    return voices


def _demo(args: argparse.Namespace, check: Check) -> int:
    from tempfile import TemporaryDirectory

    from heygem import samples

    with TemporaryDirectory() as folder:
        picture = samples.portrait(Path(folder, "portrait.png"))
        _make(args, check, picture, args.out or free(Path("heygem_demo.mp4")), {0: samples.voice()})
    return 0


def _doctor(args: argparse.Namespace, check: Check) -> int:
    from heygem import doctor, settings

    return doctor.report(settings.load(), as_json=args.json)


def _serve(args: argparse.Namespace, check: Check) -> int:
    import app

    given = [("--host", args.host), ("--port", args.port)]
    return app.main([word for pair in given if pair[1] for word in pair])


def _make(args: argparse.Namespace, check: Check, video: Path, out: Path, voices: dict[int, Path]) -> None:
    """One take, shown on the terminal."""
    from heygem import settings
    from heygem.progress import shown
    from heygem.retake import retake

    wish, cache = options.of(args), settings.load().cache
    with shown(check) as tick:
        made = retake(video, voices, out.absolute(), wish, tick, cache)
    take = made.take
    if len(made.tries) > 1:
        print(_tries(made.tries), file=sys.stderr)
    if args.json:
        print(json.dumps(take.as_dict(), ensure_ascii=False))
    else:
        print(take.path)
        print(_facts(take))
        print(_score(take))
        for warning in take.warnings:
            print(f"warning: {warning}", file=sys.stderr)


def _tries(tries: Sequence[Try]) -> str:
    """What was tried and how well it went."""
    return "\n".join(
        f"try {n}: {', '.join(f'{k} {v}' for k, v in one.changed.items()) or 'as asked'}: quality {one.score}"
        for n, one in enumerate(tries, 1)
    )


def _facts(take: Take) -> str:
    work = sum(take.stages.values())
    return (
        f"{take.seconds:.2f} s, {take.frames} frames at {float(take.fps):g} fps, {take.width}x{take.height}, "
        f"{take.engine} on {take.device}, made in {work:.1f} s ({take.frames / work:.1f} frames a second)"
        + "".join(f"; {part}: {place}" for part, place in take.devices.items() if part != "engine")
    )


def _score(take: Take) -> str:
    """The score and, below it, what took most of it."""
    from heygem.quality.score import reasons

    if "score" not in take.quality:
        return "quality not measured"
    score = f"quality {take.quality['score']} / 100 (estimated)"
    return "\n  ".join([score, *(part["reason"] for part in reasons(take.quality))])
