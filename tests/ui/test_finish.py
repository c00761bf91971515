"""What the panel of finishing holds never names a file of the server."""

from __future__ import annotations

import pytest

from heygem.errors import OptionInvalid
from heygem.finish.base import Finish
from ui.finish import finish_of, finish_values


def colour(value: object) -> list[object]:
    values = finish_values(Finish(background="#102030"))
    return [value if one == "#102030" else one for one in values]


def test_a_colour_comes_through() -> None:
    assert finish_of(colour("#a0B0c0"), {}).background == "#a0B0c0"


@pytest.mark.parametrize("value", ["/srv/private/photo.jpg", "blur", "", "#fff", "#ffffff\n", None])
def test_what_is_no_colour_is_refused(value: object) -> None:
    with pytest.raises(OptionInvalid):
        finish_of(colour(value), {})
