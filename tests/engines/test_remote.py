"""The engine ``remote`` against a real server that behaves as badly as the original does."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from api.models import job_reply
from heygem import cli, settings
from heygem.engines.base import Style
from heygem.engines.remote import folder as folders
from heygem.engines.remote import result as results
from heygem.engines.remote import service as services
from heygem.engines.remote import task as tasks
from heygem.engines.remote import watch as watches
from heygem.errors import (
    Cancelled,
    EngineUnavailable,
    HeyGemError,
    OptionInvalid,
    RemoteFailed,
    RemoteFolderUnusable,
    RemoteLost,
    RemoteMissing,
    RemoteRefused,
    RemoteTimedOut,
    RemoteUnreachable,
    RemoteUnusable,
)
from heygem.jobs.attempt import GRACE
from heygem.jobs.job import Request
from heygem.jobs.worker import CANCEL, Order, Worker
from heygem.media.reader import VideoReader
from heygem.pipeline import Options, Take, lipsync
from tests.engines.face2face import Face2Face, Stage, serving
from tests.jobs.made import queue_in
from tests.media.clips import ffmpeg, film, numbered
from ui.card import show
from ui.words import warn

UNMEASURED = "the quality was not measured: the pictures were made elsewhere"
Make = Callable[..., Take]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("video")
    return film(folder / "人 物;$(x).MP4", [numbered(n) for n in range(25)], "-c:v", "libx264")


@pytest.fixture(scope="module")
def made(voice: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the service makes: two seconds, with the voice."""
    folder = tmp_path_factory.mktemp("made")
    silent = film(folder / "silent.mp4", [numbered(n) for n in range(60)], "-c:v", "libx264", rate=30)
    ffmpeg("-i", silent, "-i", voice, "-c:v", "copy", "-c:a", "aac", folder / "made.mp4")
    return (folder / "made.mp4").read_bytes()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same patience as in life, in another measure."""
    for module, values in (
        (tasks, {"POLL": 0.02, "SOONEST": 0.02, "SLOWEST": 0.1, "PATIENCE": 0.5, "LAG": 0.3, "UNSEEN": 1.0}),
        (services, {"CONNECT": 0.5, "SILENCE": 0.4, "WHOLE": 1.0}),
        (watches, {"STEP": 0.02}),
        (results, {"PAUSE": 0.05}),
    ):
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with serving() as stage:
        yield stage


@pytest.fixture
def service(stage: Stage, tmp_path: Path, made: bytes, monkeypatch: pytest.MonkeyPatch) -> Face2Face:
    shared = tmp_path / "shared"
    shared.mkdir()
    stage.service = Face2Face(shared, made)
    monkeypatch.setenv("HEYGEM_REMOTE_URL", stage.address)
    monkeypatch.setenv("HEYGEM_REMOTE_FOLDER", str(shared))
    return stage.service


@pytest.fixture
def make(service: Face2Face, video: Path, voice: Path, tmp_path: Path, avatar_cache: Path) -> Iterator[Make]:
    """A take by the engine. Afterwards nothing lies in the shared folder, and beside the result only its record."""
    out = tmp_path / "out"
    out.mkdir()

    def make(tick: object = None, video: object = video, audio: object = voice, **options: object) -> Take:
        given = Options("remote", **options)  # pyright: ignore[reportArgumentType]
        more = {} if tick is None else {"tick": tick}
        return lipsync(video, audio, out / "take.mp4", given, cache=avatar_cache, **more)  # pyright: ignore

    yield make
    assert [*service.folder.iterdir()] == []
    assert {path.name for path in out.iterdir()} in (set(), {"take.mp4", "take.take.json"})


def fails(make: Make, kind: type[HeyGemError], **more: object) -> HeyGemError:
    with pytest.raises(kind) as caught:
        make(**more)
    return caught.value


def test_a_take_from_there(service: Face2Face, stage: Stage, make: Make, voice: Path, made: bytes) -> None:
    ticks: list[tuple[str, int, int]] = []
    take = make(lambda *tick: ticks.append(tick))
    host = stage.address.removeprefix("http://")
    assert (take.engine, take.device) == ("remote", f"remote: {host}")
    assert (take.width, take.height, take.fps, take.frames, take.seconds) == (128, 96, Fraction(30), 60, 2.0)
    assert take.path.read_bytes() == made, "it is not encoded a second time"
    assert take.quality == {} and take.warnings == [UNMEASURED] and take.voices == {0: voice.name}
    assert [*take.stages] == ["probe", "send", "wait", "render", "finish"]
    shown = [done for stage, done, total in ticks if stage == "render" and total == 50]
    assert shown == sorted(shown) and {0, 5, 10} == set(shown), "10 and 20 percent of 50 frames; it tells no more"
    assert ticks[-1] == ("finish", 1, 1)
    record = json.loads(take.path.with_suffix(".take.json").read_text("utf-8"))
    assert record["quality"] == {} and record["engine"] == "remote" and record["fps"] == "30"


def test_the_service_gets_harmless_names_and_the_files_behind_them(service: Face2Face, make: Make) -> None:
    make()
    make(length="loop")
    first, second = service.begun
    assert service.found == [True, True] and first["code"] != second["code"]
    code = first["code"]
    rest = {"chaofen": 0, "watermark_switch": 0, "digital_auth": 0}
    names = {"audio_url": f"/code/data/temp/{code}-voice.wav", "video_url": f"/code/data/temp/{code}-video.mp4"}
    assert first == {"code": code, **names, "pn": 1, **rest}
    assert second["pn"] == 0


def test_options_that_the_service_does_not_know_are_named(service: Face2Face, make: Make) -> None:
    take = make(style=Style(strength=0.5), resolution="720p", length="hold")
    named = [warning for warning in take.warnings if warning != UNMEASURED]
    assert len(named) == 3
    assert [warn(one, "zh") for one in named if "strength" in one] == ["远程服务不支持“口型强度”，这一项没有生效。"]
    assert all("”" in warn(one, "en") and warn(one, "en") != one for one in take.warnings[:3])
    assert "没有评分" in warn(UNMEASURED, "zh") and "no score" in warn(UNMEASURED, "en")


def test_a_photo_is_sent_as_a_film(
    service: Face2Face, make: Make, portrait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []
    submit = service.submit

    def look(asked: dict[str, object]) -> dict[str, object]:
        with VideoReader(service.folder / str(asked["video_url"]).rsplit("/")[-1]) as reader:
            frames = [frame.rgb()[::8, ::8].astype(int) for frame in reader]
            seen.append((reader.info.still, len(frames)))
        assert np.abs(frames[-1] - frames[0]).max() < 20
        return submit(asked)

    monkeypatch.setattr(service, "submit", look)
    take = make(video=portrait)
    assert seen == [(False, 50)] and warn(take.warnings[0], "zh").startswith("照片以静止视频")


@pytest.mark.parametrize("mischief", ["broken", "hanging", "garbled", "foreign"])
def test_the_answer_that_it_is_done_was_lost(service: Face2Face, make: Make, made: bytes, mischief: str) -> None:
    """The service has forgotten the task by then: 10004 from there on."""
    service.mischief["query"].extend(["", "", "", mischief])
    assert make().path.read_bytes() == made
    assert len(service.begun) == 1 and service.tasks == {}


def test_it_was_lost_and_there_is_no_result(service: Face2Face, stage: Stage, make: Make) -> None:
    service.film = b""
    service.mischief["query"].extend(["", "", "", "broken"])
    assert stage.address[7:] in fails(make, RemoteLost).message


def test_answers_lost_on_the_way_are_asked_for_again(service: Face2Face, make: Make) -> None:
    service.mischief["query"].extend(["broken", "overloaded", "foreign", "busy"])
    make()
    assert len(service.begun) == 1


@pytest.mark.parametrize("mischief", ["broken", "hanging", "foreign"])
def test_a_task_whose_receipt_was_lost_is_not_done_twice(service: Face2Face, make: Make, mischief: str) -> None:
    service.mischief["submit"].append(mischief)
    make()
    assert len(service.begun) == 1 and service.paths.count("/easy/submit") == 1


def test_a_receipt_was_lost_and_so_was_the_answer_that_it_is_done(service: Face2Face, make: Make) -> None:
    """The end is heard by the question whether the task was taken at all, and kept."""
    service.told = []
    service.mischief["submit"].append("broken")
    make()
    assert len(service.begun) == 1 and service.paths.count("/easy/query") == 1


def test_a_task_that_never_arrived_is_sent_again_under_the_same_code(service: Face2Face, make: Make) -> None:
    service.mischief["submit"].extend(["overloaded", "overloaded"])
    make()
    assert service.paths.count("/easy/submit") == 3 and len(service.begun) == 1


def test_a_busy_service_is_waited_for_and_the_heart_beats(service: Face2Face, make: Make) -> None:
    service.mischief["submit"].extend(["busy"] * 6)
    beats: list[float] = []
    take = make(lambda *_: beats.append(time.monotonic()))
    assert take.stages["wait"] > 0.3 and len(service.begun) == 1
    assert max(b - a for a, b in pairwise(beats)) < 0.5


def test_a_queued_task_that_is_not_listed_yet(service: Face2Face, make: Make) -> None:
    service.mischief["query"].extend(["unlisted"] * 10)
    make()
    assert service.paths.count("/easy/query") == 14


def test_a_service_that_never_lists_it(service: Face2Face, make: Make) -> None:
    service.mischief["query"].extend(["unlisted"] * 200)
    began = time.monotonic()
    fails(make, RemoteLost)
    assert 0.9 < time.monotonic() - began < 3


def test_a_service_that_was_started_anew(service: Face2Face, make: Make) -> None:
    service.mischief["query"].extend(["", *["unlisted"] * 200])
    fails(make, RemoteLost)


@pytest.mark.parametrize("where", ["submit", "query"])
def test_cancel_while_the_service_hangs(service: Face2Face, make: Make, where: str) -> None:
    service.mischief[where].append("hanging")
    ended: list[float] = []

    def tick(stage: str, done: int, total: int) -> None:
        if f"/easy/{where}" in service.paths:
            ended.append(time.monotonic())
            raise Cancelled

    fails(make, Cancelled, tick=tick)
    assert time.monotonic() - ended[0] < 0.3


def test_cancel_while_it_is_busy_and_while_files_are_sent(service: Face2Face, make: Make) -> None:
    service.mischief["submit"].extend(["busy"] * 100)

    def busy(stage: str, done: int, total: int) -> None:
        if service.paths.count("/easy/submit") > 2:
            raise Cancelled

    def sending(stage: str, done: int, total: int) -> None:
        if [*service.folder.iterdir()]:
            raise Cancelled

    fails(make, Cancelled, tick=busy)
    fails(make, Cancelled, tick=sending)
    assert service.begun == []


def test_the_heart_beats_while_it_hangs(service: Face2Face, make: Make) -> None:
    service.mischief["query"].extend(["hanging"] * 3)
    beats: list[float] = []
    fails(make, RemoteUnreachable, tick=lambda *_: beats.append(time.monotonic()))
    assert max(b - a for a, b in pairwise(beats)) < 1 and len(beats) > 20


def test_it_has_so_many_minutes(service: Face2Face, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_REMOTE_MINUTES", "0.01")
    service.told = [20] * 10000
    error = fails(make, RemoteTimedOut)
    assert "0.01" in error.message and "HEYGEM_REMOTE_MINUTES" in error.hint


def test_why_the_service_could_not(service: Face2Face, make: Make) -> None:
    service.fails = "存在多人脸\n\x1b[31m" + "x" * 1000
    message = fails(make, RemoteFailed).message
    assert "存在多人脸 [31mxxx" in message and len(message) < 450 and "\x1b" not in message


@pytest.mark.parametrize(
    ("mischief", "says"),
    [
        ("refused", "video_url参数缺失"),
        ("redirect", "redirects"),
        ("login", "login"),
        ("nothing", "no face2face service"),
    ],
)
def test_refusals_end_it_at_once(service: Face2Face, make: Make, mischief: str, says: str) -> None:
    service.mischief["submit"].append(mischief)
    error = fails(make, RemoteRefused)
    assert says in error.message and service.paths == ["/easy/submit"], "no redirect is followed"
    service.mischief["query"].append(mischief)
    assert says in fails(make, RemoteRefused).message


@pytest.mark.parametrize("word", ["submit", "query"])
def test_another_kind_of_server(service: Face2Face, make: Make, word: str) -> None:
    service.mischief[word].extend(["foreign"] * 500)
    service.mischief["query"].extend(["foreign"] * 500)
    assert "face2face" in fails(make, RemoteUnreachable).message


def test_nobody_listens_there(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HEYGEM_REMOTE_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
        assert "cannot be reached" in fails(make, RemoteUnreachable).message


@pytest.mark.parametrize("told", [["x", None, 1e400, -5, 20, 10, 900], [[1], {"a": 1}, True, float("nan"), "20"]])
def test_progress_that_makes_no_sense(service: Face2Face, make: Make, told: list[object]) -> None:
    service.told = told
    shown: list[int] = []
    make(lambda stage, done, total: shown.append(done) if stage == "render" else None)
    assert shown == sorted(shown) and max(shown) == 10


@pytest.mark.parametrize("end", ["/easy/{code}-r.mp4", "/{code}-r.mp4"])
def test_a_result_that_is_only_at_its_address(service: Face2Face, make: Make, made: bytes, end: str) -> None:
    service.film, service.served = b"", {"-r.mp4": made}
    service.result = end
    assert make().path.read_bytes() == made


STRANGE = "somebody-elses-film-0123456789abcdef-r.mp4"


@pytest.mark.parametrize(
    "named",
    [
        "http://127.0.0.1:1/{code}-r.mp4",
        "../../etc/passwd",
        "/etc/passwd",
        "",
        "/..",
        "x" * 5000,
        "\x00",
        "//",
        STRANGE,
    ],
)
def test_what_it_says_of_the_place_leads_nowhere_else(
    service: Face2Face, make: Make, made: bytes, named: str, tmp_path: Path
) -> None:
    strange = service.folder / STRANGE
    strange.write_bytes(made + b"\0\0\0\x08free")
    service.result = named
    assert make().path.read_bytes() == made
    assert all(path.startswith("/easy/") for path in service.paths)
    strange.unlink()


def unusable(made: bytes, folder: Path, what: str) -> bytes:
    """A result that is none."""
    if what == "text":
        return b"#EXTM3U\nfile:///etc/passwd\n"
    path, given = folder / "unusable.mp4", folder / "made.mp4"
    given.write_bytes(made)
    match what:
        case "cut short":
            ffmpeg("-i", given, "-c", "copy", "-movflags", "+faststart", path)
            return path.read_bytes()[: len(made) // 2]
        case "too short":
            ffmpeg("-i", given, "-t", "0.8", path)
        case "without sound":
            ffmpeg("-i", given, "-an", "-c", "copy", path)
        case "without picture":
            ffmpeg("-i", given, "-vn", "-c", "copy", path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("text", "damaged"),
        ("cut short", "it lasts"),
        ("too short", "it lasts 0.8 s, but the sound 2.0 s"),
        ("without sound", "no sound"),
        ("without picture", "no film"),
    ],
)
def test_a_result_is_looked_at_before_it_is_one(
    service: Face2Face, make: Make, made: bytes, tmp_path: Path, what: str, says: str
) -> None:
    service.film = unusable(made, tmp_path, what)
    assert says in fails(make, RemoteUnusable).message


def test_no_result_anywhere(service: Face2Face, make: Make) -> None:
    service.film = b""
    assert "not there" in fails(make, RemoteUnusable).message


def test_an_endless_result(service: Face2Face, make: Make, made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "LARGEST", 1000)
    service.film, service.served = b"", {"-r.mp4": made * 200}
    assert "larger" in fails(make, RemoteUnusable).message


def test_a_link_in_the_shared_folder_leads_nowhere(
    service: Face2Face, make: Make, made: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, query = tmp_path / "secret.mp4", service.query
    secret.write_bytes(made)

    def linked(code: str) -> dict[str, object]:
        service.film = b""
        if not service.tasks[code]:
            (service.folder / f"{code}-r.mp4").symlink_to(secret)
        return query(code)

    monkeypatch.setattr(service, "query", linked)
    fails(make, RemoteUnusable)
    assert secret.exists()


def test_what_others_left_long_ago_is_removed_and_nothing_else(service: Face2Face, make: Make) -> None:
    names = f"heygem-{'0' * 16}-r.mp4", f"heygem-{'1' * 16}-r.mp4", "heygem-a.mp4"
    old, young, strange = (service.folder / name for name in names)
    for path in (old, young, strange):
        path.write_bytes(b"x")
    for path in (old, strange):
        os.utime(path, (0, time.time() - folders.STALE - 60))
    make()
    assert {path.name for path in service.folder.iterdir()} == {young.name, strange.name}
    young.unlink()
    strange.unlink()


def test_what_is_wrong_is_said_before_the_work(
    make: Make, service: Face2Face, voice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(make, EngineUnavailable, style=Style(device="cpu"))
    for chosen in ({"face": 1}, {"audio": {0: voice, 1: voice}}):
        assert "one person" in fails(make, OptionInvalid, **chosen).hint
    monkeypatch.setenv("HEYGEM_REMOTE_FOLDER", str(service.folder / "none"))
    assert "no folder" in fails(make, RemoteFolderUnusable).message
    monkeypatch.delenv("HEYGEM_REMOTE_FOLDER")
    assert "missing: HEYGEM_REMOTE_FOLDER." in fails(make, RemoteMissing).message
    assert service.paths == []


@pytest.mark.parametrize("url", ["ftp://a/", "http://user:secret@10.0.0.5", "http://a/?token=secret", "10.0.0.5:8383"])
def test_addresses_that_are_none_or_hold_secrets(url: str) -> None:
    with pytest.raises(OptionInvalid, match="HEYGEM_REMOTE_URL"):
        settings.load(remote_url=url)


def test_no_score_is_invented_anywhere(
    service: Face2Face, make: Make, video: Path, voice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Command line, store, card and programs."""
    out = tmp_path / "out" / "take.mp4"
    given = {"video": video, "audio": voice, "out": out, "engine": "remote"}
    assert cli.main(["lipsync", *(str(word) for name, value in given.items() for word in (f"--{name}", value))]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[2:] == ["quality not measured"] and f"warning: {UNMEASURED}" in told.err
    queue = queue_in(tmp_path)
    job = queue.submit(Request(video, voice, Options("remote")))
    assert queue.store.claim("test") is not None
    take = make()
    shutil.copy(take.path, job.folder / "take.mp4")
    assert queue.finish(job, "test", replace(take, path=job.folder / "take.mp4"))
    job = queue.need(job.id)
    card = show(job, 0, "zh", "log")
    assert job.take and job.take.quality == {} and "score" not in card and card["reasons"] == []
    assert card["warnings"] == ["画面由远程服务生成，没有测量质量，所以没有评分。"]
    assert [one["name"] for one in card["stages"]][1:3] == ["发送文件", "等待远程服务接收任务"]
    result = job_reply(job).result
    assert result is not None and result.score is None
    queue.store.close()


def test_a_cancelled_worker_has_no_need_to_be_killed(
    service: Face2Face, make: Make, video: Path, voice: Path, tmp_path: Path
) -> None:
    """A killed one could not tidy up behind it."""
    service.mischief["query"].append("hanging")
    worker = Worker()
    try:
        worker.send(Order(Request(video, voice, Options("remote")), tmp_path / "out" / "take.mp4", tmp_path / "cache"))
        while "/easy/query" not in service.paths:
            assert (worker.receive(0.1) or "tick")[0] != "failed"
        worker.send(CANCEL)
        began = time.monotonic()
        while (told := worker.receive(5)) is not None and told[0] != "failed":
            pass
        assert told is not None and told[1].code == "job.cancelled" and time.monotonic() - began < GRACE
    finally:
        worker.kill()
