"""The files of a finish lie with the job: taken in, found again, shared in a batch, removed with the inputs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import FileMissing
from heygem.finish.base import Finish
from heygem.jobs.job import FAILED, Failure
from heygem.jobs.queue import Queue
from heygem.jobs.retention import Policy, prune
from heygem.jobs.store import Store
from heygem.pipeline import Options
from tests.jobs.made import file, queue_in, request


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path)


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """A picture, subtitles and a logo."""
    named = {name: str(file(tmp_path, name)) for name in ("studio.png", "lesson.srt", "logo.png")}
    return Options(finish=Finish(named["studio.png"], subtitles=named["lesson.srt"], logo=named["logo.png"]))


def test_they_are_taken_in(queue: Queue, tmp_path: Path, options: Options) -> None:
    job = queue.submit(replace(request(tmp_path), options=options))
    (tmp_path / "lesson.srt").unlink()
    kept = queue.need(job.id).request
    assert kept == job.request
    assert {what: path.relative_to(job.folder) for what, path in kept.options.finish.files.items()} == {
        "background": Path("background/studio.png"),
        "subtitles": Path("subtitles/lesson.srt"),
        "logo": Path("logo/logo.png"),
    }
    assert Path(kept.options.finish.subtitles).read_text() == "this is lesson.srt"


def test_the_folder_of_results_may_move(queue: Queue, tmp_path: Path, options: Options) -> None:
    job = queue.submit(replace(request(tmp_path), options=options))
    moved = tmp_path / "elsewhere"
    shutil.copytree(queue.outputs, moved)
    store = Store(queue.store.path, moved)
    found = store.get(job.id)
    store.close()
    assert found is not None and all(path.is_relative_to(moved) for path in found.request.files.values())


def test_what_is_no_file_stays_as_it_is(queue: Queue, tmp_path: Path) -> None:
    for background in ("", "blur", "#102030"):
        job = queue.submit(replace(request(tmp_path), options=Options(finish=Finish(background))))
        assert queue.need(job.id).request.options.finish.background == background
        assert not (job.folder / "background").exists()


def test_one_that_is_not_there_leaves_nothing(queue: Queue, tmp_path: Path) -> None:
    gone = Options(finish=Finish(logo=str(tmp_path / "gone.png")))
    with pytest.raises(FileMissing, match=r"gone\.png"):
        queue.submit(replace(request(tmp_path), options=gone))
    assert queue.store.counts() == {} and not [*queue.outputs.rglob("*.mp4")]


def test_a_batch_keeps_them_once(queue: Queue, tmp_path: Path, options: Options) -> None:
    videos = [file(tmp_path, f"{n}.mp4") for n in range(3)]
    batch = queue.submit_batch(file(tmp_path, "voice.wav"), videos, options)
    jobs = queue.jobs_of(batch.id)
    for what in ("audio", "background", "subtitles", "logo"):
        assert len({job.request.files[what] for job in jobs}) == 3
        assert len({job.request.files[what].stat().st_ino for job in jobs}) == 1


def test_a_batch_with_a_voice_for_each(queue: Queue, tmp_path: Path) -> None:
    names = ("one", "two")
    videos, voices = ([file(tmp_path, f"{name}{suffix}") for name in names] for suffix in (".mp4", ".wav"))
    jobs = queue.jobs_of(queue.submit_batch(voices, videos, Options()).id)
    assert [job.name for job in jobs] == ["one_one", "two_two"]
    assert [job.request.audio.read_text() for job in jobs] == ["this is one.wav", "this is two.wav"]


def test_they_leave_with_the_inputs_and_are_missed_then(queue: Queue, tmp_path: Path, options: Options) -> None:
    job = queue.submit(replace(request(tmp_path), options=options))
    claimed = queue.store.claim("w")
    assert claimed and queue.finish(claimed, "w", Failure("input.no_face", "no face", "another one", {}))
    shutil.rmtree(job.folder / "logo")
    with pytest.raises(FileMissing):
        queue.retry(job.id)
    assert queue.need(job.id).state == FAILED
    queue.store.change(job.id, [FAILED], ended=1.0)
    prune(queue, Policy(input_days=1))
    assert not any(path.exists() for path in job.request.files.values())


def test_made_again_it_keeps_them(queue: Queue, tmp_path: Path, options: Options) -> None:
    job = queue.submit(replace(request(tmp_path), options=options))
    other = queue.again(job.id, replace(job.request.options, quality="draft"))
    assert other.request.options.quality == "draft"
    for what, path in other.request.files.items():
        assert path.is_relative_to(other.folder) and path.samefile(job.request.files[what])
