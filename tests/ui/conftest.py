"""What several tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gradio.context import Context

from heygem.jobs.preflight import Preflight


@pytest.fixture(scope="module")
def preflight() -> Iterator[Preflight]:
    preflight = Preflight()
    yield preflight
    preflight.close()


@pytest.fixture(autouse=True)
def page_is_left() -> Iterator[None]:
    """A page that is still being built takes in what the next test builds."""
    yield
    assert Context.root_block is None and Context.block is None
