"""Networks of the tests are tiny: a second thread would cost them more than it brings, beside other tests tenfold."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
