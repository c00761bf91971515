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
    "wav2lip": "heygem.engines.wav2lip.engine:Wav2LipEngine",
    "wav2lip-gan": "heygem.engines.wav2lip.engine:Wav2LipEngine",
    "wav2lip-256": "heygem.engines.wav2lip.engine:Wav2LipEngine",
    "wav2lip-288": "heygem.engines.wav2lip.engine:Wav2LipEngine",
    "musetalk": "heygem.engines.musetalk.engine:MuseTalkEngine",
    "musetalk-1.0": "heygem.engines.musetalk.engine:MuseTalkEngine",
    "remote": "heygem.engines.remote.engine:RemoteEngine",
}
"""Name -> what makes the engine of this name from its name; it is imported when the engine is asked for."""


def load(name: str) -> Engine:
    """The engine of this name; where it makes whole takes elsewhere, it is a ``Studio``.

    Raises OptionInvalid for a name that is not in the table.
    """
    if name not in ENGINES:
        raise OptionInvalid(option="engine", value=name, allowed=" or ".join(ENGINES))
    module, _, kind = ENGINES[name].partition(":")
    return getattr(import_module(module), kind)(name)
