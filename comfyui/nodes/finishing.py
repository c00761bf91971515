"""After the mouth: a clearer face, subtitles and a logo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..compat import io
from ..inputs import LIBRARIES, choice, number, result, schema, socket, text
from ..memory import make_room
from ..paths import Fresh, readable, scratch, state
from ..running import Bar, made, plain_words

if TYPE_CHECKING:
    from heygem.finish.base import Finish

_CORNERS = ["top-left", "top-right", "bottom-left", "bottom-right"]
_QUALITY = "high"
"""Several of these nodes may follow each other, and each of them encodes."""


class EnhanceFace(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemEnhanceFace",
            "HeyGem enhance face",
            "A clearer face: by your own GFPGAN-class weights where they are installed and allowed, else sharpened.",
            [
                inputs.video("the video"),
                number("amount", 0.7, 0, 1, "0 leaves the face alone, 1 is the full effect"),
                inputs.use_gpu(),
            ],
            [result(io.Video, "video", "with its sound"), result(io.String, "method", "what did it")],
            search_aliases=["GFPGAN", "face restore", "修复"],
        )

    @classmethod
    def execute(cls, video: Any, amount: float, use_gpu: bool) -> Any:
        from heygem.finish.base import Finish

        return finished(video, lambda _: Finish(enhance=amount), "auto" if use_gpu else "cpu")


class Subtitles(io.ComfyNode):
    NEEDS = (*LIBRARIES, "pysubs2", "imageio_ffmpeg")

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemSubtitles",
            "HeyGem subtitles and logo",
            "Subtitles from a file or typed with times, burned in or as a track, and a logo in a corner.",
            [
                inputs.video("the video"),
                text("text", "", "the subtitles themselves: SRT, ASS, WebVTT, or lines with times", multiline=True),
                text("file", "", "instead of text: the name of such a file in ComfyUI's input folder"),
                choice(
                    "captions", ["burn", "track"], "burn", "drawn into the picture, or to be switched on in the player"
                ),
                number(
                    "size",
                    0.065,
                    0.02,
                    0.2,
                    "height of a line as a share of the picture; ASS keeps its own",
                    step=0.005,
                ),
                text("font", "", "name of an installed font; empty: one that has all signs"),
                choice("logo_place", _CORNERS, "top-right", "corner of the logo"),
                number("logo_size", 0.15, 0.02, 1, "its width as a share of the picture's", step=0.01),
                number("logo_opacity", 1.0, 0, 1, "0 cannot be seen, 1 covers"),
                socket(io.Image, "logo", "a picture", optional=True),
                socket(io.Mask, "logo_mask", "where one sees through it, as “Load Image” says", optional=True),
            ],
            [result(io.Video, "video", "with its sound"), result(io.String, "method", "what was done")],
            search_aliases=["srt", "watermark", "字幕", "水印"],
        )

    @classmethod
    def execute(
        cls, video: Any, text: str, file: str, size: float, logo: Any = None, logo_mask: Any = None, **said: Any
    ) -> Any:
        from heygem.errors import OptionInvalid
        from heygem.finish.base import Finish

        def wish(fresh: Fresh) -> Finish:
            if file and text.strip():
                raise OptionInvalid(option="file", value=f"“{file}”", allowed="a file or the text, not both")
            subtitles = str(readable(file, "file")) if file else _written(text, fresh)
            picture = "" if logo is None else str(sockets.image_path(logo, logo_mask, fresh))
            return Finish(subtitles=subtitles, subtitle_size=size, logo=picture, **said)

        return finished(video, wish, "auto")

    @classmethod
    def validate_inputs(cls, file: str | None = None) -> bool | str:
        from heygem.errors import HeyGemError

        try:
            return bool(not file or readable(file, "file"))
        except HeyGemError as error:
            return f"{error.message} {error.hint}"

    @classmethod
    def fingerprint_inputs(cls, file: str | None = None, **_: Any) -> str:
        from heygem.errors import HeyGemError

        try:
            return state(readable(file, "file")) if file else ""
        except HeyGemError as error:
            return error.message


def finished(video: Any, wish: Callable[[Fresh], Finish], device: str) -> Any:
    """The video with what ``wish`` asks for; where that is nothing, the video as it is."""
    from heygem.finish.film import finish

    with plain_words(), scratch() as fresh:
        asked = wish(fresh)
        if not asked.changes:
            return io.NodeOutput(video, "nothing to do")
        path, bar = sockets.video_path(video, fresh), Bar()
        bar.poster(path)
        if asked.enhance and device != "cpu":
            make_room()
        with made() as out:
            film = finish(path, out, asked, _QUALITY, device, bar)
            bar.done(out)
    notes = film.notes | ({"logo": "drawn"} if "logo" in film.notes else {})  # it was a file of no name
    said = [*(f"{name}: {note}" for name, note in notes.items()), *film.warnings]
    return io.NodeOutput(sockets.as_video(film.path), "\n".join(said))


def _written(text: str, fresh: Fresh) -> str:
    """The path of a file with this text, under the suffix of what it looks like; empty where there is none."""
    plain = text.strip()
    if not plain:
        return ""
    kinds = {".ass": "[Script Info]" in plain, ".vtt": plain.startswith("WEBVTT"), ".srt": "-->" in plain}
    suffix = next((suffix for suffix, fits in kinds.items() if fits), ".txt")
    out = fresh(suffix)
    out.write_text(plain + "\n", "utf-8")
    return str(out)


NODES = [EnhanceFace, Subtitles]
