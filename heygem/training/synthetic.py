"""Speech whose mouth is known: espeak-ng reads syllables in many languages and voices and tells when it says what.

A phoneme's place of articulation tells roughly what lips and jaw do. A network that has learned this from many voices
needs fewer faces afterwards. Only training needs espeak-ng (Debian package ``libespeak-ng1``).
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from ctypes.util import find_library
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import resample_poly

from heygem.quality.lips import SHUT
from heygem.speech.features import RATE, ROWS, mel_power
from heygem.speech.voice import FIRST, LAST, loudness, talking, voice_activity
from heygem.training.data import COMPONENTS, Clip, normalise

LANGUAGES = (
    *("en-us", "en-us", "de", "fr", "es", "it", "pt", "pl", "nl", "sv", "tr", "ms", "vi", "hu", "ro", "cs", "fi", "id"),
    *("sw", "el", "cmn-latn-pinyin", "cmn-latn-pinyin", "cmn-latn-pinyin"),
)
VARIANTS = (
    *("", "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "klatt", "klatt2", "klatt4"),
    *("Annie", "Andrea", "belinda", "linda", "steph", "anika", "pablo", "quincy", "travis", "victor", "zac", "boris"),
    *("aunty", "grandma", "grandpa", "norbert", "Alicia", "adam", "Denis"),
)
"""Voices of espeak-ng: other vocal tracts, pitches and ways of making the sound."""
INITIALS = "b p m f d t n l g k h j q x zh ch sh r z c s y w"
FINALS = "a o e i u ai ei ao ou an en ang eng ong"
ONSETS = "b p m f v w d t n l s sh k g h r j z ch br pl st tr"
VOWELS = "a e i o u oo ee ai ow ea ou oi"
CODAS = "n m p b s t l r k nd st mp ng"
"""Parts of syllables; of Mandarin, and as most of the languages spell them."""

LIPS = "pbmɓ"
"""Sounds of closed lips."""
OPENING = {"aɑæɐä": 1, "ɛɔʌɒœ": 0.8, "eoøəɜɚɤɘɵ": 0.55, "kɡghŋxχɣjɹʁɻqʔçɬ": 0.38, "iuɪʊyɨʉɯʏ": 0.35} | {
    "tdnlθðɾrɲʎ": 0.3, "wɥ": 0.2, "szʃʒɕʑʂʐ": 0.15, "fv": 0.12
}  # fmt: skip
ROUNDING = {"uʊyʏwɥʉ": 1, "ɔoøœɒ": 0.7, "ʃʒɹɻʂʐ": 0.6, "fv": -0.1, "aɑ": -0.2, "jszɕʑ": -0.5, "iɪeɛæ": -0.7}
OTHERS = (
    {"fvpbmwɥ": 1},  # made with the lips
    {"szʃʒɕʑʂʐ": 1},  # hissing
    {"iɪeɛæyøœj": 1, "uʊoɔɑɒwɤʌ": -1},  # front and back of the mouth
    {"mnŋɲ": 1, "pbtdkɡgqʔ": -1},  # through the nose, and not at all
)
"""Further tracks, which a face shows less."""
RESTING = 0.1
"""Opening where nothing is said."""
KNOWN = LIPS + "".join(OPENING)
EDGE = 20
"""Feature rows of silence before and after."""

SYNCHRONOUS, PHONEME_EVENTS, PHONEME_IPA, UTF_8 = 2, 1, 2, 1  # constants of speak_lib.h
SPEED, PITCH, MELODY, PHONEME = 1, 3, 4, 7


@dataclass(frozen=True)
class Sounding:
    """letters: IPA of how a phoneme begins and ends (a diphthong changes), said from ``start`` to ``stop``, in feature
    rows."""

    letters: tuple[str, str]
    start: int
    stop: int


def synthetic_clips(count: int, seed: int = 0) -> list[Clip]:
    """About nine seconds of made-up words each, 100 rows a second, with the mouth as ``tracks`` draws it."""
    rng = np.random.default_rng(seed)
    reader = Reader()
    return [_clip(reader, LANGUAGES[number % len(LANGUAGES)], rng) for number in range(count)]


def tracks(soundings: Sequence[Sounding], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Mouth (length, COMPONENTS) and closed lips (length,) bool: a target for each phoneme, softened in time."""
    targets = np.zeros((length, COMPONENTS))
    targets[:, 0], targets[:, 1] = RESTING, np.nan
    shut = np.zeros(length, bool)
    for said in soundings:
        begin, end = said.letters
        if begin in LIPS:
            middle, half = (said.start + said.stop) / 2, max((said.stop - said.start) / 2, 4)
            shut[max(0, int(middle - half)) : int(middle + half)] = True
        change = said.start + int((said.stop - said.start) * 0.55)
        for letter, part in ((begin, slice(said.start, change)), (end, slice(change, said.stop))):
            targets[part, 0] = _of(OPENING, letter, RESTING)
            targets[part, 1] = _of(ROUNDING, letter, np.nan)
        targets[said.start : said.stop, 2:] = [_of(track, begin, 0) for track in OTHERS]
    rows, known = np.arange(length), ~np.isnan(targets[:, 1])
    targets[:, 1] = np.interp(rows, rows[known], targets[known, 1]) if known.any() else 0
    for part, width in ((0, 4.5), (1, 7.0), (slice(2, None), 4.0)):
        targets[:, part] = gaussian_filter1d(targets[:, part], width, axis=0)
    targets[:, 0] *= 1 - np.clip(1.3 * gaussian_filter1d(shut.astype(float), 2), 0, 1)
    return targets, shut


class Reader:
    """espeak-ng as a library. Raises OSError where it is not installed."""

    def __init__(self) -> None:
        name = find_library("espeak-ng")
        if name is None:
            raise OSError("training needs espeak-ng (Debian package libespeak-ng1)")
        self._library = ctypes.CDLL(name)
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, None, PHONEME_EVENTS | PHONEME_IPA)
        self._sound: list[np.ndarray] = []
        self._events: list[tuple[float, str]] = []
        self._callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def read(self, text: str, voice: str, speed: int, pitch: int, melody: int) -> tuple[np.ndarray, list[Sounding]]:
        """Mono 16 kHz samples (n,) float32 and what is said when. speed: words a minute; pitch, melody: 0 to 100."""
        self._sound.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise OSError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((SPEED, speed), (PITCH, pitch), (MELODY, melody)):
            self._library.espeak_SetParameter(parameter, value, 0)
        words = text.encode() + b"\0"
        self._library.espeak_Synth(words, len(words), 0, 1, 0, UTF_8, None, None)
        samples = resample_poly(np.concatenate(self._sound) / 32768, RATE, self._rate)
        return samples.astype(np.float32), self._soundings(len(samples) * ROWS // RATE)

    def _soundings(self, length: int) -> list[Sounding]:
        rows = [round(seconds * ROWS) for seconds, _ in self._events] + [length]
        found = []
        for (_, phoneme), start, stop in zip(self._events, rows, rows[1:], strict=False):
            letters = [letter for letter in phoneme if letter in KNOWN][:2]
            if letters and stop > start and not phoneme.startswith("("):  # "(en)": the language changes
                found.append(Sounding((letters[0], letters[-1]), start, stop))
        return found

    def _hear(self, sound, samples: int, events) -> int:
        if samples > 0:
            self._sound.append(np.ctypeslib.as_array(sound, (samples,)).copy())
        number = 0
        while events[number].kind:
            if events[number].kind == PHONEME:
                said = events[number].name.decode("utf-8", "replace")
                self._events.append((events[number].milliseconds / 1000, said))
            number += 1
        return 0


class _Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = [
        *(("kind", ctypes.c_int), ("message", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int)),
        *(("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p)),
        ("name", ctypes.c_char * 8),
    ]


def _clip(reader: Reader, language: str, rng: np.random.Generator) -> Clip:
    variant = VARIANTS[rng.integers(len(VARIANTS))]
    voice = f"{language}+{variant}" if variant else language
    manner = (int(rng.uniform(130, 270)), int(rng.uniform(15, 85)), int(rng.uniform(20, 80)))
    samples, soundings = reader.read(_words(language, rng), voice, *manner)
    samples = np.pad(samples, EDGE * RATE // ROWS)
    power = mel_power(samples + rng.normal(size=len(samples)).astype(np.float32) * 1e-4)
    soundings = [Sounding(said.letters, said.start + EDGE, said.stop + EDGE) for said in soundings]
    rows, shut = tracks(soundings, len(power))
    voiced = voice_activity(loudness(power))
    gap = np.where(shut, 0, 2 * SHUT)
    clip = Clip("synthetic", voice, float(ROWS), power, voiced, np.zeros((len(power), 0, 3), np.float32), gap, rows)
    clip.rows[:, 0] *= _effort(clip)
    clip.rest = np.zeros(COMPONENTS)
    normalise(clip, np.full(COMPONENTS, 0.2))
    return clip


def _effort(clip: Clip) -> np.ndarray:
    """(T,) how far the mouth opens beside what its phoneme asks for: who speaks up opens it further."""
    loud = gaussian_filter1d(np.log(clip.power[:, FIRST:LAST].sum(axis=1) / clip.level + 1e-3), 8)
    spoken = loud[talking(clip.voice)]
    return np.clip(1 + 0.35 * (loud - spoken.mean()) / spoken.std(), 0.4, 1.7)


def _words(language: str, rng: np.random.Generator) -> str:
    """About twenty made-up words; syllables of Mandarin where the language is."""

    def one(of: str, chance: float = 1) -> str:
        return str(rng.choice(of.split())) if rng.random() < chance else ""

    words = []
    for _ in range(rng.integers(16, 24)):
        if language.startswith("cmn"):
            words.append(f"{one(INITIALS)}{one(FINALS)}{rng.integers(1, 5)}")
        else:
            syllables = rng.integers(1, 4)
            words.append("".join(one(ONSETS, 0.95) + one(VOWELS) + one(CODAS, 0.4) for _ in range(syllables)))
        words.append(", " if rng.random() < 0.15 else " ")
    return "".join(words) + "."


def _of(table: Mapping[str, float], letter: str, otherwise: float) -> float:
    return next((value for letters, value in table.items() if letter in letters), otherwise)
