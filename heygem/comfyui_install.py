"""``python -m heygem.comfyui_install PATH [--undo]``: makes HeyGem's nodes known to the ComfyUI in the folder PATH.

A link in ``custom_nodes`` leads to the folder ``comfyui`` of this checkout, so the nodes are always as new as HeyGem.
On Windows it is a junction, and where that is not possible a small folder that names the place.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from heygem.errors import HeyGemError, OptionInvalid, OutputError

NAME = "comfyui-heygem"
PACK = Path(__file__).resolve().parents[1] / "comfyui"
_OURS = ("bootstrap.py", "nodes/talking.py")
"""Files by which our pack is known, also that of another checkout."""
_MARK = "# Made by heygem.comfyui_install."
_STUB = f"""{_MARK} The nodes are in the folder that the next line names.
__path__ = [{{place!r}}]
WEB_DIRECTORY = {{web!r}}

from .bootstrap import ensure_heygem

ensure_heygem()

from .nodes import comfy_entrypoint
"""
_COPIED = ("example_workflows", "locales")
"""What ComfyUI itself reads from the folder in custom_nodes."""


def install(comfyui: Path, pack: Path = PACK) -> Path:
    """Links the pack and returns the place of the link. Done twice it is done once; a link to another checkout of
    HeyGem is led here. Raises OptionInvalid where this is no ComfyUI, OutputError."""
    place = _place(comfyui)
    if not _is_ours(pack):
        raise OutputError(name=NAME, reason="HeyGem does not run from its repository here")
    if place.is_symlink() and place.resolve() == pack.resolve():
        return place
    _remove(place)
    try:
        _link(pack, place)
    except OSError as error:
        raise OutputError(name=str(place), reason=error.strerror or str(error)) from error
    return place


def undo(comfyui: Path) -> bool:
    """Takes away what ``install`` made. False where nothing was. Raises OptionInvalid, OutputError."""
    place = _place(comfyui)
    there = os.path.lexists(place)
    _remove(place)
    return there


def _place(comfyui: Path) -> Path:
    folder = comfyui / "custom_nodes"
    known = (comfyui / "main.py").is_file() and (comfyui / "comfy").is_dir() and folder.is_dir()
    if not known:
        allowed = "the folder of ComfyUI, which has main.py, comfy and custom_nodes in it"
        raise OptionInvalid(option="PATH", value=f"“{comfyui}”", allowed=allowed)
    return folder / NAME


def _is_ours(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _OURS)


def _is_stub(folder: Path) -> bool:
    with suppress(OSError, UnicodeDecodeError):
        return (folder / "__init__.py").read_text("utf-8").startswith(_MARK)
    return False


def _remove(place: Path) -> None:
    """Only what ``install`` makes: never a folder that somebody else has put there."""
    try:
        if place.is_symlink():
            target = place.readlink()
            if not (_is_ours(place) or (not place.exists() and target.name == PACK.name)):
                raise OutputError(name=str(place), reason="a link to something else is there; move it away first")
            place.unlink()
        elif _is_junction(place):
            place.rmdir()
        elif _is_stub(place):
            shutil.rmtree(place)
        elif place.exists():
            raise OutputError(name=str(place), reason="another folder of this name is there; move it away first")
    except OSError as error:
        raise OutputError(name=str(place), reason=error.strerror or str(error)) from error


def _is_junction(place: Path) -> bool:
    """Of Windows. Its target is ours, or gone."""
    looks = getattr(os.path, "isjunction", lambda _: False)(place)  # Python 3.12
    if sys.platform == "win32" and not looks:
        with suppress(OSError):
            looks = bool(place.readlink())
    return bool(looks) and (_is_ours(place) or not place.exists())


def _link(pack: Path, place: Path) -> None:
    if sys.platform != "win32":
        place.symlink_to(pack, target_is_directory=True)
        return
    try:
        import _winapi  # needs no rights of an administrator, unlike symbolic links

        _winapi.CreateJunction(str(pack), str(place))
    except OSError:  # another drive on the network, or a file system without junctions
        make_stub(pack, place)


def make_stub(pack: Path, place: Path) -> None:
    """A folder that names the place of the pack. It appears whole."""
    part = place.with_name(f"{place.name}.part.disabled")  # ComfyUI passes over such names
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        (part / "__init__.py").write_text(_STUB.format(place=str(pack), web=str(pack / "web")), "utf-8")
        for name in _COPIED:
            if (pack / name).is_dir():
                shutil.copytree(pack / name, part / name)
        part.replace(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes as those of ``heygem``: 0 done, 1 failed, 2 called wrongly."""
    parser = argparse.ArgumentParser(prog="python -m heygem.comfyui_install", description="HeyGem's nodes for ComfyUI")
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder of ComfyUI")
    parser.add_argument("--undo", action="store_true", help="takes them away again")
    args = parser.parse_args(arguments)
    try:
        if args.undo:
            print("removed" if undo(args.path) else "nothing was there")
            return 0
        print(install(args.path))
    except HeyGemError as error:
        print(f"error: {error.message} [{error.code}]", file=sys.stderr)
        print(f"hint: {error.hint}", file=sys.stderr)
        return 2 if isinstance(error, OptionInvalid) else 1
    print(
        f"Next: install {PACK / 'requirements.txt'} with ComfyUI's own Python, then start ComfyUI again:",
        file=sys.stderr,
    )
    print(f"  python -m pip install -r {PACK / 'requirements.txt'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
