"""What files are; what is refused, and that nothing else is opened on the way."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem.errors import (
    FileEmpty,
    FileMissing,
    FileRefused,
    FileUnreadable,
    HeyGemError,
    NoSound,
    NoVideo,
    PictureTooLarge,
)
from heygem.media import container
from heygem.media.probe import probe, probe_sound, probe_video
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from tests.media.clips import clicks, film, numbered, wav

X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
POINTERS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\n{url}\n#EXT-X-ENDLIST\n",
    "hls behind a tag": "ID3\x03"
    + "\0" * 6
    + "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10.0,\n{url}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "dash": '<?xml version="1.0"?>\n<MPD profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static">'
    "<Period><AdaptationSet><Representation><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "pls": "[playlist]\nFile1={url}\nNumberOfEntries=1\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "smil": '<smil><body><video src="{url}"/></body></smil>',
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("probe") / "clip.ts", map(numbered, range(10)), *X264)


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("opener", [probe, probe_video, probe_sound, VideoReader, load_sound])
def test_pointers_to_other_files_are_refused(tmp_path: Path, clip: Path, kind: str, opener: object) -> None:
    disguise = tmp_path / "holiday.mp4"
    disguise.write_text(POINTERS[kind].format(url=clip))
    with pytest.raises(FileRefused) as caught:
        opener(disguise)  # type: ignore[operator]
    assert caught.value.details["name"] == "holiday.mp4"


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("sniffed", [True, False])
def test_the_file_pointed_to_is_never_read(
    tmp_path: Path, clip: Path, kind: str, sniffed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in front of it, and even where the sniffing misses it. Reading would move the time of last access."""
    control, target = tmp_path / "control.ts", tmp_path / "target.ts"
    for file in (control, target):
        file.write_bytes(clip.read_bytes())
        os.utime(file, (1e9, 2e9))
    control.read_bytes()
    if control.stat().st_atime == 1e9:
        pytest.skip("this file system does not keep the time of last access")
    if not sniffed:
        monkeypatch.setattr(container, "check", lambda path, kind: b"")
    disguise = tmp_path / "holiday.mp4"
    for junk in ("", " \n", "\ufeff", "junk\n", "\0" * 100):
        disguise.write_text(junk + POINTERS[kind].format(url=target))
        with pytest.raises((FileRefused, FileUnreadable)):
            container.open_media(disguise)
    assert target.stat().st_atime == 1e9


def test_names_are_never_protocols_or_options(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("concat:a|b", "-i", "http:", "测试 视频 🎬 (final)\u202e4pm.mp4", "a%03d.ts", "new\nline", "*.mp4"):
        Path(name).write_bytes(clip.read_bytes())
        info = probe_video(name)
        assert info.frames == 10, name
        with VideoReader(name) as reader:
            assert sum(1 for _ in reader) == 10


def test_missing_empty_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        probe(tmp_path / "nothing.mp4")
    for path in (tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(FileUnreadable):
            probe(path)
    for data, error in ((b"", FileEmpty), (b"hello there " * 50, FileUnreadable), (os.urandom(5000), FileUnreadable)):
        (tmp_path / "a.mp4").write_bytes(data)
        for opener in (probe, probe_video, probe_sound):
            with pytest.raises(error):
                opener(tmp_path / "a.mp4")


def test_no_index(tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", map(numbered, range(10)), *X264)
    clip.write_bytes(clip.read_bytes().partition(b"moov")[0])
    with pytest.raises(FileUnreadable, match="damaged, cut short"):
        probe(clip)


def test_song_with_cover_is_not_a_video(tmp_path: Path) -> None:
    Image.fromarray(numbered(3)).save(tmp_path / "cover.png")
    cover = ("-i", tmp_path / "cover.png", "-map", 0, "-map", 1, "-c:v", "copy", "-disposition:v", "attached_pic")
    song = wav(tmp_path / "song.mp3", clicks([0.5], 2, 44100), 44100, *cover)
    info = probe(song)
    assert info.video is None and info.sound is not None and info.sound.seconds == pytest.approx(2, abs=0.1)
    with pytest.raises(NoVideo):
        probe_video(song)


def test_a_sound_that_does_not_say_how_long_it_is(tmp_path: Path) -> None:
    """As browsers record."""
    live = wav(tmp_path / "live.webm", clicks([0.5], 3, 48000), 48000, "-c:a", "libopus", "-live", 1)
    with container.open_media(live) as opened:
        assert opened.duration is None and opened.streams.audio[0].duration is None
    assert probe_sound(live).seconds == pytest.approx(3, abs=0.1)


def test_video_without_sound(clip: Path) -> None:
    assert probe(clip).sound is None
    with pytest.raises(NoSound):
        probe_sound(clip)
    with pytest.raises(NoSound):
        load_sound(clip)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF"])
def test_photo_is_a_film_of_one_frame(tmp_path: Path, form: str) -> None:
    rgb = np.full((101, 151, 3), (200, 90, 60), np.uint8)
    photo = tmp_path / "photo.mp4"  # by content
    Image.fromarray(rgb).save(photo, format=form)
    info = probe(photo).video
    assert info is not None and info.still
    assert (info.width, info.height, info.frames) == (150, 100, 1)
    with VideoReader(photo) as reader:
        assert sum(1 for _ in reader) == reader.count == 1
        for frame in reader.frames([0, 7, 0]):
            assert np.abs(frame.rgb().astype(int) - rgb[:100, :150]).max() <= 5
            frame.data[:] = 0
    with pytest.raises(NoSound):
        probe_sound(photo)


def test_photo_turned_by_exif(tmp_path: Path) -> None:
    upright = np.zeros((120, 80, 3), np.uint8)
    upright[:60] = 250
    exif = Image.Exif()
    exif[274] = 6  # turn by 90 degrees clockwise to see it upright
    Image.fromarray(np.rot90(upright)).save(tmp_path / "phone.jpg", exif=exif)
    with VideoReader(tmp_path / "phone.jpg") as reader:
        rgb = next(iter(reader)).rgb()
    assert rgb.shape == (120, 80, 3) and rgb[:50].min() > 240 and rgb[70:].max() < 10


def test_photo_modes(tmp_path: Path) -> None:
    """Transparent over white; 16 bit, grey, palette and CMYK as they look."""
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    deep = Image.fromarray(np.full((64, 64), 128 << 8, np.uint16))
    plain = Image.new("RGB", (64, 64), (128, 128, 128))
    for image, level in (
        *((clear, 255), (clear.convert("P"), 255), (deep, 128), (plain.convert("L"), 128)),
        *((plain.quantize(4), 128), (plain.convert("LA"), 128)),
    ):
        image.save(tmp_path / "a.png")
        with VideoReader(tmp_path / "a.png") as reader:
            assert np.abs(next(iter(reader)).rgb().astype(int) - level).max() <= 2, image.mode
    plain.convert("CMYK").save(tmp_path / "a.jpg")
    with VideoReader(tmp_path / "a.jpg") as reader:
        assert np.abs(next(iter(reader)).rgb().astype(int) - 128).max() <= 4


def test_photo_limits(tmp_path: Path) -> None:
    Image.new("L", (20000, 9000)).save(tmp_path / "bomb.png")
    with pytest.raises(PictureTooLarge, match="120 megapixels"):
        probe(tmp_path / "bomb.png")
    Image.new("RGB", (6000, 4000), "gray").save(tmp_path / "camera.jpg", quality=50)
    info = probe_video(tmp_path / "camera.jpg")
    assert (info.width, info.height) == (3072, 2048)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:5000])
    with pytest.raises(FileUnreadable):
        probe(tmp_path / "cut.png")


HOSTILE = {
    "h01": FileEmpty,
    "h02": FileUnreadable,
    "h04": FileUnreadable,
    "h05": NoVideo,
    "h23": PictureTooLarge,
    "h37": FileEmpty,
    "h38": FileRefused,
}


@pytest.mark.parametrize("start", HOSTILE)
def test_hostile_files(media_dir: Path, start: str) -> None:
    path = next((media_dir / "hostile").glob(f"{start}*"))
    opener = load_sound if path.suffix == ".wav" else VideoReader
    with pytest.raises(HOSTILE[start]):
        opener(path)


def test_odd_real_files(media_dir: Path) -> None:
    """Everything else in the folder reads to its end, each with the size, rate and length that it should have."""
    truth = {
        "h06": (480, 270, 30, 240),
        "h09": (288, 512, 25, 200),
        "h10": (512, 512, 25, 200),
        "h11": (512, 512, 25, 200),
        "h12": (512, 512, 25, 3),
        "h17": (512, 512, 25, 100),
        "h20": (512, 512, 25, 200),
        "h24": (512, 512, 240, 720),
        "h27": (512, 512, 25, 200),
        "h41": (288, 512, 25, 200),
    }
    for start, expected in truth.items():
        with VideoReader(next((media_dir / "hostile").glob(f"{start}*"))) as reader:
            for frame in reader:
                assert (frame.width, frame.height) == expected[:2]
            assert (reader.info.width, reader.info.height, reader.info.fps, reader.count) == expected


def test_every_error_is_ours(media_dir: Path) -> None:
    for path in sorted((media_dir / "hostile").iterdir()):
        try:
            probe(path)
        except HeyGemError as error:
            assert error.hint and path.name in error.message
