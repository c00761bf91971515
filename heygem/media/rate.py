"""One constant frame rate for a stream: what the container claims, checked against the time stamps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

STANDARD = tuple(
    Fraction(*pair)
    for pair in (
        *((n, 1) for n in (1, 2, 5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 144, 240)),
        *((n * 1000, 1001) for n in (24, 30, 48, 60, 120, 240)),
    )
)
FASTEST = 240
"""Faster pictures are thinned out to a whole fraction of their rate."""

_FALLBACK = Fraction(25)


def constant_rate(claimed: Iterable[Fraction | None], times: Sequence[Fraction], tick: Fraction) -> Fraction:
    """The rate in pictures a second.

    ``claimed``: the container's own rates, the most trusted first. ``times``: time stamps (s, ascending) of the first
    pictures; ``tick``: their resolution. A claimed rate on whose grid all time stamps lie is taken as it is. Otherwise
    the rate varies, and the standard rate next to the average serves.
    """
    rates = [_exact(rate) for rate in claimed if rate and Fraction(1, 10) <= rate <= 1000]
    if len(times) < 3 or times[-1] <= times[0]:
        return _limited(rates[0] if rates else _FALLBACK)
    measured = Fraction(len(times) - 1) / (times[-1] - times[0])
    rates.append(_exact(measured.limit_denominator(1001)))
    for rate in rates:
        # A grid much finer than the pictures fits anything and says nothing.
        if rate <= max(60, measured * Fraction(11, 10)) and _on_grid(times, rate, tick):
            return _limited(rate)
    return _nearest(rates[0])


def _on_grid(times: Sequence[Fraction], rate: Fraction, tick: Fraction) -> bool:
    slack = min(float(rate * tick) + 0.05, 0.45)
    places = [float((time - times[0]) * rate) for time in times]
    return all(abs(place - round(place)) <= slack for place in places) and places[-1] >= len(times) - 1.5


def _exact(rate: Fraction) -> Fraction:
    """29.97 means 30000/1001; a rate that is not nearly a standard one stays."""
    near = _nearest(rate)
    return near if abs(near / rate - 1) < 3e-4 else rate


def _nearest(rate: Fraction) -> Fraction:
    return min(STANDARD, key=lambda standard: abs(math.log(standard / rate)))


def _limited(rate: Fraction) -> Fraction:
    return rate / math.ceil(rate / FASTEST)
