"""What the tests of channels share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heygem.settings import PREFIX, Settings
from tests.notify.made import OK
from tests.notify.receiver import Receiver


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No channels of the developer."""
    for name in Settings.model_fields:
        if name.startswith(("notify_", "smtp_", "webhook_")):
            monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", ())


@pytest.fixture
def server() -> Iterator[Receiver]:
    """Plays every robot and takes what comes."""
    receiver = Receiver()
    receiver.says = [OK]
    yield receiver
    receiver.close()
