"""Where networks compute, batches of one size, and memory that is too small. Without a GPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from heygem.engines.neural.place import Place, Steady, place, spare_cores
from heygem.engines.neural.resident import release, resident
from heygem.errors import EngineUnavailable

CPU = Place(torch.device("cpu"), torch.float32, "CPU")
OTHER = Place(torch.device("cpu"), torch.bfloat16, "CPU, bf16")


def test_a_gpu_that_is_not_there_is_never_replaced_silently(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineUnavailable, match="GPU"):
        place("cuda", "wav2lip")
    assert place("auto", "wav2lip").name.startswith("CPU")


@pytest.mark.parametrize(("amx", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_half_precision_only_where_the_processor_is_made_for_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, dtype: torch.dtype
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": amx})
    assert place("cpu", "wav2lip").dtype == dtype
    assert ("bf16" in place("cpu", "wav2lip").name) == amx
    assert place("cpu", "wav2lip", exact=True).dtype == torch.float32


@pytest.mark.parametrize(("each", "frames"), [(1 << 20, 32), (1 << 30, 14), (1 << 40, 1)])
def test_a_gpu_takes_as_many_frames_as_have_room(monkeypatch: pytest.MonkeyPatch, each: int, frames: int):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (8 << 30, 24 << 30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 14 << 30)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2 << 30)  # twelve are only kept
    gpu = Place(torch.device("cuda", 0), torch.float16, "GPU, fp16")
    assert gpu.batch(each, usual=8, most=32) == frames
    assert CPU.batch(each, usual=8, most=32) == 8


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 2), (16, 6)])
def test_cores_are_left_to_decoder_and_encoder(monkeypatch: pytest.MonkeyPatch, cores: int, threads: int):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(6)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        with spare_cores():
            assert torch.get_num_threads() == threads
        assert torch.get_num_threads() == 6
    finally:
        torch.set_num_threads(before)


def test_batches_are_filled_up_to_one_size():
    sizes = []

    def net(x: Tensor, y: Tensor) -> Tensor:
        sizes.append(len(x))
        return x + y

    run = Steady(net, CPU, 4)
    assert run(torch.tensor([1.0]), torch.tensor([2.0])).tolist() == [3]
    assert run(torch.arange(4.0), torch.ones(4)).tolist() == [1, 2, 3, 4]
    assert sizes == [4, 4]


def test_too_little_memory_halves_what_is_taken_at_once():
    room = 3

    def net(x: Tensor) -> Tensor:
        if len(x) > room:
            raise torch.cuda.OutOfMemoryError
        return 2 * x

    run = Steady(net, CPU, 8)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        run(torch.ones(8))
    with pytest.raises(torch.cuda.OutOfMemoryError):
        run(torch.ones(4))
    assert run(torch.ones(2)).tolist() == [2, 2] and run.batch == 2


def test_networks_compute_in_half_precision_and_answer_in_single():
    class Doubled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([2.0]))

        def forward(self, x: Tensor) -> Tensor:
            assert x.dtype == self.weight.dtype == torch.bfloat16
            return self.weight * x

    made = Steady(OTHER.hold(Doubled()), OTHER, 2)(torch.tensor([1.5, 3.0]))
    assert made.dtype == torch.float32 and made.tolist() == [3, 6] and not made.requires_grad


def test_one_engine_at_one_place_is_held():
    release()
    made: list[str] = []

    def load(name: str) -> str:
        made.append(name)
        return name

    def ask(engine: str, where: Place, part: str) -> str:
        return resident(engine, where, part, lambda: load(f"{engine} {part} {where.name}"))

    for _ in range(2):
        assert ask("a", CPU, "net") == "a net CPU" and ask("a", CPU, "ears") == "a ears CPU"
    assert made == ["a net CPU", "a ears CPU"]
    ask("a", OTHER, "net")
    ask("b", OTHER, "net")
    ask("a", CPU, "net")
    assert made[2:] == ["a net CPU, bf16", "b net CPU, bf16", "a net CPU"]
    release()
    ask("a", CPU, "net")
    assert made[-1] == "a net CPU" and len(made) == 6
