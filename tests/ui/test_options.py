"""The panel gives back the options that it was filled with."""

from __future__ import annotations

from heygem.engines.base import Style
from heygem.pipeline import Options
from ui.options import chosen, values_of


def test_what_the_panel_holds_is_what_was_chosen() -> None:
    style = Style(0.5, 0.6, 0.7, 0.8, 0.9, 0.4, "mouth")
    options = Options("loudness", style, "720p", "high", "loop", 2, tries=3, least=70)
    assert (style.blinks, style.sway, style.nod, style.smile) == (0.7, 0.8, 0.9, 0.4)
    assert chosen(*values_of(options)) == options
    assert chosen(*values_of(Options())) == Options()
