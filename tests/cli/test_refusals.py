"""Bad input: one sentence and one hint, the right exit code, nothing left behind, quickly and in little memory."""

from __future__ import annotations

import os
import time

import pytest

ODD = {
    "h09_vertical_rot90_metadata.mp4",
    "h10_variable_frame_rate.mp4",
    "h11_hevc_10bit.mkv",
    "h12_three_frames.mp4",
    "h13_silent_audio_track.mp4",
    "h15_audio_5.1_center_only.mp4",
    "h17_alpha_vp9.webm",
    "h20_测试 视频 🎬 (final)\u202e4pm.mp4",
    "h24_240fps.mp4",
    "h27_non_square_pixels.mp4",
    "h31_8khz_mulaw.wav",
    "h41_upside_down_face.mp4",
}
"""Files that are merely odd: they must work."""
BAD = {
    "h01_zero_byte.mp4": "input.empty",
    "h02_truncated_no_moov.mp4": "input.unreadable",
    "h04_text_renamed.mp4": "input.unreadable",
    "h05_audio_only.mp4": "input.no_video",
    "h06_no_face.mp4": "input.no_face",
    "h23_8k_small_file.mp4": "input.too_large",
    "h32_50ms.wav": "input.too_short",
    "h37_wav_header_only.wav": "input.empty",
    "h38_hls_playlist_reads_local_file.mp4": "input.refused",
}


def refused(shell, code: str, *arguments: object) -> str:
    """Runs a command that must fail with ``code`` and leave nothing. Returns what it said."""
    before = shell.files()
    done = shell.run("lipsync", *arguments)
    lines = [line for line in done.stderr.splitlines() if line.startswith(("error:", "hint:"))]
    assert len(lines) == 2 and lines[0].endswith(f"[{code}]") and len(lines[1]) > 10, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == "" and shell.files() == before
    assert done.returncode == (2 if code == "option.invalid" else 1)
    return " ".join(lines)


def test_missing_file(shell, voice):
    said = refused(shell, "input.missing", "--video", "nobody.mp4", "--audio", voice)
    assert "nobody.mp4" in said


def test_text_is_no_video(shell, tmp_path, voice):
    bad = tmp_path / "text.mp4"
    bad.write_text("not a video at all, whatever its name says\n" * 20)
    assert "text.mp4" in refused(shell, "input.unreadable", "--video", bad, "--audio", voice)


def test_sound_is_no_person_and_a_photo_is_no_voice(shell, voice, portrait):
    refused(shell, "input.no_video", "--video", voice, "--audio", voice)
    refused(shell, "input.no_sound", "--video", portrait, "--audio", portrait)


def test_picture_without_a_face(shell, tmp_path, voice):
    from PIL import Image

    Image.effect_noise((320, 240), 60).convert("RGB").save(tmp_path / "noise.png")
    refused(shell, "input.no_face", "--video", tmp_path / "noise.png", "--audio", voice)


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--strength", 3, "0 to 2"),
        ("--smoothness", -1, "0 to 1"),
        ("--engine", "wav2lip", "mesh"),
        ("--resolution", "8k", "720p"),
        ("--quality", "best", "standard"),
        ("--length", "forever", "loop"),
        ("--device", "tpu", "cuda"),
        ("--face", -1, "largest"),
        ("--out", "out.avi", ".mp4"),
    ],
)
def test_option_outside_its_range(shell, portrait, voice, option, value, word):
    said = refused(shell, "option.invalid", "--video", portrait, "--audio", voice, option, value)
    assert word in said and str(value) in said


def test_wrong_setting(shell, portrait, voice, monkeypatch):
    monkeypatch.setitem(shell._environment, "HEYGEM_PORT", "http")
    assert "HEYGEM_PORT" in refused(shell, "option.invalid", "--video", portrait, "--audio", voice)


def test_folder_of_the_result_must_exist(shell, portrait, voice):
    refused(shell, "output.failed", "--video", portrait, "--audio", voice, "--out", "no/such/out.mp4")


def test_result_is_never_an_input(shell, portrait, voice):
    from heygem import samples

    own = samples.clip(shell.folder / "own.mp4", 0.2, (320, 360), 120)
    before = own.read_bytes()
    refused(shell, "output.failed", "--video", own, "--audio", voice, "--out", own, "--force")
    assert own.read_bytes() == before


@pytest.mark.parametrize("arguments", [(), ("lipsync",), ("lipsync", "--strength", "much"), ("sing",)])
def test_wrong_call(shell, arguments):
    done = shell.run(*arguments)
    assert done.returncode == 2 and "usage:" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_every_hostile_file_has_a_verdict(media_dir):
    assert {path.name for path in (media_dir / "hostile").iterdir()} == {*ODD, *BAD}


def measured(shell, *arguments: object) -> tuple[int, float, float, str]:
    """Exit code, seconds, MiB at most, standard error."""
    begin = time.monotonic()
    child = shell.start("lipsync", *arguments)
    error = child.stderr.read()
    child.stdout.close()
    child.stderr.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, time.monotonic() - begin, usage.ru_maxrss / 1024, error


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_file(shell, media_dir, portrait, voice, name):
    path = media_dir / "hostile" / name
    pair = ("--video", portrait, "--audio", path) if name.endswith(".wav") else ("--video", path, "--audio", voice)
    code, seconds, most, error = measured(shell, *pair)
    assert code == 1 and f"[{BAD[name]}]" in error and "Traceback" not in error, error
    assert seconds < 10 and most < 1024 and shell.files() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_file(shell, media_dir, portrait, voice, name):
    path = media_dir / "hostile" / name
    pair = ("--video", portrait, "--audio", path) if name.endswith(".wav") else ("--video", path, "--audio", voice)
    code, _, most, error = measured(shell, *pair, "--out", "out.mp4", "--quality", "draft")
    assert code == 0 and most < 1024, error
    assert shell.files() == ["out.mp4", "out.take.json"]


@pytest.mark.parametrize("name", ["h13_silent_audio_track.mp4", "h15_audio_5.1_center_only.mp4"])
def test_video_as_the_voice(shell, media_dir, portrait, name):
    take = shell.take("--video", portrait, "--audio", media_dir / "hostile" / name, "--out", "out.mp4")
    assert take["seconds"] > 1
