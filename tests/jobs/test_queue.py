"""The queue: files and rows change together, or not at all."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from heygem.errors import DiskLow, FileMissing, JobMissing, JobState, OutputError, StoreBusy
from heygem.jobs import folder
from heygem.jobs.job import CANCELLED, DONE, FAILED, QUEUED, Extras, Failure, Job
from heygem.jobs.queue import Queue
from heygem.jobs.store import Filter
from heygem.pipeline import Options
from tests.jobs.made import file, queue_in, request, take_of

FAILURE = Failure("input.no_face", "no face", "another one", {})


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return queue_in(tmp_path)


def work_off(queue: Queue, outcome: Failure | None = None) -> Job:
    job = queue.store.claim("w")
    assert job and queue.finish(job, "w", outcome or take_of(job))
    return queue.need(job.id)


def files(queue: Queue) -> list[str]:
    return sorted(path.name for path in queue.outputs.rglob("*") if path.is_file() and not path.is_symlink())


def test_inputs_are_taken_in_before_the_row_is_written(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    (tmp_path / "person.mp4").unlink()
    assert job.request.video.read_text() == "this is person.mp4"
    assert queue.need(job.id) == job and job.folder.parent.parent == queue.outputs


def test_a_file_that_is_not_there_leaves_nothing(queue: Queue, tmp_path: Path) -> None:
    asked = replace(request(tmp_path), audio=tmp_path / "gone.wav")
    with pytest.raises(FileMissing):
        queue.submit(asked)
    with pytest.raises(FileMissing):
        queue.submit_batch(asked.audio, [asked.video] * 3, Options())
    assert queue.store.counts() == {} and files(queue) == [] and queue.store.batches() == []


def test_a_list_of_jobs_that_cannot_be_written_leaves_no_folder(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy

    monkeypatch.setattr(queue.store, "add", busy)
    with pytest.raises(StoreBusy):
        queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, "a.mp4")], Options())
    assert files(queue) == []


def test_an_equal_key_is_one_job_also_at_the_same_moment(queue: Queue, tmp_path: Path) -> None:
    asked, found = request(tmp_path), []
    together = threading.Barrier(8)

    def send() -> None:
        together.wait()
        found.append(queue.submit(asked, Extras(key="once")).id)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
    assert queue.store.counts() == {QUEUED: 1} and len(files(queue)) == 2, "no folder of the losers stays"


def test_a_copy_is_made_of_what_may_change(queue: Queue, tmp_path: Path) -> None:
    asked = request(tmp_path)
    linked, copied = queue.submit(asked), queue.submit(asked, Extras(link=False))
    assert linked.request.video.samefile(asked.video) and not copied.request.video.samefile(asked.video)


def test_a_batch_keeps_its_voice_once_and_shows_results_under_human_names(queue: Queue, tmp_path: Path) -> None:
    videos = [file(tmp_path, name) for name in ("王老师.mp4", "李老师.mp4")]
    batch = queue.submit_batch(file(tmp_path, "voice.wav"), [*videos, videos[0]], Options(), "春季课程")
    jobs = queue.jobs_of(batch.id)
    assert [job.request.video.stem for job in jobs] == ["王老师", "李老师", "王老师"]
    assert len({job.request.audio.stat().st_ino for job in jobs}) == 1
    for _ in jobs:
        work_off(queue)
    latest = queue.outputs / folder.LATEST
    assert latest.samefile(batch.folder)
    assert sorted(path.name for path in latest.iterdir()) == [
        "李老师_voice.mp4",
        "王老师_voice (2).mp4",
        "王老师_voice.mp4",
    ]
    assert (latest / "李老师_voice.mp4").read_text() == f"result of {jobs[1].id}"
    assert queue.need_batch(batch.id).name == "春季课程" and queue.need_batch(batch.id).counts == {DONE: 3}


def test_the_newest_batch_is_the_latest(queue: Queue, tmp_path: Path) -> None:
    voice, videos = file(tmp_path, "v.wav"), [file(tmp_path, "a.mp4")]
    first, second = queue.submit_batch(voice, videos, Options()), queue.submit_batch(voice, videos, Options())
    assert first.folder != second.folder
    assert (queue.outputs / folder.LATEST).samefile(second.folder)


def test_one_bad_video_fails_alone_and_is_retried_alone(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(3)], Options())
    work_off(queue)
    bad = work_off(queue, FAILURE)
    work_off(queue)
    assert queue.need_batch(batch.id).counts == {DONE: 2, FAILED: 1} and bad.error == FAILURE
    assert queue.retry_all(batch.id, FAILED) == 1
    again = work_off(queue)
    assert (again.id, again.state, again.error, again.attempts) == (bad.id, DONE, None, 0)


def test_a_cancelled_job_keeps_its_inputs_and_may_be_tried_again(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    assert queue.cancel(job.id) and not queue.cancel(job.id) and not queue.cancel("nobody")
    assert queue.need(job.id).state == CANCELLED and queue.store.claim("w") is None
    assert queue.retry(job.id).state == QUEUED
    assert work_off(queue).id == job.id
    with pytest.raises(JobState):
        queue.retry(job.id)


def test_a_batch_is_cancelled_as_a_whole(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(3)], Options())
    done = work_off(queue)
    running = queue.store.claim("w")
    assert running and queue.cancel_batch(batch.id) == 2
    assert queue.need(running.id).stopping and queue.need(done.id).state == DONE


def test_a_half_written_result_goes_with_a_failure(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    (job.folder / "person_voice.mp4.part").write_text("half")
    work_off(queue, FAILURE)
    assert files(queue) == ["person.mp4", "voice.wav"]


def test_a_job_moves_before_another_and_to_the_end(queue: Queue, tmp_path: Path) -> None:
    first, second, third = (queue.submit(request(tmp_path)) for _ in range(3))
    urgent = queue.submit(request(tmp_path), Extras(priority=5))
    queue.move(third.id, first.id)
    assert [job.id for job in queue.store.waiting()] == [urgent.id, third.id, first.id, second.id]
    queue.move(second.id, urgent.id)
    assert [job.id for job in queue.store.waiting()] == [second.id, urgent.id, third.id, first.id]
    queue.move(urgent.id, None)
    assert [job.id for job in queue.store.waiting()] == [second.id, third.id, first.id, urgent.id]
    running = queue.store.claim("w")
    assert running
    for job, before in ((running.id, first.id), (first.id, running.id)):
        with pytest.raises(JobState):
            queue.move(job, before)


def test_nothing_is_taken_in_when_the_disk_is_low(tmp_path: Path) -> None:
    queue = queue_in(tmp_path, floor=1 << 62)
    with pytest.raises(DiskLow):
        queue.submit(request(tmp_path))
    with pytest.raises(DiskLow):
        queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, "a.mp4")], Options())
    assert queue.held() == "disk" and files(queue) == []


def test_a_paused_queue_says_so(queue: Queue) -> None:
    woken = []
    queue.changed = lambda: woken.append(True)
    queue.pause()
    assert queue.held() == "paused"
    queue.resume()
    assert queue.held() is None and woken


def test_removing_takes_files_row_and_the_last_of_a_batch(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(2)], Options())
    waiting = queue.jobs_of(batch.id)[0]
    with pytest.raises(JobState):
        queue.remove(waiting.id)
    first, second = work_off(queue), work_off(queue)
    queue.remove(first.id)
    assert not first.folder.exists() and len([*batch.folder.iterdir()]) == 1
    assert second.take and second.take.path.exists()
    queue.remove(second.id)
    assert files(queue) == [] and queue.batch(batch.id) is None and not batch.folder.exists()
    with pytest.raises(JobMissing):
        queue.remove(second.id)


def test_the_same_inputs_again_with_other_options(queue: Queue, tmp_path: Path) -> None:
    old = queue.submit(request(tmp_path))
    work_off(queue)
    new = queue.again(old.id, Options(quality="draft"))
    assert new.id != old.id and new.request.options.quality == "draft"
    assert new.request.video.samefile(old.request.video)
    work_off(queue)
    queue.remove(old.id)
    assert new.request.video.exists(), "each job has its own name of the file"


def test_what_a_dead_process_left_running_waits_again(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(2)], Options())
    first = queue.store.claim("dead")
    assert first and queue.store.finish(first.id, "dead", DONE, take=take_of(first))  # killed before the link
    second = queue.store.claim("dead")
    assert second
    (second.folder / "1_v.mp4.part").write_text("half")
    assert queue.recover() == 1 and queue.recover() == 0
    assert [job.id for job in queue.store.waiting()] == [second.id]
    assert queue.need(second.id).interruptions == 1 and queue.need(second.id).attempts == 0
    assert [path.name for path in batch.folder.iterdir()] == ["0_v.mp4"]
    assert not any(name.endswith(".part") for name in files(queue))


def test_the_voice_of_what_is_retried_must_still_be_there(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    queue.cancel(job.id)
    job.request.video.unlink()
    with pytest.raises(FileMissing):
        queue.retry(job.id)
    assert queue.need(job.id).state == CANCELLED


def test_pins_and_pages(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    queue.pin(job.id)
    assert queue.need(job.id).pinned
    queue.pin(job.id, False)
    assert not queue.need(job.id).pinned and queue.find(Filter())[1] == 1
    with pytest.raises(JobMissing):
        queue.pin("nobody")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_of_results_is_said_so(queue: Queue, tmp_path: Path) -> None:
    queue.outputs.mkdir()
    queue.outputs.chmod(0o500)
    with pytest.raises(OutputError):
        queue.submit(request(tmp_path))


def test_results_that_cannot_be_kept_are_said_so_and_leave_no_row(queue: Queue, tmp_path: Path) -> None:
    queue.outputs.write_text("a file where the folder should be")
    with pytest.raises(OutputError):
        queue.submit(request(tmp_path))
    with pytest.raises(OutputError):
        queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, "a.mp4")], Options())
    assert queue.store.counts() == {}


def test_a_batch_that_could_not_be_sent_is_not_the_latest(queue: Queue, tmp_path: Path) -> None:
    voice, video = file(tmp_path, "v.wav"), file(tmp_path, "a.mp4")
    batch = queue.submit_batch(voice, [video], Options())
    with pytest.raises(FileMissing):
        queue.submit_batch(voice, [video, tmp_path / "gone.mp4"], Options())
    assert (queue.outputs / folder.LATEST).samefile(batch.folder)


def test_without_hard_links_a_result_is_copied_once(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(folder.os, "link", refuse)
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, "a.mp4")], Options())
    job = work_off(queue)
    for _ in range(2):
        queue.recover()
    assert [path.name for path in batch.folder.iterdir()] == ["a_v.mp4"]
    queue.drop_result(job)
    assert [*batch.folder.iterdir()] == [], "the copy goes with it"


def test_two_jobs_of_a_batch_are_removed_at_the_same_moment(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(2)], Options())
    first = work_off(queue)
    (batch.folder / "1_v.mp4").symlink_to("what is listed, but gone when it is looked at")
    queue.remove(first.id)
    assert not first.folder.exists() and not (batch.folder / "0_v.mp4").exists()


def test_one_that_cannot_be_retried_holds_up_no_other(queue: Queue, tmp_path: Path) -> None:
    batch = queue.submit_batch(file(tmp_path, "v.wav"), [file(tmp_path, f"{n}.mp4") for n in range(2)], Options())
    first, second = work_off(queue, FAILURE), work_off(queue, FAILURE)
    first.request.video.unlink()
    assert queue.retry_all(batch.id, FAILED) == 1
    assert (queue.need(first.id).state, queue.need(second.id).state) == (FAILED, QUEUED)
    queue.cancel(second.id)
    second.request.video.unlink()
    with pytest.raises(FileMissing):
        queue.retry_all(batch.id, CANCELLED)


def test_a_retried_job_has_all_tries_of_its_message_again(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path), Extras(hook="https://example.com/hook"))
    work_off(queue, FAILURE)
    queue.store.change(job.id, [FAILED], hook_state="failed", hook_tries=5, hook_next=time.time() + 600)
    queue.retry(job.id)
    queue.cancel(job.id)
    assert [(due.id, tries) for due, tries in queue.store.hooks_due()] == [(job.id, 0)]
