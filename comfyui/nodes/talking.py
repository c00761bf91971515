"""Talking head, and what it takes: a photo as a VIDEO, an avatar that was analysed before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..compat import blocked, io
from ..inputs import LIBRARIES, choice, result, schema, socket
from ..memory import booked
from ..paths import Fresh, scratch
from ..running import Bar, made, may_be_skipped, plain_words

if TYPE_CHECKING:
    from heygem.pipeline import Options, Take
    from heygem.report import Line

NOT_MEASURED = -1.0


class TalkingHead(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemTalkingHead",
            "HeyGem talking head",
            "Makes the person of a video or photo speak a recording, from file to file: no frame becomes a tensor.",
            [
                inputs.video(optional=True),
                inputs.audio(),
                inputs.engine(),
                inputs.resolution(),
                choice("quality", inputs.QUALITIES, "standard", "how well the result is encoded; draft is the fastest"),
                inputs.use_gpu(),
                inputs.strength(),
                inputs.smoothness(),
                inputs.length(),
                inputs.face(),
                *inputs.item(),
                socket(sockets.HeyGemOptions, "options", "further options; they win over the widgets", optional=True),
            ],
            [
                result(io.Video, "video", "the person speaks"),
                result(io.Float, "score", "0 to 100; -1 where nobody measured"),
                result(io.String, "report", "what was done and what took points, as JSON"),
                result(sockets.HeyGemLine, "line", "a line for “HeyGem batch report”"),
            ],
            search_aliases=["lip sync", "digital human", "口型", "数字人"],
        )

    @classmethod
    def execute(
        cls,
        audio: Any,
        on_error: str,
        video: Any = None,
        name: str = "",
        avatar: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        **said: Any,
    ) -> Any:
        try:
            with plain_words(), scratch() as fresh:
                wish = sockets.options_of(sockets.widgets(**said), options, avatar and {"face": avatar["face"]})
                take, line = speak(person(video, avatar, fresh), sockets.audio_path(audio, fresh), wish, name)
        except Exception as error:
            if on_error == "stop" or not may_be_skipped(error):
                raise
            return io.NodeOutput(blocked(), NOT_MEASURED, str(error), failed(video, avatar, name, error))
        return io.NodeOutput(sockets.as_video(take.path), score_of(take), report_of(take), line)


def person(video: Any, avatar: dict[str, Any] | None, fresh: Fresh) -> Path:
    """The file of who speaks. Raises OptionInvalid where nobody is connected."""
    from heygem.errors import OptionInvalid

    if avatar:
        return Path(avatar["video"])
    if video is None:
        raise OptionInvalid(option="video", value="empty", allowed="a video, a photo or an avatar to connect here")
    return sockets.video_path(video, fresh)


def speak(video: Path, audio: Path, wish: Options, name: str = "") -> tuple[Take, Line]:
    """One take in the temporary folder, with bar, pictures and interrupt."""
    from heygem.pipeline import lipsync

    bar = Bar()
    bar.poster(video)
    with made() as out:
        with booked(wish):
            take = lipsync(video, audio, out, wish, bar)
        bar.done(out)
    return take, line_of(name or video.stem, take, video, audio)


def line_of(name: str, take: Take, video: Path, audio: Path) -> Line:
    from heygem.report import DONE, Line

    score, result = take.quality.get("score"), str(take.path)
    return Line(name, DONE, video.name, audio.name, result, score, take.seconds)


def failed(video: Any, avatar: dict[str, Any] | None, name: str, error: Exception) -> Line:
    """What a report says of an item that did not work out."""
    from heygem.report import FAILED, Line

    file = Path(avatar["video"]).name if avatar else sockets.file_name(video)
    code = getattr(error.__cause__, "code", "error")
    return Line(name or Path(file).stem, FAILED, file, "", code=code, message=str(error))


def score_of(take: Take) -> float:
    return float(take.quality.get("score", NOT_MEASURED))


def report_of(take: Take) -> str:
    """What people want to know of a take, without any path."""
    from heygem.quality.score import reasons

    known = {name: getattr(take, name) for name in ("seconds", "frames", "width", "height", "engine", "device")}
    said = [part["reason"] for part in reasons(take.quality)]
    found = {"score": take.quality.get("score"), **known, "fps": str(take.fps), "stages": take.stages}
    return json.dumps({**found, "advice": said, "warnings": take.warnings}, ensure_ascii=False, indent=1)


class Photo(io.ComfyNode):
    NEEDS = ("PIL",)

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemPhoto",
            "HeyGem photo",
            "A photo where the other nodes want a video: it blinks and moves its head as “HeyGem expression” says.",
            [socket(io.Image, "image", "the photo; of several the first")],
            [result(io.Video, "video", "the photo, for the other nodes of HeyGem")],
            search_aliases=["image to video", "照片"],
        )

    @classmethod
    def execute(cls, image: Any) -> Any:
        return io.NodeOutput(sockets.as_video(sockets.image_path(image)))


class PrepareAvatar(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemPrepareAvatar",
            "HeyGem prepare avatar",
            "Looks at a person once and keeps what was found: later takes with the same video begin at once.",
            [inputs.video(), inputs.face()],
            [
                result(sockets.HeyGemAvatar, "avatar", "for “HeyGem talking head”, as often as you like"),
                result(io.String, "report", "how many people there are, and how many frames show this one, as JSON"),
            ],
        )

    @classmethod
    def execute(cls, video: Any, face_index: int) -> Any:
        from heygem import settings
        from heygem.faces.avatar import Avatar

        with plain_words():
            path, bar = sockets.video_path(video), Bar()
            bar.poster(path)
            found = Avatar.prepare(path, face_index, settings.load().cache, bar)
            bar.done()
        usable = int((found.weight > 0).sum())
        known = {"people": found.people, "face": face_index, "frames": len(found.weight), "usable_frames": usable}
        size = {"width": found.width, "height": found.height, "fps": str(found.fps), "photo": found.still}
        report = json.dumps({**known, **size}, ensure_ascii=False, indent=1)
        return io.NodeOutput({"video": str(path), "face": face_index}, report)


NODES = [TalkingHead, Photo, PrepareAvatar]
