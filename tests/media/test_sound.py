"""The voice at 16 kHz: every format and rate, at the right time, audible, in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from heygem.errors import FileEmpty, SoundTooShort
from heygem.media.probe import probe_sound
from heygem.media.sound import RATE, load_sound
from tests.media.clips import clicks, ffmpeg, film, numbered, onsets, wav

TIMES = (0.5, 1.0, 1.75)
KINDS = {
    "wav": (".wav", 44100, "-c:a", "pcm_s16le"),
    "wav 24 bit 192 kHz": (".wav", 192000, "-c:a", "pcm_s24le"),
    "wav mu-law 8 kHz": (".wav", 8000, "-c:a", "pcm_mulaw"),
    "wav 8 bit": (".wav", 22050, "-c:a", "pcm_u8"),
    "wav float": (".wav", 48000, "-c:a", "pcm_f32le"),
    "mp3": (".mp3", 44100, "-b:a", "128k"),
    "m4a": (".m4a", 44100, "-c:a", "aac"),
    "m4a alac": (".m4a", 44100, "-c:a", "alac"),
    "flac": (".flac", 96000),
    "ogg vorbis": (".ogg", 44100, "-c:a", "libvorbis"),
    "opus": (".opus", 48000, "-c:a", "libopus"),
    "webm": (".webm", 48000, "-c:a", "libopus"),
    "wma": (".wma", 44100, "-c:a", "wmav2"),
    "aiff": (".aiff", 11025),
    "mka pcm": (".mkv", 32000, "-c:a", "pcm_s16le"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_formats(tmp_path: Path, kind: str) -> None:
    suffix, rate, *options = KINDS[kind]
    path = wav(tmp_path / f"a{suffix}", clicks(TIMES, 2.5, rate), rate, *options)
    path = path.rename(tmp_path / "sound.mp4")  # the content decides
    sound = load_sound(path)
    assert sound.samples.dtype == np.float32 and sound.samples.ndim == 1 and sound.path == path
    assert sound.seconds == pytest.approx(2.5, abs=0.06)
    slack = 0.05 if kind == "wma" else 0.003  # ASF does not tell the priming of the encoder
    assert onsets(sound.samples, RATE) == pytest.approx(TIMES, abs=slack)
    assert np.abs(sound.samples).max() == pytest.approx(0.8, abs=0.25)
    info = probe_sound(path)
    assert info.rate == rate and info.channels == 1
    assert info.seconds == pytest.approx(2.5, abs=0.1) and info.start == pytest.approx(0, abs=2 * slack + 0.03)


def test_raw_aac(tmp_path: Path) -> None:
    """ADTS does not say how long the encoder's priming is: the sound is 1024 samples late in every player."""
    path = wav(tmp_path / "a.aac", clicks(TIMES, 2.5, 44100), 44100)
    assert onsets(load_sound(path).samples, RATE) == pytest.approx(np.add(TIMES, 1024 / 44100), abs=0.003)


@pytest.mark.parametrize(
    ("layout", "suffix"),
    [*((layout, ".wav") for layout in ("stereo", "2.1", "quad", "5.1", "7.1")), ("5.1", ".flac"), ("5.1", ".m4a")],
)
def test_every_channel_is_heard(tmp_path: Path, layout: str, suffix: str) -> None:
    count = {"stereo": 2, "2.1": 3, "quad": 4, "5.1": 6, "7.1": 8}[layout]
    bass = 2 if layout == "2.1" else 3 if layout in ("5.1", "7.1") else None
    for channel in set(range(count)) - {bass}:
        samples = np.zeros((22050, count))
        samples[:, channel] = clicks([0.2], 0.5, 44100)
        raw = ("-channel_layout", layout)
        source = ("-f", "f32le", "-ar", 44100, *raw, "-i", "-")
        ffmpeg(*source, tmp_path / f"a{suffix}", data=samples.astype("<f4").tobytes())
        level = np.abs(load_sound(tmp_path / f"a{suffix}").samples).max()
        assert level > 0.2, f"channel {channel}"


def test_the_centre_is_as_loud_as_mono(tmp_path: Path) -> None:
    samples = np.zeros((22050, 6))
    samples[:, 2] = clicks([0.2], 0.5, 44100)
    source = ("-f", "f32le", "-ar", 44100, "-channel_layout", "5.1", "-i", "-")
    ffmpeg(*source, tmp_path / "a.wav", data=samples.astype("<f4").tobytes())
    assert np.abs(load_sound(tmp_path / "a.wav").samples).max() == pytest.approx(0.8, abs=0.1)


def test_both_sides_are_as_loud_as_mono(tmp_path: Path) -> None:
    one = clicks([0.2], 0.5, 44100)
    path = wav(tmp_path / "a.wav", np.stack([one, one], 1), 44100)
    assert np.abs(load_sound(path).samples).max() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts", "avi", "flv"])
@pytest.mark.parametrize("late", [0.0, 0.7])
def test_late_start_becomes_silence(tmp_path: Path, suffix: str, late: float) -> None:
    """The sound of a film that begins behind its picture stays in time with the picture."""
    picture = film(tmp_path / "p.mkv", map(numbered, range(75)), "-c:v", "mpeg4")
    voice = wav(tmp_path / "v.wav", clicks([0.5, 1.0], 1.5, 44100), 44100)
    codec = "mp3" if suffix in ("avi", "flv") else "aac"
    if suffix == "avi" and late:
        pytest.skip("AVI has no time stamps for a late start")
    film_path = tmp_path / f"f.{suffix}"
    ffmpeg(
        "-i",
        picture,
        "-itsoffset",
        late,
        "-i",
        voice,
        "-c:v",
        "flv1" if suffix == "flv" else "copy",
        "-c:a",
        codec,
        film_path,
    )
    sound = load_sound(film_path)
    # FLV and TS do not tell the priming of AAC or MP3 encoders.
    slack = 0.06 if suffix in ("flv", "ts", "avi") else 0.003
    assert onsets(sound.samples, RATE) == pytest.approx(np.add([0.5, 1.0], late), abs=slack)
    assert probe_sound(film_path).start == pytest.approx(late, abs=max(slack, 0.03))


def test_hole_becomes_silence(tmp_path: Path) -> None:
    """Packets between 1 and 2 s are missing (an interrupted recording): what follows stays at its time."""
    whole = wav(tmp_path / "w.mkv", clicks([0.5, 1.5, 2.5], 3, 48000), 48000, "-c:a", "libopus")
    ffmpeg("-i", whole, "-c", "copy", "-bsf:a", "noise=drop='between(pts*tb\\,1\\,2)'", tmp_path / "hole.mkv")
    sound = load_sound(tmp_path / "hole.mkv")
    assert onsets(sound.samples, RATE) == pytest.approx([0.5, 2.5], abs=0.005)
    assert sound.seconds == pytest.approx(3, abs=0.03)


def test_format_that_changes_midway(tmp_path: Path) -> None:
    parts = []
    for k, (rate, channels) in enumerate(((48000, 1), (44100, 2))):
        samples = np.repeat(clicks([0.5], 1, rate)[:, None], channels, 1)
        parts.append(wav(tmp_path / f"{k}.mp3", samples, rate, "-write_xing", 0, "-id3v2_version", 0).read_bytes())
    (tmp_path / "a.mp3").write_bytes(b"".join(parts))
    assert onsets(load_sound(tmp_path / "a.mp3").samples, RATE) == pytest.approx([0.5, 1.5], abs=0.1)


@pytest.mark.parametrize("channels", [2, 3, 4, 6, 8, 16])
def test_channels_without_a_layout(tmp_path: Path, channels: int) -> None:
    """AIFF and Opus do not say which channel is where, or have an order of their own. (This once ended the process.)"""
    samples = np.repeat(clicks([0.2], 0.5, 48000)[:, None], channels, 1)
    paths = [wav(tmp_path / "a.aiff", samples, 48000)]
    if channels <= 8:
        paths.append(wav(tmp_path / "a.mka", samples, 48000, "-c:a", "libopus", "-mapping_family", 255))
    for path in paths * 3:
        assert probe_sound(path).channels == channels
        assert np.abs(load_sound(path).samples).max() > 0.3


@pytest.mark.parametrize("first", [0, 20_000])
def test_clock_set_anew(tmp_path: Path, first: int) -> None:
    """A recording that was joined from two, the second with an earlier or a much later clock."""
    parts = []
    for offset in (first, 8_000 - first):
        voice = wav(tmp_path / "v.ts", clicks([0.5], 2, 16000), 16000, "-output_ts_offset", offset, "-c:a", "mp2")
        parts.append(voice.read_bytes())
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    assert onsets(load_sound(tmp_path / "joined.ts").samples, RATE) == pytest.approx([0.5, 2.5], abs=0.1)


def test_too_short_and_empty(tmp_path: Path) -> None:
    short = wav(tmp_path / "s.wav", np.ones(800), 16000)
    for opener in (load_sound, probe_sound):
        with pytest.raises(SoundTooShort, match=r"0\.05"):
            opener(short)
    data = wav(tmp_path / "e.wav", np.ones(8000), 16000).read_bytes()
    header = data.index(b"data") + 8
    (tmp_path / "e.wav").write_bytes(data[:header])
    for opener in (load_sound, probe_sound):
        with pytest.raises(FileEmpty):
            opener(tmp_path / "e.wav")
    assert load_sound(wav(tmp_path / "l.wav", np.ones(1601), 16000)).seconds >= 0.1


def test_damage_in_the_middle(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.mp3", clicks([0.5, 4.5], 5, 44100), 44100)
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 500] = bytes(500)
    path.write_bytes(data)
    sound = load_sound(path)
    assert onsets(sound.samples, RATE)[0] == pytest.approx(0.5, abs=0.005)
    assert onsets(sound.samples, RATE)[-1] == pytest.approx(4.5, abs=0.15)


def test_cut_short(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.mp3", clicks(TIMES, 2.5, 44100), 44100)
    path.write_bytes(path.read_bytes()[:-8000])
    assert onsets(load_sound(path).samples, RATE)[:2] == pytest.approx(TIMES[:2], abs=0.005)


def test_an_hour_stays_out_of_memory(tmp_path: Path) -> None:
    """Fifteen minutes of sound are 58 MB as samples."""
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=900:r=8000:a=0.1", "-c:a", "pcm_mulaw", tmp_path / "long.wav")
    script = (
        "import resource, sys; from heygem.media.sound import load_sound; import numpy as np\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak(); n = len(load_sound(sys.argv[1]).samples); print(n, peak() - before)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "long.wav"], cwd=root, capture_output=True, text=True, check=True
    )
    samples, megabytes = map(float, done.stdout.split())
    assert samples == 900 * RATE
    assert megabytes < 58 / 3


def test_real_recordings(media_dir: Path) -> None:
    for path in sorted((media_dir / "speech").iterdir())[:8]:
        sound = load_sound(path)
        assert sound.seconds == pytest.approx(probe_sound(path).seconds, rel=0.02)
        assert 0.01 < np.sqrt(np.mean(sound.samples**2)) < 0.5
    centre = load_sound(next((media_dir / "hostile").glob("h15*")))
    assert np.abs(centre.samples).max() > 0.1
