"""Uploads to a real store: whole, compared, gone on with after a kill, and what happens on a bad line."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from heygem.errors import Cancelled, StorageDamaged, StorageRefused, StorageUnreachable
from storage import Meta
from storage.s3 import MIB
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy, Seen

KEY = "heygem/2026-11-21/batch/0123abcd-lesson-1.mp4"
META = Meta("王老师 第1课.mp4")
PART = 5 * MIB
ROOT = Path(__file__).parents[2]
CHILD = f"""
import sys
from pathlib import Path
from heygem import settings
from storage import Meta, open_storage
open_storage(settings.load()).put(Path(sys.argv[1]), {KEY!r}, Meta("a.mp4"))
print("done")
"""


pytestmark = pytest.mark.usefixtures("quick")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def unfinished(bucket: Bucket) -> list[str]:
    """Uploads that the store still knows."""
    return [one["Key"] for one in bucket.server.client().list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])]


@contextmanager
def child(bucket: Bucket, file: Path, **more: object) -> Iterator[subprocess.Popen[str]]:
    """A process that uploads the file."""
    environment = bucket.environment(**{"s3_part_mb": 5, **more}) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, str(file)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Waits for it while the process runs."""
    deadline = time.monotonic() + 60
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_parts_make_the_whole_and_progress_grows(bucket: Bucket, video: Callable[[int], Path]) -> None:
    storage, file = bucket.open(s3_part_mb=5), video(2 * PART + 12345)
    seen: list[int] = []
    item = storage.put(file, KEY, META, lambda done, total: seen.append(done))
    assert item.checksum == sha256(file.read_bytes()) == sha256(bucket.content(KEY))
    assert storage.exists(KEY) == item
    assert seen == sorted(seen) and seen[-1] == item.size
    assert list(bucket.home.glob("sending/*")) == [] and unfinished(bucket) == []


def test_several_parts_at_once_are_quicker_on_a_long_line(
    proxy: Proxy, troubled: Bucket, video: Callable[[int], Path]
) -> None:
    took = []
    for at_once in (1, 4):
        storage, file = troubled.open(s3_part_mb=5, s3_parts_at_once=at_once), video(4 * PART)
        proxy.block_seconds = 0.01
        begin = time.monotonic()
        storage.put(file, KEY, META)
        took.append(time.monotonic() - begin)
        assert troubled.content(KEY) == file.read_bytes()
    assert took[1] < took[0] / 2, took


def test_an_empty_file_arrives(bucket: Bucket, video: Callable[[int], Path]) -> None:
    assert bucket.open().put(video(0), KEY, META).size == 0
    assert bucket.content(KEY) == b""


def test_killed_again_and_again_it_goes_on(proxy: Proxy, troubled: Bucket, video: Callable[[int], Path]) -> None:
    """Real processes, ended by SIGKILL at random points of the way."""
    file, parts, kills, dice = video(12 * PART + 777), 13, 3, random.Random(60)
    proxy.block_seconds = 0.0005
    for moment in sorted(dice.sample(range(1, parts - 5), kills)):
        with child(troubled, file) as process:
            until(lambda moment=moment: len(proxy.parts()) >= moment, process)
            time.sleep(dice.uniform(0, 0.05))
            process.kill()
            process.wait()
    proxy.block_seconds = 0
    with child(troubled, file) as process:
        assert process.communicate(timeout=60)[0] == "done\n"
    sent = [seen.part for seen in proxy.seen if seen.part]
    assert {*sent} == {*range(1, parts + 1)} and len(sent) <= parts + kills, "at most one is sent again per kill"
    begun = [seen for seen in proxy.seen if seen.method == "POST" and seen.path.endswith("?uploads")]
    assert len(begun) == 1, "one upload all the while"
    assert sha256(troubled.content(KEY)) == sha256(file.read_bytes())
    assert list(troubled.home.glob("sending/*")) == []


@pytest.mark.slow
def test_the_store_is_asked_to_encrypt(ceph_bucket: Bucket, video: Callable[[int], Path]) -> None:
    storage = ceph_bucket.open(s3_sse="aws:kms:testkey-1", s3_part_mb=5)
    for size in (1000, 2 * PART + 1):
        file = video(size)
        assert storage.put(file, KEY, META).size == size
        head = ceph_bucket.server.client().head_object(Bucket=ceph_bucket.name, Key=KEY)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "testkey-1")
        assert ceph_bucket.content(KEY) == file.read_bytes()
        assert httpx.get(storage.link(KEY, META, 60).url, trust_env=False).content == file.read_bytes()


def test_a_store_that_cannot_encrypt_refuses(swift_bucket: Bucket, video: Callable[[int], Path]) -> None:
    with pytest.raises(StorageRefused):
        swift_bucket.open(s3_sse="AES256").put(video(1000), KEY, META)


def test_killed_between_the_end_and_its_note(proxy: Proxy, troubled: Bucket, video: Callable[[int], Path]) -> None:
    file = video(PART + 1)
    proxy.trouble = lambda seen: "slow" if seen.method == "HEAD" else None
    with child(troubled, file) as process:
        until(lambda: any(seen.method == "HEAD" for seen in proxy.seen), process)
        process.kill()
        process.wait()
    proxy.trouble, before = lambda seen: None, len(proxy.parts())
    assert list(troubled.home.glob("sending/*.json"))
    assert troubled.open(s3_part_mb=5).put(file, KEY, META).checksum == sha256(file.read_bytes())
    assert len(proxy.parts()) == before == 2, "nothing is sent again"


@pytest.fixture
def broken_off(proxy: Proxy, troubled: Bucket, video: Callable[[int], Path]) -> Path:
    """The file of an upload of three parts that broke off before its last one."""
    file = video(2 * PART + 1)
    proxy.trouble = lambda seen: 403 if seen.part == 3 else None
    with pytest.raises(StorageRefused):
        troubled.open(s3_part_mb=5).put(file, KEY, META)
    proxy.trouble = lambda seen: None
    assert proxy.parts() == [1, 2]
    return file


def upload_id(bucket: Bucket) -> str:
    [upload] = bucket.server.client().list_multipart_uploads(Bucket=bucket.name)["Uploads"]
    return upload["UploadId"]


@pytest.mark.parametrize("content", [b"x" * PART, b"x" * (PART + 1)], ids=["other bytes", "another size"])
def test_a_wrong_part_in_the_store_is_sent_again(
    proxy: Proxy, troubled: Bucket, broken_off: Path, content: bytes
) -> None:
    troubled.server.client().upload_part(
        Bucket=troubled.name, Key=KEY, UploadId=upload_id(troubled), PartNumber=1, Body=content
    )
    proxy.seen.clear()
    troubled.open(s3_part_mb=5).put(broken_off, KEY, META)
    assert sorted(proxy.parts()) == [1, 3]
    assert troubled.content(KEY) == broken_off.read_bytes()


def test_an_upload_that_the_store_forgot_begins_anew(proxy: Proxy, troubled: Bucket, broken_off: Path) -> None:
    client = troubled.server.client()
    client.abort_multipart_upload(Bucket=troubled.name, Key=KEY, UploadId=upload_id(troubled))
    proxy.seen.clear()
    troubled.open(s3_part_mb=5).put(broken_off, KEY, META)
    assert sorted(proxy.parts()) == [1, 2, 3]
    assert troubled.content(KEY) == broken_off.read_bytes()


def test_another_file_under_the_same_key_begins_anew(
    proxy: Proxy, troubled: Bucket, broken_off: Path, video: Callable[..., Path]
) -> None:
    other = video(2 * PART + 1, "other.mp4")
    troubled.open(s3_part_mb=5).put(other, KEY, META)
    assert troubled.content(KEY) == other.read_bytes() and unfinished(troubled) == []


def test_a_damaged_note_begins_anew(troubled: Bucket, broken_off: Path) -> None:
    [note] = troubled.home.glob("sending/*.json")
    note.write_text("{")
    troubled.open(s3_part_mb=5).put(broken_off, KEY, META)
    assert troubled.content(KEY) == broken_off.read_bytes()


def test_deleting_gives_up_what_is_not_whole(troubled: Bucket, broken_off: Path) -> None:
    troubled.open().delete(KEY)
    assert unfinished(troubled) == [] and list(troubled.home.glob("sending/*")) == []


def test_sweeping_gives_up_what_is_old(troubled: Bucket, broken_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = troubled.open()
    other = {"Bucket": troubled.name, "Key": "others/film.mp4"}
    troubled.server.client().create_multipart_upload(**other)
    assert storage.sweep() == 0
    (troubled.home / "uploads" / "api").mkdir(parents=True)  # what browsers and programs send is not its business
    later = time.time() + 3 * 86400 + 60
    monkeypatch.setattr("storage.s3.time.time", lambda: later)
    assert storage.sweep() == 1
    assert unfinished(troubled) == ["others/film.mp4"], "what is not in our folder is not ours"
    assert list(troubled.home.glob("sending/*")) == []


def test_cancelled_in_the_middle_nothing_stays(proxy: Proxy, troubled: Bucket, video: Callable[[int], Path]) -> None:
    proxy.block_seconds = 0.005

    def stop(done: int, total: int) -> None:
        if done > PART:
            raise Cancelled

    begin = time.monotonic()
    with pytest.raises(Cancelled):
        troubled.open(s3_part_mb=5).put(video(8 * PART), KEY, META, stop)
    assert time.monotonic() - begin < 10
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "heygem-upload"), (
        "none holds up an end"
    )
    assert list(troubled.home.glob("sending/*")) == [] and troubled.open().exists(KEY) is None
    until_gone = time.monotonic() + 10
    while unfinished(troubled) and time.monotonic() < until_gone:
        time.sleep(0.1)
    assert unfinished(troubled) == []


@pytest.mark.parametrize("trouble", [500, 503, "reset", "reset after", "slow", "change"])
def test_what_passes_is_tried_again(
    proxy: Proxy, troubled: Bucket, video: Callable[[int], Path], trouble: str | int
) -> None:
    """Each request fails the first time; damaged parts are noticed and sent again by the next call."""
    file, failed = video(2 * PART + 1), set()

    def first_time(seen: Seen) -> str | int | None:
        path = f"{seen.method} {seen.path}"
        new = path not in failed and (trouble not in ("slow", "change") or "partNumber=2" in path)
        failed.add(path)
        return trouble if new else None

    proxy.trouble = first_time
    storage = troubled.open(s3_part_mb=5)
    if trouble == "change":
        with pytest.raises(StorageDamaged, match="other data than was sent"):
            storage.put(file, KEY, META)
        assert storage.exists(KEY) is None
    assert storage.put(file, KEY, META).checksum == sha256(file.read_bytes())
    assert troubled.content(KEY) == file.read_bytes()
    assert unfinished(troubled) in ([], [KEY]), "an answer that was lost may leave an upload for the sweeper"


def test_a_store_that_stays_down_can_be_tried_later(proxy: Proxy, troubled: Bucket, broken_off: Path) -> None:
    proxy.trouble = lambda seen: 503
    with pytest.raises(StorageUnreachable, match="HTTP 503"):
        troubled.open(s3_part_mb=5).put(broken_off, KEY, META)
    assert len(proxy.seen) >= 6, "it was tried again before"
    proxy.trouble = lambda seen: None
    proxy.seen.clear()
    troubled.open(s3_part_mb=5).put(broken_off, KEY, META)
    assert proxy.parts() == [3] and troubled.content(KEY) == broken_off.read_bytes()


def test_nobody_listens(swift_bucket: Bucket, video: Callable[[int], Path]) -> None:
    storage = swift_bucket.open(s3_endpoint="http://127.0.0.1:1")
    with pytest.raises(StorageUnreachable, match="cannot be reached"):
        storage.put(video(10), KEY, META)


def test_all_uploads_of_the_process_share_one_limit(swift_bucket: Bucket, video: Callable[..., Path]) -> None:
    """Two files of 3 MB at 2 MB a second: three seconds, less the one that may be made up for."""
    storage = swift_bucket.open(upload_limit_mb_s=2)
    files = [video(3_000_000, f"{n}.mp4") for n in range(2)]
    begin = time.monotonic()
    threads = [threading.Thread(target=storage.put, args=(file, f"a/{file.name}", META)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1.95 < time.monotonic() - begin < 8
    assert all(swift_bucket.content(f"a/{file.name}") == file.read_bytes() for file in files)


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"x" * 2000], ids=["shorter", "other", "longer"])
def test_a_file_that_changes_meanwhile_counts_as_damaged(
    proxy: Proxy, troubled: Bucket, video: Callable[[int], Path], content: bytes
) -> None:
    file = video(1000)

    def write(seen: Seen) -> None:
        if seen.method == "PUT":
            file.write_bytes(content)

    proxy.trouble = write
    with pytest.raises(StorageDamaged, match="did not arrive whole"):
        troubled.open().put(file, KEY, META)
    proxy.trouble = lambda seen: None
    troubled.open().put(file, KEY, META)
    assert troubled.content(KEY) == content
