"""Where a network computes, with which numbers, and how many frames it takes at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from heygem.errors import EngineUnavailable

Net = TypeVar("Net", bound=nn.Module)
SHARE = 0.7
"""Of the free memory of a GPU, what the frames of one batch may take."""
AHEAD = 4
"""Batches that a GPU is sent before the first one is waited for."""
SMALL = 64 << 10
"""Bytes up to which CUDA takes values at once, whatever a GPU is doing."""
Later = Callable[[], np.ndarray]
"""Values that are on their way: waits until they are there. Whoever holds them may change them."""


@dataclass(frozen=True)
class Place:
    """device: of torch. dtype: of the network, half precision where that is faster; pictures stay in single precision.
    name: for people."""

    device: torch.device
    dtype: torch.dtype
    name: str

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    def hold(self, net: Net) -> Net:
        """The network here, for inference, with channels last: what convolutions are fastest with."""
        net = net.eval().requires_grad_(False).to(self.device, self.dtype)
        return net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] (torch names no such form)

    def take(self, values: np.ndarray) -> Tensor:
        """Values here, of the same type, which may share their memory. On a GPU they travel while it computes."""
        given = torch.from_numpy(np.require(values, requirements=["C", "W"]))
        if not self.is_gpu:
            return given
        if given.nbytes <= SMALL:
            return given.to(self.device, non_blocking=True)
        up, now = _lanes(self.device)[0], torch.cuda.current_stream(self.device)
        with torch.cuda.stream(up):
            here = given.pin_memory().to(self.device, non_blocking=True)
        now.wait_stream(up)
        here.record_stream(now)
        return here

    def give(self, values: Tensor) -> Later:
        """Brings values back, on a GPU while it computes on. What is returned waits for them."""
        if not self.is_gpu:
            return values.numpy
        down = _lanes(self.device)[1]
        down.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(down):
            there = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            there.copy_(values, non_blocking=True)
            arrived = down.record_event()
        values.record_stream(down)

        def wait() -> np.ndarray:
            arrived.synchronize()
            return there.numpy()

        return wait

    def batch(self, each: int, usual: int, most: int) -> int:
        """How many frames at once: ``usual`` on a processor; on a GPU as many as have room at ``each`` bytes, 1 to
        ``most``."""
        if not self.is_gpu:
            return usual
        free, _ = torch.cuda.mem_get_info(self.device)
        free += torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)  # of earlier takes
        return max(1, min(most, int(free * SHARE) // each))

    @property
    def ahead(self) -> int:
        """How many batches are on their way at once: while a GPU computes one, the processor prepares the next and
        finishes the last."""
        return AHEAD if self.is_gpu else 1


def place(wish: str, engine: str, exact: bool = False) -> Place:
    """Where ``engine`` computes: on the GPU that this process sees, if ``wish`` ("auto", "cpu", "cuda") lets it.

    exact: with single precision everywhere. Raises EngineUnavailable where a GPU is asked for and not there: nothing
    falls back to the processor silently.
    """
    if wish == "cpu" or (wish == "auto" and not torch.cuda.is_available()):
        half = not exact and torch.cpu.get_capabilities().get("amx_bf16", False)
        return Place(torch.device("cpu"), *((torch.bfloat16, "CPU, bf16") if half else (torch.float32, "CPU")))
    if not torch.cuda.is_available():
        raise EngineUnavailable(engine=engine, reason="PyTorch finds no GPU that it can use; choose auto or cpu")
    device = torch.device("cuda", torch.cuda.current_device())
    name = torch.cuda.get_device_name(device)
    return Place(device, *((torch.float32, name) if exact else (torch.float16, f"{name}, fp16")))


@contextmanager
def spare_cores() -> Iterator[None]:
    """PyTorch leaves two cores to decoder and encoder. Threads that have to share a core wait for each other: on two
    cores two of them need three times the time of one."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) - 2)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Steady:
    """Calls a network with batches of one size, filled up where there are fewer: the same numbers come out however
    frames are grouped, and a GPU records its work once and repeats it."""

    def __init__(self, net: Callable[..., Tensor], place: Place, batch: int) -> None:
        self._net, self._place, self.batch = net, place, batch
        self._graph: Any = None
        self._inputs: list[Tensor] = []
        self._output: Tensor | None = None

    @torch.inference_mode()
    def __call__(self, *inputs: Tensor) -> Tensor:
        """inputs: (n, …) float32 each, with the same n <= batch; so is what comes out. Raises torch's OutOfMemoryError,
        and takes no more than half as many from then on."""
        count = len(inputs[0])
        try:
            return self._run([_filled(one.to(self._place.dtype), self.batch) for one in inputs])[:count].float()
        except torch.cuda.OutOfMemoryError:
            self._graph, self._inputs, self._output = None, [], None
            self.batch = max(1, count // 2)
            torch.cuda.empty_cache()
            raise

    def _run(self, inputs: list[Tensor]) -> Tensor:
        if not self._place.is_gpu:
            return self._net(*inputs)
        if self._graph is None or any(a.shape != b.shape for a, b in zip(inputs, self._inputs, strict=True)):
            self._record(inputs)
        for mine, given in zip(self._inputs, inputs, strict=True):
            mine.copy_(given)
        assert self._graph is not None and self._output is not None
        self._graph.replay()
        return self._output.clone()

    def _record(self, inputs: list[Tensor]) -> None:
        """A CUDA graph (https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs) of one call, after three that
        settle which kernels are the fastest."""
        self._inputs = [one.clone() for one in inputs]
        side = torch.cuda.Stream(self._place.device)
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._net(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # Decoder and encoder use the same GPU from other threads, which would spoil what is recorded "global".
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = self._net(*self._inputs)


@cache
def _lanes(device: torch.device) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """Two streams beside the one that computes: for what goes to a GPU, and for what comes back."""
    return torch.cuda.Stream(device), torch.cuda.Stream(device)


def _filled(values: Tensor, count: int) -> Tensor:
    """Values (n, …) with the last row repeated to ``count`` rows."""
    missing = count - len(values)
    return torch.cat([values, values[-1:].expand(missing, *values.shape[1:])]) if missing > 0 else values
