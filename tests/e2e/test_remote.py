"""One HeyGem lets another one work: the whole product as a process of its own is the face2face service."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from heygem.engines.remote import task as tasks
from heygem.faces.avatar import Avatar
from heygem.faces.shape import LIPS
from heygem.media.reader import VideoReader
from heygem.media.sound import load_sound
from heygem.pipeline import Options, lipsync
from tests.e2e.conftest import App
from tests.media.clips import film


@pytest.mark.slow
def test_a_take_by_our_own_server(
    portrait: Path, voice: Path, tmp_path: Path, avatar_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, video = tmp_path / "shared", tmp_path / "person.mp4"
    shared.mkdir()
    with VideoReader(portrait) as reader:
        picture = next(iter(reader)).rgb()
    film(video, [picture] * 10, "-c:v", "libx264", "-crf", 12, rate=20)
    app = App(tmp_path, {"HEYGEM_EASY_FOLDER": str(shared), "HEYGEM_MIN_FREE_MB": "0"})
    monkeypatch.setattr(tasks, "POLL", 0.1)
    ticks: list[tuple[str, int, int]] = []
    try:
        app.start()
        monkeypatch.setenv("HEYGEM_REMOTE_URL", app.address)
        monkeypatch.setenv("HEYGEM_REMOTE_FOLDER", str(shared))
        out = tmp_path / "take.mp4"
        take = lipsync(video, voice, out, Options("remote"), lambda *tick: ticks.append(tick), avatar_cache)
    finally:
        app.end()
    assert (take.engine, take.device) == ("remote", f"remote: {app.address[7:]}")
    assert (take.width, take.height, take.fps, take.frames) == (512, 512, 20, 40)
    (theirs,) = app.outputs.glob("*/*/*.mp4")
    assert out.read_bytes() == theirs.read_bytes()
    assert not [*shared.glob("*video*"), *shared.glob("*voice*"), *shared.glob("*.part")]
    shares = {done / total for stage, done, total in ticks if stage == "render"}
    assert len(shares) > 2, "the frames that it counts are seen here"
    said = load_sound(out).samples[: 2 * 16000]
    assert np.corrcoef(said, load_sound(voice).samples[: len(said)])[0, 1] > 0.95
    lips = Avatar.prepare(portrait, cache=avatar_cache).landmarks[0][list(LIPS), :2]
    (x0, y0), (x1, y1) = lips.min(axis=0).astype(int), lips.max(axis=0).astype(int)
    with VideoReader(out) as reader:
        frames = np.array([frame.rgb((x0, y0, x1, y1)) for frame in reader], np.float32)
    assert frames.std(axis=0).mean() > 4, "the mouth moves"
