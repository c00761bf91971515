"""The story from end to end, on a real face and a sound with known loudness."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from heygem.engines.base import Style
from heygem.errors import Cancelled, EngineUnavailable, FileMissing, NoFace, OptionInvalid, OutputError
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS
from heygem.media.frame import Frame
from heygem.media.sound import RATE
from heygem.pipeline import Options, lipsync
from heygem.plan import output_size, source_plan
from heygem.quality.score import PARTS
from tests.media.clips import wav


def test_plan_goes_forth_and_back() -> None:
    assert source_plan(4, 9, "pingpong").tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_plan_loops_holds_and_cuts() -> None:
    assert source_plan(3, 7, "loop").tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert source_plan(3, 5, "hold").tolist() == [0, 1, 2, 2, 2]
    for length in ("pingpong", "loop", "hold"):
        assert source_plan(100, 3, length).tolist() == [0, 1, 2]
        assert source_plan(1, 3, length).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("size", "resolution", "expected"),
    [
        ((1080, 1920), "source", (1080, 1920)),
        ((1080, 1920), "720p", (720, 1280)),
        ((1920, 1080), "720p", (1280, 720)),
        ((512, 512), "1080p", (1080, 1080)),
        ((854, 480), "720p", (1280, 720)),
    ],
)
def test_output_size(size: tuple[int, int], resolution: str, expected: tuple[int, int]) -> None:
    assert output_size(*size, resolution) == expected


@pytest.mark.parametrize(
    "bad",
    [
        {"engine": "magic"},
        {"resolution": "8k"},
        {"quality": "best"},
        {"length": "stretch"},
        {"face": -1},
    ],
)
def test_options_outside_their_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(OptionInvalid) as caught:
        Options(**bad)  # pyright: ignore[reportArgumentType]
    assert next(iter(bad)) in caught.value.message and caught.value.hint


@pytest.mark.parametrize(
    "bad", [{"strength": 2.1}, {"strength": -0.1}, {"smoothness": 1.5}, {"region": "eyes"}, {"device": "tpu"}]
)
def test_styles_outside_their_range_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(OptionInvalid):
        Style(**bad)  # pyright: ignore[reportArgumentType]


def test_missing_input_and_bad_output_are_refused_before_the_work(portrait: Path, voice: Path, tmp_path: Path) -> None:
    stages = []

    def tick(stage: str, done: int, total: int) -> None:
        stages.append(stage)

    with pytest.raises(FileMissing):
        lipsync(tmp_path / "none.mp4", voice, tmp_path / "out.mp4", tick=tick)
    with pytest.raises(OutputError):
        lipsync(portrait, voice, tmp_path / "nowhere" / "out.mp4", tick=tick)
    with pytest.raises(OptionInvalid):
        lipsync(portrait, voice, tmp_path / "out.avi", tick=tick)
    with pytest.raises(EngineUnavailable):
        lipsync(portrait, voice, tmp_path / "out.mp4", Options(style=Style(device="cuda")), tick=tick)
    assert set(stages) == {"probe"}


def test_a_photo_speaks(portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path) -> None:
    ticks: list[tuple[str, int, int]] = []
    out = tmp_path / "说话.mp4"
    take = lipsync(portrait, voice, out, Options(quality="draft"), lambda *t: ticks.append(t), avatar_cache)
    with av.open(str(out)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert video.codec_context.name == "h264" and sound.codec_context.name == "aac"
        assert video.average_rate == 25
        assert sum(1 for _ in container.decode(video)) == take.frames
    assert take.fps == Fraction(25) and take.engine.startswith("mesh") and take.device == "CPU"
    assert take.devices == {"faces": "CPU", "engine": "CPU", "decoder": "CPU", "encoder": "CPU, x264"}
    assert take.quality["covered"] == 1.0
    record = json.loads(out.with_suffix(".take.json").read_text("utf-8"))
    assert record["frames"] == take.frames and record["options"]["engine"] == "mesh"
    assert record["quality"] == take.quality and 0 < record["quality"]["score"] <= 100
    assert [part["name"] for part in record["quality"]["parts"]] == list(PARTS), "the mesh engine knows every fact"
    assert sum(part["lost"] for part in record["quality"]["parts"]) == pytest.approx(
        100 - take.quality["score"], abs=0.5
    )
    assert set(record["stages"]) == {"probe", "listen", "analyse", "render"}
    assert str(tmp_path) not in out.with_suffix(".take.json").read_text("utf-8"), "no path of the machine"
    renders = [t for t in ticks if t[0] == "render"]
    assert renders[-1][1:] == (take.frames, take.frames)
    assert [t[1] for t in renders] == sorted(t[1] for t in renders)
    assert ticks[-1] == ("finish", 1, 1)


def test_who_wants_to_see_the_frames_sees_each(portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path) -> None:
    seen: list[tuple[int, int]] = []

    class Watcher:
        def __call__(self, stage: str, done: int, total: int) -> None: ...

        def show(self, frame: Frame) -> None:
            seen.append((frame.width, frame.height))

    take = lipsync(portrait, voice, tmp_path / "out.mp4", Options(quality="draft"), Watcher(), avatar_cache)
    assert seen == [(take.width, take.height)] * take.frames


def test_cancel_leaves_nothing(portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path) -> None:
    def tick(stage: str, done: int, total: int) -> None:
        if stage == "render" and done == 20:
            raise Cancelled

    with pytest.raises(Cancelled):
        lipsync(portrait, voice, tmp_path / "out.mp4", tick=tick, cache=avatar_cache)
    assert list(tmp_path.iterdir()) == []


def test_no_face_is_refused_and_leaves_nothing(voice: Path, tmp_path: Path, avatar_cache: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    with pytest.raises(NoFace) as caught:
        lipsync(tmp_path / "noise.png", voice, tmp_path / "out.mp4", cache=avatar_cache)
    assert "noise.png" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["noise.png"]


def test_the_mouth_moves_with_the_voice_and_rests_in_silence(
    portrait: Path, speech: np.ndarray, tmp_path: Path, avatar_cache: Path
) -> None:
    """Real speech between two stretches of silence: the lips move in the middle only, and nothing else ever does."""
    silence = np.zeros(RATE, np.float32)
    sound = wav(tmp_path / "a.wav", np.concatenate([silence, speech[RATE : 3 * RATE], silence]), RATE)
    out = tmp_path / "out.mp4"
    lipsync(portrait, sound, out, Options(quality="high", style=Style(blinks=0, sway=0)), cache=avatar_cache)
    with av.open(str(out)) as container:
        frames = [f.to_ndarray(format="gray").astype(np.float32) for f in container.decode(video=0)]
    lips = Avatar.prepare(portrait, cache=avatar_cache).landmarks[0][list(LIPS), :2]
    (x0, y0), (x1, y1) = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    moved = np.array([np.abs(b - a)[y0:y1, x0:x1].mean() for a, b in pairwise(frames)])
    assert moved[28:72].mean() > 4 * max(moved[3:20].mean(), moved[82:97].mean())
    eyes = np.array([np.abs(f - frames[0])[: y0 - (y1 - y0) * 2].mean() for f in frames])
    assert eyes.max() < 1.5, "nothing above the mouth changes but for the encoder's noise"


def test_a_take_needs_no_torch(portrait: Path, voice: Path, tmp_path: Path) -> None:
    """It would cost a second and 200 MB in every process."""
    code = f"""
import sys
from pathlib import Path
from heygem.pipeline import lipsync
lipsync({str(portrait)!r}, {str(voice)!r}, {str(tmp_path / "out.mp4")!r}, cache=Path({str(tmp_path / "cache")!r}))
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
