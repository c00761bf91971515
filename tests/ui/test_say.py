"""The panel for texts: which voices it offers, and how their sounds are named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from heygem import settings
from heygem.say import voices
from ui.say import VOICES, SayPanel, choices, title
from ui.template import template


def desk(**given: object) -> Any:
    return SimpleNamespace(settings=settings.load(**given))


def test_every_voice_of_the_panel_is_there() -> None:
    offered = [name for _, name in choices(desk(), "zh")]
    assert len(offered) == 2 * len(VOICES) == len(set(offered))
    assert set(offered) <= {voice.name for voice in voices(settings.load())}


def test_a_service_comes_first_and_is_called_external() -> None:
    found = choices(desk(tts_url="http://127.0.0.1:9/v1", tts_voices="alloy,晓晓"), "zh")
    assert found[:3] == [
        ("alloy · 外部语音服务", "service:alloy"),
        ("晓晓 · 外部语音服务", "service:晓晓"),
        ("普通话 · 女声", "espeak:cmn+f3"),
    ]
    assert all(not name.startswith("service:") for _, name in choices(desk(tts_voices="alloy"), "en"))


def test_the_button_comes_back_where_speaking_could_not_begin() -> None:
    with gr.Blocks() as page, gr.Column():
        SayPanel(gr.I18n(en={}), desk(), template("pick", {}), gr.BrowserState({}))
    button = next(block for block in page.blocks.values() if isinstance(block, gr.Button))
    assert [fn.outputs for fn in page.fns.values() if fn.trigger_only_on_failure] == [[button]]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("大家好，\n欢迎", "大家好， 欢迎"),
        ("3.5 is a number", "3.5 is a number"),
        ("../../etc/passwd", "etc passwd"),
        ("a" * 100, "a" * 24),
    ],
)
def test_a_sound_is_named_by_its_text(text: str, name: str) -> None:
    assert title(text) == name
