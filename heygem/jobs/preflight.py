"""The cheap verdict on a video or photo before anything runs: the faces of a few frames, and what costs looks or time.

It is given in a child process, so that the page's own loads no networks and survives a file that crashes a decoder.
"""

from __future__ import annotations

import io
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from loguru import logger

from heygem.errors import FileMissing, HeyGemError, WorkerDied
from heygem.jobs.job import Failure
from heygem.jobs.worker import Worker

if TYPE_CHECKING:
    from heygem.faces.scan import Seen
    from heygem.media.probe import VideoInfo
    from heygem.tick import Tick

GOOD, WARN, BAD = "good", "warn", "bad"

NARROW, TURNED = 100, 30
"""Narrower faces (px) and heads turned further (degrees) look less real."""
SLOW = 15
"""Fewer frames a second look jerky."""
LONG = 30 * 60
"""Seconds above which a video takes noticeably long."""
LARGE = 2560 * 1440
"""Pixels above which a picture takes noticeably long."""
POSTER = 320
"""Longest side of the first picture in pixels."""
PREVIEW = 960
"""Longest side of the picture with the faces marked."""
LIMIT = 60.0
"""Seconds after which a look is given up."""

_KEPT = 2000  # verdicts that are remembered, about 10 KB each
_PREVIEWS = 20  # of them with a preview, about 100 KB each

Finding = tuple[str, dict[str, str]]
"""A key of the page's words, or the code of an error, and the values in it."""


@dataclass(frozen=True)
class Verdict:
    """level: good, warn (it will run, but …) or bad (it will fail). findings: worst first. faces: most usable ones in
    one frame. seconds: length. poster: JPEG of the first picture; empty, with all sizes 0, where none can be read.
    coverage: share of the frames looked at that have a usable face. frames: plain values, as ``heygem.detect.rows``
    gives them. preview: JPEG with the faces marked, where it was asked for."""

    level: str
    findings: tuple[Finding, ...]
    faces: int = 0
    seconds: float = 0.0
    width: int = 0
    height: int = 0
    still: bool = False
    poster: bytes = b""
    coverage: float = 0.0
    frames: tuple[dict[str, Any], ...] = ()
    preview: bytes = b""


@dataclass(frozen=True)
class Question:
    """What the child process is asked. preview: also for a picture with the faces marked."""

    video: Path
    preview: bool = False


_Key = tuple[str, int, int, bool]  # path, size, time of change, with a preview

Look = Callable[[Question, "Tick"], Verdict]
"""Looks at a video in the child process. A function of a module: it travels by its name."""


def look(question: Question, tick: Tick) -> Verdict:
    """The look of this product. Raises what the reader raises for files that are no video."""
    from heygem.detect import coverage, drawn, look_at, rows
    from heygem.media.reader import VideoReader

    with VideoReader(question.video) as reader:
        info, poster = reader.info, _jpeg(next(iter(reader)).rgb(), POSTER)
    seen = look_at(question.video)
    findings = tuple(judge(info, seen))
    level = GOOD if not findings else BAD if findings[0][0] == "preflight_no_face" else WARN
    faces = max(len(frame.usable) for frame in seen)
    preview = _jpeg(drawn(question.video, seen), PREVIEW) if question.preview else b""
    facts = info.seconds, info.width, info.height, info.still
    return Verdict(level, findings, faces, *facts, poster, coverage(seen), tuple(rows(seen)), preview)


def judge(info: VideoInfo, seen: Sequence[Seen]) -> Iterator[Finding]:
    """What is to be said of a video of which these frames were looked at, worst first."""
    yield from _judge_faces(seen)
    if not info.still and info.fps < SLOW:
        yield "preflight_slow", {"fps": f"{float(info.fps):.3g}"}
    if info.seconds > LONG:
        yield "preflight_long", {"minutes": f"{info.seconds / 60:.0f}"}
    if not info.still and info.width * info.height > LARGE:
        yield "preflight_large", {"width": str(info.width), "height": str(info.height)}


def _judge_faces(seen: Sequence[Seen]) -> Iterator[Finding]:
    frames = str(len(seen))
    speakers = [frame.usable[0] for frame in seen if frame.usable]
    if not speakers:
        yield "preflight_no_face", {"frames": frames}
    left_alone = Counter(_reason(frame) for frame in seen if not frame.usable)
    for reason, count in left_alone.most_common():
        if speakers or reason != "preflight_unseen":
            yield reason, {"count": str(count), "frames": frames}
    if not speakers:
        return
    width, turn = median(face.width for face in speakers), median(abs(face.yaw) for face in speakers)
    if width < NARROW:
        yield "preflight_narrow", {"width": f"{width:.0f}"}
    if turn > TURNED:
        yield "preflight_turned", {"degrees": f"{turn:.0f}"}
    people = max(len(frame.usable) for frame in seen)
    if people > 1:
        yield "preflight_several", {"count": str(people)}


def _reason(frame: Seen) -> str:
    """Why a frame without a usable face has none: what is wrong with its largest."""
    from heygem.faces.people import WHY

    keys = ("preflight_too_small", "preflight_turned_away", "preflight_cut_off")
    return keys[WHY.index(frame.faces[0].why) - 1] if frame.faces else "preflight_unseen"


def _jpeg(rgb: object, longest: int) -> bytes:
    from PIL import Image

    picture = Image.fromarray(rgb)  # pyright: ignore[reportArgumentType]
    picture.thumbnail((longest, longest))
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=80)
    return jpeg.getvalue()


_UNKNOWN = Verdict(WARN, (("preflight_unknown", {}),))


class Preflight:
    """Looks at one file after the other in a child process, which starts with the first one and ends after ``idle``
    seconds without any. A file is looked at again only when it has changed. All methods are thread-safe."""

    def __init__(self, idle: float = 300, look: Look = look) -> None:
        self._idle, self._look = idle, look
        self._known: OrderedDict[_Key, Verdict] = OrderedDict()  # used last at the end
        self._asked: dict[_Key, Question] = {}  # oldest first; the first one is being looked at
        self._changed = threading.Condition()
        self._closing = False
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._run, name="heygem-preflight", daemon=True)
        self._thread.start()

    def ask(self, video: Path) -> Verdict | None:
        """The verdict, or None while it is not yet known."""
        return self.wait(video, 0)

    def wait(self, video: Path, seconds: float, preview: bool = False) -> Verdict | None:
        """The verdict as soon as it is known, or None after ``seconds``."""
        try:
            facts = video.stat()
        except OSError:
            return _refusal(Failure.of(FileMissing(name=video.name)))
        key = str(video), facts.st_size, facts.st_mtime_ns, preview
        with self._changed:
            if key not in self._known:
                self._asked.setdefault(key, Question(video, preview))
                self._changed.notify_all()
                self._changed.wait_for(lambda: key in self._known or self._closing, seconds)
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def close(self) -> None:
        """Ends the child process. Safe to call twice."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while (question := self._next()) is not None:
                verdict = self._examine(question)
                with self._changed:
                    key = next(iter(self._asked))
                    del self._asked[key]
                    self._known[key] = verdict
                    for old in [one for one in self._known if one[-1]][:-_PREVIEWS]:
                        del self._known[old]
                    while len(self._known) > _KEPT:
                        self._known.popitem(last=False)
                    self._changed.notify_all()
        finally:
            self._drop_worker()

    def _next(self) -> Question | None:
        """Waits for the oldest question; None when this closes."""
        with self._changed:
            while not self._closing:
                if self._asked:
                    return next(iter(self._asked.values()))
                if not self._changed.wait(self._idle if self._worker else None):
                    self._drop_worker()
        return None

    def _examine(self, question: Question) -> Verdict:
        for _ in range(1 if self._worker is None else 2):  # one that waited may have been dying
            try:
                return self._answer(question)
            except WorkerDied as error:
                logger.warning("the look at {} ended: {}", question.video.name, error.message)
                self._drop_worker()
            except TimeoutError:
                logger.warning("the look at {} took too long", question.video.name)
                break
            except Exception:
                logger.exception("the look at {} failed", question.video.name)  # the next file must have its turn
                break
        self._drop_worker()
        return _UNKNOWN

    def _answer(self, question: Question) -> Verdict:
        """What the child process says. Raises WorkerDied, TimeoutError."""
        if self._worker is None or not self._worker.alive:
            self._drop_worker()
            self._worker = Worker(self._look)
        self._worker.send(question)
        deadline = time.monotonic() + LIMIT
        while not self._closing:
            match self._worker.receive(0.2):
                case "done", verdict:
                    return verdict
                case "failed", failure, _:
                    return _UNKNOWN if failure.code == HeyGemError.code else _refusal(failure)
                case "log", level, text:
                    logger.log(level, "the look at {}: {}", question.video.name, text)
            if time.monotonic() > deadline:
                raise TimeoutError
        return _UNKNOWN

    def _drop_worker(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


def _refusal(failure: Failure) -> Verdict:
    return Verdict(BAD, ((failure.code, failure.details),))
