"""Where workers compute: the GPUs of this machine, found without CUDA, or its processor."""

from __future__ import annotations

from dataclasses import dataclass

from heygem import gpus


@dataclass(frozen=True)
class Device:
    """name: "cpu", "cuda:0" … gpu: the one that a worker sees, as CUDA_VISIBLE_DEVICES wants it; None: no choice."""

    name: str
    gpu: str | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment to compute here."""
        return {} if self.gpu is None else {gpus.VISIBLE: self.gpu}


CPU = Device("cpu")


def devices(workers: int = 0) -> list[Device]:
    """One device for each worker, in turn. 0 workers: as many as there are GPUs, or one."""
    found = [Device(f"cuda:{number}", gpu) for number, gpu in enumerate(gpus.visible())] or [CPU]
    return [found[number % len(found)] for number in range(workers or len(found))]
