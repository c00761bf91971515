"""Takes with the same voice or the same video share their analysis: in one process, between several, and later."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from heygem import cache as cache_module
from heygem.cache import Cache, content_key
from heygem.engines.loudness import LoudnessEngine
from heygem.engines.mesh.cover import FEWEST, Cover
from heygem.engines.mesh.engine import MeshEngine
from heygem.errors import Cancelled
from heygem.faces import avatar
from heygem.faces.avatar import Avatar
from heygem.media import sound as sound_module
from heygem.media.sound import RATE, load_sound
from heygem.pipeline import Options, lipsync
from heygem.speech import motion
from heygem.speech.motion import listen
from tests.media.clips import film as write_film
from tests.media.clips import wav

DRAFT = Options(quality="draft")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the real work ran: decoding a sound, the speech model, looking at a video."""
    count: Counter[str] = Counter()

    def watch(module: Any, name: str) -> None:
        work = getattr(module, name)

        def counted(*given: Any, **named: Any) -> Any:
            count[name] += 1
            return work(*given, **named)

        monkeypatch.setattr(module, name, counted)

    watch(sound_module, "_decode")
    watch(motion, "_net_rows")
    watch(avatar, "take_notes")
    return count


@pytest.fixture(scope="session")
def films(portrait: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three different films, each with a frame rate of its own."""
    picture = np.asarray(Image.open(portrait).convert("RGB"))[::2, ::2]
    folder = tmp_path_factory.mktemp("films")
    pictures = [np.roll(picture, n, axis=1) for n in range(6)]
    return [
        write_film(folder / f"{rate}.mp4".replace("/", "-"), pictures, "-pix_fmt", "yuv420p", rate=rate)
        for rate in ("25", "30000/1001", "50")
    ]


def pixels(path: Path) -> str:
    """Fingerprint of all pictures of a film."""
    with av.open(str(path)) as container:
        return hashlib.sha256(b"".join(f.to_ndarray().tobytes() for f in container.decode(video=0))).hexdigest()


def test_one_voice_for_many_videos_is_heard_once(
    films: list[Path], voice: Path, tmp_path: Path, runs: Counter[str]
) -> None:
    takes = [lipsync(film, voice, tmp_path / f"{n}.mp4", DRAFT, cache=tmp_path / "c") for n, film in enumerate(films)]
    assert runs == {"_decode": 1, "_net_rows": 1, "take_notes": 3}
    assert [take.fps for take in takes] == [25, Fraction(30000, 1001), 50]
    copy = tmp_path / "another name.wav"
    copy.write_bytes(voice.read_bytes())
    later = lipsync(films[1], copy, tmp_path / "later.mp4", DRAFT, cache=tmp_path / "c")
    assert runs == {"_decode": 1, "_net_rows": 1, "take_notes": 3}, "a later take finds all of it"
    assert later.voices == {0: copy.name}
    alone = lipsync(films[1], voice, tmp_path / "alone.mp4", DRAFT, cache=tmp_path / "empty")
    assert runs["_net_rows"] == 2
    assert pixels(alone.path) == pixels(takes[1].path) == pixels(later.path), "bit-equal"
    assert alone.quality == takes[1].quality


def test_a_person_is_learned_once(portrait: Path, voice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.asarray(Image.open(portrait).convert("RGB"))[::2, ::2]
    film = write_film(tmp_path / "p.mp4", [np.roll(picture, n // 4, axis=1) for n in range(FEWEST + 4)])
    learned: list[Any] = []
    learn = Cover.learn
    monkeypatch.setattr(Cover, "learn", lambda *given: learned.append(learn(*given)) or learned[-1])
    takes = [lipsync(film, voice, tmp_path / f"{n}.mp4", DRAFT, cache=tmp_path / "c") for n in range(2)]
    assert len(learned) == 1 and learned[0][0] is not None
    assert pixels(takes[0].path) == pixels(takes[1].path), "bit-equal"


def test_what_comes_from_the_cache_is_bit_equal(voice: Path, tmp_path: Path) -> None:
    cache, plain = Cache(tmp_path), load_sound(voice)
    made, found = load_sound(voice, cache), load_sound(voice, cache)
    assert plain.samples.tobytes() == made.samples.tobytes() == found.samples.tobytes()
    for fps, frames in ((Fraction(25), 50), (Fraction(30000, 1001), 60), (Fraction(25), 90)):
        heard = listen(plain.samples, fps, frames)
        for sound in (plain, made, found):
            again = MeshEngine().listen(sound, fps, frames)
            assert again.rows.tobytes() == heard.rows.tobytes() and again.voice.tobytes() == heard.voice.tobytes()
    level = LoudnessEngine().listen(plain, Fraction(25), 50)
    assert level.tobytes() == LoudnessEngine().listen(found, Fraction(25), 50).tobytes()


def test_samples_from_the_cache_stay_readable_when_the_entry_is_evicted(voice: Path, tmp_path: Path) -> None:
    sound = load_sound(voice, Cache(tmp_path))
    before = sound.samples.copy()
    for entry in tmp_path.iterdir():
        Cache(tmp_path).remove(entry.name)
    assert np.array_equal(sound.samples, before)


@pytest.mark.parametrize("file", ["samples.f32", "found.npz", "entry.json"])
def test_a_damaged_voice_is_made_anew(voice: Path, tmp_path: Path, file: str, runs: Counter[str]) -> None:
    def heard() -> bytes:
        sound = load_sound(voice, Cache(tmp_path))
        return MeshEngine().listen(sound, Fraction(25), 50).rows.tobytes() + sound.samples.tobytes()

    truth = heard()
    for path in tmp_path.glob(f"*/{file}"):
        path.write_bytes(path.read_bytes()[:-8])
    assert heard() == truth
    wanted = {"_decode": 1 + (file != "found.npz"), "_net_rows": 1 + (file != "samples.f32")}
    assert {name: runs[name] for name in wanted} == wanted
    assert heard() == truth
    assert {name: runs[name] for name in wanted} == wanted


def test_other_weights_are_heard_anew(
    voice: Path, tmp_path: Path, runs: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (motion.VERSION, motion.VERSION + 1):
        monkeypatch.setattr(motion, "VERSION", version)
        motion.analyser.cache_clear()
        MeshEngine().listen(load_sound(voice, Cache(tmp_path)), Fraction(25), 50)
    motion.analyser.cache_clear()
    assert content_key(motion.ASSET)[:16] in motion.analyser()
    assert runs == {"_decode": 1, "_net_rows": 2}


_TAKE = """
import sys, time
from pathlib import Path
from heygem.faces import avatar
from heygem.media import sound
from heygem.pipeline import Options, lipsync
from heygem.speech import motion
runs = []
for module, name in ((sound, "_decode"), (motion, "_net_rows"), (avatar, "take_notes")):
    def counted(*given, work=getattr(module, name), name=name):
        runs.append(name)
        time.sleep(0.3)  # so that the others come meanwhile
        return work(*given)
    setattr(module, name, counted)
face, voice, out, cache = map(Path, sys.argv[1:])
print("ready", flush=True)
sys.stdin.readline()
lipsync(face, voice, out, Options(quality="draft"), cache=cache)
print(*runs)
"""


def test_two_processes_at_the_same_moment_analyse_once(films: list[Path], voice: Path, tmp_path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _TAKE, films[0], voice, tmp_path / f"{n}.mp4", tmp_path / "cache"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate(timeout=60)[0] for child in children]
    assert sorted("".join(said).split()) == ["_decode", "_net_rows", "take_notes"]
    assert pixels(tmp_path / "0.mp4") == pixels(tmp_path / "1.mp4")


def test_who_is_killed_in_the_analysis_blocks_nobody(films: list[Path], tmp_path: Path) -> None:
    code = f"""
import time
from pathlib import Path
from heygem.faces.avatar import Avatar
def tick(stage, done, total):
    if done == 3:
        print("in the middle", flush=True)
        time.sleep(60)
Avatar.prepare({str(films[0])!r}, cache=Path({str(tmp_path / "cache")!r}), tick=tick)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "in the middle\n"
    folder = tmp_path / "cache" / "avatars"
    assert {path.suffix for path in folder.iterdir()} == {".part", ".lock"}
    waited: list[float] = []

    def tick(stage: str, done: int, total: int) -> None:
        if done == 0:
            waited.append(time.monotonic())
            child.kill()

    found = Avatar.prepare(films[0], cache=tmp_path / "cache", tick=tick)
    child.wait()
    assert len(waited) in (1, 2) and found.looked_at == 6
    assert [path.name for path in folder.iterdir()] == [found.key]


@pytest.mark.parametrize("what", ["avatars", "voices"])
def test_cancel_while_another_is_at_it(
    films: list[Path], voice: Path, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks: list[str] = []
    workshop = Cache.workshop

    def overheard(self: Cache, key: str, beat: Callable[[], None]) -> Any:
        locks.append(key)
        return workshop(self, key, beat)

    with monkeypatch.context() as patch:
        patch.setattr(Cache, "workshop", overheard)
        lipsync(films[0], voice, tmp_path / "out.mp4", DRAFT, cache=tmp_path / "first")
    key = next(key for key in locks if key.startswith(content_key(films[0] if what == "avatars" else voice)))
    stages: list[str] = []
    waiting = "analyse" if what == "avatars" else "probe"

    def tick(stage: str, done: int, total: int) -> None:
        stages.append(stage)
        if stage == waiting and stages.count(stage) == 3:
            raise Cancelled

    monkeypatch.setattr(cache_module, "PATIENCE", 0.1)
    with Cache(tmp_path / "cache" / what).workshop(key, lambda: None), pytest.raises(Cancelled):
        lipsync(films[0], voice, tmp_path / "new.mp4", DRAFT, tick, tmp_path / "cache")
    assert not (tmp_path / "new.mp4").exists()


def test_a_long_sound_gives_signs_of_life_all_the_while(voice: Path, speech: np.ndarray, tmp_path: Path) -> None:
    """A minute is decoded and heard in many steps: the watchdog sees each, and each may cancel."""
    long = wav(tmp_path / "long.wav", np.tile(speech, 8), RATE)
    beats: list[int] = []
    sound = load_sound(long, Cache(tmp_path / "c"), lambda: beats.append(1))
    assert len(beats) > 20
    ticks: list[tuple[str, int, int]] = []
    MeshEngine().listen(sound, Fraction(25), 1600, lambda *tick: ticks.append(tick))
    assert len(ticks) >= 9 and set(ticks) == {("listen", 0, 1)}, "three passes over three pieces and more"

    def stop(stage: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        MeshEngine().listen(load_sound(voice, Cache(tmp_path / "c")), Fraction(25), 50, stop)
    assert not list((tmp_path / "c").glob("*.part"))
