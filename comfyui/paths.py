"""Names that users type, and the files they may mean: inside of ComfyUI's folders, in both directions."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Fresh = Callable[[str], Path]
"""A temporary file with this suffix."""


_NAMES = {".mp4": "video", ".wav": "voice", ".png": "picture"}
"""Suffix -> what people read where a problem names a temporary file."""


def _folders() -> Any:
    import folder_paths  # pyright: ignore[reportMissingImports]

    return folder_paths


def roots() -> list[Path]:
    """What may be read: ComfyUI's input folder, and HEYGEM_INPUT_FOLDER where an administrator has set it."""
    from heygem import settings

    extra = settings.load().input_folder
    known = [Path(_folders().get_input_directory())]
    return [root.resolve() for root in [*known, *([extra] if extra else [])]]


def inside(path: Path) -> bool:
    """Does this path, links followed, lie in a folder that may be read?"""
    real = Path(os.path.realpath(path))
    return any(real == root or root in real.parents for root in roots())


def readable(name: str, option: str) -> Path:
    """The file or folder of this name. Raises OptionInvalid for a name that leads out, FileMissing where nothing is."""
    from heygem.errors import FileMissing, OptionInvalid

    plain = Path(name)
    if plain.is_absolute() or plain.drive or "\0" in name or ".." in plain.parts:
        raise OptionInvalid(option=option, value=f"“{name}”", allowed="a name inside of ComfyUI's input folder")
    for root in roots():
        path = Path(os.path.realpath(root / plain))
        if not inside(path):
            raise OptionInvalid(option=option, value=f"“{name}”", allowed="a name inside of ComfyUI's input folder")
        if os.path.exists(path):  # noqa: PTH110  Path.exists raises for what is too long for a name
            return path
    raise FileMissing(name=name)


def temporary(suffix: str) -> Path:
    """A file that nobody has yet, in the folder that ComfyUI empties when it starts and ends."""
    folder = Path(_folders().get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{_NAMES.get(suffix, 'text')}_{uuid.uuid4().hex}{suffix}"


@contextmanager
def scratch() -> Iterator[Fresh]:
    """Temporary files that are gone when the work is."""
    made: list[Path] = []

    def fresh(suffix: str) -> Path:
        made.append(temporary(suffix))
        return made[-1]

    try:
        yield fresh
    finally:
        for path in made:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def saved(prefix: str, suffix: str) -> Path:
    """A new file in ComfyUI's output folder: prefix_00001_.suffix. Raises OptionInvalid for a prefix that leads out."""
    from heygem.errors import OptionInvalid

    folders = _folders()
    root = folders.get_output_directory()
    wrong = OptionInvalid(option="name", value=f"“{prefix}”", allowed="a name inside of ComfyUI's output folder")
    if not prefix.strip("/\\ .") or "\0" in prefix:
        raise wrong
    try:
        folder, name, number, *_ = folders.get_save_image_path(prefix, root)
    except Exception as error:  # the core raises a plain Exception
        raise wrong from error
    path = Path(folder, f"{name}_{number:05}_{suffix}")
    if Path(os.path.realpath(root)) not in Path(os.path.realpath(path)).parents:
        raise wrong
    return path


def film_stem(name: str) -> str:
    """The stem of a film that users call so, with or without “.mp4”, made harmless."""
    from heygem.names import clean_stem

    return clean_stem(f"{name.removesuffix('.mp4') or 'video'}.mp4")


def copied(file: Path, out: Path) -> Path:
    """``out``, a copy that appears whole."""
    part = out.with_name(out.name + ".part")
    try:
        shutil.copyfile(file, part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return out


def shown(path: Path) -> str:
    """The name of a result for people and reports: relative to the output folder."""
    root = os.path.realpath(_folders().get_output_directory())
    real = os.path.realpath(path)
    return os.path.relpath(real, root).replace(os.sep, "/") if real.startswith(root + os.sep) else path.name


def state(path: Path) -> str:
    """Something that changes when the file does, for ComfyUI's cache."""
    try:
        found = path.stat()
    except OSError:
        return f"{path.name} is not there"
    return f"{path.name} {found.st_size} {found.st_mtime_ns}"
