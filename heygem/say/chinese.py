"""Chinese for espeak-ng 1.52: numbers as they are said, and the syllables that its dictionary spells out in English."""

from __future__ import annotations

import re

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_MYRIADS = ("", "万", "亿", "万亿")
_NUMBER = re.compile(r"(?<!\d)(?:(?<!\d,)\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?")
_PERCENT = re.compile(rf"({_NUMBER.pattern})\s*[%％]")
_YEAR = re.compile(r"(?<!\d)(\d{4})(?=年)")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)(?![\d:分])")
_LONGEST, _LONGEST_GROUPED = 7, 16  # digits of an amount, and of one with commas; longer: telephones and the like

_TONES = {"1": "55", "2": "35", "3": "214", "4": "51"}
_SYLLABLES = {
    "S;j'ong1": "兄兇凶匈哅忷恟汹洶胷胸訩詾讻賯芎",
    "S;j'ong2": "熊赨雄",
    "S;j'ong4": "夐敻詗诇",
    "tS;hj'ong1": "匔焪",
    "tS;hj'ong2": "儝卭宆惸桏棾橩焭煢琼瓊睘瞏穷穹窮竆笻筇茕藑藭蛩赹跫輁邛銎",
    "tS;j'ong1": "冂冋坰埛扃蘏蘔駫",
    "tS;j'ong3": "侰僒冏囧幜泂炯烱煚煛熲皛窘絅綗褧迥逈顈颎駉",
    "tS;j'ong4": "澃",
    "'@r2": "兒",
}
"""Sound (mnemonics of espeak, then the tone) -> all signs whose sound the rules of espeak lack, which end in -iong."""
_SOUNDS = {sign: f"[[{sound[:-1]}{_TONES[sound[-1]]}]]" for sound, signs in _SYLLABLES.items() for sign in signs}
_SIGNS = re.compile(f"[{''.join(_SOUNDS)}]")


def said(text: str) -> str:
    """Numbers in words: years digit by digit, percent, times of day, long numbers digit by digit."""
    text = _YEAR.sub(lambda found: _singly(found[1]), text)
    text = _PERCENT.sub(lambda found: f"百分之{found[1]}", text)
    text = _TIME.sub(lambda found: f"{found[1]}点" + (f"{found[2]}分" if int(found[2]) else ""), text)
    return _NUMBER.sub(lambda found: _amount(found[0]), text)


def sounded(text: str) -> str:
    """The text for espeak with phonemes switched on: what it cannot pronounce as mnemonics in double brackets."""
    return _SIGNS.sub(lambda found: _SOUNDS[found[0]], re.sub(r"\[(?=\[)", "[ ", text))


def _singly(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _amount(number: str) -> str:
    whole, _, rest = number.replace(",", "").partition(".")
    singly = len(whole) > (_LONGEST_GROUPED if "," in number else _LONGEST) or re.match("0.", whole)
    return (_singly(whole) if singly else _whole(int(whole))) + (f"点{_singly(rest)}" if rest else "")


def _whole(number: int) -> str:
    """A number below 10 to the 16th in words."""
    groups = [int(str(number)[::-1][at : at + 4][::-1]) for at in range(0, len(str(number)), 4)]
    found, gap = "", False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if group:
            linked = found and (gap or group < 1000)
            found += ("零" if linked else "") + _four(group, first=not found) + _MYRIADS[place]
        gap = not group
    return found or _DIGITS[0]


def _four(number: int, first: bool) -> str:
    """A number from 1 to 9999. first: nothing stands before it, so that 10 to 19 begin with 十."""
    found, gap = "", False
    for place in reversed(range(4)):
        digit = number // 10**place % 10
        if digit:
            found += ("零" if gap and found else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return found[1:] if first and found.startswith("一十") else found
