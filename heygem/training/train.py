"""Clips -> networks -> the file of weights that ``heygem.speech.motion`` loads.

Seeded: the same clips give the same file on the same kind of machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import cpu_count, get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from heygem.speech.features import ROWS, compress
from heygem.speech.motion import STRIDE, MouthBasis
from heygem.speech.net import STRIDES
from heygem.speech.voice import talking
from heygem.training.batches import Batches, Sampling
from heygem.training.data import COMPONENTS, Clip
from heygem.training.net import DILATIONS, MouthNet

LAGS = 0.16
"""Seconds within which the true lag of a clip is looked for."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights besides the clips and the code.

    fine: weight in the loss of the components from the third on. velocity, shut: weights in the loss of the change from
    row to row and of the closed lips.
    """

    channels: int = 64
    drop: float = 0.3
    steps: int = 1000
    rate: float = 1.5e-3
    decay: float = 0.05
    fine: float = 0.4
    velocity: float = 1.0
    shut: float = 0.2
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that differ when the recipe or the network differs."""
        text = json.dumps([asdict(self), DILATIONS, STRIDES], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def train(clips: Sequence[Clip], recipe: Recipe, seed: int, begin: MouthNet | None = None) -> MouthNet:
    """One network from prepared clips (rows and lags set), beginning with the weights of ``begin``."""
    torch.manual_seed(seed)
    batches = Batches(clips, recipe.sampling, np.random.default_rng(seed))
    net = MouthNet(COMPONENTS, recipe.channels, recipe.drop).train()
    if begin is not None:
        net.load_state_dict(begin.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=recipe.steps, pct_start=0.1)
    for step in range(1, recipe.steps + 1):
        features, *wanted = batches.draw()
        loss = _loss(net(features), wanted, recipe)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 250 == 0:
            print(f"seed {seed} step {step} loss {loss.item():.3f}", flush=True)
    return net.eval()


def train_all(
    clips: Sequence[Clip], recipe: Recipe, seeds: Sequence[int], begin: Sequence[MouthNet | None]
) -> list[MouthNet]:
    """One network a seed, each from its own beginning, as many at once as there are cores."""
    heard = [replace(clip, offsets=clip.offsets[:0]) for clip in clips]  # the faces were needed for their rows alone
    tasks = [(heard, recipe, seed, net) for seed, net in zip(seeds, begin, strict=True)]
    with get_context("spawn").Pool(min(len(tasks), cpu_count()), torch.set_num_threads, (1,)) as pool:
        return pool.starmap(train, tasks, chunksize=1)


def _loss(made: tuple[Tensor, Tensor], wanted: Sequence[Tensor], recipe: Recipe) -> Tensor:
    """Squared error of rows and of their change, and cross-entropy of closed lips, where ``weight`` is 1."""
    (rows, logit), (target, shut, weight) = made, wanted
    fine = torch.full((COMPONENTS,), recipe.fine)
    fine[:2] = 1.0
    each = weight[..., None] * fine / fine.sum()
    count = weight.sum()
    error = rows - target
    place = (error.square() * each).sum() / count
    change = (error.diff(dim=1).square() * each[:, 1:]).sum() / count
    lips = (binary_cross_entropy_with_logits(logit, shut, reduction="none") * weight).sum() / count
    return place + recipe.velocity * change + recipe.shut * lips


def align_clips(nets: Sequence[MouthNet], clips: Sequence[Clip]) -> None:
    """Sets every clip's lag to where prediction and tracked motion agree best; the mean person keeps lag 0.

    GRID's studio clips are in sync by construction and get the common correction alone.
    """
    people: dict[str, list[float]] = {"grid_s1": [0.0]}
    for clip in clips:
        clip.lag = 0.0 if clip.person == "grid_s1" else _lag(predict(nets, clip)[0], clip)
        people.setdefault(clip.person, []).append(clip.lag)
    common = float(np.mean([np.mean(lags) for lags in people.values()]))
    for clip in clips:
        clip.lag -= common


def predict(nets: Sequence[MouthNet], clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """What the networks make of a clip's sound: rows (T25, K) and probability of closed lips (T25,)."""
    heard = compress(clip.power, clip.level)
    features = torch.from_numpy(heard - heard[talking(clip.voice)].mean(axis=0))[None]
    with torch.inference_mode():
        rows, logits = (
            torch.stack(parts).mean(dim=0)[0] for parts in zip(*(net(features) for net in nets), strict=True)
        )
    return rows.numpy(), logits.sigmoid().numpy()


def _lag(rows: np.ndarray, clip: Clip) -> float:
    """Seconds by which the tracked opening and rounding follow the predicted ones at their best agreement."""
    seconds = np.arange(-LAGS, LAGS + 0.005, 0.01)
    made = np.arange(len(rows)) * STRIDE / ROWS
    agreement = []
    for lag in seconds:
        shifted = [np.interp(clip.times - lag, made, rows[:, k]) for k in (0, 1)]
        opening, rounding = (np.corrcoef(shifted[k], clip.rows[:, k])[0, 1] for k in (0, 1))
        agreement.append(opening + rounding / 2)
    return float(seconds[int(np.argmax(agreement))])


def save(path: Path, basis: MouthBasis, nets: Sequence[MouthNet], recipe: str) -> None:
    """Writes the weights: basis and networks, with version and recipe in the metadata."""
    from safetensors import numpy as safetensors

    tensors = {f"basis.{name}": getattr(basis, name) for name in ("components", "rest", "points")}
    for number, net in enumerate(nets):
        weights = net.state_dict()
        tensors |= {f"net{number}.{name}": value.numpy() for name, value in weights.items()}
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    metadata = {"version": "2", "recipe": recipe, "nets": str(len(nets)), "dilations": json.dumps(DILATIONS)}
    part = path.with_suffix(".part")
    part.write_bytes(safetensors.save(tensors, metadata | {"licence": "Apache-2.0"}))
    part.replace(path)
