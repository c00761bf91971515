"""The latents of the source frames: made when a frame is first seen, and kept with the avatar for the next take."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from loguru import logger
from torch import Tensor

from heygem.faces.avatar import Avatar

BLOCK = 128
"""Source frames that are kept together: 2 MB."""
MOST = 8
"""Blocks in memory, which therefore stays flat in the length of the video."""
_FILE = "latents.npy"


@dataclass
class Block:
    """values (BLOCK, 8, h, w) float16 of source frames; known (BLOCK,) bool: which of them are there."""

    values: np.ndarray
    known: np.ndarray


class Latents:
    """encode: faces (n, 3, s, s) -> latents (n, 8, s / 8, s / 8). analyser: a name that changes with what it finds."""

    def __init__(self, avatar: Avatar, encode: Callable[[Tensor], Tensor], analyser: str) -> None:
        self._avatar, self._encode, self._analyser = avatar, encode, analyser
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    def of(self, sources: np.ndarray, seen: Tensor) -> Tensor:
        """(n, 8, h, w) float32 of the source frames ``sources`` (n,), whose faces are ``seen`` (n, 3, 8 h, 8 w)."""
        shape = (8, seen.shape[2] // 8, seen.shape[3] // 8)
        numbers, first = np.unique(sources, return_index=True)
        places = {n: (self._block(n // BLOCK, shape), n % BLOCK) for n in numbers.tolist()}
        new = {n: k for n, k in zip(places, first.tolist(), strict=True) if not places[n][0].known[places[n][1]]}
        if new:
            made = self._encode(seen[list(new.values())]).half().cpu().numpy()
            for n, value in zip(new, made, strict=True):
                block, at = places[n]
                block.values[at], block.known[at] = value, True
            for number in {n // BLOCK for n in new}:
                self._keep(number)
        chosen = np.stack([block.values[at] for block, at in (places[n] for n in sources.tolist())])
        return torch.from_numpy(chosen).to(seen.device).float()

    def _block(self, number: int, shape: tuple[int, int, int]) -> Block:
        if number not in self._blocks:
            kept = self._find(number)
            if kept is None or kept.shape[1:] != shape:
                block = Block(np.zeros((BLOCK, *shape), np.float16), np.zeros(BLOCK, bool))
            else:
                block = Block(kept, np.ones(BLOCK, bool))
            self._blocks[number] = block
            if len(self._blocks) > MOST:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _find(self, number: int) -> np.ndarray | None:
        cache = self._avatar.cache
        try:
            entry = cache.find(self._key(number)) if cache else None
            return np.load(entry.folder / _FILE) if entry else None
        except (OSError, ValueError):
            return None

    def _keep(self, number: int) -> None:
        """Puts a block into the cache once all of its frames are known that will ever be asked for."""
        block, cache = self._blocks[number], self._avatar.cache
        weight = self._avatar.weight[number * BLOCK : (number + 1) * BLOCK]
        if cache is None or not np.all(block.known[: len(weight)] | (weight == 0)):
            return

        def fill(folder: Path) -> None:
            np.save(folder / _FILE, block.values)

        try:
            cache.entry(self._key(number), fill, lambda: None)
        except OSError as error:
            logger.warning("the cache cannot be used, so the next take encodes these frames again: {}", error)

    def _key(self, number: int) -> str:
        return f"{self._avatar.key}-{self._analyser}-{number}"
