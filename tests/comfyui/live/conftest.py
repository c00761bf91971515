"""A real ComfyUI for all tests of a session. They skip unless COMFYUI_DIR names its checkout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.comfyui.live.client import Client
from tests.comfyui.live.engine import Engine
from tests.comfyui.live.inputs import write_inputs
from tests.notify.receiver import Receiver

SECRETS = {"AWS_SECRET_ACCESS_KEY": "a-secret-of-the-bucket", "HEYGEM_TTS_KEY": "a-secret-of-the-voices"}


@dataclass(frozen=True)
class Live:
    engine: Engine
    client: Client
    receiver: Receiver
    """Takes what "HeyGem notify" sends."""


@pytest.fixture(scope="session")
def checkout() -> Path:
    folder = os.environ.get("COMFYUI_DIR")
    if not folder:
        pytest.skip("needs ComfyUI: COMFYUI_DIR names its checkout, COMFYUI_PYTHON its interpreter")
    assert (Path(folder) / "main.py").is_file(), f"COMFYUI_DIR is no ComfyUI: {folder}"
    return Path(folder).absolute()


@pytest.fixture(scope="session")
def live(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    receiver = Receiver()
    told = {"HEYGEM_NOTIFY_WEBHOOK": receiver.url, "HEYGEM_NOTIFY_LANGUAGE": "zh", "HEYGEM_WEBHOOK_PRIVATE": "true"}
    engine = Engine(checkout, tmp_path_factory.mktemp("comfyui"), {**SECRETS, **told})
    write_inputs(engine.input)
    (engine.base / "custom_nodes").mkdir()
    shutil.copy(Path(__file__).with_name("probe.py"), engine.base / "custom_nodes" / "tests_probe.py")
    try:
        engine.start()
        yield Live(engine, Client(engine.address), receiver)
    finally:
        engine.end()
        receiver.close()


@pytest.fixture(scope="session")
def client(live: Live) -> Client:
    return live.client
