"""Where workers compute. The driver's library is replaced: its answers for several GPUs cannot be had without them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pynvml
import pytest

from heygem.jobs.devices import CPU, Device, devices
from heygem.jobs.job import DONE
from heygem.jobs.worker import Worker
from tests.jobs import works
from tests.jobs.made import queue_in, request

UUIDS = ["GPU-aa", "GPU-bb"]


@pytest.fixture(autouse=True)
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The GPUs of a machine that has two; a test may take them away."""
    found = [*UUIDS]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name, answer in {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(found),
        "nvmlDeviceGetHandleByIndex": lambda number: number,
        "nvmlDeviceGetUUID": lambda handle: found[handle],
    }.items():
        monkeypatch.setattr(pynvml, name, answer)
    return found


def test_one_worker_for_each_gpu() -> None:
    assert devices() == [Device("cuda:0", "GPU-aa"), Device("cuda:1", "GPU-bb")]


def test_more_workers_share_the_gpus_in_turn_and_fewer_leave_some() -> None:
    assert [device.name for device in devices(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert [device.name for device in devices(1)] == ["cuda:0"]


def test_without_a_gpu_there_is_one_worker_or_as_many_as_are_asked_for(gpus: list[str]) -> None:
    gpus.clear()
    assert devices() == [CPU] and devices(3) == [CPU] * 3
    assert CPU.variables == {}, "nothing is hidden from a worker that no GPU was given to"


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    assert devices() == [CPU]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("1", ["1"]), ("GPU-bb, GPU-aa", ["GPU-bb", "GPU-aa"]), ("", []), ("-1", []), ("0,-1,1", ["0"])],
)
def test_only_the_gpus_that_were_given_to_this_process_are_used(
    monkeypatch: pytest.MonkeyPatch, chosen: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", chosen)
    assert [device.gpu for device in devices()] == (expected or [None])


def test_a_worker_sees_its_own_gpu_alone(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    queue.submit(request(tmp_path))
    job = queue.store.claim("me")
    assert job is not None
    worker = Worker(works.by_name, devices()[1])
    try:
        worker.send(works.Order(job.request, job.folder / "out.mp4", None))
        while (answer := worker.receive(20)) is not None and answer[0] != DONE:
            pass
        assert answer is not None and answer[1].quality["gpu"] == "GPU-bb"
    finally:
        worker.kill()


def test_looking_for_gpus_does_not_load_torch() -> None:
    code = "import sys; from heygem.jobs.devices import devices; devices(); print({'torch', 'cv2'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
