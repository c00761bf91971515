"""Another place for the person: a colour, a blur, a picture or a video."""

from __future__ import annotations

from typing import Any

from .. import inputs, sockets
from ..compat import io
from ..inputs import LIBRARIES, choice, result, schema, socket, text
from ..paths import Fresh
from .finishing import finished


class Background(io.ComfyNode):
    NEEDS = LIBRARIES

    @classmethod
    def define_schema(cls) -> Any:
        kinds = ["colour", "blur", "picture", "film"]
        return schema(
            "HeyGemBackground",
            "HeyGem background",
            "Puts the person before another background: found by a network that comes along, or cut out by colour.",
            [
                inputs.video("the video"),
                choice("background", kinds, "colour", "what lies behind the person"),
                text("colour", "#dfe9f3", "of the background, like #ffffff"),
                choice(
                    "cutout", ["person", "colour"], "person", "find the person, or take a colour away (green screen)"
                ),
                text("key_colour", "#00ff00", "the colour that is taken away"),
                inputs.use_gpu(),
                socket(io.Image, "picture", "for the background “picture”", optional=True),
                socket(io.Video, "film", "for the background “film”; a short one begins again", optional=True),
            ],
            [result(io.Video, "video", "with its sound"), result(io.String, "method", "what cut the person out")],
            search_aliases=["matting", "green screen", "抠像", "背景"],
        )

    @classmethod
    def execute(
        cls, video: Any, background: str, use_gpu: bool, picture: Any = None, film: Any = None, **said: str
    ) -> Any:
        from heygem.errors import OptionInvalid
        from heygem.finish.base import BLUR, PERSON, Finish

        def wish(fresh: Fresh) -> Finish:
            given = {"picture": picture, "film": film}
            if background in given and given[background] is None:
                raise OptionInvalid(option=background, value="empty", allowed="something to connect here")
            if background == "colour" and not said["colour"].startswith("#"):
                raise OptionInvalid(option="colour", value=said["colour"], allowed="a colour like #ffffff")
            behind = {"blur": lambda: BLUR, "colour": lambda: said["colour"]}
            behind |= {
                "picture": lambda: sockets.image_path(picture, fresh=fresh),
                "film": lambda: sockets.video_path(film, fresh),
            }
            cutout = PERSON if said["cutout"] == "person" else said["key_colour"]
            return Finish(background=str(behind[background]()), cutout=cutout)

        return finished(video, wish, "auto" if use_gpu else "cpu")


NODES = [Background]
