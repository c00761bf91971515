"""Networks that stay loaded from run to run stand in the books of ComfyUI's memory manager, which may end that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heygem.pipeline import Options

_kept: dict[str, Any] = {}  # the manager itself holds on to nothing


WORKING = 2 << 30
"""Bytes of graphics memory that a network takes beside its weights, where nobody has written it down."""


def make_room() -> None:
    """ComfyUI's own models leave the graphics memory for a network that comes and goes with one film."""
    from comfy.model_management import free_memory, get_torch_device  # pyright: ignore[reportMissingImports]

    free_memory(WORKING, get_torch_device())


@contextmanager
def booked(*wishes: Options) -> Iterator[None]:
    """Around takes with these options: first ComfyUI makes room for the networks of their engine, of several the
    largest (one follows the other), then it learns how large they are."""
    from heygem import settings
    from heygem.engines.cards import card

    config = settings.load()
    known, options = max(((card(one.engine, config), one) for one in wishes), key=lambda pair: pair[0].installed)
    if not known.installed:
        yield
        return
    from comfy.model_management import load_models_gpu  # pyright: ignore[reportMissingImports]

    patcher = _patcher()
    on_gpu = options.style.device != "cpu"
    patcher.size = known.installed if on_gpu else 1
    load_models_gpu([patcher], memory_required=(known.gpu.size if known.gpu else WORKING) if on_gpu else 0)
    try:
        yield
    finally:
        patcher.size = patcher.model.model_loaded_weight_memory = max(1, _size(patcher.load_device))


def _patcher() -> Any:
    """A stand-in without weights: a part of our networks elsewhere than the rest would be of no use, so they leave as a
    whole, when ComfyUI lets go of it (memory is short, "Free model and node cache", POST /free)."""
    if "patcher" not in _kept:
        import torch
        from comfy import model_management  # pyright: ignore[reportMissingImports]
        from comfy.model_patcher import ModelPatcher  # pyright: ignore[reportMissingImports]
        from comfy.patcher_extension import CallbacksMP  # pyright: ignore[reportMissingImports]

        class HeyGemNetworks(torch.nn.Module):
            """Under this name the manager's log speaks of it."""

        devices = model_management.get_torch_device(), model_management.unet_offload_device()
        patcher = ModelPatcher(HeyGemNetworks(), *devices, size=1)
        patcher.add_callback(CallbacksMP.ON_DETACH, _let_go)
        _kept["patcher"] = patcher
    return _kept["patcher"]


def _let_go(_: Any, everything: bool) -> None:
    if everything:  # else it only changes its place in the books
        from heygem.engines.neural.resident import release

        release()


def _size(device: Any) -> int:
    """Bytes of the networks that are loaded there."""
    from heygem.engines.neural.resident import modules

    tensors = [tensor for net in modules() for tensor in (*net.parameters(), *net.buffers())]
    return sum(tensor.nbytes for tensor in tensors if tensor.device.type == device.type)
