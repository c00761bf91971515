"""What the page shows of a file, and that a bad file is refused in words before any work."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem import samples
from tests.media.clips import film, numbered, wav
from ui.files import NOTHING, look
from ui.words import ERRORS_ZH

HOSTILE_NAME = '<img src=x onerror="alert(1)">\u202e.png'

# file -> what its sentence says, as the picture and as the voice ("" = it is accepted)
HOSTILE = {
    "h01_zero_byte.mp4": ("空文件", "空文件"),
    "h02_truncated_no_moov.mp4": ("无法作为视频打开", "无法作为声音打开"),
    "h04_text_renamed.mp4": ("无法作为视频打开", "无法作为声音打开"),
    "h05_audio_only.mp4": ("没有画面", ""),
    "h06_no_face.mp4": ("", ""),
    "h23_8k_small_file.mp4": ("超过了上限", "没有声音"),
    "h31_8khz_mulaw.wav": ("没有画面", ""),
    "h32_50ms.wav": ("没有画面", "太短"),
    "h37_wav_header_only.wav": ("没有画面", "空文件"),
    "h38_hls_playlist_reads_local_file.mp4": ("播放列表", "播放列表"),
}


def picture(value: dict) -> Image.Image:
    head, _, data = value["poster"].partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film(tmp_path / "clip.mp4", [numbered(n, 1280, 720) for n in range(25)], "-c:v", "libx264")


def test_no_file_shows_nothing() -> None:
    assert look(None, "audio", "zh", "log") == NOTHING


def test_a_video_has_a_player_a_small_first_picture_and_facts(clip: Path) -> None:
    value = look(str(clip), "video", "zh", "log")
    assert value["kind"] == "video" and value["url"].endswith("/clip.mp4")
    assert picture(value).size == (720, 405)
    assert value["facts"] == ["1280 × 720", "25 帧/秒", "1.0 秒", "h264"]


def test_a_video_that_browsers_cannot_play_has_a_picture_and_a_word(clip: Path, tmp_path: Path) -> None:
    avi = film(tmp_path / "clip.avi", [numbered(n) for n in range(10)], "-c:v", "mpeg4")
    value = look(str(avi), "video", "en", "log")
    assert value["url"] == "" and picture(value).size == (128, 96)
    assert value["note"].startswith("Browsers cannot play")
    mkv = tmp_path / "clip.mkv"
    mkv.write_bytes(clip.read_bytes())
    assert look(str(mkv), "video", "en", "log")["url"] == ""


def test_a_photo_is_shown_upright(portrait: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn
    Image.open(portrait).crop((0, 0, 400, 200)).save(turned, exif=exif)
    value = look(str(turned), "video", "zh", "log")
    assert value["kind"] == "photo" and value["facts"] == ["200 × 400", "照片"]
    assert picture(value).size == (200, 400)


def test_a_recording_has_a_player_and_facts() -> None:
    value = look(str(samples.voice()), "audio", "zh", "log")
    assert value["kind"] == "audio" and value["url"] and not value["note"]
    assert value["facts"][0] == "7.9 秒" and value["facts"][2:] == ["单声道", "mp3"]


def test_a_video_without_sound_is_no_voice(clip: Path) -> None:
    value = look(str(clip), "audio", "zh", "log")
    assert value["kind"] == "bad" and value["problem"] == "“clip.mp4”里没有声音。"


def test_a_hostile_name_is_shown_harmless(portrait: Path, tmp_path: Path) -> None:
    path = tmp_path / HOSTILE_NAME
    path.write_bytes(portrait.read_bytes())
    assert look(str(path), "video", "zh", "log")["name"] == "img src=x onerror= alert(1).png"
    path.write_bytes(b"")
    assert "<" not in look(str(path), "video", "zh", "log")["problem"]


def test_too_short_a_sound_is_refused_with_its_length(tmp_path: Path) -> None:
    value = look(str(wav(tmp_path / "s.wav", np.zeros(800, np.float32), 16000)), "audio", "en", "log")
    assert value["problem"] == "“s.wav” has only 0.05 s of sound." and value["remedy"]


def test_a_bug_is_one_sentence_with_the_log(monkeypatch: pytest.MonkeyPatch, portrait: Path) -> None:
    monkeypatch.setattr("ui.files.probe_video", lambda _: 1 / 0)
    value = look(str(portrait), "video", "zh", "运行实时日志.log")
    assert value["problem"] == "出现了意料之外的错误（ZeroDivisionError）。" and "运行实时日志.log" in value["remedy"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_their_sentence(media_dir: Path, name: str) -> None:
    for kind, sentence in zip(("video", "audio"), HOSTILE[name], strict=True):
        value = look(str(media_dir / "hostile" / name), kind, "zh", "log")
        if sentence:
            assert value["kind"] == "bad" and sentence in value["problem"], value
            assert value["remedy"] and ERRORS_ZH["error"][0].split("（")[0] not in value["problem"]
        else:
            assert value["kind"] in ("video", "audio"), value


def test_odd_but_sound_files_are_accepted(media_dir: Path) -> None:
    for path in sorted((media_dir / "hostile").glob("*")):
        if path.name not in HOSTILE:
            assert look(str(path), "video", "zh", "log")["kind"] == "video", path.name
