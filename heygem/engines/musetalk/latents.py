"""The latents of the source frames: made when a frame is first seen, and kept with the avatar for the next take."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from loguru import logger
from torch import Tensor

from heygem.engines.neural.place import Later, Place
from heygem.faces.avatar import Avatar

BLOCK = 128
"""Source frames that are kept together: 2 MB."""
MOST = 8
"""Blocks in memory, which therefore stays flat in the length of the video."""
_FILE = "latents.npz"


@dataclass
class Block:
    """values (BLOCK, 8, h, w) float16 of source frames; known (BLOCK,) bool: which of them are there. fresh: are there
    some that the cache does not have?"""

    values: np.ndarray
    known: np.ndarray
    fresh: bool = False


class Latents:
    """encode: faces (n, 3, s, s) -> latents (n, 8, s / 8, s / 8). analyser: a name that changes with what it finds.

    Close it: what a short sound saw of a long film is kept then.
    """

    def __init__(self, avatar: Avatar, encode: Callable[[Tensor], Tensor], analyser: str, place: Place) -> None:
        self._avatar, self._encode, self._analyser, self._place = avatar, encode, analyser, place
        self._new: list[int] = []
        self._made: Later | None = None
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    def of(self, sources: np.ndarray, seen: Tensor) -> Tensor:
        """(n, 8, h, w) float32 of the source frames ``sources`` (n,), whose faces are ``seen`` (n, 3, 8 h, 8 w)."""
        self._settle()
        shape = (8, seen.shape[2] // 8, seen.shape[3] // 8)
        numbers, first = np.unique(sources, return_index=True)
        places = {n: (self._block(n // BLOCK, shape), n % BLOCK) for n in numbers.tolist()}
        new = {n: k for n, k in zip(places, first.tolist(), strict=True) if not places[n][0].known[places[n][1]]}
        known = [block.values[at] for block, at in (places[n] for n in sources.tolist())]
        found = self._place.take(np.stack(known)).float()
        if new:
            made = self._encode(seen[self._rows(new.values())]).half()
            order = {n: k for k, n in enumerate(new)}
            here = [k for k, n in enumerate(sources.tolist()) if n in new]
            found[self._rows(here)] = made[self._rows(order[n] for n in sources[here].tolist())].float()
            self._new, self._made = list(new), self._place.give(made)
        return found

    def _rows(self, numbers: Iterable[int]) -> Tensor:
        """To choose rows with; plain numbers would make the processor wait for the graphics card."""
        return self._place.take(np.fromiter(numbers, np.int64))

    def _settle(self) -> None:
        """Puts what was encoded last into its blocks. It had time to come: nobody waits for it."""
        made, self._made = self._made, None
        if made is None:
            return
        for n, value in zip(self._new, made(), strict=True):
            block = self._blocks[n // BLOCK]
            block.values[n % BLOCK], block.known[n % BLOCK], block.fresh = value, True, True
        for number in {n // BLOCK for n in self._new}:
            if self._is_whole(number):
                self._keep(number)

    def close(self) -> None:
        """Keeps what was not yet kept."""
        self._settle()
        for number in self._blocks:
            self._keep(number)

    def _block(self, number: int, shape: tuple[int, int, int]) -> Block:
        if number not in self._blocks:
            kept = self._find(number)
            if kept is None or kept.values.shape[1:] != shape:
                kept = Block(np.zeros((BLOCK, *shape), np.float16), np.zeros(BLOCK, bool))
            self._blocks[number] = kept
            if len(self._blocks) > MOST:
                oldest = next(iter(self._blocks))
                self._keep(oldest)
                del self._blocks[oldest]
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _is_whole(self, number: int) -> bool:
        """Are all frames known that will ever be asked for?"""
        weight = self._avatar.weight[number * BLOCK : (number + 1) * BLOCK]
        return bool(np.all(self._blocks[number].known[: len(weight)] | (weight == 0)))

    def _find(self, number: int) -> Block | None:
        cache = self._avatar.cache
        entry = cache.find(self._key(number)) if cache else None
        if entry is None:
            return None
        try:
            with np.load(entry.folder / _FILE) as found:
                return Block(found["values"], found["known"])
        except (OSError, ValueError, KeyError, BadZipFile):
            return None

    def _keep(self, number: int) -> None:
        """Puts a block into the cache, in the place of one that knew less."""
        block, cache = self._blocks[number], self._avatar.cache
        if cache is None or not block.fresh:
            return
        block.fresh = False

        def fill(folder: Path) -> None:
            np.savez(folder / _FILE, values=block.values, known=block.known)

        try:
            cache.remove(self._key(number))
            cache.entry(self._key(number), fill, lambda: None)
        except OSError as error:
            logger.warning("the cache cannot be used, so the next take encodes these frames again: {}", error)

    def _key(self, number: int) -> str:
        return f"{self._avatar.key}-{self._analyser}-{number}"
