"""May these weights be used here? Asked by engines before they load, and before a download."""

from __future__ import annotations

from heygem.errors import LicenceRefused
from heygem.settings import Settings
from heygem.weights.store import Facts
from heygem.weights.table import Weights


def permit(row: Weights, facts: Facts | None, settings: Settings) -> None:
    """Nothing where the use is allowed. With ``HEYGEM_COMMERCIAL`` raises LicenceRefused for weights that forbid
    commercial use, and for those of unclear licence unless whoever added them asserted the right to."""
    allow(row, facts is not None and facts.rights, settings)


def allow(row: Weights, rights: bool, settings: Settings) -> None:
    """The same before there are facts. rights: somebody says to have the right to use them."""
    if settings.commercial and not (row.commercial == "yes" or (row.commercial == "unclear" and rights)):
        raise LicenceRefused(name=row.name, reason=row.reason)


def lines(row: Weights) -> list[str]:
    """What is shown before anybody says yes."""
    allowed = {"yes": "yes", "no": "NO", "unclear": "UNCLEAR"}[row.commercial]
    return [
        f"{row.name}: {row.network}, from {row.page}",
        f"licence of the code: {row.code}",
        f"licence of the weights: {row.licence}",
        f"commercial use: {allowed}; {row.reason}",
    ]
