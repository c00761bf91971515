"""Which tensors of a file are the weights: checkpoints hold optimisers, statistics and second copies beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from heygem.weights.inert import Inert, Piece, Refused

_NAMES = ("", "state_dict_ema", "params_ema", "ema", "state_dict", "model_state_dict", "model", "generator", "params")
"""Where weights stand in a checkpoint; the root first, then the better ones of several."""
_DEPTH, _MOST = 32, 100_000
"""Modules inside modules, and tensors: no published network comes near."""


def weights(tree: Any) -> dict[str, Piece]:
    """The tensors by their names, in the order of the file, without the ``module.`` of DataParallel.

    Of several groups the largest is taken, and of those of about its size the one with the best name.
    """
    groups = [(name, found) for name, found in _groups(tree, "", 0) if found]
    if not groups:
        raise Refused("foreign")
    most = max(len(found) for _, found in groups)
    _, found = min(
        ((name, found) for name, found in groups if 2 * len(found) >= most),
        key=lambda group: (_NAMES.index(group[0]) if group[0] in _NAMES else len(_NAMES), -len(group[1])),
    )
    if all(key.startswith("module.") for key in found):
        return {key.removeprefix("module."): piece for key, piece in found.items()}
    return found


def _groups(tree: Any, name: str, depth: int) -> Iterator[tuple[str, dict[str, Piece]]]:
    """(name, tensors) of every dict and of every module in the upper levels of a checkpoint."""
    if isinstance(tree, Inert):
        yield name, dict(_module(tree, "", 0))
    elif isinstance(tree, dict) and depth < 4:
        yield name, {key: value for key, value in tree.items() if type(key) is str and isinstance(value, Piece)}
        for key, value in tree.items():
            if type(key) is str and "optim" not in key:
                yield from _groups(value, key, depth + 1)


def _module(module: Inert, prefix: str, depth: int) -> Iterator[tuple[str, Piece]]:
    """The tensors of a pickled module of torch, or of one in a TorchScript archive, as its state dict names them."""
    if depth > _DEPTH:
        raise Refused("damaged")
    state = module.state
    if "_modules" in state:
        skipped = state.get("_non_persistent_buffers_set")
        hidden = skipped if isinstance(skipped, set) else set()
        parts = [state.get(part) for part in ("_parameters", "_buffers", "_modules")]
        state = {key: value for part in parts if isinstance(part, dict) for key, value in part.items()}
        state = {key: value for key, value in state.items() if key not in hidden}
    for count, (key, value) in enumerate(state.items()):
        if count > _MOST:
            raise Refused("damaged")
        if isinstance(value, Piece):
            yield f"{prefix}{key}", value
        elif isinstance(value, Inert):
            yield from _module(value, f"{prefix}{key}.", depth + 1)
