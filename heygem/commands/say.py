"""``heygem say`` and ``heygem language``: a text as speech, and which language a text is in."""

from __future__ import annotations

import argparse
import codecs
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from heygem.errors import FileMissing, FileUnreadable, OptionInvalid
from heygem.names import free

Check = Callable[[], None]

_LARGEST = 1 << 20  # bytes of a text file that are read: more than the longest text


def register(commands: Any) -> None:
    """Adds the commands to the subparsers of ``heygem``."""
    say = commands.add_parser("say", help="a text as speech")
    _add_text(say)
    add_voice(say)
    say.add_argument("--speed", type=float, default=1.0, metavar="0.5..2", help="how fast; 1: as people speak")
    say.add_argument(
        "--out", type=Path, metavar="FILE", help="the result, .wav, replaced if it exists; default: speech.wav here"
    )
    say.add_argument("--voices", action="store_true", help="lists all voices and speaks nothing")
    say.set_defaults(run=_say)
    language = commands.add_parser("language", help="which language a text is in (texts only, not recordings)")
    _add_text(language)
    language.set_defaults(run=_language)


def add_voice(parser: argparse.ArgumentParser) -> None:
    """The option ``--voice``."""
    text = "who speaks the text, as “heygem say --voices” lists; default: an offline voice of its language"
    parser.add_argument("--voice", default="", metavar="NAME", help=text)


def _add_text(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", nargs="?")
    parser.add_argument("--file", type=Path, metavar="FILE", help="a text file, UTF-8, instead of TEXT; -: the input")
    parser.add_argument("--json", action="store_true", help="JSON on standard output")


@contextmanager
def spoken(args: argparse.Namespace, check: Check) -> Iterator[None]:
    """Of ``heygem lipsync``: with --text the sound of it is what --audio names, for as long as the block lasts."""
    if args.text is None:
        if args.voice:
            raise OptionInvalid(option="voice", value="given without --text", allowed="left out, or --text TEXT")
        yield
        return
    if args.audio or any(voice for _, voice in getattr(args, "face", None) or []):
        raise OptionInvalid(option="text", value="given beside a recording", allowed="one of the two")
    with TemporaryDirectory(prefix="heygem-") as folder:
        args.audio = Path(folder, "text.wav")
        _speak(args.text, args.audio, args.voice, 1.0, check)
        yield


def _say(args: argparse.Namespace, check: Check) -> int:
    if args.voices:
        return _list(args.json)
    out = args.out or free(Path("speech.wav"))
    made = _speak(_text(args), out.absolute(), args.voice, args.speed, check)
    if args.json:
        print(json.dumps({**vars(made), "path": str(made.path)}, ensure_ascii=False))
    else:
        print(made.path)
        print(f"{made.seconds:.2f} s, {made.voice}")
    return 0


def _speak(text: str, out: Path, voice: str, speed: float, check: Check) -> Any:
    from heygem.progress import shown
    from heygem.say import say

    with shown(check) as tick:
        return say(text, out, voice, speed, tick)


def _list(as_json: bool) -> int:
    from heygem.say import voices

    found = voices()
    if as_json:
        print(json.dumps([vars(voice) for voice in found], ensure_ascii=False))
        return 0
    for voice in found:
        print(f"{voice.name:<28}{voice.title}")
    return 0


def _language(args: argparse.Namespace, check: Check) -> int:
    from heygem.say import language_of

    found = language_of(_text(args))
    print(json.dumps(vars(found), ensure_ascii=False) if args.json else f"{found.code}  {found.name}  {found.sureness}")
    return 0


def _text(args: argparse.Namespace) -> str:
    """Raises OptionInvalid, FileMissing, FileUnreadable."""
    if (args.text is None) == (args.file is None):
        raise OptionInvalid(
            option="text", value="missing" if args.text is None else "given twice", allowed="a text, or --file FILE"
        )
    if args.text is not None:
        return args.text
    try:
        with nullcontext(sys.stdin.buffer) if str(args.file) == "-" else args.file.open("rb") as file:
            data = file.read(_LARGEST)
        whole = len(data) < _LARGEST  # else the end may lie within a sign
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data, whole)
    except FileNotFoundError:
        raise FileMissing(name=args.file.name) from None
    except UnicodeDecodeError:
        raise FileUnreadable(name=args.file.name, kind="a text", reason="it is not a text file in UTF-8") from None
    except OSError as error:
        raise FileUnreadable(name=args.file.name, kind="a text", reason=error.strerror) from error
