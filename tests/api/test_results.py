"""What came out: videos with ranges, thumbnails, archives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.api.conftest import Server


@pytest.fixture(scope="module")
def done(server, clip, sound) -> str:
    """Address of a finished job."""
    files = {"audio": sound("说话").open("rb"), "video": clip.open("rb")}
    id = server.json("POST", "/api/v1/jobs", 201, files=files)["id"]
    server.wait(id)
    return f"/api/v1/jobs/{id}"


def test_parts_of_a_video(server, done, clip):
    whole = clip.read_bytes()
    get = server.client.get
    part = get(f"{done}/result", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert get(f"{done}/result", headers={"Range": "bytes=-5"}).content == whole[-5:]
    assert get(f"{done}/result", headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert get(f"{done}/result").headers["accept-ranges"] == "bytes"


def test_a_resumed_download_is_the_same_file(server, done, clip):
    tag = server.client.get(f"{done}/result").headers["etag"]
    rest = server.client.get(f"{done}/result", headers={"Range": "bytes=100-", "If-Range": tag})
    assert (rest.status_code, rest.content) == (206, clip.read_bytes()[100:])
    other = server.client.get(f"{done}/result", headers={"Range": "bytes=100-", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, clip.read_bytes())


def test_head_and_what_is_known_already(server, done, clip):
    head = server.client.head(f"{done}/result")
    assert head.status_code == 200 and int(head.headers["content-length"]) == clip.stat().st_size and not head.content
    known = server.client.get(f"{done}/result", headers={"If-None-Match": f'"x", {head.headers["etag"]}'})
    assert known.status_code == 304 and not known.content


def test_the_name_of_a_download(server, done):
    assert server.client.head(f"{done}/result").headers["content-disposition"].startswith("inline")
    name = server.client.head(f"{done}/result?download=1").headers["content-disposition"]
    assert name == "attachment; filename*=utf-8''person_%E8%AF%B4%E8%AF%9D.mp4"


def test_a_thumbnail(server, done, clip, sound):
    picture = server.client.get(f"{done}/thumbnail")
    assert picture.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(picture.content)).size == (128, 96)
    again = server.client.get(f"{done}/thumbnail", headers={"If-None-Match": picture.headers["etag"]})
    assert again.status_code == 304
    assert not [*server.queue.need(done.rpartition("/")[2]).folder.glob("*.part")]


def test_a_thumbnail_before_the_result(idle, send):
    id = send(idle).json()["id"]
    assert idle.client.get(f"/api/v1/jobs/{id}/thumbnail").content[:2] == b"\xff\xd8"


def test_none_yet_and_gone(server, send):
    id = send(server, "slow").json()["id"]
    early = server.json("GET", f"/api/v1/jobs/{id}/result", 409)["error"]
    assert early["code"] == "job.state" and any(state in early["message"] for state in ("queued", "running"))
    server.wait(id)
    take = server.queue.need(id).take
    assert take
    take.path.unlink()
    assert server.json("GET", f"/api/v1/jobs/{id}/result", 410)["error"]["code"] == "result.gone"


def unzipped(answer) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def test_chosen_results_in_an_archive(server, send, clip):
    ids = [send(server, "同名").json()["id"] for _ in range(2)] + [send(server, "faceless").json()["id"]]
    for id in ids:
        server.wait(id, "done", "failed")
    query = "&".join(f"job={id}" for id in [*ids, ids[0]])
    archive = unzipped(server.client.get(f"/api/v1/zip?{query}"))
    assert archive.namelist() == ["person_同名.mp4", "person_同名 (2).mp4"]
    assert {archive.read(name) for name in archive.namelist()} == {clip.read_bytes()}
    head = server.client.head(f"/api/v1/zip?{query}")
    assert head.headers["content-type"] == "application/zip" and int(head.headers["content-length"]) > 0
    assert server.json("GET", f"/api/v1/zip?job={ids[2]}", 409)["error"]["code"] == "job.state"
    server.json("GET", "/api/v1/zip?job=none", 404)
    server.json("GET", "/api/v1/zip", 422)
    assert not [*Path(server.desk.settings.home).rglob("*.zip")], "no second copy"


def batch(server: Server, videos: list[tuple[str, bytes]], audio: Path, status: int = 201, **data):
    files = [("audio", audio.open("rb")), *(("videos", video) for video in videos)]
    return server.json("POST", "/api/v1/batches", status, files=files, data=data)


def test_a_batch_from_upload_to_archive(server, clip, sound):
    film = clip.read_bytes()
    made = batch(
        server, [("甲.mp4", film), ("b.mp4", film), ("b.mp4", film)], sound("talk"), name="五月", quality="draft"
    )
    assert made["size"] == 3 and made["name"] == "五月"
    assert [job["video"] for job in made["jobs"]] == ["甲.mp4", "b.mp4", "b.mp4"]
    assert {job["options"]["quality"] for job in made["jobs"]} == {"draft"}
    for job in made["jobs"]:
        server.wait(job["id"])
    now = server.json("GET", made["links"]["self"])
    assert now["counts"] == {"done": 3} and not now["busy"]
    archive = unzipped(answer := server.client.get(made["links"]["zip"]))
    assert archive.namelist() == ["甲_talk.mp4", "b_talk.mp4", "b_talk (2).mp4"]
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''%E4%BA%94%E6%9C%88.zip"
    assert server.json("GET", "/api/v1/batches?limit=1")["items"][0]["id"] == made["id"]
    found = server.json("GET", f"/api/v1/jobs?batch={made['id']}")
    assert found["total"] == 3


def test_a_dot_in_the_name_of_a_batch(idle, clip, sound):
    made = batch(idle, [("a.mp4", clip.read_bytes())], sound(), name=" Kurs 2.0/Teil\u202e ")
    assert made["name"] == "Kurs 2.0 Teil"
    for address, name in (("report", "Kurs%202.0%20Teil_report.csv"), ("links", "Kurs%202.0%20Teil.csv")):
        answer = idle.client.get(made["links"][address], params={"format": "csv"})
        assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{name}"


def test_a_batch_is_whole_or_not_at_all(server, clip, sound):
    total = server.json("GET", "/api/v1/jobs")["total"]
    film = clip.read_bytes()
    bad = batch(server, [("a.mp4", film), ("坏.mp4", b"nonsense")], sound(), 422)
    assert "坏.mp4" in bad["error"]["message"]
    many = batch(server, [("a.mp4", film)] * 21, sound(), 413)
    assert many["error"]["code"] == "limit.exceeded" and "21" in many["error"]["message"]
    batch(server, [], sound(), 422)
    assert server.json("GET", "/api/v1/jobs")["total"] == total


def test_cancel_and_retry_a_batch(server, clip, sound):
    film = clip.read_bytes()
    made = batch(server, [("a.mp4", film), ("b.mp4", film)], sound("long"))
    server.wait(made["jobs"][0]["id"], "running")
    server.json("POST", f"/api/v1/batches/{made['id']}/cancel")
    for job in made["jobs"]:
        server.wait(job["id"], "cancelled")
    failed = batch(server, [("a.mp4", film)], sound("faceless"))
    first = server.wait(failed["jobs"][0]["id"], "failed")
    server.json("POST", f"/api/v1/batches/{failed['id']}/retry")
    assert server.wait(first["id"], "failed")["ended"] > first["ended"], "it was tried again"


def test_one_key_is_one_batch(idle, clip, sound):
    film = clip.read_bytes()
    key = {"Idempotency-Key": "May"}
    files = [("audio", sound().read_bytes()), ("videos", ("a.mp4", film)), ("videos", ("b.mp4", film))]
    made = [idle.json("POST", "/api/v1/batches", 201, files=files, headers=key)["id"] for _ in range(3)]
    assert len(set(made)) == 1 and idle.json("GET", "/api/v1/jobs")["total"] == 2
