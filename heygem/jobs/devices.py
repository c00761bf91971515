"""Where workers compute: the GPUs of this machine, found without CUDA, or its processor."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import takewhile

from loguru import logger

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Device:
    """name: "cpu", "cuda:0" … gpu: the one that a worker sees, as CUDA_VISIBLE_DEVICES wants it; None: no choice."""

    name: str
    gpu: str | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment to compute here."""
        return {} if self.gpu is None else {_VISIBLE: self.gpu}


CPU = Device("cpu")


def devices(workers: int = 0) -> list[Device]:
    """One device for each worker, in turn. 0 workers: as many as there are GPUs, or one."""
    found = [Device(f"cuda:{number}", gpu) for number, gpu in enumerate(_gpus())] or [CPU]
    return [found[number % len(found)] for number in range(workers or len(found))]


def _gpus() -> list[str]:
    """The GPUs that this process may use, in the order of their numbers."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        logger.debug("no GPU: {}", error)
        return []
    try:
        count = range(pynvml.nvmlDeviceGetCount())
        all_of_them = [str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(n))) for n in count]
    finally:
        pynvml.nvmlShutdown()
    chosen = os.environ.get(_VISIBLE)
    if chosen is None or not all_of_them:
        return all_of_them
    return [*takewhile(lambda gpu: gpu not in ("", "-1"), map(str.strip, chosen.split(",")))]
