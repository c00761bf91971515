"""The voice as models hear it: one channel, 16 kHz, time 0 at the start of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import av
import numpy as np
from av.filter import Graph

from heygem.cache import Arrays, Beat, Cache, content_key
from heygem.errors import FileEmpty, NoSound, SoundTooShort
from heygem.media.container import best_stream, check, decode, file_start, open_media, packets
from heygem.media.probe import SHORTEST, PathLike
from heygem.media.still import is_still

RATE = 16000
VERSION = 1
"""Version of the decoding: a change makes all cached samples stale."""
_SAMPLES = "samples.f32"

_SLACK = Fraction(1, 50)
"""Holes and overlaps of time stamps below this many seconds are noise; longer ones are silence, or are cut."""

_LEAP = 300
"""A hole of more seconds is a clock that was set anew, as is a step back of more than one second."""


@dataclass(frozen=True, eq=False)
class Sound:
    """``samples``: (n,) float32, mono, 16 kHz, about -1..1; sample 0 is the start of the file ``path``.

    They are kept in an array or in a file, and mapped from that for as long as somebody looks at them: two hours would
    be half a gigabyte. ``cache`` holds what others found in a sound of this ``content``.
    """

    kept: np.ndarray | IO[bytes]
    path: Path
    cache: Cache | None = None
    content: str = ""

    @property
    def samples(self) -> np.ndarray:
        return self.kept if isinstance(self.kept, np.ndarray) else np.asarray(np.memmap(self.kept, np.float32, "r"))

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    def once(self, analyser: str, analyse: Callable[[], Arrays], beat: Beat) -> Arrays:
        """What ``analyse`` finds in the samples: found once, and then shared with all who have the same sound.

        analyser: a name that changes with what is found. beat: called every second while another process is at it.
        """
        return self.cache.arrays(f"{self.content}-{analyser}", analyse, beat) if self.cache else analyse()


def load_sound(path: PathLike, cache: Cache | None = None, beat: Beat = lambda: None) -> Sound:
    """Decodes the main sound track of a recording or a video; with a ``cache`` once for all who have the same file.

    beat is called all the while. Raises FileMissing, FileEmpty, FileUnreadable, FileRefused, NoSound, SoundTooShort.
    """
    path = Path(path)
    if is_still(check(path, "sound")):
        raise NoSound(name=path.name)
    if cache is None:
        kept = TemporaryFile()  # noqa: SIM115 (it is gone with the Sound)
        _decode(path, kept, beat)
        return Sound(kept, path)

    def fill(folder: Path) -> None:
        with (folder / _SAMPLES).open("wb") as file:
            _decode(path, file, beat)

    def load(store: Cache) -> Sound:
        entry = store.entry(f"{content}-samples-{VERSION}", fill, beat)
        return Sound((entry.folder / _SAMPLES).open("rb"), path, cache, content)

    content = content_key(path)
    return cache.attempt(load)


def _decode(path: Path, out: IO[bytes], beat: Beat) -> None:
    with open_media(path, "sound") as container:
        stream = best_stream(container, "audio")
        if stream is None:
            raise NoSound(name=path.name)
        for block in sound_blocks(container, stream, RATE, "mono"):
            out.write(block.tobytes())
            beat()
    if not out.tell():
        raise FileEmpty(name=path.name)
    out.flush()
    seconds = out.tell() / np.dtype(np.float32).itemsize / RATE
    if seconds < SHORTEST:
        raise SoundTooShort(name=path.name, seconds=f"{seconds:.3f}", least=SHORTEST)


def sound_blocks(container: Any, stream: Any, rate: int, layout: str) -> Iterator[np.ndarray]:
    """The sound from the start of the file on, without gaps, as (channels, n) float32 at one rate and channel layout.

    A track that begins late gets silence in front; holes are filled; what lies before the start is cut off.
    """
    done = 0
    shift = -round(file_start(container) * rate)
    for stamp, block in _resampled(container, stream, rate, layout):
        gap = 0 if stamp is None else stamp + shift - done
        if done and (gap < -rate or gap > _LEAP * rate):
            shift -= gap
            gap = 0
        if gap < -_SLACK * rate or (gap < 0 and not done):
            block = block[:, -gap:]
        elif gap > _SLACK * rate or not done:
            for start in range(0, gap, rate):
                yield np.zeros((len(block), min(rate, gap - start)), np.float32)
            done += gap
        if block.shape[1]:
            done += block.shape[1]
            yield block


def _resampled(container: Any, stream: Any, rate: int, layout: str) -> Iterator[tuple[int | None, np.ndarray]]:
    """(time stamp in samples, block) of everything that decodes."""
    graph: Graph | None = None
    key: object = None
    for frame in decode(stream, packets(container, stream)):
        look = (frame.format.name, frame.layout.name, frame.sample_rate, frame.time_base)
        if look != key:
            yield from _flush(graph)
            graph, key = _graph(frame, rate, layout), look
        assert graph is not None
        graph.push(frame)
        yield from ready(graph)
    yield from _flush(graph)


def _graph(frame: av.AudioFrame, rate: int, layout: str) -> Graph:
    """Filters that take frames like ``frame``."""
    graph = Graph()
    tick = frame.time_base or Fraction(1, frame.sample_rate)
    arguments = f"sample_rate={frame.sample_rate}:sample_fmt={frame.format.name}:time_base={tick}"
    steps = [graph.add("abuffer", f"{arguments}:channel_layout={frame.layout.name}")]
    pan = _pan(frame, layout)
    if pan:
        steps.append(graph.add("pan", pan))
    steps.append(graph.add("aformat", f"sample_rates={rate}:channel_layouts={layout}:sample_fmts=fltp"))
    graph.link_nodes(*steps, graph.add("abuffersink")).configure()
    return graph


def _pan(frame: av.AudioFrame, layout: str) -> str:
    """Arguments of the pan filter where the mixer would not know what to do, or make it too loud; else nothing."""
    name, channels = frame.layout.name, frame.layout.nb_channels
    if channels == 2 and layout == "mono":  # the mean: the same voice on both sides is as loud as the voice alone
        return "mono|c0=0.5*c0+0.5*c1"
    if channels == 1 and layout == "stereo":
        return "stereo|c0=c0|c1=c0"
    if not name.endswith("channels") and not name.startswith("ambisonic"):
        return ""
    if channels <= 2:
        return "mono|c0=c0" if channels == 1 else "stereo|c0=c0|c1=c1"
    everything = "+".join(f"{channels**-0.5:.3f}*c{k}" for k in range(channels))
    return f"mono|c0={everything}"


def ready(graph: Graph) -> Iterator[tuple[int | None, np.ndarray]]:
    """(time stamp in samples, block (channels, n)) of all that has come through the filters so far."""
    while True:
        try:
            block = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(block, av.AudioFrame)
        ticks, tick = block.pts, block.time_base
        stamp = None if ticks is None or tick is None else round(ticks * tick * block.sample_rate)
        yield stamp, block.to_ndarray()


def _flush(graph: Graph | None) -> Iterator[tuple[int | None, np.ndarray]]:
    if graph is not None:
        graph.push(None)
        yield from ready(graph)
