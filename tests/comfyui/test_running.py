"""While a node works: its bar, and what an interrupt leaves: nothing."""

from __future__ import annotations

import math
import sys

import pytest

from tests.comfyui import fake_comfy, lines
from tests.comfyui.fake_comfy import STATE, Interrupted, OldInterrupted


@pytest.mark.parametrize("line", ["single", "retry", "compare"])
def test_the_bar_only_grows_and_shows_the_person_all_the_while(line, pack, engine, monkeypatch):
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.running"], "PICTURES", 0.0)
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.running"], "BETWEEN", 0.0)
    engine.run(lines.LINES[line]())
    shares = [share for share, _ in STATE.bars]
    pictures = [n for n, (_, preview) in enumerate(STATE.bars) if preview]
    assert shares == sorted(shares) and shares[-1] == 1 and len(shares) > 5
    assert pictures[0] == 0 and len(pictures) > 15 and pictures[-1] >= len(shares) - 2
    kind, picture, side = STATE.bars[0][1]
    assert kind == "JPEG" and max(picture.size) <= side


@pytest.mark.parametrize("kind", [Interrupted, OldInterrupted])
@pytest.mark.parametrize("line", ["single", "retry"])
def test_an_interrupt_ends_everything_and_leaves_nothing(pack, engine, comfy, kind, line, monkeypatch):
    """Within a frame, and also where one bad item of a list would be skipped."""
    running = sys.modules[f"{pack.__name__}.running"]
    monkeypatch.setattr(running, "BETWEEN", 0)
    monkeypatch.setattr(sys.modules["comfy.model_management"], "InterruptProcessingException", kind)
    prompt = lines.LINES[line]()
    prompt["3" if line == "single" else "4"]["inputs"]["on_error"] = "skip"
    STATE.interrupt_at = 0.6
    with pytest.raises(kind):
        engine.run(prompt)
    assert len([share for share, _ in STATE.bars if share >= 0.6]) == 1
    assert not list((comfy / "temp").iterdir()) and not any((comfy / "output").iterdir())
    engine.run(lines.single())  # the next run is not disturbed


@pytest.mark.parametrize("line", ["single", "retry", "compare"])
def test_a_cancel_at_the_very_end_leaves_nothing(pack, engine, comfy, line, monkeypatch):
    """The films are in place by then."""
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.running"], "BETWEEN", math.inf)
    STATE.interrupt_at = 1.0
    with pytest.raises(Interrupted):
        engine.run(lines.LINES[line]())
    assert not list((comfy / "temp").iterdir())


@pytest.mark.parametrize(
    ("node", "said"),
    [("EnhanceFace", {"amount": 0.5, "use_gpu": False}), ("TextToSpeech", {"text": "hi", "voice": "", "speed": 1.0})],
)
def test_nor_does_one_before_or_after_the_mouth(pack, nodes, comfy, clip, node, said, monkeypatch):
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.running"], "BETWEEN", math.inf)
    STATE.interrupt_at = 1.0
    if node == "EnhanceFace":
        said = {**said, "video": fake_comfy.VideoFromFile(str(clip))}
    with pytest.raises(Interrupted):
        nodes[f"HeyGem{node}"].execute(**said)
    assert not list((comfy / "temp").iterdir())
