"""The table is complete: every row says what may be done with it, every engine finds its rows, all have words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from heygem.engines import ENGINES
from heygem.errors import OptionInvalid
from heygem.weights.inert import REASONS
from heygem.weights.recognise import SETTING
from heygem.weights.table import TABLE, needs, row
from ui.words import VALUES_ZH

DOCS = (Path(__file__).parents[2] / "docs" / "weights.md").read_text("utf-8")
WITHOUT = {"mesh", "loudness", "remote"}
NEURAL = {"wav2lip", "wav2lip-gan", "wav2lip-256", "wav2lip-288", "musetalk", "musetalk-1.0"}


@pytest.mark.parametrize("name", TABLE)
def test_a_row_is_complete(name):
    one = TABLE[name]
    assert one.name == name and bool(one.engines) != bool(one.effects) and one.network
    assert one.code and one.licence and one.reason and one.commercial in ("yes", "no", "unclear")
    assert re.fullmatch(r"https://[\w./-]+", one.page)
    assert not one.address or (one.address.startswith(one.page) and one.address.endswith(f"/{one.files[0].name}"))
    assert one.files
    for file in one.files:
        assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert (file.size is None) == (file.sha256 is None)
    for place in (one.huggingface, one.modelscope):
        assert place is None or place.path.rpartition("/")[2] in {file.name for file in one.files}


@pytest.mark.parametrize("name", TABLE)
def test_a_row_can_be_told_in_chinese_and_stands_in_the_document(name):
    assert re.search(r"[\u4e00-\u9fff]", VALUES_ZH[TABLE[name].reason])
    assert f"`{name}`" in DOCS and TABLE[name].page in DOCS


def test_no_published_file_belongs_to_two_rows():
    sums = [file.sha256 for one in TABLE.values() for file in one.files if file.sha256]
    assert len(set(sums)) == len(sums)


def test_every_neural_engine_finds_what_it_needs():
    assert all(needs(engine) for engine in NEURAL | (set(ENGINES) - WITHOUT))
    assert not any(needs(engine) for engine in WITHOUT)
    assert [one.name for one in needs("musetalk")] == ["musetalk", "sd-vae", "whisper-tiny"]
    assert [one.name for one in needs("wav2lip-gan")] == ["wav2lip-gan"]
    assert {engine for one in TABLE.values() for engine in one.engines} == NEURAL
    assert {effect for one in TABLE.values() for effect in one.effects} == {"enhance"}


def test_what_was_trained_on_lrs2_is_never_commercial():
    assert {name for name, one in TABLE.items() if one.commercial == "no"} == {"wav2lip", "wav2lip-gan"}
    assert all(TABLE[name].commercial == "unclear" for name in ("wav2lip-256", "wav2lip-288", "face-parsing", "gfpgan"))


def test_every_reason_to_refuse_a_file_has_a_chinese_word():
    assert set(REASONS.values()) <= set(VALUES_ZH) and "a known network" in VALUES_ZH
    assert SETTING == "“heygem weights add”"


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(OptionInvalid, match="wav3lip") as caught:
        row("wav3lip")
    assert "musetalk-1.0" in caught.value.hint
