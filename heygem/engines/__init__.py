"""The table of engines: one file and one line here make a new one."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from heygem.errors import OptionInvalid

if TYPE_CHECKING:
    from heygem.engines.base import Engine

DEFAULT = "mesh"
ENGINES = {
    "mesh": "heygem.engines.mesh.engine:MeshEngine",
    "loudness": "heygem.engines.loudness:LoudnessEngine",
}


def load(name: str) -> Engine:
    """The engine of this name. Raises OptionInvalid for a name that is not in the table."""
    if name not in ENGINES:
        raise OptionInvalid(option="engine", value=name, allowed=" or ".join(ENGINES))
    module, _, kind = ENGINES[name].partition(":")
    return getattr(import_module(module), kind)()
