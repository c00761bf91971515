"""Which language a text is in. Only texts are looked at: what somebody says in a recording is not heard here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from heygem.say.text import HAN, KANA

LANGUAGES = {
    "zh": "中文",
    "yue": "粵語",
    "en": "English",
    "ar": "العربية",
    "bg": "Български",
    "bn": "বাংলা",
    "ca": "Català",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "es": "Español",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "ms": "Bahasa Melayu",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sk": "Slovenčina",
    "sv": "Svenska",
    "sw": "Kiswahili",
    "ta": "தமிழ்",
    "th": "ไทย",
    "tr": "Türkçe",
    "uk": "Українська",
    "ur": "اردو",
    "vi": "Tiếng Việt",
}
"""Code -> its own name: the languages that a short text is taken for."""
UNKNOWN = "und"
"""The code of a text without letters."""

_CERTAIN, _GUESS = 0.8, 0.25
_MOST = 4000  # signs that are looked at
_CANTONESE = "嘅喺唔哋咗嚟冇佢啲咁嗰乜嘢㗎噉哂咩啱"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3"
_WEIGHT = 3  # a sign of East Asia says as much as so many letters
_ONLY_HAN = {True: 0.75, False: 0.97}
"""How sure a text in Chinese signs alone is Chinese: of a few of them (“日本語”) Japanese is written too."""
_FEW = 5


@dataclass(frozen=True)
class Language:
    """code: ISO 639, or "und"; name: in the language itself, else the code; sureness: 0 to 1, an estimate."""

    code: str
    name: str
    sureness: float


def language_of(text: str) -> Language:
    """The language that most of the text is in. Short texts in Latin letters are a guess, as their sureness says."""
    text = text[:_MOST]
    letters = [sign for sign in text if sign.isalpha()]
    if not letters:
        return Language(UNKNOWN, UNKNOWN, 0.0)
    han, kana, hangul = (len(re.findall(f"[{signs}]", text)) for signs in (HAN, KANA, _HANGUL))
    others = len(letters) - han - kana - hangul
    if _WEIGHT * max(han + kana, hangul) < others:
        return _by_words(text)
    share = round(_WEIGHT * (han + kana + hangul) / (_WEIGHT * (han + kana + hangul) + others), 2)
    if hangul > han + kana:
        return _language("ko", share)
    if kana * 8 > han:
        return _language("ja", share)
    if any(sign in _CANTONESE for sign in text):
        return _language("yue", min(share, 0.9))
    return _language("zh", min(share, _ONLY_HAN[han < _FEW]))


def _by_words(text: str) -> Language:
    """By the library where it is certain, else the likeliest of the common languages, else English."""
    ranks = {code: float(share) for code, share in reversed(_identifier().rank(text))}
    likeliest = max(ranks, key=lambda code: ranks[code])
    if ranks[likeliest] >= _CERTAIN and likeliest != "zxx":
        return _language(likeliest, ranks[likeliest])
    common = {code: ranks[code] for code in LANGUAGES if code in ranks}
    everything = sum(common.values())
    found = max(common, key=lambda code: common[code])
    if common[found] / everything < _GUESS and re.search("[A-Za-z]", text):
        found = "en"
    return _language(found, common[found] / everything)


def _language(code: str, sureness: float) -> Language:
    return Language(code, LANGUAGES.get(code, code), round(min(sureness, 1.0), 2))


@lru_cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
