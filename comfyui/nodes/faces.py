"""Is there a face that can speak? As facts and a picture, and as a gate that lets only those through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..compat import blocked, io, log, new, ui
from ..inputs import LIBRARIES, count, number, result, schema, text
from ..paths import scratch
from ..running import Bar, may_be_skipped, plain_words

if TYPE_CHECKING:
    from heygem.report import Line

_LOOKED_AT = "frames that are looked at, spread over the video"


class DetectFace(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemDetectFace",
            "HeyGem detect face",
            "A quick look at a video or photo: is there a face that can be made to speak?",
            [inputs.video(), count("frames", 8, 1, 100, _LOOKED_AT)],
            [
                result(io.Boolean, "has_face", "is there a usable face?"),
                result(io.Int, "count", "usable faces in the frame that has most"),
                result(io.Float, "coverage", "share of the frames looked at that have one, 0 to 1"),
                result(io.String, "boxes", "every face of every frame looked at, as JSON"),
                result(io.Image, "preview", "one frame with the faces marked: green ones can speak"),
            ],
            search_aliases=["face detection", "人脸检测"],
        )

    @classmethod
    def execute(cls, video: Any, frames: int) -> Any:
        from heygem.detect import detect, rows

        with plain_words(), scratch() as fresh:
            found = detect(sockets.video_path(video, fresh), frames)
        seen = [{"frame": row["frame"], **face} for row in rows(found.frames) for face in row["faces"]]
        picture = sockets.as_image(found.picture)
        facts = found.has_face, found.count, found.coverage, json.dumps(seen, ensure_ascii=False)
        return io.NodeOutput(*facts, picture, ui=new(ui.PreviewImage, picture, cls=cls))


class FaceGate(io.ComfyNode):
    """Takes the whole list: were it asked item by item, what it blocks would block every report behind it."""

    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemFaceGate",
            "HeyGem face gate",
            "Lets videos through that show a usable face; the others, and broken files, are skipped and named.",
            [
                inputs.video("videos or photos, one or a list"),
                number("least_coverage", 0.2, 0, 1, "share of the frames looked at that must show a usable face"),
                count("frames", 8, 1, 100, _LOOKED_AT),
                inputs.audio("goes with its video", optional=True),
                text("name", "", "goes with its video, for reports", optional=True),
            ],
            [
                result(io.Video, "video", "those with a face", is_output_list=True),
                result(io.Audio, "audio", "what goes with them", is_output_list=True),
                result(io.String, "name", "what goes with them", is_output_list=True),
                result(sockets.HeyGemLine, "skipped", "the others, for “HeyGem batch report”", is_output_list=True),
                result(io.String, "report", "the others, in words"),
            ],
            search_aliases=["skip no face", "跳过无人脸"],
            is_input_list=True,
        )

    @classmethod
    def execute(
        cls,
        video: list[Any],
        least_coverage: list[float],
        frames: list[int],
        audio: list[Any] | None = None,
        name: list[str] | None = None,
    ) -> Any:
        passed, skipped, bar = [], [], Bar()
        for n, one in enumerate(video):
            bar("look", n, len(video))
            called = _of(name, n) or Path(sockets.file_name(one)).stem or f"video {n + 1}"
            line = _looked_at(one, called, least_coverage[0], frames[0])
            if line is None:
                passed.append((one, _of(audio, n), called))
            else:
                skipped.append(line)
        bar.done()
        said = "\n".join(f"{line.name}: {line.message}" for line in skipped)
        log.info("HeyGem face gate: %d of %d pass\n%s", len(passed), len(video), said)
        if not passed:
            return io.NodeOutput([blocked()], [blocked()], [blocked()], [*skipped, sockets.NONE_PASSED], said)
        videos, audios, names = (list(column) for column in zip(*passed, strict=True))
        return io.NodeOutput(videos, audios, names, skipped, said)


def _of(values: list[Any] | None, n: int) -> Any:
    """Shorter lists repeat their last value, as everywhere in ComfyUI."""
    return values[min(n, len(values) - 1)] if values else None


def _looked_at(video: Any, name: str, least: float, frames: int) -> Line | None:
    """None where it may pass."""
    from heygem.detect import coverage, look_at
    from heygem.errors import HeyGemError, NoFace
    from heygem.report import FAILED, SKIPPED, Line

    file = sockets.file_name(video)
    try:
        with scratch() as fresh:
            seen = look_at(sockets.video_path(video, fresh), frames)
    except Exception as error:
        if not may_be_skipped(error):
            raise
        known = isinstance(error, HeyGemError)
        code, said = (error.code, error.message) if known else ("error", f"{type(error).__name__}: {error}")
        return Line(name, FAILED, file, "", code=code, message=said)
    share = coverage(seen)
    if share > 0 and share >= least:
        return None
    why = f"; {share:.0%} of them have one" if share else _why(seen)
    problem = NoFace(name=file or name, frames=len(seen), why=why)
    return Line(name, SKIPPED, file, "", code=problem.code, message=problem.message)


def _why(seen: Any) -> str:
    return next((face.why for one in seen for face in one.faces if face.why), "")


NODES = [DetectFace, FaceGate]
