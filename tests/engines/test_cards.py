"""The cards of the engines: every state with real files, and the same answer as the engine itself would give."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pynvml
import pytest

from heygem import engines, gpus, settings
from heygem.engines import cards
from heygem.engines.base import Style
from heygem.errors import HeyGemError
from heygem.settings import Settings
from heygem.weights.store import FACTS, WEIGHTS
from heygem.weights.table import TABLE, needs
from tests.engines.brought import MAKERS, bring, put

ROOT = Path(__file__).parents[2]
GIB = 1 << 30


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Also the one of this process, so that the engines themselves look into it."""
    monkeypatch.setenv("HEYGEM_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """The GPUs of this machine, as its driver would tell them: none, until a test adds some. PyTorch could use them."""
    found: list[tuple[str, int]] = []
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(gpus, "_torch_has_cuda", lambda: True)
    for name, answer in {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(found),
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
        "nvmlDeviceGetHandleByUUID": lambda text: int(text.removeprefix("GPU-")),
        "nvmlDeviceGetName": lambda handle: found[handle][0],
        "nvmlDeviceGetMemoryInfo": lambda handle: type("Memory", (), {"total": found[handle][1]}),
    }.items():
        monkeypatch.setattr(pynvml, name, answer)
    gpus.for_torch.cache_clear()
    yield found
    gpus.for_torch.cache_clear()


def card(name: str, home: Path, **given: Any) -> cards.Card:
    return cards.card(name, settings.load(home=home, **given))


def commands(known: cards.Card) -> list[str]:
    return [command for part in known.parts if not part.row.optional for command in part.commands]


def test_there_is_a_card_for_every_engine_and_what_is_our_own_is_ready(home: Path):
    found = cards.cards(settings.load(home=home))
    assert [one.name for one in found] == list(engines.ENGINES)
    states = {one.name: one.state for one in found}
    assert states.pop("mesh") == states.pop("loudness") == "ready" and states.pop("remote") == "off"
    assert set(states.values()) == {"missing"}, "nothing is installed"
    assert found[0].licence.commercial == "yes" and found[0].device == "CPU" and found[0].problems == ()


@pytest.mark.parametrize("name", [name for name in engines.ENGINES if needs(name)])
def test_missing_weights_are_all_named_with_a_command_for_each(home: Path, name: str):
    known = card(name, home)
    lacking = [row.name for row in needs(name)]
    assert [problem.details["name"] for problem in known.problems] == lacking
    assert {problem.code for problem in known.problems} == {"weights.missing"} and known.installed == 0
    assert [command.split()[:2] for command in commands(known)] == [["heygem", "weights"]] * len(lacking)
    assert all(row in command for row, command in zip(lacking, commands(known), strict=True))


def test_a_command_to_download_stands_only_where_the_chosen_hub_has_the_file(home: Path):
    assert commands(card("musetalk", home))[0] == "heygem weights download musetalk"
    assert commands(card("wav2lip", home)) == ["heygem weights add FILE --name wav2lip"]
    for hub in ("huggingface", "modelscope"):
        for row in needs("musetalk"):
            wanted = "download" if getattr(row, hub) else "add FILE"
            found = commands(card("musetalk", home, weights_hub=hub))
            assert any(f"heygem weights {wanted}" in one and row.name in one for one in found)


def test_what_is_installed_meanwhile_is_seen(home: Path):
    known = settings.load(home=home)
    assert cards.card("wav2lip", known).state == "missing"
    bring(home, "wav2lip")
    ready = cards.card("wav2lip", known)
    assert ready.state == "ready" and ready.problems == () and commands(ready) == []
    assert ready.installed == (home / "weights" / "wav2lip" / WEIGHTS).stat().st_size


def test_one_file_of_several_is_not_enough_and_the_optional_one_is_not_needed(home: Path):
    bring(home, "musetalk")
    assert card("musetalk", home).state == "ready"
    besides = [part for part in card("musetalk", home).parts if part.row.optional]
    assert [part.row.name for part in besides] == ["face-parsing"] and besides[0].problem and besides[0].commands
    (home / "weights" / "sd-vae").rename(home / "elsewhere")
    known = card("musetalk", home)
    assert known.state == "missing" and [problem.details["name"] for problem in known.problems] == ["sd-vae"]
    assert known.installed > 0


def test_what_is_optional_is_needed_to_render_exactly(home: Path):
    bring(home, "musetalk")
    cards.check("musetalk", Style(), settings.load())
    assert said(lambda: cards.check("musetalk", Style(exact=True), settings.load())) == (
        "weights.missing",
        "The weights “face-parsing” (BiSeNet face parsing) are not installed.",
    )
    put(home, "face-parsing", MAKERS["face-parsing"]())
    cards.check("musetalk", Style(exact=True), settings.load())
    assert said(lambda: cards.check("musetalk", Style(exact=True), settings.load(commercial=True)))


@pytest.mark.parametrize(("file", "content"), [(WEIGHTS, b"cut"), (FACTS, b"{"), (FACTS, b"{}")])
def test_damaged_weights_are_said_to_be_and_are_taken_away_first(home: Path, file: str, content: bytes):
    bring(home, "wav2lip")
    (home / "weights" / "wav2lip" / file).write_bytes(content)
    known = card("wav2lip", home)
    assert known.state == "damaged" and known.problems[0].code == "weights.damaged"
    assert commands(known) == ["heygem weights remove wav2lip", "heygem weights add FILE --name wav2lip"]


def test_the_worst_of_several_problems_counts(home: Path):
    bring(home, "musetalk")
    (home / "weights" / "whisper-tiny").rename(home / "elsewhere")
    (home / "weights" / "sd-vae" / WEIGHTS).write_bytes(b"cut")
    known = card("musetalk", home)
    assert known.state == "damaged"
    assert [problem.code for problem in known.problems] == ["weights.damaged", "weights.missing"]


def test_commercial_mode_refuses_what_forbids_it_installed_or_not(home: Path):
    for state in ("missing", "ready"):
        assert card("wav2lip", home).state == state
        known = card("wav2lip", home, commercial=True)
        assert known.state == "refused" and "LRS2" in known.problems[0].message and commands(known) == []
        if state == "missing":
            bring(home, "wav2lip", rights=True)
    assert card("mesh", home, commercial=True).state == "ready"
    assert card("musetalk", home, commercial=True).state == "missing", "its licence allows it"


def test_commercial_mode_takes_an_unclear_licence_from_whoever_has_the_right(home: Path):
    missing = card("wav2lip-256", home, commercial=True)
    assert missing.state == "missing" and commands(missing)[0].endswith("--i-have-rights")
    bring(home, "wav2lip-256")
    assert card("wav2lip-256", home).state == "ready", "elsewhere it is used"
    refused = card("wav2lip-256", home, commercial=True)
    assert refused.state == "refused" and commands(refused)[0].endswith("--i-have-rights")
    bring(home, "wav2lip-288", rights=True)
    asserted = card("wav2lip-288", home, commercial=True)
    assert asserted.state == "ready" and asserted.licence.commercial == "unclear"


def test_a_remote_service_is_off_until_both_of_its_settings_are_there(home: Path):
    assert "HEYGEM_REMOTE_URL, HEYGEM_REMOTE_FOLDER" in card("remote", home).problems[0].message
    half = card("remote", home, remote_url="http://gpu.example:8383/x")
    assert half.state == "off" and half.problems[0].details["what"] == "HEYGEM_REMOTE_FOLDER"
    whole = card("remote", home, remote_url="http://gpu.example:8383/x", remote_folder=home)
    assert whole.state == "ready" and whole.device == "gpu.example:8383", "nobody asks it: that would take time"


def test_the_licence_of_an_engine_is_the_strictest_of_what_it_needs(home: Path):
    for name in engines.ENGINES:
        known, rows = card(name, home).licence, needs(name)
        assert known.code and known.weights and known.reason
        if rows:
            worst = next(one for one in ("no", "unclear", "yes") if any(row.commercial == one for row in rows))
            assert known.commercial == worst and known.reason in [row.reason for row in rows if row.commercial == worst]
    assert TABLE["face-parsing"].commercial == "unclear" and card("musetalk", home).licence.commercial == "yes"


def test_where_networks_compute_is_told_by_the_driver(home: Path, driver: list[tuple[str, int]]):
    driver += [("NVIDIA H200", 141 * GIB)] * 2 + [("NVIDIA T4", 15 * GIB)]
    assert card("wav2lip", home).device == "2 × NVIDIA H200, 141 GiB + NVIDIA T4, 15 GiB"
    assert card("mesh", home).device == "CPU"


def test_a_gpu_that_was_not_given_to_this_process_or_that_pytorch_cannot_use_is_none(
    home: Path, driver: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
):
    driver += [("NVIDIA H200", 141 * GIB), ("NVIDIA T4", 15 * GIB)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert card("wav2lip", home).device == "NVIDIA T4, 15 GiB"
    gpus.for_torch.cache_clear()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert card("wav2lip", home).device == "CPU"
    gpus.for_torch.cache_clear()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(gpus, "_torch_has_cuda", lambda: False)
    assert card("wav2lip", home).device == "CPU"


def test_a_gpu_of_which_nothing_is_told_has_its_number(
    home: Path, driver: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
):
    def fail(handle: object) -> str:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    driver += [("NVIDIA H200", 141 * GIB)]
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", fail)
    assert card("wav2lip", home).device == "GPU-0"


def test_whether_pytorch_knows_cuda_is_read_and_true(monkeypatch: pytest.MonkeyPatch):
    import torch

    monkeypatch.undo()
    assert gpus._torch_has_cuda() == torch.backends.cuda.is_built()


def said(ask: Any) -> tuple[str, str] | None:
    """Code and sentence of the error that a question raises."""
    try:
        ask()
    except HeyGemError as error:
        return error.code, error.message
    return None


@pytest.mark.parametrize("name", ["mesh", "loudness", "wav2lip", "wav2lip-256", "remote"])
@pytest.mark.parametrize("device", ["auto", "cpu", "cuda"])
@pytest.mark.parametrize("state", ["nothing", "installed", "damaged", "commercial"])
def test_the_check_says_what_the_engine_itself_would(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, device: str, state: str
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    if state != "nothing":
        monkeypatch.setenv("HEYGEM_REMOTE_URL", "http://gpu.example:8383")
        monkeypatch.setenv("HEYGEM_REMOTE_FOLDER", str(home))
        if needs(name):
            bring(home, name)
    if state == "damaged" and needs(name):
        (home / "weights" / name / WEIGHTS).write_bytes(b"cut")
    if state == "commercial":
        monkeypatch.setenv("HEYGEM_COMMERCIAL", "true")
    style = Style(device=device)
    itself = said(lambda: engines.load(name).device(style))
    checked = said(lambda: cards.check(name, style, settings.load()))
    if name == "remote" and device != "auto" and state == "nothing":
        assert itself and checked, "two things are wrong; either may be said first"
    else:
        assert checked == itself


def test_cards_cost_milliseconds_and_no_library_of_networks(home: Path):
    for name in ("wav2lip", "wav2lip-288", "musetalk"):
        bring(home, name)
    code = (
        "import sys; from heygem import settings; from heygem.engines import cards\n"
        "from heygem.engines.base import Style\n"
        "known = settings.load(); found = [one.state for one in cards.cards(known)]\n"
        "cards.check('wav2lip', Style(), known)\n"
        "print(found.count('ready'), {'torch', 'mediapipe', 'safetensors.torch'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).strip() == "5 set()"
    known = settings.load(home=home)
    began = time.perf_counter()
    for _ in range(10):
        cards.cards(known)
    assert time.perf_counter() - began < 10 * 0.1, "a loaded machine may be ten times slower than this takes"


def test_no_card_names_a_path(home: Path):
    bring(home, "wav2lip")
    known: Settings = settings.load(home=home, remote_folder=home)
    assert str(home) not in str(cards.cards(known))
