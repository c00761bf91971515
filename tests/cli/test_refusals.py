"""Bad input: one sentence and one hint, the right exit code, nothing left behind, quickly and in little memory."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heygem import bench
from heygem.cli import main
from tests.cli.conftest import COMMAND

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


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Runs a command, in this process, that must fail with a code and leave nothing. Returns what it said."""
    monkeypatch.chdir(tmp_path)

    def run(code: str, *arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        status = main(["lipsync", *map(str, arguments)])
        out, error = capsys.readouterr()
        return verdict(code, status, out, error, before == sorted(tmp_path.rglob("*")))

    return run


def verdict(code: str, status: int, out: str, error: str, clean: bool) -> str:
    """Both sentences of a refusal that is as it should be."""
    lines = [line for line in error.splitlines() if line.startswith(("error:", "hint:"))]
    assert len(lines) == 2 and lines[0].endswith(f"[{code}]") and len(lines[1]) > 10, error
    assert "Traceback" not in error and out == "" and clean
    assert status == (2 if code == "option.invalid" else 1)
    return " ".join(lines)


def test_missing_file_in_a_real_shell(shell, voice):
    done = shell.run("lipsync", "--video", "nobody.mp4", "--audio", voice)
    said = verdict("input.missing", done.returncode, done.stdout, done.stderr, shell.files() == [])
    assert "nobody.mp4" in said


def test_text_is_no_video(refused, tmp_path, voice):
    bad = tmp_path / "text.mp4"
    bad.write_text("not a video at all, whatever its name says\n" * 20)
    assert "text.mp4" in refused("input.unreadable", "--video", bad, "--audio", voice)


def test_sound_is_no_person_and_a_photo_is_no_voice(refused, voice, portrait):
    refused("input.no_video", "--video", voice, "--audio", voice)
    refused("input.no_sound", "--video", portrait, "--audio", portrait)


def test_picture_without_a_face(refused, tmp_path, voice):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    refused("input.no_face", "--video", tmp_path / "noise.png", "--audio", voice)


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("--strength", 3, "0 to 2"),
        ("--smoothness", -1, "0 to 1"),
        ("--engine", "wav3lip", "mesh"),
        ("--resolution", "8k", "720p"),
        ("--quality", "best", "standard"),
        ("--length", "forever", "loop"),
        ("--device", "tpu", "cuda"),
        ("--face", -1, "largest"),
        ("--out", "out.avi", ".mp4"),
    ],
)
def test_option_outside_its_range(refused, portrait, voice, option, value, word):
    said = refused("option.invalid", "--video", portrait, "--audio", voice, option, value)
    assert word in said and str(value) in said


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (("--face", "0=VOICE", "--face", "0=VOICE"), "one voice for each face"),
        (("--face", "0=VOICE", "--audio", "VOICE"), "beside --face N=FILE"),
        (("--face", "0", "--face", "1", "--audio", "VOICE"), "a voice for each"),
        (("--face", "0=VOICE", "--face", "1"), "left out"),
        ((), "left out"),
    ],
)
def test_who_speaks_what_must_be_clear(refused, portrait, voice, given, word):
    given = [text.replace("VOICE", str(voice)) for text in given]
    assert word in refused("option.invalid", "--video", portrait, *given)


def test_wrong_setting(refused, portrait, voice, monkeypatch):
    monkeypatch.setenv("HEYGEM_PORT", "http")
    assert "HEYGEM_PORT" in refused("option.invalid", "--video", portrait, "--audio", voice)


def test_long_names_have_a_short_default(refused, tmp_path, voice):
    video, audio = (tmp_path / f"{sign * 200}{suffix}" for sign, suffix in (("v", ".mp4"), ("a", ".wav")))
    video.write_text("no film at all")
    shutil.copy(voice, audio)
    refused("input.unreadable", "--video", video, "--audio", audio)
    refused("input.unreadable", "--video", tmp_path / ("x" * 300), "--audio", audio)
    refused("output.failed", "--video", video, "--audio", audio, "--out", f"{'x' * 250}.mp4")


def test_folder_of_the_result_must_exist(refused, portrait, voice):
    refused("output.failed", "--video", portrait, "--audio", voice, "--out", "no/such/out.mp4")


def test_result_is_never_an_input(refused, tmp_path, clip, voice):
    own = Path(shutil.copy(clip, tmp_path / "own.mp4"))
    refused("output.failed", "--video", own, "--audio", voice, "--out", own)
    assert own.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize("arguments", [(), ("lipsync",), ("lipsync", "--strength", "much"), ("sing",)])
def test_wrong_call(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and "usage:" in capsys.readouterr().err


def test_every_hostile_file_has_a_verdict(media_dir):
    assert {path.name for path in (media_dir / "hostile").iterdir()} == {*ODD, *BAD}


def measured(shell, *arguments: object) -> tuple[bench.Run, str]:
    """``heygem lipsync`` in a child process, and its standard error."""
    with tempfile.TemporaryFile("w+") as errors:
        run = bench.measure([*COMMAND, "lipsync", *map(str, arguments)], shell.environment, errors)
        errors.seek(0)
        return run, errors.read()


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_file(shell, media_dir, portrait, voice, name):
    path = media_dir / "hostile" / name
    pair = ("--video", portrait, "--audio", path) if name.endswith(".wav") else ("--video", path, "--audio", voice)
    run, error = measured(shell, *pair, "--out", shell.folder / "out.mp4")
    assert run.code == 1 and f"[{BAD[name]}]" in error and "Traceback" not in error, error
    assert run.seconds < 10 and run.peak < 1024 and shell.files() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_file(shell, media_dir, portrait, voice, name):
    path = media_dir / "hostile" / name
    pair = ("--video", portrait, "--audio", path) if name.endswith(".wav") else ("--video", path, "--audio", voice)
    run, error = measured(shell, *pair, "--out", shell.folder / "out.mp4", "--quality", "draft")
    assert run.code == 0 and run.peak < 1024, error
    assert shell.files() == ["out.mp4", "out.take.json"]


@pytest.mark.parametrize("name", ["h13_silent_audio_track.mp4", "h15_audio_5.1_center_only.mp4"])
def test_video_as_the_voice(shell, media_dir, portrait, name):
    take = shell.take("--video", portrait, "--audio", media_dir / "hostile" / name, "--out", "out.mp4")
    assert take["seconds"] > 1
