"""The GPUs of this machine, found without CUDA and without loading a network's library."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from loguru import logger

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Gpu:
    """name: of the model. memory: bytes, 0 where it is not told."""

    name: str
    memory: int


def visible() -> list[str]:
    """Those that this process may use, in the order of their numbers, as CUDA_VISIBLE_DEVICES wants them."""
    with _driver() as found:
        if not found:
            return []
        import pynvml

        count = range(pynvml.nvmlDeviceGetCount())
        all_of_them = [str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(n))) for n in count]
    chosen = os.environ.get(VISIBLE)
    if chosen is None or not all_of_them:
        return all_of_them
    return [*takewhile(lambda gpu: gpu not in ("", "-1"), map(str.strip, chosen.split(",")))]


@cache
def for_torch() -> tuple[Gpu, ...]:
    """Those that PyTorch can use here: none where it was built without CUDA. Asked once: GPUs do not come and go."""
    if not _torch_has_cuda():
        return ()
    with _driver():
        return tuple(map(_about, visible()))


def _about(gpu: str) -> Gpu:
    import pynvml

    try:
        by_number = gpu.isdecimal()
        handle = pynvml.nvmlDeviceGetHandleByIndex(int(gpu)) if by_number else pynvml.nvmlDeviceGetHandleByUUID(gpu)
        return Gpu(str(pynvml.nvmlDeviceGetName(handle)), int(pynvml.nvmlDeviceGetMemoryInfo(handle).total))
    except pynvml.NVMLError as error:
        logger.debug("nothing is known of the GPU {}: {}", gpu, error)
        return Gpu(gpu, 0)


def _torch_has_cuda() -> bool:
    """Read from what is installed: PyTorch itself takes seconds to load."""
    found = find_spec("torch")
    return bool(found and found.origin and any(Path(found.origin).parent.glob("lib/*torch_cuda.*")))


@contextmanager
def _driver() -> Iterator[bool]:
    """Is there one? It counts how often it is opened and closed."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        logger.debug("no GPU: {}", error)
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()
