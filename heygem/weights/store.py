"""The folder of installed weights: ``<home>/weights/<name>/`` with ``weights.safetensors`` and ``facts.json``.

A folder is whole or not there: it is made beside and renamed. Several processes may look at once; changes are made by
one at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from heygem.errors import FileEmpty, FileMissing, OutputError, WeightsDamaged, WeightsMissing, WeightsUnusable
from heygem.weights.convert import Beat, convert
from heygem.weights.inert import REASONS, Refused
from heygem.weights.recognise import SETTING, Shapes, recognise
from heygem.weights.table import TABLE, row

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, FACTS = "weights.safetensors", "facts.json"
_CHUNK = 1 << 24
_ABANDONED = 24 * 3600  # seconds after which a half-made folder belongs to nobody any more


@dataclass(frozen=True)
class Facts:
    """What was written down when weights were added.

    original, original_size, original_sha256: the file they came from. size, sha256: the file that lies here.
    added: when, ISO 8601 in UTC. licence: the one that was shown and accepted, empty where a file was brought.
    rights: whoever added them says to have the right to use them.
    """

    original: str
    original_size: int
    original_sha256: str
    size: int
    sha256: str
    added: str
    licence: str
    rights: bool


@dataclass(frozen=True)
class Installed:
    """Weights that lie in the folder."""

    name: str
    file: Path
    facts: Facts


class WeightStore:
    """Everything that is installed under ``root``. Nothing is created before something is added."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def installed(self) -> list[Installed]:
        """What is there and whole, in the order of the table."""
        found = []
        for name in TABLE:
            with suppress(WeightsDamaged):
                found.append(self.find(name))
        return [one for one in found if one]

    def find(self, name: str) -> Installed | None:
        """The weights of this name, or None. Raises OptionInvalid for a name that is not in the table, WeightsDamaged
        where they are no longer whole."""
        with suppress(WeightsDamaged):
            if found := self._look(row(name).name):
                return found
        with suppress(OSError):  # the folder may be read-only
            if self.root.is_dir():
                with self._changing():  # they may just have been replaced
                    return self._look(name)
        return self._look(name)

    def _look(self, name: str) -> Installed | None:
        folder = self.root / name
        try:
            given = json.loads((folder / FACTS).read_text("utf-8"))
            facts = Facts(**{field.name: given[field.name] for field in fields(Facts)})
            whole = (folder / WEIGHTS).stat().st_size == facts.size
        except FileNotFoundError:
            if folder.exists():
                raise WeightsDamaged(name=name, reason="a file is missing") from None
            return None
        except (OSError, ValueError, TypeError, KeyError):
            raise WeightsDamaged(name=name, reason="facts.json cannot be read") from None
        if not whole:
            raise WeightsDamaged(name=name, reason="the file has another size than was written down")
        return Installed(name, folder / WEIGHTS, facts)

    def need(self, name: str) -> Installed:
        found = self.find(name)
        if found is None:
            raise WeightsMissing(name=name, network=row(name).network, page=row(name).page)
        return found

    def state(self, name: str) -> dict[str, Tensor]:
        """The tensors by their names, on the CPU. Raises WeightsMissing with what to do where they are not installed,
        WeightsDamaged where they are no longer whole."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self.need(name).file)
        except (OSError, SafetensorError) as error:
            raise WeightsDamaged(name=name, reason="it is not a safetensors file") from error

    def add(
        self, file: Path, name: str | None = None, rights: bool = False, licence: str = "", beat: Beat = lambda: None
    ) -> Installed:
        """Converts a file that circulates and installs it, in place of what was there under this name.

        name: which weights these are; None: as they are recognised. rights: whoever adds them says to have the right
        to use them. licence: the one that was shown and accepted. Raises FileMissing, FileEmpty, WeightsUnusable,
        WeightsAmbiguous, and OutputError where the disk is full or read-only.
        """
        if name is not None:
            row(name)
        if not file.is_file():
            raise FileMissing(name=file.name)
        if not file.stat().st_size:
            raise FileEmpty(name=file.name)
        if not os.access(file, os.R_OK):
            raise _unusable(file, name, "Permission denied")
        try:
            with self._workshop() as folder:
                original = sha256_of(file, beat)
                convert(file, folder / WEIGHTS, beat)
                name = recognise(file, original, shapes_of(folder / WEIGHTS), name)
                facts = Facts(
                    original=file.name,
                    original_size=file.stat().st_size,
                    original_sha256=original,
                    size=(folder / WEIGHTS).stat().st_size,
                    sha256=sha256_of(folder / WEIGHTS, beat),
                    added=datetime.now(UTC).isoformat(timespec="seconds"),
                    licence=licence,
                    rights=rights,
                )
                (folder / FACTS).write_text(json.dumps(asdict(facts), ensure_ascii=False, indent=2), "utf-8")
                self._put(folder, name)
        except Refused as refused:
            raise _unusable(file, name, REASONS[str(refused)]) from None
        except OSError as error:
            raise OutputError(name=str(self.root), reason=error.strerror or error) from error
        return Installed(name, self.root / name / WEIGHTS, facts)

    def verify(self, name: str, beat: Beat = lambda: None) -> Installed:
        """Reads the whole file and compares it with what was written down. Raises WeightsMissing, WeightsDamaged."""
        found = self.need(name)
        if sha256_of(found.file, beat) != found.facts.sha256:
            raise WeightsDamaged(name=name, reason="its content is not what was written down")
        return found

    def remove(self, name: str) -> None:
        """Takes weights away, also damaged ones. Raises WeightsMissing where there are none."""
        if not (self.root / row(name).name).exists():
            self.need(name)
        try:
            with self._workshop() as folder, self._changing():
                (self.root / name).rename(folder / "old")
        except OSError as error:
            raise OutputError(name=str(self.root / name), reason=error.strerror or error) from error

    def _put(self, folder: Path, name: str) -> None:
        """``folder`` becomes the one of ``name``; what was there leaves, or comes back where that fails."""
        old = folder.with_suffix(".old.part")
        with self._changing():
            with suppress(FileNotFoundError):
                (self.root / name).rename(old)
            try:
                folder.rename(self.root / name)
            except OSError:
                if old.exists():
                    old.rename(self.root / name)
                raise
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """A new folder, gone afterwards unless it was renamed; those that were left behind long ago go as well."""
        self.root.mkdir(parents=True, exist_ok=True)
        for path in self.root.glob("*.part"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(path)
        folder = Path(tempfile.mkdtemp(suffix=".part", dir=self.root))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _changing(self) -> FileLock:
        return FileLock(self.root / "changing.lock")


def _unusable(file: Path, name: str | None, reason: str) -> WeightsUnusable:
    network = row(name).network if name else "a known network"
    return WeightsUnusable(name=file.name, network=network, setting=SETTING, reason=reason)


def shapes_of(file: Path) -> Shapes:
    """Name of each tensor in a safetensors file -> its shape; the numbers are not read."""
    from safetensors import safe_open

    with safe_open(file, "np") as tensors:
        return {key: tensors.get_slice(key).get_shape() for key in tensors.keys()}  # noqa: SIM118  it is no dict


def sha256_of(file: Path, beat: Beat = lambda: None) -> str:
    """Hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            beat()
    return digest.hexdigest()
