"""What the page shows of uploads and links, and what it answers to presses on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from heygem.errors import ResultGone, StorageMissing
from heygem.jobs.deliveries import Deliveries
from heygem.jobs.fleet import InlineFleet
from heygem.jobs.job import DELIVERED, PENDING, REVOKED, UNDELIVERED, UPLOADING, Delivery, Failure, Job
from heygem.jobs.queue import Queue
from heygem.pipeline import Options
from heygem.settings import Settings, load
from storage import Link
from storage.local import Local
from tests.jobs.made import file, queue_in, request, take_of
from ui.card import show
from ui.delivery import about_switch, delivering, extras, sharing
from ui.desk import Desk
from ui.share import Share, notes, qr, user_of

BASE = "http://heygem.example:7860/"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = queue_in(tmp_path)
    yield queue
    queue.store.close()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nothing-secret-123")
    return load(home=tmp_path / "home", outputs=tmp_path / "outputs", storage="local")


def share_of(queue: Queue, settings: Settings) -> Share:
    preflight: Any = None  # nothing is chosen in these tests
    with gr.Blocks():
        return Share(Desk(queue, InlineFleet(queue), preflight, settings, Path("the.log")))


@pytest.fixture
def share(queue: Queue, settings: Settings) -> Share:
    return share_of(queue, settings)


def done(queue: Queue, folder: Path, video: str = "王老师 第1课.mp4") -> Job:
    return finished(queue, queue.submit(request(folder, video)))


def finished(queue: Queue, job: Job) -> Job:
    claimed = queue.store.claim("w")
    assert claimed and claimed.id == job.id and queue.finish(claimed, "w", take_of(job))
    return queue.need(job.id)


def press(share: Share, do: str, language: str = "zh", **more: Any) -> dict[str, Any]:
    return share.answer({"do": do, "base": BASE, **more}, language)


# -- the switch


def cloud(settings: Settings, **more: Any) -> Settings:
    given = {"storage": "s3", "s3_bucket": "films", "s3_endpoint": "https://oss.example.com", **more}
    return settings.model_copy(update=given)


def test_the_switch_says_what_leaves_where_to_and_for_how_long(settings: Settings) -> None:
    lacks, about = about_switch(cloud(settings), "zh")
    assert not lacks and "oss.example.com 的存储桶 films" in about and "24 小时内有效" in about
    assert "the bucket films at AWS" in about_switch(cloud(settings, s3_endpoint=None), "en")[1]


def test_the_switch_says_what_is_missing_and_cannot_be_forced(settings: Settings) -> None:
    assert about_switch(settings, "zh")[0] and "HEYGEM_STORAGE=s3, HEYGEM_S3_BUCKET" in about_switch(settings, "zh")[1]
    lacks, about = about_switch(cloud(settings, s3_bucket=None), "en")
    assert lacks and "HEYGEM_S3_BUCKET" in about and "HEYGEM_STORAGE" not in about
    with pytest.raises(StorageMissing):
        extras(True, settings)
    assert extras(True, cloud(settings)).deliver and not extras(False, settings).deliver


def test_without_a_cloud_nobody_is_asked_for_credentials(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without keys would be asked for its role, over the network."""
    monkeypatch.setattr("storage.credentials.found", lambda: pytest.fail("asked"))
    assert about_switch(settings, "zh")[0] and about_switch(settings.model_copy(update={"s3_bucket": "b"}), "en")[0]


# -- uploads


def with_delivery(job: Job, **values: Any) -> Job:
    return replace(job, delivery=Delivery(job.id, job.name, **values))


def cloud_of(job: Job, language: str = "zh") -> dict[str, Any]:
    return sharing(job, language, "the.log")["cloud"]


def test_an_upload_shows_how_far_it_is(queue: Queue, tmp_path: Path) -> None:
    job = done(queue, tmp_path)
    waits = with_delivery(job)
    assert cloud_of(waits)["title"] == "等待上传" and delivering(waits)
    goes = with_delivery(job, state=UPLOADING, size=80_000_000, sent=20_000_000, speed=2_500_000.0)
    value = cloud_of(goes)
    assert value["title"] == "正在上传 25%" and value["numbers"] == ["2.5 MB/s", "约剩 24 秒"] and delivering(goes)
    slow = cloud_of(with_delivery(job, state=UPLOADING, size=100, sent=0, speed=None), "en")
    assert slow["title"] == "Uploading 0%" and slow["numbers"] == [], "nothing that was not measured"
    assert cloud_of(with_delivery(job, state=UPLOADING, size=9, sent=9))["title"] == "正在核对"
    there = with_delivery(job, state=DELIVERED)
    assert cloud_of(there)["title"] == "已分发" and not delivering(there)
    assert "剩余 59 分" in cloud_of(replace(there, link_expires=time.time() + 3599))["numbers"][0]
    assert cloud_of(with_delivery(job, state=REVOKED))["title"] == "云端文件已删除"


@pytest.mark.parametrize("state", [PENDING, UNDELIVERED])
def test_a_failed_upload_says_why_and_when_it_goes_on(queue: Queue, tmp_path: Path, state: str) -> None:
    error = Failure("storage.unreachable", "m", "h", {"place": "films", "reason": "it cannot be reached"})
    again = time.time() + 90 if state == PENDING else None
    value = cloud_of(with_delivery(done(queue, tmp_path), state=state, error=error, tries=2, next=again))
    assert value["state"] == UNDELIVERED and value["retry"] == "重试上传"
    assert value["problem"] == "现在连不上云存储“films”：无法连接。" and "稍后" in value["remedy"]
    assert [*value["numbers"], ""][0].startswith("1 分" if again else "")


def test_a_job_without_a_result_has_no_buttons(queue: Queue, tmp_path: Path) -> None:
    job = queue.submit(request(tmp_path))
    assert sharing(job, "zh", "the.log") == {} and "links" not in show(job, 0, "zh", "the.log")


def test_what_left_this_disk_is_played_as_long_as_the_cloud_has_it(queue: Queue, tmp_path: Path) -> None:
    job = with_delivery(done(queue, tmp_path), state=DELIVERED, storage="s3", key="k/a.mp4")
    assert show(job, 0, "zh", "the.log")["url"]
    assert job.take
    job.take.path.unlink()
    assert show(job, 0, "zh", "the.log")["url"]
    card = show(with_delivery(job, state=REVOKED, storage="s3", key="k/a.mp4"), 0, "zh", "the.log")
    assert card["url"] == "" and card["file"] and card["links"]["job"] == job.id


# -- links


def test_a_link_is_made_when_it_is_asked_for_and_leads_to_the_result(
    share: Share, queue: Queue, settings: Settings, tmp_path: Path
) -> None:
    job = done(queue, tmp_path)
    assert "signature" not in str(show(job, 0, "zh", "the.log"))
    link = press(share, "link", job=job.id)
    assert link["url"].startswith(f"{BASE}share/") and link["kind"] == "本机链接" and link["notes"] == []
    assert 86_390 < link["seconds"] <= 86_400
    path, meta = Local(settings).open_link(link["url"].removeprefix(BASE.rstrip("/")))
    assert job.take and path.samefile(job.take.path) and meta.name == f"{job.name}.mp4"
    assert [row["asked_by"] for row in Deliveries(queue.store).links(job.id)] == ["page"]
    assert "剩余" in cloud_of(queue.need(job.id))["numbers"][0], "and every page sees how long it works"


def test_a_link_to_the_cloud_is_called_that(queue: Queue, settings: Settings, tmp_path: Path) -> None:
    """Nobody asks the store for a link, so none is needed here."""
    share = share_of(queue, cloud(settings, s3_region="us-east-1"))
    job = done(queue, tmp_path)
    deliveries = Deliveries(queue.store)
    deliveries.ask(job)
    deliveries.claim()
    deliveries.change(job.id, [UPLOADING], storage="s3", key="heygem/k/a.mp4", verified=1)
    under_way = deliveries.get(job.id)
    assert under_way and deliveries.end(under_way, DELIVERED)
    link = press(share, "link", job=job.id)
    assert link["kind"] == "云端链接" and "oss.example.com" in link["url"] and "films" in link["url"]
    assert link["revoke"] == "删除云端文件" and "这台服务器上的视频不受影响" in link["sure"]
    assert job.take
    job.take.path.unlink()
    assert "唯一的一份" in press(share, "link", job=job.id)["sure"]


def test_links_that_end_early_or_lead_nowhere_else_say_so() -> None:
    early = Link("https://x.example/a", time.time() + 900, capped=True)
    assert "临时密钥" in notes(early, "cloud", "zh")[0]
    for host in ("localhost", "127.0.0.1", "[::1]"):
        assert "本机地址" in notes(Link(f"http://{host}:7860/share/a", 0.0), "local", "zh")[0]
    for host in ("10.0.0.7", "heygem.example"):
        assert notes(Link(f"http://{host}:7860/share/a", 0.0), "local", "zh") == []


def test_all_links_of_a_batch_without_those_that_have_none(share: Share, queue: Queue, tmp_path: Path) -> None:
    voice, videos = file(tmp_path, "voice.wav"), [file(tmp_path, f"{n}.mp4") for n in "abc"]
    batch = queue.submit_batch(voice, videos, Options())
    assert press(share, "links", batch=batch.id)["problem"] == "还没有可以分享的视频。"
    first, second, _ = queue.jobs_of(batch.id)
    for job in (first, second):
        finished(queue, job)
    gone = queue.need(second.id).take
    assert gone
    gone.path.unlink()
    answer = press(share, "links", batch=batch.id)
    assert answer["said"] == "已复制 1 个链接" and answer["text"].startswith(
        "a_voice\thttp://heygem.example:7860/share/"
    )


def test_taken_back_means_that_no_link_works(share: Share, queue: Queue, settings: Settings, tmp_path: Path) -> None:
    job = done(queue, tmp_path)
    link = press(share, "link", job=job.id)["url"].removeprefix(BASE.rstrip("/"))
    assert press(share, "revoke", job=job.id) == {"said": "链接已撤回，全部失效。"}
    with pytest.raises(ResultGone):
        Local(settings).open_link(link)


def test_an_upload_is_asked_for_again(share: Share, queue: Queue, tmp_path: Path) -> None:
    job = done(queue, tmp_path)
    press(share, "upload", job=job.id)
    again = queue.need(job.id)
    assert again.delivery and again.delivery.state == PENDING


@pytest.mark.parametrize(
    "question",
    [{}, {"do": "link"}, {"do": "link", "job": ["x"], "base": "javascript:x"}, {"do": 7}, {"do": "links", "batch": {}}],
)
def test_nothing_that_a_browser_sends_is_trusted(share: Share, question: dict[str, Any]) -> None:
    answer = share.answer(question, "zh")
    assert ("problem" in answer) == (question.get("do") in ("link", "links"))


def test_a_link_that_no_code_can_hold_has_none() -> None:
    assert qr("https://x.example/a.mp4?X-Amz-Signature=0").startswith("data:image/svg+xml")
    assert qr("https://x.example/" + "a" * 3000) == ""


def test_who_asks_is_who_is_logged_in() -> None:
    request: Any = SimpleNamespace(state=SimpleNamespace(user="王小明"))
    nobody: Any = SimpleNamespace()
    assert user_of(request) == "王小明" and user_of(nobody) == "page"
