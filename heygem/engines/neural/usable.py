"""May an engine be used: are its weights there, and does their licence let this server use them?"""

from __future__ import annotations

from heygem import settings
from heygem.errors import WeightsMissing
from heygem.weights.licence import permit
from heygem.weights.store import WeightStore
from heygem.weights.table import needs


def store() -> WeightStore:
    """The weights of this server."""
    return WeightStore(settings.load().weights)


def check(engine: str) -> None:
    """Raises WeightsMissing, WeightsDamaged or LicenceRefused for the first row that keeps ``engine`` from working."""
    known, kept = settings.load(), store()
    for row in needs(engine):
        found = kept.find(row.name)
        if found is None:
            raise WeightsMissing(name=row.name, network=row.network, page=row.page)
        permit(row, found.facts, known)
