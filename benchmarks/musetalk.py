"""How long each part of MuseTalk takes here, with random weights of full size: ``python -m benchmarks.musetalk``.

Prints milliseconds a frame, by the clock and of the processor: the median of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from heygem.engines.nets.unet import Resnet, UNet
from heygem.engines.nets.vae import Decoder, Encoder
from heygem.engines.nets.whisper import Encoder as Whisper
from heygem.engines.neural.place import Place, Steady


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked.add_argument("--batch", type=int, default=1)
    asked.add_argument("--dtype", default="")
    asked.add_argument("--last", action="store_true", help="with channels last")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--parts", default="whisper,encoder,unet,decoder")
    given = asked.parse_args()
    dtype = getattr(torch, given.dtype or ("float16" if given.device == "cuda" else "float32"))
    place = Place(torch.device(given.device), dtype, given.device)
    print(f"{given.device} {dtype} batch {given.batch}{' channels last' if given.last else ''}")
    for name in given.parts.split(","):
        build, inputs = PARTS[name](given.batch)
        net = _here(build, place, given.last)
        run = net if name == "whisper" else Steady(net, place, given.batch)
        dtyped = [one.to(place.device, dtype) for one in inputs]
        wall, busy = _timed(lambda run=run, dtyped=dtyped: run(*dtyped), place, given.rounds)
        each = 1000 / (1 if name == "whisper" else given.batch)
        memory = f", {torch.cuda.max_memory_allocated() / 2**30:.2f} GB" if place.is_gpu else ""
        print(f"{name}: {wall * each:.1f} ms, {busy * each:.1f} ms of the processor{memory}", flush=True)
        del net, run


def published() -> UNet:
    """The U-Net with the layers of the published file that know the time, which ours folds: for names and shapes."""
    widths = (320, 640, 1280, 1280)
    net = UNet(8, 4, widths, 384)
    time = 4 * widths[0]
    net.time_embedding = nn.ModuleDict({"linear_1": nn.Linear(widths[0], time), "linear_2": nn.Linear(time, time)})
    for block in net.modules():
        if isinstance(block, Resnet):
            block.time_emb_proj = nn.Linear(time, block.conv1.out_channels)
    return net


def _unet(batch: int) -> tuple[Callable[[], nn.Module], list[Tensor]]:
    return lambda: UNet(8, 4, (320, 640, 1280, 1280), 384), [torch.randn(batch, 8, 32, 32), torch.randn(batch, 50, 384)]


def _encoder(batch: int) -> tuple[Callable[[], nn.Module], list[Tensor]]:
    return lambda: Encoder((128, 256, 512, 512), 4), [torch.randn(batch, 3, 256, 256)]


def _decoder(batch: int) -> tuple[Callable[[], nn.Module], list[Tensor]]:
    return lambda: Decoder((128, 256, 512, 512), 4), [torch.randn(batch, 4, 32, 32)]


def _whisper(batch: int) -> tuple[Callable[[], nn.Module], list[Tensor]]:
    return lambda: Whisper(80, 384, 1500, 4), [torch.randn(1, 80, 3000)]


PARTS = {"whisper": _whisper, "encoder": _encoder, "unet": _unet, "decoder": _decoder}
"""Of which the encoder works twice for a frame, and only when that is first seen; Whisper once in 28 s of sound."""


def _here(build: Callable[[], nn.Module], place: Place, last: bool) -> nn.Module:
    with torch.device("meta"):
        net = build().eval().requires_grad_(False)
    net = net.to_empty(device=place.device).to(place.dtype)
    for value in net.state_dict().values():
        value.normal_(0, 0.02)
    return net.to(memory_format=torch.channels_last) if last else net  # pyright: ignore[reportCallIssue]


@torch.inference_mode()
def _timed(work: Callable[[], Tensor], place: Place, rounds: int) -> tuple[float, float]:
    """Seconds of the clock and of the processor, medians of ``rounds`` after one."""
    found = []
    for _ in range(rounds + 1):
        begin, busy = time.perf_counter(), time.process_time()
        work()
        if place.is_gpu:
            torch.cuda.synchronize()
        found.append((time.perf_counter() - begin, time.process_time() - busy))
    wall, spent = zip(*found[1:], strict=True)
    return statistics.median(wall), statistics.median(spent)


if __name__ == "__main__":
    main()
