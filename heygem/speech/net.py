"""The network from log-mel features to mouth motion: convolutions in time, a few hundred thousand weights.

Only numpy runs it: nothing heavy has to load for a few hundred small products of matrices. ``heygem.training.net`` is
the same network as torch trains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

STRIDES = (2, 2)
"""Of the first convolutions: 100 feature rows a second become 25 rows of the network."""
_EPSILON = 1e-5  # of batch normalisation, as it was trained


@dataclass(frozen=True)
class Conv:
    """A centred convolution in time. kernel: (taps, inputs, outputs) float32, bias: (outputs,) float32."""

    kernel: np.ndarray
    bias: np.ndarray
    stride: int = 1
    dilation: int = 1

    @classmethod
    def of(cls, weights: Mapping[str, np.ndarray], name: str, norm: str = "", **how: int) -> Conv:
        """The convolution ``name`` of a state dict, the batch normalisation ``norm`` behind it folded in."""
        kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        if norm:
            gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
            kernel = kernel * gain[:, None, None]
            bias = (bias - weights[f"{norm}.running_mean"]) * gain + weights[f"{norm}.bias"]
        return cls(np.ascontiguousarray(kernel.transpose(2, 1, 0)), bias, **how)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(T, inputs) -> (ceil(T / stride), outputs); beyond the ends is 0."""
        margin = len(self.kernel) // 2 * self.dilation
        padded = np.pad(x, ((margin, margin), (0, 0)))
        span = len(x) - (len(x) - 1) % self.stride  # up to the last row that an output lies on
        starts = (tap * self.dilation for tap in range(len(self.kernel)))
        taps = (padded[start : start + span : self.stride] for start in starts)
        out = sum(rows @ weight for rows, weight in zip(taps, self.kernel, strict=True))
        return out + self.bias


class MouthNet:
    """Log-mel (T, 64) -> mouth components (ceil(T / 4), K) and logits of closed lips (ceil(T / 4),), all float32.

    Row k belongs to feature row 4 k. ``weights`` is the state dict of the trained network, ``dilations`` are those of
    its residual blocks. Raises KeyError or ValueError where they do not make a network.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], dilations: Sequence[int]) -> None:
        self._front = [
            Conv.of(weights, f"front.{k}.0", f"front.{k}.1", stride=stride) for k, stride in enumerate(STRIDES)
        ]
        self._blocks = [
            (
                Conv.of(weights, f"blocks.{k}.body.0", f"blocks.{k}.body.1", dilation=dilation),
                Conv.of(weights, f"blocks.{k}.body.4"),
            )
            for k, dilation in enumerate(dilations)
        ]
        self._head = weights["head.weight"].T, weights["head.bias"]

    def __call__(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = features
        for conv in self._front:
            x = _gelu(conv(x))
        for wide, point in self._blocks:
            x = x + point(_gelu(wide(x)))
        weight, bias = self._head
        out = x @ weight + bias
        return out[:, :-1], out[:, -1]


def _gelu(x: np.ndarray) -> np.ndarray:
    """x times the share of a normal distribution below x (Hendrycks and Gimpel 2016), exactly."""
    from scipy.special import erf  # who knows a sound does without

    return x * (0.5 + 0.5 * erf(x * np.float32(0.5**0.5)))
