"""The user's own sound as packets for the result: AAC is copied where that is safe, everything else is encoded once.
Several sounds are mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from heygem.errors import FileEmpty, NoSound
from heygem.media.container import best_stream, file_start, open_media, packets
from heygem.media.mix import mixed
from heygem.media.probe import probe_sound
from heygem.media.sound import sound_blocks

BIT_RATE = 192_000

_AAC_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000}
_COPIED_FROM = {"mov", "aac"}


class Soundtrack:
    """The main sound tracks of ``paths``, mixed, on a time line that starts with the files. Raises as ``probe_sound``
    does."""

    def __init__(self, paths: Sequence[Path]) -> None:
        infos = [probe_sound(path) for path in paths]
        self._copy = len(paths) == 1 and _copyable(paths[0])
        rate = max(info.rate for info in infos)
        self._rate = rate if rate in _AAC_RATES else 48000
        self._layout = "mono" if all(info.channels == 1 for info in infos) else "stereo"
        self._inputs = [open_media(path, "sound") for path in paths]
        self._sources: list[Any] = [best_stream(container, "audio") for container in self._inputs]
        self._packets: Iterator[Any] = iter(())
        self._held: Any = None

    def attach(self, output: OutputContainer) -> None:
        """Adds the sound stream to ``output``."""
        if self._copy:
            stream = output.add_stream_from_template(self._sources[0])
            self._packets = self._copied(stream)
        else:
            stream = output.add_stream("aac", rate=self._rate, layout=self._layout)
            stream.bit_rate = BIT_RATE
            stream.options = {"aac_coder": "fast"}  # at so many bits it is nearer to the original than the slow one
            self._packets = self._encoded(stream)

    def until(self, seconds: Fraction | None) -> Iterator[Any]:
        """The next packets, up to a time on the decoding time line; all that are left for None."""
        while True:
            packet = self._held or next(self._packets, None)
            self._held = None
            if packet is None:
                return
            if seconds is not None and packet.dts * packet.time_base > seconds:
                self._held = packet
                return
            yield packet

    def close(self) -> None:
        for container in self._inputs:
            container.close()

    def _copied(self, stream: Any) -> Iterator[Any]:
        container, source = self._inputs[0], self._sources[0]
        shift = round(file_start(container) / source.time_base)
        for packet in packets(container, source):
            if packet.size:
                packet.stream = stream
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                yield packet

    def _encoded(self, stream: Any) -> Iterator[Any]:
        done = 0
        sounds = [
            sound_blocks(container, source, self._rate, self._layout)
            for container, source in zip(self._inputs, self._sources, strict=True)
        ]
        for block in mixed(sounds, self._rate, self._layout):
            frame = av.AudioFrame.from_ndarray(block, "fltp", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate, done, Fraction(1, self._rate)
            done += frame.samples
            yield from stream.encode(frame)
        yield from stream.encode(None)


def _copyable(path: Path) -> bool:
    """AAC-LC of one or two channels in MP4 or ADTS whose packets follow each other without a hole or an edit."""
    with open_media(path, "sound") as container:
        stream = best_stream(container, "audio")
        if stream is None:
            raise NoSound(name=path.name)
        context = stream.codec_context
        plain = context.name == "aac" and context.profile == "LC" and context.channels <= 2
        if not plain or not _COPIED_FROM & set(container.format.name.split(",")) or context.rate not in _AAC_RATES:
            return False
        return _continuous(packets(container, stream), path)


def _continuous(source: Iterator[Any], path: Path) -> bool:
    due = None
    for packet in source:
        if not packet.size:
            continue
        if packet.pts is None or packet.dts != packet.pts or not packet.duration or packet.is_corrupt:
            return False
        if packet.is_discard and packet.pts >= 0:
            return False
        if due is not None and abs(packet.pts - due) > 1:
            return False
        due = packet.pts + packet.duration
    if due is None:
        raise FileEmpty(name=path.name)
    return True
