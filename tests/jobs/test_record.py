"""Rows that another version of HeyGem wrote."""

from __future__ import annotations

from dataclasses import asdict

from heygem.engines.base import Style
from heygem.jobs.record import options_of
from heygem.pipeline import Options


def test_options_survive_the_way_through_a_row() -> None:
    options = Options(style=Style(strength=1.5, region="mouth"), quality="high", face=2)
    assert options_of(asdict(options)) == options


def test_what_this_version_does_not_know_or_allow_is_left_out_and_the_row_stays_readable() -> None:
    style = {**asdict(Style(strength=1.5)), "region": "whole head", "sparkle": 3, "blinks": 7}
    plain = {**asdict(Options(face=2)), "style": style, "engine": "from the future", "colour": "blue"}
    assert options_of(plain) == Options(style=Style(strength=1.5), face=2)
