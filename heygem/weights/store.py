"""The folder of installed weights: ``<home>/weights/<name>/`` with ``weights.safetensors`` and ``facts.json``.

A folder is whole or not there: it is made beside and renamed. Several processes may look at once; changes are made by
one at a time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from heygem.errors import WeightsDamaged, WeightsMissing
from heygem.weights.table import TABLE, row

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, FACTS = "weights.safetensors", "facts.json"


@dataclass(frozen=True)
class Facts:
    """What was written down when weights were added.

    original, original_size, original_sha256: the file they came from. sha256, size: the file that lies here.
    added: when, ISO 8601. licence: the licence that was shown and accepted, empty where a file was brought.
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
        self._root = root

    def installed(self) -> list[Installed]:
        """What is there, in the order of the table."""
        return [found for name in TABLE if (found := self.find(name))]

    def find(self, name: str) -> Installed | None:
        """The weights of this name, or None. Raises OptionInvalid for a name that is not in the table."""
        folder = self._root / row(name).name
        try:
            facts = json.loads((folder / FACTS).read_text("utf-8"))
            known = Facts(**{field.name: facts[field.name] for field in fields(Facts)})
            whole = (folder / WEIGHTS).stat().st_size == known.size
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            raise WeightsDamaged(name=name, reason=f"{FACTS} cannot be read") from None
        if not whole:
            raise WeightsDamaged(name=name, reason="the file has another size than was written down")
        return Installed(name, folder / WEIGHTS, known)

    def state(self, name: str) -> dict[str, Tensor]:
        """The tensors by their names, on the CPU. Raises WeightsMissing with what to do where they are not installed,
        WeightsDamaged where the file is no longer what it was."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        found = self.find(name)
        if found is None:
            known = row(name)
            raise WeightsMissing(name=name, network=known.network, page=known.page)
        try:
            return load_file(found.file)
        except (OSError, SafetensorError) as error:
            raise WeightsDamaged(name=name, reason="it is not a safetensors file") from error


def facts_text(facts: Facts) -> str:
    """What ``facts.json`` holds."""
    return json.dumps(asdict(facts), ensure_ascii=False, indent=2)
