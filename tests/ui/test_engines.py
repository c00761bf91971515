"""What the page says of the engines: every state in words, what to do, and a no before anything is copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from heygem.engines import ENGINES
from heygem.engines.cards import card
from heygem.jobs.fleet import InlineFleet
from heygem.jobs.preflight import Preflight
from heygem.settings import load
from heygem.weights.table import TABLE
from tests.engines.brought import bring
from tests.jobs.made import queue_in
from ui.desk import Desk
from ui.engines import EngineCards, choices, note, size
from ui.words import LICENCES_ZH, VALUES_ZH, quoted, say

PLAIN = ("MIT", "Apache-2.0")
"""Names of licences: the same in every language."""


@pytest.fixture
def desk(tmp_path: Path, preflight: Preflight) -> Iterator[Desk]:
    queue = queue_in(tmp_path)
    settings = load(home=tmp_path, outputs=queue.outputs)
    yield Desk(queue, InlineFleet(queue), preflight, settings, tmp_path / "the.log")
    queue.store.close()


def shown(desk: Desk, language: str = "zh", **given: Any) -> dict[str, dict[str, Any]]:
    """Name -> card, as the browser gets them."""
    settings = load(home=desk.settings.home, **given)
    with gr.Blocks():
        found = EngineCards(Desk(desk.queue, desk.fleet, desk.preflight, settings, desk.log)).answer(language)
    return {one["name"]: one for one in found["cards"]}


def said(one: dict[str, Any]) -> str:
    return " ".join(str(value) for lack in one["lacks"] for value in lack.values())


def test_every_engine_has_a_card_with_its_purpose_the_default_first_and_the_check_last(desk: Desk) -> None:
    found = shown(desk)
    assert set(found) == set(ENGINES)
    assert next(iter(found.values()))["default"] and [*found][-1] == "loudness"
    assert all(one["about"] and one["title"] and one["word"] and one["reason"] for one in found.values())


def test_the_page_and_the_api_call_engines_by_the_same_names(desk: Desk) -> None:
    for name in ENGINES:
        assert card(name, desk.settings).title == say(f"engine_{name}", "en")


def test_what_is_missing_is_said_with_the_command_to_copy(desk: Desk) -> None:
    found = shown(desk)
    steps = [step for lack in found["musetalk"]["lacks"] for step in lack["steps"]]
    assert [step["command"] for step in steps] == [
        f"heygem weights download {name}" for name in ("musetalk", "sd-vae", "whisper-tiny")
    ]
    assert found["musetalk"]["how"] and "还没有安装权重“sd-vae”" in said(found["musetalk"])
    by_hand = found["wav2lip"]["lacks"][0]["steps"][0]
    assert by_hand["command"] == "heygem weights add FILE --name wav2lip" and "wav2lip.pth" in by_hand["about"]
    assert by_hand["page"] == TABLE["wav2lip"].page
    assert "HEYGEM_REMOTE_URL" in said(found["remote"]) and "docs/remote.md" in said(found["remote"])


def test_each_state_has_its_word_and_what_is_wrong_stands_open(desk: Desk) -> None:
    bring(desk.settings.home, "wav2lip")
    bring(desk.settings.home, "wav2lip-288", rights=True)
    bring(desk.settings.home, "wav2lip-256")
    (desk.settings.home / "weights" / "wav2lip-256" / "weights.safetensors").write_bytes(b"cut")
    found = shown(desk, "en")
    assert [found[name]["word"] for name in ("wav2lip", "wav2lip-gan", "wav2lip-256", "remote")] == [
        *("ready", "weights not installed", "weights damaged", "not set up")
    ]
    assert found["wav2lip-256"]["how"] == "" and "another size" in said(found["wav2lip-256"])
    assert any("said to have the right" in line for line in found["wav2lip-288"]["licences"])
    assert found["wav2lip"]["commercial"] == "no" and found["wav2lip"]["allowed"] == "no commercial use"
    refused = shown(desk, "en", commercial=True)["wav2lip"]
    assert refused["word"] == "refused by licence" and refused["how"] == "" and "LRS2" in said(refused)


def test_memory_is_said_only_where_it_is_known(desk: Desk) -> None:
    bring(desk.settings.home, "wav2lip")
    facts = {name: {fact["name"]: fact["value"] for fact in one["facts"]} for name, one in shown(desk, "en").items()}
    assert facts["mesh"] == {"Device": "CPU"} and "Memory" not in facts["wav2lip-256"]
    assert facts["wav2lip"]["Memory"].startswith("weights ") and "GPU" not in facts["wav2lip"]["Memory"]
    assert facts["wav2lip-gan"]["Memory"] == "files of about 436 MB"
    assert "about 3.9 GB" in facts["musetalk"]["Memory"] and "README of MuseTalk" in facts["musetalk"]["Memory"]


def test_nothing_that_a_settings_value_holds_reaches_javascript(desk: Desk) -> None:
    one = shown(desk, remote_url="http://gpu.example:8383", remote_folder=desk.settings.home / "${alert(1)}")["remote"]
    assert one["state"] == "ready" and "gpu.example:8383" in str(one) and "alert" not in str(one)


def test_a_dropdown_marks_what_is_not_ready_and_the_choice_says_why(desk: Desk) -> None:
    bring(desk.settings.home, "wav2lip")
    names = {name: label for label, name in choices(desk.settings, "zh")}
    assert set(names) == set(ENGINES) and names["mesh"] == "标准引擎" and names["wav2lip"] == "Wav2Lip"
    assert names["musetalk"] == "MuseTalk 1.5（未安装权重）" and names["remote"].endswith("（未设置）")
    assert note("mesh", desk.settings, "zh") == {}
    assert note("wav2lip", desk.settings, "zh") == {"about": "禁止商用：它们用 LRS2 训练，作者禁止任何商业用途。"}
    missing = note("musetalk", desk.settings, "en")
    assert "“musetalk”" in missing["problem"] and "heygem weights download" in missing["remedy"]


def test_every_quotation_has_its_chinese_and_none_is_left_over(desk: Desk) -> None:
    texts = {text for row in TABLE.values() for text in (row.code, row.licence, row.reason)}
    for name in ENGINES:
        known = card(name, desk.settings)
        texts |= {known.licence.code, known.licence.weights, known.licence.reason}
        texts |= {known.gpu.source} if known.gpu else set()
    assert texts - set(PLAIN) - set(LICENCES_ZH) - set(VALUES_ZH) == set()
    assert set(LICENCES_ZH) - texts == set()
    assert quoted("MIT", "zh") == "MIT" and quoted("needs none", "en") == "needs none"


@pytest.mark.parametrize(
    ("count", "text"), [(1200, "1 kB"), (435_801_865, "436 MB"), (999_999, "1000 kB"), (3_400_074_924, "3.4 GB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert size(count) == text
