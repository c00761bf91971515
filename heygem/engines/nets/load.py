"""Weights into a network: names and shapes have to be the same, and what differs is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from heygem.errors import WeightsUnusable

State = Mapping[str, Tensor]
"""Weights by name."""
Net = TypeVar("Net", bound=nn.Module)


def fitted(build: Callable[[dict[str, Tensor]], Net], state: State, name: str, network: str) -> Net:
    """The network that ``build`` makes of the shapes in ``state``, with these weights: for inference, without a copy.

    build: is given a copy of the mapping, which it may change, and returns an empty network; it is called on the meta
    device. name, network: whose weights these are, for the error. Raises WeightsUnusable.
    """
    kept = dict(state)
    try:
        with torch.device("meta"):
            net = build(kept)
    except KeyError as missing:
        raise unusable(name, network, f"{missing.args[0]} is missing") from missing
    except (AttributeError, IndexError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise unusable(name, network, "the shapes of its layers do not fit together") from error
    reason = _difference(net.state_dict(), kept)
    if reason:
        raise unusable(name, network, reason)
    net.load_state_dict(kept, assign=True)
    return net.requires_grad_(False).eval()


def unusable(name: str, network: str, reason: str) -> WeightsUnusable:
    """The error for weights of another network."""
    return WeightsUnusable(name=name, network=network, reason=reason, setting=f"“heygem weights add --name {name}”")


def under(prefix: str, state: State) -> dict[str, Tensor]:
    """The weights whose names begin with ``prefix``, without it."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def _difference(wanted: State, given: State) -> str:
    """What tells ``given`` from ``wanted``, in words; nothing where they agree."""
    for keys, verb in ((wanted.keys() - given.keys(), "missing"), (given.keys() - wanted.keys(), "unknown to it")):
        if keys:
            return f"{_some(sorted(keys))} {'is' if len(keys) == 1 else 'are'} {verb}"
    bent = sorted(key for key in wanted if wanted[key].shape != given[key].shape)
    if not bent:
        return ""
    has, needs = ("x".join(map(str, state[bent[0]].shape)) or "a number" for state in (given, wanted))
    return f"{bent[0]} has the shape {has} instead of {needs}" + (f", {len(bent) - 1} more differ" if bent[1:] else "")


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
