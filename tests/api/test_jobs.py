"""Single jobs over HTTP."""

from __future__ import annotations


def test_a_job_from_upload_to_video(server, send, clip):
    answer = send(server, data={"strength": "0.5", "options": '{"quality": "draft"}', "priority": "3"})
    assert answer.status_code == 201
    job = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    assert job["options"]["strength"] == 0.5 and job["options"]["quality"] == "draft" and job["priority"] == 3
    assert (job["video"], job["audio"], job["name"]) == ("person.mp4", "voice.wav", "person_voice")
    done = server.wait(job["id"])
    assert done["progress"] == 1 and done["result"]["score"] == 87 and done["result"]["fps"] == "30000/1001"
    video = server.client.get(done["links"]["result"])
    assert video.content == clip.read_bytes() and video.headers["content-type"] == "video/mp4"
