"""Several voices as one sound: their sum, turned down for a moment where it would clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import zip_longest

import av
import numpy as np
from av.filter import Graph

from heygem.media.sound import ready

LIMIT = 0.95
"""Largest sample of a mix: what the encoder adds stays below full scale."""


def mixed(sources: Sequence[Iterator[np.ndarray]], rate: int, layout: str) -> Iterator[np.ndarray]:
    """The sum of sounds that come in blocks (channels, n) float32, as long as the longest; a single one as it is.

    FFmpeg's look-ahead limiter holds the peaks at ``LIMIT``, without delay; a sum that never reaches it is exact.
    """
    if len(sources) == 1:
        yield from sources[0]
        return
    graph, done = _limiter(rate, layout), 0
    for blocks in zip_longest(*(_even(source, rate // 10) for source in sources)):
        present = [block for block in blocks if block is not None]
        total = np.zeros((len(present[0]), max(block.shape[1] for block in present)), np.float32)
        for block in present:
            total[:, : block.shape[1]] += block
        frame = av.AudioFrame.from_ndarray(total, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, done, Fraction(1, rate)
        done += total.shape[1]
        graph.push(frame)
        yield from (block for _, block in ready(graph))
    graph.push(None)
    yield from (block for _, block in ready(graph))


def _even(source: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same sound in blocks of ``size``; the last one may be shorter."""
    held: list[np.ndarray] = []
    for block in source:
        held.append(block)
        if sum(piece.shape[1] for piece in held) >= size:
            whole = np.concatenate(held, axis=1)
            full = whole.shape[1] // size * size
            yield from np.split(whole[:, :full], full // size, axis=1)
            held = [whole[:, full:]]
    if held and (rest := np.concatenate(held, axis=1)).size:
        yield rest


def _limiter(rate: int, layout: str) -> Graph:
    graph = Graph()
    source = f"sample_rate={rate}:sample_fmt=fltp:time_base=1/{rate}:channel_layout={layout}"
    steps = [
        graph.add("abuffer", source),
        graph.add("alimiter", f"limit={LIMIT}:level=0:latency=1"),
        graph.add("aformat", "sample_fmts=fltp"),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*steps).configure()
    return graph
