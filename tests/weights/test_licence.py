"""A server that says it is commercial uses no weights that forbid it; one that does not may use all."""

from __future__ import annotations

import pytest

from heygem import settings
from heygem.errors import LicenceRefused
from heygem.weights.licence import lines, permit
from heygem.weights.store import Facts
from heygem.weights.table import TABLE, row


def facts(rights: bool) -> Facts:
    return Facts("a.pth", 1, "", 1, "", "", "", rights)


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("known", [None, facts(False), facts(True)])
def test_what_may_be_used(name, known):
    permit(row(name), known, settings.load(commercial=False))
    rights = bool(known and known.rights)
    allowed = {"yes": True, "no": False, "unclear": rights}[row(name).commercial]
    if allowed:
        permit(row(name), known, settings.load(commercial=True))
        return
    with pytest.raises(LicenceRefused) as caught:
        permit(row(name), known, settings.load(commercial=True))
    assert row(name).reason in caught.value.message and "--i-have-rights" in caught.value.hint


def test_what_is_shown_before_a_yes_names_licences_and_source():
    shown = "\n".join(lines(row("wav2lip")))
    assert "NO" in shown and row("wav2lip").licence in shown and row("wav2lip").page in shown
