"""What several tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heygem.jobs.preflight import Preflight


@pytest.fixture(scope="module")
def preflight() -> Iterator[Preflight]:
    preflight = Preflight()
    yield preflight
    preflight.close()
