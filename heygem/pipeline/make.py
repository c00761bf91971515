"""One take: what can be wrong is looked at first, then frame by frame, or as a whole by a studio."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from heygem import engines, settings
from heygem.cache import Cache
from heygem.engines.base import Engine, Script, Studio
from heygem.engines.speakers import Speaker, graphics_peak, in_turn
from heygem.errors import OptionInvalid
from heygem.faces.avatar import Avatar
from heygem.finish import effects
from heygem.finish.base import Finish
from heygem.finish.effects import Effects
from heygem.finish.film import captioned, finish
from heygem.media.frame import Frame
from heygem.media.probe import probe_sound, probe_video
from heygem.media.reader import VideoReader
from heygem.media.sound import RATE, Sound, load_sound
from heygem.media.stream import ReadAhead, WriteBehind, one_thread
from heygem.media.target import beside, check_target, disk_errors
from heygem.media.writer import VideoWriter
from heygem.pipeline.options import FACES, Options, inputs
from heygem.pipeline.take import Take, all_or_nothing, write_record
from heygem.plan import output_size, source_plan
from heygem.quality.score import Render, judge
from heygem.tick import Tick, show, silent

_APART, _AHEAD = 4, 128 << 20
"""Frames that are decoded ahead and encoded behind at least; bytes of them at most, where batches are large."""
_OURS = {"engine", "face", "tries", "least", *vars(Finish())}  # of no concern to a studio


def lipsync(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    out: str | Path,
    options: Options | None = None,
    tick: Tick = silent,
    cache: Path | None = None,
) -> Take:
    """Makes the person in ``video`` (or photo) speak ``audio``; writes ``out`` (MP4) and ``<out>.take.json`` beside it.

    Where several people speak, ``audio`` is {face: recording}: all start together, the longest one sets the length, the
    sound is their mix. ``options.face`` is then not looked at.
    tick(stage, done, total) is called at least once a frame and may raise ``Cancelled``: nothing is then left behind.
    cache is the folder of prepared avatars and voices (default: from the settings). Raises the errors of
    ``heygem.errors``.
    """
    with disk_errors(Path(out)):
        return _take(video, audio, Path(out), options or Options(), tick, cache or settings.load().cache)


def _take(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    out: Path,
    options: Options,
    tick: Tick,
    cache: Path,
) -> Take:
    clock = _Clock()
    with clock("probe"):
        tick("probe", 0, 1)
        order = _order(video, audio, out, options, tick, cache)
        tick("probe", 1, 1)
    if isinstance(order.engine, Studio):
        take = _made_elsewhere(order, order.engine, options, clock, tick)
    else:
        take = _made_here(order, options, clock, tick, cache)
    with all_or_nothing(take):
        write_record(take, options)
        tick("finish", 1, 1)
    return take


def _made_here(order: _Order, options: Options, clock: _Clock, tick: Tick, cache: Path) -> Take:
    """Frame by frame, by an engine that renders."""
    engine, frames, fps = order.engine, order.frames, order.fps
    with ThreadPoolExecutor(1, "warm-up") as pool:
        warm = pool.submit(engine.warm)  # libraries load beside the analysis
        with clock("analyse"):
            avatars = Avatar.prepare_all(order.video, list(order.voices), cache, tick)
        with clock("listen"):
            tick("listen", 0, 1)
            warm.result()
            speeches = [engine.listen(sound, fps, frames, tick) for sound in order.voices.values()]
            tick("listen", 1, 1)
    plan = source_plan(len(avatars[0].weight), frames, options.length)
    with clock("render"), one_thread(), ExitStack() as opened:
        speakers = []
        for avatar, speech, sound in zip(avatars, speeches, order.voices.values(), strict=True):
            renderer = opened.enter_context(closing(engine.begin(avatar, speech, plan, options.style, tick)))
            speakers.append(Speaker(avatar, sound, renderer, plan))
        after = opened.enter_context(Effects(options.finish, order.source, fps, frames, options.style.device))
        out = opened.enter_context(captioned(order.out, options.finish, tick))
        with VideoWriter(out, fps, order.size, options.quality, order.sounds, order.codec) as writer:
            decoder = _render(order, plan, _finished(in_turn(speakers), after), writer, tick)
            tick("finish", 0, 1)
        known = [speaker.known() for speaker in speakers]
    take = order.take(frames, fps, order.size, f"{engine.name} {engine.version}", clock.seconds)
    quality = min(map(judge, known), key=lambda quality: quality["score"])
    devices = {"faces": "CPU", "engine": order.device, "decoder": decoder, "encoder": writer.encoder, **after.notes}
    warnings = [*_warnings(speakers, plan, known), *after.warnings]
    return replace(take, quality=quality, warnings=warnings, devices=devices, gpu_mib=graphics_peak())


def _made_elsewhere(order: _Order, studio: Studio, options: Options, clock: _Clock, tick: Tick) -> Take:
    """As a whole, by a studio. Nobody watched its pictures while they were made, so nothing is said of their worth."""
    (sound,) = order.voices.values()
    usual = Options().flat
    asked = {name: value for name, value in options.flat.items() if name not in _OURS and value != usual[name]}
    script = Script(order.video, sound.path, sound.seconds, order.frames, asked)
    with beside(order.out) as folder:
        film = folder / order.out.name
        made = studio.make(script, film, tick)
        if options.finish.changes:
            with clock("render"):
                done = finish(film, order.out, options.finish, options.quality, options.style.device, tick)
            notes, warnings = done.notes, done.warnings
        else:
            film.replace(order.out)
            notes, warnings = {}, []
    size = made.picture.width, made.picture.height
    take = order.take(made.frames, made.picture.fps, size, studio.name, {**clock.seconds, **made.stages})
    warnings = [*made.warnings, *warnings, "the quality was not measured: the pictures were made elsewhere"]
    return replace(take, devices=notes, warnings=warnings)


@dataclass(frozen=True)
class _Order:
    """What a take will be, as far as it is known before the work. ``codec``: where the video is decoded and encoded,
    "cpu" or "auto"; ``voices``: face -> sound; ``source``, ``size``: (width, height) of the video and of the result."""

    video: Path
    out: Path
    engine: Engine
    device: str
    codec: str
    voices: dict[int, Sound]
    fps: Fraction
    frames: int
    source: tuple[int, int]
    size: tuple[int, int]

    @property
    def sounds(self) -> list[Path]:
        """Every recording once: two people who speak the same one are not twice as loud."""
        return list(dict.fromkeys(sound.path for sound in self.voices.values()))

    def take(self, frames: int, fps: Fraction, size: tuple[int, int], engine: str, stages: dict[str, float]) -> Take:
        """What came of it, without any judgement."""
        spoken = {face: sound.path.name for face, sound in self.voices.items()}
        seconds = float(frames / fps)
        return Take(
            self.out, frames, fps, seconds, *size, engine, self.device, stages, {}, [], spoken, video=self.video.name
        )


def _order(
    video: str | Path,
    audio: str | Path | Mapping[int, str | Path],
    out: Path,
    options: Options,
    tick: Tick,
    cache: Path,
) -> _Order:
    """Looks at everything that can be wrong before the work begins, and raises what is."""
    paths = dict(audio) if isinstance(audio, Mapping) else {options.face: audio}
    if not paths:
        raise OptionInvalid(option="audio", value="empty", allowed="a recording for one face or more")
    if min(paths) < 0:
        raise OptionInvalid(option="face", value=min(paths), allowed=FACES)
    check_target(out, inputs(video, paths, options))
    picture = probe_video(video)
    for path in paths.values():
        probe_sound(path)
    engine = engines.load(options.engine)
    device = engine.device(options.style)
    if isinstance(engine, Studio) and [*paths] != [0]:
        one = "0: this engine makes one person speak, whom the service chooses"
        raise OptionInvalid(option="face", value=", ".join(map(str, paths)), allowed=one)
    effects.check(options.finish)
    codec = "cpu" if options.style.device == "cpu" else "auto"  # a GPU may compute and yet have no encoder
    size = output_size(picture.width, picture.height, options.resolution)
    kept = Cache(cache / "voices", settings.load().voice_bytes)
    voices = {face: load_sound(path, kept, lambda: tick("probe", 0, 1)) for face, path in paths.items()}
    longest = max(sound.samples.size for sound in voices.values())
    frames = math.ceil(round(Fraction(longest, RATE) * picture.fps, 6))
    source = picture.width, picture.height
    return _Order(Path(video), out, engine, device, codec, voices, picture.fps, frames, source, size)


def _render(order: _Order, plan: np.ndarray, render: Render, writer: VideoWriter, tick: Tick) -> str:
    """Reader thread -> renderer (here, a batch at once) -> writer thread: while one batch is rendered, the next is
    decoded and the last encoded. Returns what decoded."""
    done, batch_size = 0, order.engine.batch
    depth = max(_APART, min(batch_size, _AHEAD // (order.source[0] * order.source[1] * 3 // 2)))
    with (
        VideoReader(order.video, device=order.codec) as reader,
        WriteBehind(writer.write, depth) as behind,
        ReadAhead(reader.frames(plan), depth) as ahead,
    ):
        for batch in _batches(ahead, batch_size):
            for frame in render(done, batch):
                behind.put(frame)
                show(tick, frame)
                done += 1
                tick("render", done, len(plan))
        return reader.decoder


def _finished(render: Render, after: Effects) -> Render:
    """Renders, then the effects, frame by frame."""

    def both(start: int, frames: Sequence[Frame]) -> Sequence[Frame]:
        return [after(start + n, frame) for n, frame in enumerate(render(start, frames))]

    return both


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    source = iter(frames)
    while batch := list(islice(source, size)):
        yield batch


def _warnings(speakers: Sequence[Speaker], plan: np.ndarray, known: Sequence[dict[str, float]]) -> list[str]:
    found = []
    for speaker, facts in zip(speakers, known, strict=True):
        whose = f"face {speaker.avatar.face}: " if len(speakers) > 1 else ""
        if untouched := int(np.count_nonzero(speaker.avatar.weight[plan] == 0)):
            found.append(f"{whose}{untouched} of {len(plan)} frames show no usable face and were left as they are")
        if facts.get("speaking") == 0:
            found.append(f"{whose}no voice was heard in the sound, so the mouth stays closed")
        if most := speaker.portions.most:
            found.append(f"{whose}the graphics memory was too small, so the batch was halved to {most}")
    return found


class _Clock:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - start, 3)
