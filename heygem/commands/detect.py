"""``heygem detect FILE``: is there a face that can speak? For scripts, which decide by ``--json``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem.errors import OutputError

if TYPE_CHECKING:
    from heygem.detect import Detection

Check = Callable[[], None]


def register(commands: Any) -> None:
    """Adds the command to the subparsers of ``heygem``."""
    parser = commands.add_parser("detect", help="which faces of a video or photo can speak")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--frames", type=int, default=8, metavar="N", help="frames that are looked at; default: 8")
    parser.add_argument("--preview", type=Path, metavar="OUT.jpg", help="the faces in a picture, replaced if it exists")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.set_defaults(run=_detect)


def _detect(args: argparse.Namespace, check: Check) -> int:
    from heygem.detect import detect
    from heygem.media.target import check_target

    if args.preview:
        check_target(args.preview, [args.file], (".jpg", ".jpeg", ".png"), "preview")
    found = detect(args.file, args.frames)
    if args.preview:
        _save(found, args.preview)
    if args.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False))
        return 0
    shown = sum(bool(seen.usable) for seen in found.frames)
    people = f"{found.count} usable {'face' if found.count == 1 else 'faces'}" if found.has_face else "no usable face"
    print(f"{people}; {shown} of {len(found.frames)} frames looked at show one")
    for seen in found.frames:
        for face in seen.faces:
            x0, y0, x1, y1 = map(round, face.box)
            fit = f"left alone{face.why}" if face.why else "usable"
            print(f"frame {seen.number}: {x1 - x0}x{y1 - y0} at {x0},{y0}, turned by {face.yaw:.0f} degrees, {fit}")
    return 0


def _save(found: Detection, out: Path) -> None:
    """Raises OutputError."""
    from PIL import Image

    part = out.with_name(f"{out.name}.part")
    try:
        Image.fromarray(found.picture).save(part, "PNG" if out.suffix.lower() == ".png" else "JPEG", quality=90)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(name=out.name, reason=error.strerror or str(error)) from error
