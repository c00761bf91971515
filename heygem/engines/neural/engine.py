"""What engines with networks share: may they be used, where do they compute, what do they keep in memory.

Nothing here loads torch before the engine is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from heygem import settings
from heygem.engines.base import Style
from heygem.weights.licence import permit
from heygem.weights.store import WeightStore
from heygem.weights.table import needs

if TYPE_CHECKING:
    from torch import Tensor

    from heygem.engines.neural.place import Place

T = TypeVar("T")


class NeuralEngine:
    """name: the engine's, which is also that of its own weights. batch: frames at once on the processor."""

    version = "1"

    def __init__(self, name: str, batch: int) -> None:
        self.name, self.batch = name, batch
        self._wish = "auto"

    def device(self, style: Style) -> str:
        """Where it computes. Raises EngineUnavailable, WeightsMissing, WeightsDamaged, LicenceRefused."""
        known, kept = settings.load(), _store()
        for row in needs(self.name):
            permit(row, kept.need(row.name).facts, known)
        self._wish = style.device
        return self._place(style.exact).name

    def _place(self, exact: bool = False) -> Place:
        from heygem.engines.neural.place import place

        return place(self._wish, self.name, exact)

    def _part(self, part: str, place: Place, load: Callable[[], T]) -> T:
        """A network that stays in memory until another engine is used."""
        from heygem.engines.neural.resident import resident

        return resident(self.name, place, part, load)

    @staticmethod
    def _state(name: str) -> dict[str, Tensor]:
        """The weights of this name."""
        return _store().state(name)

    @staticmethod
    def _sum(name: str) -> str:
        """Sixteen hexadecimal digits that differ when the weights differ."""
        return _store().need(name).facts.sha256[:16]


def _store() -> WeightStore:
    return WeightStore(settings.load().weights)
