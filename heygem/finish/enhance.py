"""Sharper faces: by the user's own weights of GFPGAN where they are installed and their licence allows it, else by our
own sharpening.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from heygem import gpus, settings
from heygem.errors import EngineUnavailable, LicenceRefused
from heygem.faces.track import Face, Tracker
from heygem.finish.sharpen import Sharpener
from heygem.media.frame import Frame
from heygem.weights.licence import permit
from heygem.weights.store import Installed, WeightStore
from heygem.weights.table import row

WEIGHTS = "gfpgan"
FACES = 4
"""How many faces of a frame are treated."""


def check(device: str = "auto") -> None:
    """Raises what would keep an Enhancer from its work: WeightsDamaged, EngineUnavailable. Cheap. Weights that are not
    there, or that may not be used here, keep nobody from anything."""
    weights, _ = _usable()
    if weights and device == "cuda" and not gpus.for_torch():
        raise EngineUnavailable(engine="GFPGAN", reason="PyTorch finds no GPU that it can use; choose auto or cpu")


class Enhancer:
    """The effect "enhance". amount: 0 to 1. device: "auto", "cpu" or "cuda", where a network computes.

    Raises WeightsDamaged, WeightsUnusable, EngineUnavailable.
    """

    name = "enhance"

    def __init__(self, amount: float, device: str = "auto") -> None:
        self._work, self.note = _chosen(amount, device)
        self._tracker = Tracker(most=FACES)

    def __call__(self, number: int, frame: Frame) -> Frame:
        """The same frame with sharper faces; without a face it stays as it is."""
        self._work(frame, self._tracker.follow_all(frame))
        return frame

    def close(self) -> None:
        """Frees the networks. Safe to call twice."""
        self._tracker.close()
        self._work = _nothing


def _chosen(amount: float, device: str) -> tuple[Callable[[Frame, Sequence[Face]], None], str]:
    """What does the work, and its name in the record of the take."""
    weights, reason = _usable()
    if not weights:
        return Sharpener(amount), f"sharpening ({reason})"
    from heygem.finish import restore

    place = restore.place(device)
    net = restore.loaded(_store().state(WEIGHTS), place)
    title = f"{row(WEIGHTS).network} ({weights.facts.original}) on {restore.titled(place)}"
    return restore.Restorer(net, place, amount, net.side), title


def _usable() -> tuple[Installed | None, str]:
    """The weights, or None and why not. Raises WeightsDamaged."""
    found = _store().find(WEIGHTS)
    if not found:
        return None, f"weights “{WEIGHTS}” are not installed"
    try:
        permit(row(WEIGHTS), found.facts, settings.load())
    except LicenceRefused as refused:
        return None, refused.message.removesuffix(".")
    return found, ""


def _store() -> WeightStore:
    return WeightStore(settings.load().weights)


def _nothing(frame: Frame, faces: Sequence[Face]) -> None:
    """What a closed effect does."""
