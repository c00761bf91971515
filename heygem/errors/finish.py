"""What is done to the pictures after the mouth: subtitles and their fonts; results side by side."""

from __future__ import annotations

from heygem.errors.base import HeyGemError
from heygem.errors.inputs import InputError


class SubtitlesUnusable(InputError):
    """where: the place in the file, with what stands before it, e.g. “ (0:01:02)”."""

    code = "finish.subtitles"
    template = "“{name}” cannot be used as subtitles: {reason}{where}."
    remedy = "Give an SRT, ASS or WebVTT file, or a text with times like “0:01 - 0:03.5 Hello” or “[00:01.20] Hello”."


class FontMissing(InputError):
    """what: signs, or the name of a font."""

    code = "finish.font"
    template = "The text cannot be drawn: {reason} ({what})."
    remedy = (
        "Leave the option font empty, or choose the name of an installed font; where none has the signs, install one "
        "on the server, for Chinese with “apt install fonts-noto-cjk”."
    )


class CompareTooLong(InputError):
    """minutes: of all results together."""

    code = "compare.too_long"
    template = "The results last {minutes} minutes together; a comparison takes at most {most}."
    remedy = "Choose fewer or shorter ones; on the server “heygem compare” has no such limit."


class CompareBusy(HeyGemError):
    code = "compare.busy"
    template = "The server is making another comparison."
    remedy = "Try again when it is done, in a minute or so."
