"""Background, subtitles and logo over HTTP: files that are sent along, and nothing else of this server."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.api.conftest import served

SRT = b"1\n00:00:00,000 --> 00:00:01,000\nHello\n"


@pytest.fixture
def logo(tmp_path):
    path = tmp_path / "logo.png"
    Image.new("RGBA", (40, 20), (255, 0, 0, 128)).save(path)
    return path


@pytest.fixture
def files(clip, sound, logo):
    return {"audio": sound().open("rb"), "video": clip.open("rb"), "logo": logo.open("rb")}


def test_what_is_sent_along_becomes_part_of_the_job(idle, files, logo):
    told = {"background": "#102030", "logo_place": "bottom-left", "logo_opacity": "0.5", "subtitle_size": "0.08"}
    sent = {**files, "subtitles": ("课程.srt", SRT)}
    job = idle.json("POST", "/api/v1/jobs", 201, files=sent, data=told)
    assert job["options"]["logo"] == "logo.png" and job["options"]["subtitles"] == "课程.srt"
    assert job["options"]["background"] == "#102030" and job["options"]["logo_opacity"] == 0.5
    finish = idle.queue.need(job["id"]).request.options.finish
    assert finish.files["logo"].read_bytes() == logo.read_bytes() and finish.files["subtitles"].read_bytes() == SRT
    assert all(path.is_relative_to(idle.desk.settings.outputs) for path in finish.files.values())


@pytest.mark.parametrize("option", ["background", "subtitles", "logo"])
def test_no_file_of_the_server_can_be_named(idle, files, option):
    fields = {option: "/etc/passwd"}
    del files["logo"]
    for body in ({"data": fields}, {"data": {"options": f'{{"{option}": "/etc/passwd"}}'}}):
        answer = idle.client.post("/api/v1/jobs", files=files, **body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "option.invalid"), answer.text
    assert idle.queue.store.counts() == {}


def test_names_inside_the_allowed_folder(server, clip, sound, logo):
    inputs = server.desk.settings.input_folder
    for name, source in (("p.mp4", clip), ("v.wav", sound()), ("l.png", logo)):
        (inputs / name).write_bytes(source.read_bytes())
    asked = {"video": "p.mp4", "audio": "v.wav", "logo": "l.png", "background": "blur"}
    job = server.json("POST", "/api/v1/jobs", 201, json=asked)
    assert job["options"]["logo"] == "l.png" and job["options"]["background"] == "blur"
    for name in ("../p.mp4", "/etc/passwd"):
        answer = server.client.post("/api/v1/jobs", json={**asked, "background": name})
        assert answer.status_code == 422 and answer.json()["error"]["code"] == "option.invalid"


def test_what_is_no_picture_is_refused_before_it_is_queued(idle, files):
    files["logo"] = ("logo.png", b"this is no picture")
    answer = idle.client.post("/api/v1/jobs", files=files)
    assert answer.status_code == 422 and answer.json()["error"]["code"].startswith(("input.", "finish."))
    assert idle.queue.store.counts() == {}


def test_made_again_the_files_stay(idle, files):
    job = idle.json("POST", "/api/v1/jobs", 201, files=files)
    other = idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 201, json={"logo_place": "top-left"})
    assert other["options"]["logo"] == "logo.png" and other["options"]["logo_place"] == "top-left"
    assert idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 201, json={"logo": ""})["options"]["logo"] == ""


def test_made_again_another_background_takes_the_place_of_the_file(idle, files, clip):
    job = idle.json("POST", "/api/v1/jobs", 201, files={**files, "background": clip.open("rb")})
    for told, background in (
        ({}, "person.mp4"),
        ({"background": "blur"}, "blur"),
        ({"background": "#102030"}, "#102030"),
    ):
        other = idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 201, json=told)
        assert (other["options"]["background"], other["options"]["logo"]) == (background, "logo.png")
    for option in ("background", "logo"):
        idle.json("POST", f"/api/v1/jobs/{job['id']}/again", 422, json={option: "/etc/passwd"})


def test_a_large_batch_has_room_for_a_voice_for_each(tmp_path):
    kinds = (("videos", "mp4"), ("audios", "wav"))
    files = [(name, (f"{n}.{kind}", b"x")) for name, kind in kinds for n in range(70)]
    with served(tmp_path, None, max_videos=70) as server:
        assert server.json("POST", "/api/v1/batches", 422, files=files)["error"]["code"] == "input.unreadable"
        for name, kind in kinds:
            one_more = [*files, (name, (f"more.{kind}", b"x"))]
            error = server.json("POST", "/api/v1/batches", 413, files=one_more)["error"]
            assert error["code"] == "limit.exceeded" and "71" in error["message"]


def test_a_batch_with_a_voice_for_each(idle, clip, sound):
    voices = [("audios", (f"{name}.wav", sound().read_bytes())) for name in ("ben", "ann")]
    videos = [("videos", (f"{name}.mp4", clip.read_bytes())) for name in ("ann", "ben")]
    batch = idle.json("POST", "/api/v1/batches", 201, files=[*voices, *videos])
    assert [(job["video"], job["audio"]) for job in batch["jobs"]] == [("ann.mp4", "ann.wav"), ("ben.mp4", "ben.wav")]
    answer = idle.client.post("/api/v1/batches", files=[*voices, videos[0], ("videos", ("eve.mp4", clip.read_bytes()))])
    assert answer.status_code == 422 and answer.json()["error"]["code"] == "pairs.unusable"
