"""Which language a browser gets: its own, or the one chosen on the page. The server decides, from the headers."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "heygem_language"
LANGUAGES = ("zh", "en")
"""The first one is for browsers that want neither."""


def language_of(headers: Mapping[str, str], default: str = "auto") -> str:
    """ "zh" or "en". A choice made on the page (cookie) wins over the setting, the setting over the browser."""
    try:
        chosen = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        chosen = None
    if chosen is not None and chosen.value in LANGUAGES:
        return chosen.value
    if default in LANGUAGES:
        return default
    for wish in headers.get("accept-language", "").lower().split(","):
        if (language := wish.strip()[:2]) in LANGUAGES:
            return language
    return LANGUAGES[0]
