"""Many videos and voices at once."""

from __future__ import annotations

from heygem.errors.inputs import InputError


class PairsUnusable(InputError):
    """names: what is meant, as " (a.mp4, b.wav)"; may be empty."""

    code = "pairs.unusable"
    template = "Videos and voices cannot be paired: {reason}{names}."
    remedy = (
        "Give a video and its voice the same name, one voice to all videos, or a table (CSV) with the columns video, "
        "audio and name."
    )
