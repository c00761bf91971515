"""What ``heygem bench --quality`` renders: a fixed list of cases, each a person and a sound."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from heygem.errors import OptionInvalid
from heygem.media.sound import RATE, load_sound
from heygem.quality.held_out import HELD_OUT

OWN, CROSS, OTHER, STILL = 6.0, 4.0, 3.0, 3.0
"""Seconds of sound: of a clip's own, of a foreign voice, of silence and noise, of the voice of a photo."""
PRESENTERS = ("latentsync_demo1", "mimictalk_May_5s", "latentsync_demo3", "hdtf_WDA_KatieHill")
VOICES = {
    "chinese": ("sadtalker_chinese_poem1.wav", 0),
    "english": ("librispeech_1089.wav", 1),
    "german": ("dreamtalk_German2.wav", 2),
    "spanish": ("dreamtalk_spanish3.wav", 3),
    "french": ("sadtalker_fayu.flac", 1),
    "japanese": ("sadtalker_japanese.flac", 3),
    "korean": ("dreamtalk_korean2.wav", 1),
}
"""Language -> recording, number of the presenter who speaks it."""
QUIET = ("mimictalk_May_5s", "hdtf_WDA_KatieHill")
"""Who hears silence and noise."""


@dataclass(frozen=True)
class Case:
    """group: own (a clip's own sound on the clip: the truth is known), cross, silence, noise or still. sound: None for
    silence and noise, which are made."""

    group: str
    name: str
    video: Path
    sound: Path | None
    seconds: float
    start: float = 0.0

    def samples(self) -> np.ndarray:
        """(n,) float32 mono 16 kHz. Sound of the video itself begins with its first picture."""
        length = round(self.seconds * RATE)
        if self.sound is None:
            loud = 0.1 if self.group == "noise" else 0.0
            return (loud * np.random.default_rng(0).standard_normal(length)).astype(np.float32)
        late = _picture_start(self.video) if self.sound == self.video else self.start
        return load_sound(self.sound).samples[round(late * RATE) :][:length]


def cases(media: Path) -> list[Case]:
    """The whole suite on the folder of media. Raises OptionInvalid where it is none."""
    try:
        with (media / "manifest.tsv").open(encoding="utf-8", newline="") as table:
            files = {Path(row["file"]).stem: media / row["file"] for row in csv.DictReader(table, delimiter="\t")}
        own = [Case("own", name, files[name], files[name], OWN) for name in HELD_OUT]
        people = [files[name] for name in PRESENTERS]
        quiet = [files[name] for name in QUIET]
    except (OSError, KeyError) as error:
        raise OptionInvalid(
            option="media", value=media, allowed=f"a folder with the suite's clips ({error})"
        ) from error
    voices = {language: media / "speech" / name for language, (name, _) in VOICES.items()}
    cross = [
        Case("cross", f"{language} by {people[who].stem}", people[who], voices[language], CROSS)
        for language, (_, who) in VOICES.items()
    ]
    other = [Case(kind, video.stem, video, None, OTHER) for kind in ("silence", "noise") for video in quiet]
    photos = sorted(file for file in files.values() if file.parent.name == "portraits")
    return [*own, *cross, *other, *(Case("still", file.stem, file, voices["german"], STILL) for file in photos)]


def made_cases(folder: Path) -> list[Case]:
    """A small suite without any media: a portrait in gentle motion, made to talk, then measured as a talker."""
    from heygem import samples
    from heygem.pipeline import lipsync

    photo, voice = samples.portrait(folder / "portrait.png"), samples.voice()
    silent = samples.clip(folder / "silent.mp4", CROSS, (512, 512), 150)
    talker = lipsync(
        silent, write_sound(Case("own", "", silent, voice, CROSS), folder / "voice.wav"), folder / "talker.mp4"
    )
    clip = talker.path
    return [
        Case("own", "talker", clip, clip, CROSS),
        Case("cross", "talker", clip, voice, OTHER, CROSS),
        Case("silence", "talker", clip, None, OTHER),
        Case("noise", "talker", clip, None, OTHER),
        Case("still", "portrait", photo, voice, STILL),
    ]


def write_sound(case: Case, out: Path) -> Path:
    """Writes the sound of the case as a WAV file to ``out``."""
    from scipy.io import wavfile

    wavfile.write(out, RATE, (np.clip(case.samples(), -1, 1) * 32767).astype(np.int16))
    return out


def _picture_start(path: Path) -> float:
    """Seconds from the start of the file to its first picture: the sound may begin earlier."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        first = Fraction(stream.start_time or 0) * (stream.time_base or 0)
        return max(0.0, float(first - Fraction(container.start_time or 0, av.time_base)))
