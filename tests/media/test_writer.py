"""The result: exact rate and colours, sound in step, whole or not there at all."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem.errors import Cancelled, EngineUnavailable, NoSound, OptionInvalid, OutputError
from heygem.media.encoders import QUALITIES, nvenc_works
from heygem.media.frame import Frame
from heygem.media.probe import probe
from heygem.media.reader import VideoReader, count_frames
from heygem.media.sound import RATE, load_sound
from heygem.media.writer import VideoWriter
from tests.media.clips import clicks, ffmpeg, film, number, numbered, onsets, wav

SIZE = (128, 96)
RATES = [Fraction(25), Fraction(30000, 1001), Fraction(60)]


def write(out: Path, frames: int, fps: Fraction = RATES[0], **options: object) -> Path:
    with VideoWriter(out, fps, SIZE, **options) as writer:  # type: ignore[arg-type]
        for n in range(frames):
            writer.write(Frame.of(numbered(n % 256)))
    return out


@pytest.mark.parametrize("fps", [*RATES, Fraction(5), Fraction(240), Fraction(24000, 1001), Fraction(359, 12)])
@pytest.mark.parametrize("quality", QUALITIES)
def test_every_frame_at_its_time(tmp_path: Path, fps: Fraction, quality: str) -> None:
    out = write(tmp_path / "o.mp4", 70, fps, quality=quality)
    with VideoReader(out) as reader:
        assert reader.info.fps == fps
        assert [number(frame) for frame in reader] == list(range(70))
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        stamps = [(frame.pts or 0) * (frame.time_base or 0) for frame in container.decode(stream)]
    assert stamps == [n / fps for n in range(70)], "exact, not rounded"


def test_form(tmp_path: Path) -> None:
    """What browsers and phones play: H.264 High, 4:2:0, tagged BT.709 limited, index first, no trace of its maker."""
    secret = tmp_path / "secret folder"
    secret.mkdir()
    voice = wav(secret / "voice.mp3", clicks([0.5], 1, 44100), 44100, "-metadata", "title=private")
    out = write(secret / "o.mp4", 30, sounds=[voice])
    with av.open(str(out)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
        assert (context.color_primaries, context.color_trc, context.colorspace, context.color_range) == (1, 1, 1, 1)
        assert not set(container.metadata) - {"major_brand", "minor_version", "compatible_brands", "encoder"}
    data = out.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"secret" not in data and b"private" not in data


def test_pictures_are_encoded_side_by_side(tmp_path: Path) -> None:
    """Slices of one picture would wait for each other, and cost bits: x264 notes in the file how it works."""
    out = tmp_path / "o.mp4"
    with VideoWriter(out, Fraction(25), (256, 512), device="cpu") as writer:
        writer.write(Frame.of(numbered(1, 256, 512)))
    assert b"sliced_threads=0" in out.read_bytes()


def test_odd_size_and_scaling(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "o.mp4", Fraction(25), (65, 49)) as writer:
        writer.write(Frame.of(numbered(5)))
        writer.write(Frame.of(numbered(6, 64, 48)))
    with VideoReader(tmp_path / "o.mp4") as reader:
        assert [(f.width, f.height, number(f)) for f in reader] == [(64, 48, 5), (64, 48, 6)]


@pytest.mark.parametrize("quality", QUALITIES)
def test_round_trip(tmp_path: Path, quality: str) -> None:
    """Encode, decode: what is lost is little, and nothing shifts in colour."""
    y, x = np.mgrid[:240, :320] / 30
    picture = (128 + 50 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], -1)).round().astype(np.uint8)
    with VideoWriter(tmp_path / "o.mp4", Fraction(25), (320, 240), quality) as writer:
        for shift in range(20):
            writer.write(Frame.of(np.roll(picture, 2 * shift, 1)))
    with VideoReader(tmp_path / "o.mp4") as reader:
        for shift, frame in enumerate(reader):
            error = frame.rgb().astype(float) - np.roll(picture, 2 * shift, 1)
            assert 10 * np.log10(255**2 / np.mean(error**2)) > {"draft": 36, "standard": 40, "high": 41}[quality]
            assert np.abs(error.mean((0, 1))).max() < 0.7


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m", "bt470bg"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_colours_survive_reader_writer_reader(tmp_path: Path, matrix: str, span: str) -> None:
    colours = [(200, 40, 40), (40, 160, 60), (50, 60, 190), (222, 180, 150), (20, 20, 20), (240, 240, 240)]
    picture = np.repeat(np.repeat(np.array([colours], np.uint8), 96, 0), 32, 1)
    name = "bt709" if matrix == "bt709" else "bt601"
    scale = f"scale=flags=accurate_rnd+full_chroma_inp:out_color_matrix={name}:out_range={span}"
    tags = ("-colorspace", matrix, "-color_range", span)
    clip = film(tmp_path / "c.mp4", [picture] * 3, "-vf", scale, "-pix_fmt", "yuv420p", "-crf", 1, *tags)
    with VideoReader(clip) as reader, VideoWriter(tmp_path / "o.mp4", Fraction(25), (192, 96), "high") as writer:
        for frame in reader:
            writer.write(frame)
    with VideoReader(tmp_path / "o.mp4") as reader:
        rgb = next(iter(reader)).rgb()
    for k, colour in enumerate(colours):
        seen = rgb[20:-20, 32 * k + 8 : 32 * k + 24].reshape(-1, 3).mean(0)
        assert np.abs(seen - colour).max() <= 3


FLASHES = (1, 2.2, 3.56)
VOICES = {
    "wav": (".wav", 44100, "-c:a", "pcm_s16le"),
    "wav 8 kHz": (".wav", 8000, "-c:a", "pcm_s16le"),
    "wav 192 kHz": (".wav", 192000, "-c:a", "pcm_s16le"),
    "mp3": (".mp3", 44100, "-b:a", "128k"),
    "m4a, copied": (".m4a", 44100, "-c:a", "aac"),
    "m4a 48 kHz, copied": (".m4a", 48000, "-c:a", "aac"),
    "opus": (".ogg", 48000, "-c:a", "libopus"),
    "flac": (".flac", 32000),
}


def offsets(out: Path) -> np.ndarray:
    """Frames between each click and its flash in a finished file, read by another decoder than ours."""
    with av.open(str(out)) as container:
        rate = container.streams.video[0].average_rate
        assert rate is not None
        seen = [(float(f.time or 0), f.to_ndarray()[:96].mean() > 128) for f in container.decode(video=0)]
    flashes = [now[0] for before, now in zip([(0, False), *seen], seen, strict=False) if now[1] and not before[1]]
    wave = out.with_suffix(".wav")
    from_zero = "aresample=16000:async=1:first_pts=0"
    ffmpeg("-i", out, "-af", from_zero, "-ac", 1, "-c:a", "pcm_s16le", wave)
    with av.open(str(wave)) as container:
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)]) / 32768
    heard = onsets(samples, 16000)
    assert len(heard) == len(flashes)
    return (heard - flashes) * float(rate)


def flashing(out: Path, fps: Fraction, seconds: float, sound: Path, flashes: tuple[float, ...] = FLASHES) -> Path:
    white, black = (Frame.of(np.full((96, 128, 3), level, np.uint8)) for level in (255, 0))
    lit = {round(flash * fps) for flash in flashes}
    with VideoWriter(out, fps, (128, 96), "draft", [sound]) as writer:
        for n in range(round(seconds * fps)):
            writer.write(white if n in lit else black)
    return out


@pytest.mark.parametrize(
    ("kind", "fps"),
    [
        *((kind, fps) for kind in ("wav", "mp3", "m4a, copied") for fps in RATES),
        *((kind, RATES[1]) for kind in ("wav 8 kHz", "wav 192 kHz", "m4a 48 kHz, copied", "opus", "flac")),
    ],
)
def test_clicks_and_flashes_meet(tmp_path: Path, kind: str, fps: Fraction) -> None:
    suffix, rate, *options = VOICES[kind]
    times = [round(flash * fps) / fps for flash in FLASHES]  # on the frame
    voice = wav(tmp_path / f"v{suffix}", clicks(times, 4, rate), rate, *options)
    off = offsets(flashing(tmp_path / "o.mp4", fps, 4, voice))
    assert len(off) == len(FLASHES) and np.abs(off).max() < 0.5, off
    assert np.abs(off / float(fps)).max() < 0.005, "and within 5 ms"


@pytest.mark.parametrize("codec", ["aac", "libopus", "libmp3lame"])
def test_sound_of_a_film_that_starts_late(tmp_path: Path, codec: str) -> None:
    """Copied or encoded, the sound keeps its own silence in front."""
    picture = film(tmp_path / "p.mp4", map(numbered, range(100)), "-c:v", "libx264", "-pix_fmt", "yuv420p")
    voice = wav(tmp_path / "v.wav", clicks([t - 0.7 for t in FLASHES], 3.3, 48000), 48000)
    ffmpeg("-i", picture, "-itsoffset", 0.7, "-i", voice, "-c:v", "copy", "-c:a", codec, tmp_path / "late.mp4")
    out = flashing(tmp_path / "o.mp4", Fraction(25), 4, tmp_path / "late.mp4")
    assert np.abs(offsets(out)).max() < 0.25
    assert onsets(load_sound(out).samples, RATE) == pytest.approx(
        onsets(load_sound(tmp_path / "late.mp4").samples, RATE), abs=0.003
    )


def test_ten_minutes_stay_in_step(tmp_path: Path) -> None:
    fps = Fraction(15000, 1001)
    flashes = tuple(range(5, 600, 85))
    times = [round(flash * fps) / fps for flash in flashes]
    voice = wav(tmp_path / "v.mp3", clicks(times, 600, 8000), 8000, "-b:a", "16k")
    white, black = (Frame.of(np.full((64, 64, 3), level, np.uint8)) for level in (255, 0))
    lit = {round(flash * fps) for flash in flashes}
    with VideoWriter(tmp_path / "o.mp4", fps, (64, 64), "draft", [voice]) as writer:
        for n in range(round(600 * fps)):
            writer.write(white if n in lit else black)
    off = offsets(tmp_path / "o.mp4")
    assert len(off) == len(flashes) and np.abs(off).max() < 0.25, off


@pytest.mark.parametrize(
    ("suffix", "rate", "channels", "options", "expected"),
    [
        (".m4a", 44100, 2, ("-c:a", "aac"), ("copy", 44100, 2)),
        (".aac", 44100, 1, ("-c:a", "aac"), ("copy", 44100, 1)),
        (".mp3", 44100, 2, (), ("encode", 44100, 2)),
        (".wav", 192000, 1, (), ("encode", 48000, 1)),
        (".wav", 8000, 1, ("-c:a", "pcm_mulaw"), ("encode", 8000, 1)),
        (".flac", 48000, 6, (), ("encode", 48000, 2)),
        (".m4a", 48000, 6, ("-c:a", "aac"), ("encode", 48000, 2)),
    ],
)
def test_sound_is_kept_as_far_as_possible(
    tmp_path: Path, suffix: str, rate: int, channels: int, options: tuple[str, ...], expected: tuple[str, int, int]
) -> None:
    samples = np.repeat(clicks([0.5], 1, rate)[:, None], channels, 1)
    voice = wav(tmp_path / f"v{suffix}", samples, rate, *options)
    out = write(tmp_path / "o.mp4", 25, sounds=[voice])
    info = probe(out).sound
    assert info is not None and (info.codec, info.rate, info.channels) == ("aac", *expected[1:])

    def payloads(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            header = 7 if container.format.name == "aac" else 0  # ADTS
            return [bytes(packet)[header:] for packet in container.demux(audio=0) if packet.size]

    assert (payloads(voice) == payloads(out)) == (expected[0] == "copy")
    assert np.abs(load_sound(out).samples).max() > 0.5


def test_sound_and_picture_are_interleaved(tmp_path: Path) -> None:
    """A player that reads on never waits: both kinds of packets lie side by side in the file."""
    voice = wav(tmp_path / "v.wav", clicks([1], 20, 48000), 48000)
    out = write(tmp_path / "o.mp4", 500, sounds=[voice])
    with av.open(str(out)) as container:
        times = {"video": 0.0, "audio": 0.0}
        for packet in container.demux():
            if packet.size:
                times[packet.stream.type] = float((packet.dts or 0) * packet.time_base)
                assert abs(times["video"] - times["audio"]) < 1.5


def test_sound_longer_or_shorter_than_the_picture(tmp_path: Path) -> None:
    for seconds in (0.5, 3):
        voice = wav(tmp_path / "v.wav", clicks([0.2], seconds, 16000), 16000)
        info = probe(write(tmp_path / "o.mp4", 25, sounds=[voice]))
        assert info.sound is not None and info.sound.seconds == pytest.approx(seconds, abs=0.1)
        assert count_frames(tmp_path / "o.mp4") == 25


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, Cancelled])
def test_nothing_stays_after_an_exception(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "o.mp4").write_bytes(b"the result of yesterday")
    voice = wav(tmp_path / "v.wav", clicks([0.2], 1, 16000), 16000)
    with pytest.raises(error), VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE, sounds=[voice]) as writer:
        for n in range(100):
            writer.write(Frame.of(numbered(n)))
            assert (tmp_path / "o.mp4.part").exists()
            if n == 80:
                raise error()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.mp4", "v.wav"]
    assert (tmp_path / "o.mp4").read_bytes() == b"the result of yesterday"


def test_bad_arguments_leave_nothing(tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.mp4", 3)
    with pytest.raises(OptionInvalid):
        VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE, "best")
    with pytest.raises(OptionInvalid):
        VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE, device="tpu")
    with pytest.raises(NoSound):
        VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE, sounds=[silent])
    with pytest.raises(OutputError):
        VideoWriter(tmp_path / "no folder" / "o.mp4", Fraction(25), SIZE)
    with pytest.raises(OutputError, match="no frame"), VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE):
        pass
    (tmp_path / "o.mp4.part").mkdir()
    with pytest.raises(OutputError):
        VideoWriter(tmp_path / "o.mp4", Fraction(25), SIZE)
    (tmp_path / "o.mp4.part").rmdir()
    assert [p.name for p in tmp_path.iterdir()] == ["silent.mp4"]


@pytest.mark.parametrize("limit", [20_000, 300_000])
def test_full_disk(tmp_path: Path, limit: int) -> None:
    """A process that may not write more than ``limit`` bytes to a file: early, and at the very end."""
    script = f"""
import resource, sys, numpy as np
from fractions import Fraction
from heygem.errors import OutputError
from heygem.media.frame import Frame
from heygem.media.writer import VideoWriter
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
rng = np.random.default_rng(0)
try:
    with VideoWriter(sys.argv[1], Fraction(25), (128, 96)) as writer:
        for n in range(60):
            writer.write(Frame.of(rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)))
except OutputError as error:
    print("refused:", error)
"""
    command = [sys.executable, "-c", script, tmp_path / "o.mp4"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("refused: The result cannot be written"), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_device(tmp_path: Path) -> None:
    if nvenc_works():
        assert count_frames(write_large(tmp_path / "o.mp4", "cuda")) == 3
    else:
        with pytest.raises(EngineUnavailable):
            write_large(tmp_path / "o.mp4", "cuda")
        assert list(tmp_path.iterdir()) == []
    for device in ("cpu", "auto"):
        assert count_frames(write_large(tmp_path / "o.mp4", device)) == 3


def write_large(out: Path, device: str) -> Path:
    with VideoWriter(out, Fraction(25), (320, 240), device=device) as writer:
        for n in range(3):
            writer.write(Frame.of(numbered(n, 320, 240)))
    return out


def test_nvenc_options_exist() -> None:
    """They can be tried on few machines, so at least none of them is misspelt."""
    if "h264_nvenc" not in av.codecs_available:
        pytest.skip("this build has no NVENC")
    known = {option.name for option in av.CodecContext.create("h264_nvenc", "w").supported_options.private}
    for _, options in QUALITIES.values():
        assert set(options) <= known
    assert {"rc", "spatial_aq", "profile"} <= known
