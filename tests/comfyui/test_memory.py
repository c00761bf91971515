"""Networks that stay loaded, in the books of ComfyUI's memory manager."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from heygem.engines import cards
from heygem.engines.neural import resident
from heygem.engines.neural.place import place
from heygem.pipeline import Options
from tests.comfyui import fake_comfy
from tests.comfyui.fake_comfy import STATE

HERE = place("cpu", "wav2lip", exact=True)


@pytest.fixture
def booked(pack, comfy, monkeypatch):
    monkeypatch.setattr(
        cards, "card", lambda name, settings: SimpleNamespace(installed=1000 * (name == "wav2lip"), gpu=None)
    )
    resident.release()
    yield sys.modules[f"{pack.__name__}.memory"].booked
    resident.release()


def take(booked, engine="wav2lip", made=None):
    """What a take does with its network, seen from here. Returns how often it was loaded."""
    made = [] if made is None else made

    def load() -> nn.Module:
        made.append(1)
        return nn.Linear(100, 10)

    with booked(Options(engine)):
        resident.resident(engine, HERE, "net", load)
    return made


def test_the_manager_knows_how_large_they_are_and_may_end_it(booked):
    made = take(booked)
    (patcher,) = STATE.loaded
    assert patcher.size == patcher.model.model_loaded_weight_memory == (100 * 10 + 10) * 4
    take(booked, made=made)
    assert made == [1] and STATE.loaded == [patcher]  # resident from run to run
    fake_comfy.unload_all_models()
    assert resident.modules() == []
    take(booked, made=made)
    assert made == [1, 1] and STATE.loaded == [patcher]


def test_room_is_made_before_the_work(booked, monkeypatch):
    asked = []
    management = sys.modules["comfy.model_management"]
    monkeypatch.setattr(
        management, "load_models_gpu", lambda models, memory_required: asked.append((models[0].size, memory_required))
    )
    take(booked)
    with booked(Options("wav2lip", style=Options().style.__class__(device="cpu"))):
        pass
    assert asked == [(1000, 2 << 30), (1, 0)]


def test_room_is_made_for_the_network_of_a_film(nodes, comfy, clip):
    enhance = nodes["HeyGemEnhanceFace"].execute
    STATE.freed.clear()
    for use_gpu in (False, True):
        enhance(video=fake_comfy.VideoFromFile(str(clip)), amount=0.5, use_gpu=use_gpu)
    assert STATE.freed == [2 << 30]


def test_an_engine_without_networks_takes_no_room(booked):
    with booked(Options("mesh")):
        pass
    assert STATE.loaded == []


def test_of_several_engines_the_largest_counts(booked, monkeypatch):
    asked = []
    management = sys.modules["comfy.model_management"]
    monkeypatch.setattr(management, "load_models_gpu", lambda models, memory_required: asked.append(models[0].size))
    with booked(Options("mesh"), Options("wav2lip"), Options("loudness")):
        pass
    assert asked == [1000]


def test_what_fails_is_in_the_books_as_well(booked):
    with pytest.raises(RuntimeError), booked(Options("wav2lip")):
        resident.resident("wav2lip", HERE, "net", lambda: nn.Linear(10, 10))
        raise RuntimeError
    assert STATE.loaded[0].size == 440 and isinstance(resident.modules()[0].weight, torch.Tensor)
