"""Official code and ours on the same random weights: ``python -m benchmarks.parity CHECKOUT``.

CHECKOUT is a copy of one of the official repositories, recognised by its files. Its code runs in an environment of its
own, ``--python``; nothing of it is changed, and no weights are loaded from anywhere. Prints what was compared, the
largest difference and what it may be; the exit code is 1 where one is larger. With ``--film`` the speed of the whole
programs is measured instead.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.official.figure import Figure
from heygem.bench import RESULTS, save, table, where

KINDS = {
    "musetalk/models/unet.py": ("MuseTalk", "musetalk"),
    "avatars/wav2lip": ("LiveTalking, faces of 256 px", "wav2lip"),
    "models/wav2lipv2.py": ("wav2lip_288x288", "wav2lip"),
    "models/wav2lip.py": ("Wav2Lip", "wav2lip"),
}
"""What a checkout has -> its name, and the file in ``official`` that compares."""


def kind_of(checkout: Path) -> tuple[str, str]:
    """Name and module of the checkout. Ends the program where it is none of the known ones."""
    for path, kind in KINDS.items():
        if (checkout / path).exists():
            return kind
    sys.exit(f"{checkout} is no checkout of {', '.join(name for name, _ in KINDS.values())}")


def report(name: str, figures: list[Figure]) -> dict[str, object]:
    """What ``heygem.bench`` prints and saves."""
    rows = [{"what": one.what, "value": f"{one.value:.3g}", "aim": f"{one.aim:.3g}", "met": one.met} for one in figures]
    return {"kind": "parity", **where(), "clip": f"The official code of {name} beside ours", "found": rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="a copy of an official repository")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that its code runs in")
    parser.add_argument("--save", action="store_true", help="append the table to benchmarks/RESULTS.md")
    parser.add_argument("--film", type=Path, help="measure the speed on its beginning instead (Wav2Lip, MuseTalk)")
    parser.add_argument("--frames", type=int, default=50, help="how many frames of it")
    given = parser.parse_args()
    name, module = kind_of(given.checkout)
    if given.film:
        _speed(given, name, module)
        return 0
    figures = import_module(f"benchmarks.official.{module}").compare(given.checkout.absolute(), given.python)
    found = report(name, figures)
    print(table(found))
    if given.save:
        save(found)
    return int(not all(one.met for one in figures))


def _speed(given: argparse.Namespace, name: str, module: str) -> None:
    from benchmarks.official import speed

    about, other = where(), import_module(f"benchmarks.official.{module}_speed")
    found = speed.table(other.against(given.checkout, given.film, given.frames, given.python), other.NOTE)
    head = f"### Against the official program of {name}, {about['date']}, {about['commit']}"
    text = f"{head}\n\n{about['machine']}. {given.frames} frames of “{given.film.name}”.\n\n{found}\n"
    print(text)
    if given.save:
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")


if __name__ == "__main__":
    sys.exit(main())
