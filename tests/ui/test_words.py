"""Every sentence in both languages, with the same values in it, and none that nobody says."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from heygem import errors
from heygem.engines import ENGINES
from heygem.engines.base import REGIONS
from heygem.jobs.job import DELIVERY_STATES, STATES
from heygem.notify import CHANNELS
from heygem.pipeline import LENGTHS, QUALITIES, RESOLUTIONS
from heygem.quality.score import PARTS
from heygem.tick import STAGES
from ui.words import (
    ERRORS_ZH,
    REASONS_ZH,
    VALUES_ZH,
    WARNINGS,
    WORDS,
    duration,
    error_kinds,
    explain,
    say,
    templates,
    warn,
)

KINDS = list(error_kinds())
CHINESE = re.compile(r"[\u4e00-\u9fff]")
UI = Path(__file__).parents[2] / "ui"
CORE = Path(__file__).parents[2] / "heygem"
SOURCES = "".join(path.read_text("utf-8") for path in [*UI.glob("*.py"), *(UI / "words").glob("[_p]*.py")])


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", WORDS)
def test_every_key_has_both_languages_with_the_same_values(key: str) -> None:
    zh, en = WORDS[key]
    assert zh.strip() and en.strip()
    assert values(zh) == values(en)
    assert not CHINESE.search(en)


def test_every_error_of_the_core_is_here_and_nothing_else() -> None:
    assert {kind.code for kind in KINDS} == set(ERRORS_ZH)
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_an_error_says_the_same_in_both_languages(kind: type[errors.HeyGemError]) -> None:
    (zh, zh_hint), (en, en_hint) = (templates(kind.code, language) for language in ("zh", "en"))
    assert CHINESE.search(zh) and CHINESE.search(zh_hint), "what is wrong and what to do"
    assert en and not CHINESE.search(en + en_hint)
    assert values(zh) == values(en) and values(zh_hint) == values(en_hint)


def test_details_are_translated_where_they_are_known() -> None:
    details = {"name": "a.mp4", "kind": "a video", "reason": "it is damaged, cut short or in an unknown format"}
    message, hint = explain("input.unreadable", details, "zh")
    assert message == "“a.mp4”无法作为视频打开：文件已损坏、不完整，或格式未知。"
    assert "重新导出" in hint
    assert explain("input.unreadable", details, "en")[0] == errors.FileUnreadable(**details).message


def literal_details() -> Iterator[str]:
    """The words that the core puts into its errors, where they are fixed."""
    names = {kind.__name__ for kind in KINDS}
    for path in CORE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                for given in node.keywords:
                    if given.arg in ("kind", "reason", "why") and isinstance(given.value, ast.Constant):
                        yield str(given.value.value)


def test_every_fixed_detail_of_the_core_has_a_chinese_word() -> None:
    from heygem.faces.people import WHY
    from heygem.media.container import _POINTERS

    fixed = {*literal_details(), *filter(None, WHY), *(what for what, _ in _POINTERS)}
    assert len(fixed) > 10
    assert fixed - set(VALUES_ZH) == set()


def test_unknown_codes_and_missing_details_still_make_a_sentence() -> None:
    assert explain("from.the.future", {"reason": "x"}, "en")[0].startswith("Something unexpected went wrong (x)")
    assert explain("input.too_short", {}, "zh")[0]


def test_every_choice_and_stage_and_state_has_a_word() -> None:
    choices = {"engine": ENGINES, "resolution": RESOLUTIONS, "quality": QUALITIES, "length": LENGTHS, "region": REGIONS}
    wanted = {f"{name}_{value}" for name, allowed in choices.items() for value in allowed}
    wanted |= {f"upload_{state}" for state in DELIVERY_STATES} | {f"channel_{name}" for name in CHANNELS}
    wanted |= {f"stage_{stage}" for stage in STAGES} | {f"state_{state}" for state in STATES}
    assert wanted <= set(WORDS)


def test_no_two_files_share_a_key() -> None:
    """One would silently win."""
    areas = [
        value
        for file in (UI / "words").glob("[!_]*.py")
        for name, value in vars(import_module(f"ui.words.{file.stem}")).items()
        if name.isupper() and isinstance(value, dict) and all(isinstance(one, tuple) for one in value.values())
        if "ERROR" not in name
    ]
    assert len(areas) >= 6
    assert sum(map(len, areas)) == len(WORDS) == len({key for area in areas for key in area})


def test_no_key_is_left_over() -> None:
    prefixes = ("engine_", "region_", "resolution_", "quality_", "length_", "stage_", "state_", "audio_", "video_")
    prefixes += ("held_", "run_state_", "run_held_", "draft_level_", "done_")
    prefixes += (
        "finding_",
        "channel_",
        "upload_",
        "link_kind_",
        "link_sure_",
        "link_revoke_",
        "link_revoked_",
        "link_yes_",
    )
    prefixes += ("background_", "cutout_", "captions_", "logo_place_")
    prefixes += ("tab_", "only_", "setting_", "queue_", "worker_", "login_")
    spoken = {key for key in WORDS if f'"{key.removesuffix("_about")}"' in SOURCES}
    assert {key for key in WORDS if not key.startswith(prefixes)} - spoken == set()


def test_the_pipelines_warning_is_known() -> None:
    source = (CORE / "pipeline" / "make.py").read_text("utf-8")
    assert "frames show no usable face and were left as they are" in source
    sentence = "10 of 250 frames show no usable face and were left as they are"
    assert warn(sentence, "zh") == say("no_face_frames", "zh", count=10, total=250)
    silent = "no voice was heard in the sound, so the mouth stays closed"
    assert silent in source and warn(silent, "zh") == say("no_voice", "zh")
    assert warn("something new", "zh") == "something new"
    assert all(key in WORDS for key in WARNINGS.values())


def test_every_reason_of_a_score_is_said_in_both_languages_with_the_same_values() -> None:
    assert set(REASONS_ZH) == set(PARTS)
    for name, part in PARTS.items():
        assert CHINESE.search(REASONS_ZH[name]) and not CHINESE.search(part.reason)
        assert values(REASONS_ZH[name]) == values(part.reason)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0.0 秒", "0.0 s"),
        (4.24, "4.2 秒", "4.2 s"),
        (59.4, "59 秒", "59 s"),
        (59.6, "1 分 0 秒", "1 min 0 s"),
        (200, "3 分 20 秒", "3 min 20 s"),
        (3900, "1 小时 5 分", "1 h 5 min"),
        (86400, "24 小时", "24 h"),
    ],
)
def test_durations_read_well(seconds: float, zh: str, en: str) -> None:
    assert (duration(seconds, "zh"), duration(seconds, "en")) == (zh, en)
