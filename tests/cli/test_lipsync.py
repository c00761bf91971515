"""``heygem lipsync`` from end to end on a real face and a real voice."""

from __future__ import annotations

import json
import math
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem.media.probe import probe_sound
from heygem.media.sound import load_sound


def played(path: Path) -> tuple[list[np.ndarray], Fraction | None]:
    """Every picture of a file, decoded (grey, (h, w) uint8), and the frame rate."""
    with av.open(str(path)) as container:
        rate = container.streams.video[0].average_rate
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)], rate


def loudness(path: Path, fps: int, frames: int) -> np.ndarray:
    """(frames,) energy of the sound under each frame."""
    samples = np.pad(load_sound(path).samples, (0, 16000))
    step = 16000 // fps
    return np.array([np.sqrt(np.mean(samples[k * step : (k + 1) * step] ** 2)) for k in range(frames)])


@pytest.fixture(scope="module")
def photo_take(portrait, voice, home, tmp_path_factory):
    """A photo that speaks, made once: (standard output, standard error, folder)."""
    from tests.cli.conftest import Shell

    shell = Shell(tmp_path_factory.mktemp("photo"), home)
    done = shell.run("lipsync", "--video", portrait, "--audio", voice, "--blinks", 0, "--sway", 0)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr, shell.folder


def test_photo_speaks(photo_take, portrait, voice):
    folder = photo_take[2]
    out = folder / f"{portrait.stem}_{voice.stem}.mp4"
    pictures, rate = played(out)
    seconds = load_sound(voice).seconds
    assert rate == 25 and len(pictures) == math.ceil(seconds * 25)
    assert pictures[0].shape == (512, 512)
    assert sorted(path.name for path in folder.iterdir()) == [out.name, out.with_suffix(".take.json").name]


def test_the_sound_of_the_result_is_the_voice(photo_take, portrait, voice):
    out = photo_take[2] / f"{portrait.stem}_{voice.stem}.mp4"
    mine, given = load_sound(out).samples, load_sound(voice).samples
    least = min(len(mine), len(given))
    assert abs(len(mine) - len(given)) < 0.1 * 16000
    assert np.corrcoef(mine[:least], given[:least])[0, 1] > 0.95


def test_only_the_lower_face_moves_and_it_moves_with_the_voice(photo_take, portrait, voice):
    pictures, _ = played(photo_take[2] / f"{portrait.stem}_{voice.stem}.mp4")
    frames = np.array(pictures, np.float32)
    change = frames.std(axis=0)
    mouth, elsewhere = change[130:175, 195:255], np.delete(change, np.s_[90:215], axis=0)
    assert mouth.mean() > 4 * elsewhere.mean()
    moving = np.abs(np.diff(frames[:, 130:175, 195:255], axis=0)).mean(axis=(1, 2))
    loud = loudness(voice, 25, len(frames))[1:]
    assert moving[loud > np.median(loud)].mean() > moving[loud < np.quantile(loud, 0.2)].mean()


def test_prints_the_path_one_line_of_facts_and_the_score(photo_take, portrait, voice):
    out, error, folder = photo_take
    path, facts, score, *why = out.splitlines()
    assert re.fullmatch(r"quality \d+ / 100 \(estimated\)", score)
    assert why and all(line.startswith("  ") and ": " in line for line in why), "a photo has one mouth only"
    assert Path(path) == folder / f"{portrait.stem}_{voice.stem}.mp4"
    assert "2.00 s, 50 frames at 25 fps, 512x512, mesh" in facts
    assert "render 50/50 frames" in error and "\x1b" not in error


def test_video_speaks_and_json_is_all_that_is_printed(shell, clip, voice):
    done = shell.run("lipsync", "--json", "--video", clip, "--audio", voice, "--out", "out.mp4", "--quality", "draft")
    take = json.loads(done.stdout)
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    pictures, rate = played(shell.folder / "out.mp4")
    assert len(pictures) == take["frames"] == math.ceil(load_sound(voice).seconds * 25) and rate == 25
    assert (take["width"], take["height"], take["fps"]) == (320, 360, "25")
    assert set(take["stages"]) >= {"listen", "analyse", "render"}
    assert abs(probe_sound(shell.folder / "out.mp4").seconds - take["seconds"]) < 0.1


def test_options_reach_the_result(shell, portrait, voice):
    given = ["--resolution", "720p", "--strength", 0, "--engine", "loudness", "--quality", "draft", "--smoothness", 1]
    given += ["--region", "mouth", "--exact", "--nod", 0.5, "--smile", 0.3]
    take = shell.take("--video", portrait, "--audio", voice, "--out", "out.mp4", "--length", "loop", *given)
    assert (take["width"], take["height"]) == (720, 720) and take["engine"].startswith("loudness")
    record = json.loads((shell.folder / "out.take.json").read_text("utf-8"))
    style = {"strength": 0.0, "smoothness": 1.0, "blinks": 1.0, "sway": 1.0, "region": "mouth", "device": "auto"}
    style |= {"nod": 0.5, "smile": 0.3, "exact": True}
    assert record["options"]["style"] == style
    assert record["options"]["length"] == "loop" and record["options"]["quality"] == "draft"


def test_a_named_result_is_replaced_and_a_default_name_replaces_nothing(shell, portrait, voice):
    out, default = shell.folder / "out.mp4", shell.folder / f"{portrait.stem}_{voice.stem}.mp4"
    for path in (out, default):
        path.write_bytes(b"mine")
    shell.take("--video", portrait, "--audio", voice, "--out", out, "--engine", "loudness")
    assert played(out)[0]
    take = shell.take("--video", portrait, "--audio", voice, "--engine", "loudness")
    assert take["path"].endswith(f"{default.stem} (2).mp4") and default.read_bytes() == b"mine"


def test_demo_needs_no_file_of_the_user(shell):
    done = shell.run("demo")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[0])
    assert path == shell.folder / "heygem_demo.mp4" and len(played(path)[0]) == 198
