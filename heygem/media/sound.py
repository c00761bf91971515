"""The voice as models hear it: one channel, 16 kHz, time 0 at the start of the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph

from heygem.errors import FileEmpty, NoSound, SoundTooShort
from heygem.media.container import best_stream, check, decode, file_start, open_media, packets
from heygem.media.probe import SHORTEST, PathLike
from heygem.media.still import is_still

RATE = 16000

_GAP = 0.02
"""Holes and overlaps in the time stamps longer than this many seconds are filled with silence or cut."""


@dataclass(frozen=True, eq=False)
class Sound:
    """``samples``: (n,) float32, mono, 16 kHz, about -1..1; sample 0 is the start of the file ``path``."""

    samples: np.ndarray
    path: Path

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def load_sound(path: PathLike) -> Sound:
    """Decodes the main sound track of a recording or a video.

    Raises FileMissing, FileEmpty, FileUnreadable, FileRefused, NoSound, SoundTooShort.
    """
    path = Path(path)
    if is_still(check(path, "sound")):
        raise NoSound(name=path.name)
    samples = bytearray()  # grows in place: an hour is never held twice
    with open_media(path, "sound") as container:
        stream = best_stream(container, "audio")
        if stream is None:
            raise NoSound(name=path.name)
        for block in sound_blocks(container, stream, RATE, "mono", "flt"):
            samples += block.to_ndarray().tobytes()
    if not samples:
        raise FileEmpty(name=path.name)
    sound = Sound(np.frombuffer(samples, np.float32), path)
    if sound.seconds < SHORTEST:
        raise SoundTooShort(name=path.name, seconds=f"{sound.seconds:.3f}", least=SHORTEST)
    return sound


def sound_blocks(container: Any, stream: Any, rate: int, layout: str, form: str) -> Iterator[av.AudioFrame]:
    """The sound from the start of the file on, without gaps, at one rate, channel layout and sample format.

    A track that begins late gets silence in front; holes are filled; what lies before the start is cut off.
    """
    start = file_start(container)
    graph: Graph | None = None
    key: object = None
    done = 0
    for frame in decode(stream, packets(container, stream)):
        if not frame.samples:
            continue
        look = (frame.format.name, frame.layout.name, frame.sample_rate, frame.time_base)
        if look != key:
            for block in _flush(graph):
                done += block.samples
                yield block
            graph, key = _graph(frame, (rate, layout, form), done), look
        if frame.pts is not None:
            frame.pts -= round(start / frame.time_base)
        assert graph is not None
        graph.push(frame)
        for block in _ready(graph):
            done += block.samples
            yield block
    yield from _flush(graph)


def _graph(frame: av.AudioFrame, target: tuple[int, str, str], done: int) -> Graph:
    """Filters that take frames like ``frame`` and go on behind ``done`` samples of the target form."""
    rate, layout, form = target
    graph = Graph()
    tick = frame.time_base or Fraction(1, frame.sample_rate)
    channels = frame.layout.nb_channels
    arguments = f"sample_rate={frame.sample_rate}:sample_fmt={frame.format.name}:time_base={tick}"
    source = graph.add("abuffer", f"{arguments}:channel_layout={_layout_name(frame)}")
    steps = []
    if channels == 2 and layout == "mono":
        # The mean, so that the same voice on both sides is as loud as the voice alone.
        steps.append(graph.add("pan", "mono|c0=0.5*c0+0.5*c1"))
    steady = f"async=1:min_hard_comp={_GAP}:first_pts={done}"
    steps.append(graph.add("aresample", f"{rate}:{steady}"))
    steps.append(graph.add("aformat", f"sample_rates={rate}:channel_layouts={layout}:sample_fmts={form}"))
    graph.link_nodes(source, *steps, graph.add("abuffersink")).configure()
    return graph


def _layout_name(frame: av.AudioFrame) -> str:
    """A layout the mixer knows; files with many channels often do not say which is which."""
    usual = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
    name, channels = frame.layout.name, frame.layout.nb_channels
    return usual.get(channels, name) if name.endswith("channels") else name


def _ready(graph: Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            block = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(block, av.AudioFrame)
        yield block


def _flush(graph: Graph | None) -> Iterator[av.AudioFrame]:
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)
