"""Rules of the bucket: on Ceph, which takes and follows them, and on Swift, which has none."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from heygem.errors import StorageRefused, StorageUnreachable
from storage import Meta
from storage.base import MOST_SECONDS
from storage.lifecycle import RESULTS, UPLOADS, described, remove_old, setup
from storage.s3 import S3
from tests.storage.conftest import Bucket

FOREIGN = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}


def states(storage: S3) -> dict[str, str]:
    return {finding.name: finding.state for finding in setup(storage)}


def rules(bucket: Bucket) -> dict[str, dict[str, Any]]:
    found = bucket.server.client().get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    return {rule["ID"]: rule for rule in found}


@pytest.mark.slow
def test_our_rules_come_beside_those_of_others_and_only_once(ceph_bucket: Bucket) -> None:
    client = ceph_bucket.server.client()
    client.put_bucket_lifecycle_configuration(Bucket=ceph_bucket.name, LifecycleConfiguration={"Rules": [FOREIGN]})
    storage = ceph_bucket.open()
    assert "nothing leaves" in getattr(described(storage), "found", "")
    for _ in range(2):
        assert states(storage) == {"delete": "ok", "class": "ok", "uploads": "ok"}
    found = rules(ceph_bucket)
    assert set(found) == {"theirs", RESULTS, UPLOADS} and found["theirs"]["Expiration"] == {"Days": 7}
    results, uploads = found[RESULTS], found[UPLOADS]
    assert results["Filter"] == uploads["Filter"] == {"Prefix": "heygem/"}
    assert results["Expiration"] == {"Days": 60}
    assert results["Transitions"] == [{"Days": 30, "StorageClass": "STANDARD_IA"}]
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 3}
    assert described(storage) == "results leave after 60 days"


@pytest.mark.slow
def test_a_class_that_the_store_does_not_know_is_left_out(ceph_bucket: Bucket) -> None:
    storage = ceph_bucket.open(s3_storage_class="GLACIER_OF_NOWHERE")
    assert states(storage) == {"delete": "ok", "class": "note", "uploads": "ok"}
    assert "Transitions" not in rules(ceph_bucket)[RESULTS]


@pytest.mark.slow
def test_the_store_follows_the_rules(
    ceph_bucket: Bucket, video: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of this server takes five seconds, so the days are made fewer: the rules are the same."""
    monkeypatch.setattr("storage.lifecycle.COLD_DAYS", 1)
    monkeypatch.setattr("storage.lifecycle.DELETE_DAYS", 3)
    storage, client = ceph_bucket.open(), ceph_bucket.server.client()
    assert states(storage) == {"delete": "ok", "class": "ok", "uploads": "ok"}
    storage.put(video(1000), "heygem/a.mp4", Meta("a.mp4"))
    client.put_object(Bucket=ceph_bucket.name, Key="else/b.mp4", Body=b"x")
    client.create_multipart_upload(Bucket=ceph_bucket.name, Key="heygem/dead.mp4")
    classes, deadline = set(), time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.list_objects_v2(Bucket=ceph_bucket.name, Prefix="heygem/").get("Contents", [])
        uploads = client.list_multipart_uploads(Bucket=ceph_bucket.name).get("Uploads", [])
        classes |= {item["StorageClass"] for item in found}
        if not found and not uploads:
            break
        time.sleep(0.5)
    assert not found and not uploads and "STANDARD_IA" in classes
    assert client.head_object(Bucket=ceph_bucket.name, Key="else/b.mp4")


def test_a_store_without_rules_says_so_and_what_to_do(swift_bucket: Bucket) -> None:
    storage = swift_bucket.open()
    [finding] = setup(storage)
    assert finding.state == "note" and "takes no rules" in finding.found and "sweep --older 60" in finding.remedy
    assert getattr(described(storage), "state", "") == "note"


def test_wrong_keys_are_not_taken_for_a_store_without_rules(
    swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StorageRefused):
        list(setup(swift_bucket.open()))


def test_old_results_are_removed_by_hand(
    swift_bucket: Bucket, video: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, client = swift_bucket.open(), swift_bucket.server.client()
    storage.put(video(10), "heygem/a.mp4", Meta("a.mp4"))
    client.put_object(Bucket=swift_bucket.name, Key="else/b.mp4", Body=b"x")
    assert remove_old(storage, 60) == 0
    later = time.time() + 61 * 86400
    monkeypatch.setattr("storage.lifecycle.time.time", lambda: later)
    assert remove_old(storage, 60) == 1
    monkeypatch.undo()
    left = [item["Key"] for item in client.list_objects_v2(Bucket=swift_bucket.name)["Contents"]]
    assert left == ["else/b.mp4"]


def test_a_store_that_cannot_be_reached_is_said_so(swift_bucket: Bucket, quick: None) -> None:
    storage = swift_bucket.open(s3_endpoint="http://127.0.0.1:1")
    for act in (described, states):
        with pytest.raises(StorageUnreachable, match="cannot be reached"):
            act(storage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.lifecycle._offers", lambda *_: True)
        with pytest.raises(StorageUnreachable, match="cannot be reached"):
            states(storage)


@pytest.mark.slow
def test_temporary_credentials_of_a_real_token_service(
    ceph_bucket: Bucket, video: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session of 15 minutes: uploads work with it, and a link for a day says when it really ends."""
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam:::user/dev"]},"Action":["sts:AssumeRole"]}]}'  # noqa: E501
    rights = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":"arn:aws:s3:::*"}]}'
    try:
        iam = ceph_bucket.server.client("iam")
        iam.create_role(RoleName=ceph_bucket.name, AssumeRolePolicyDocument=trust)
        iam.put_role_policy(RoleName=ceph_bucket.name, PolicyName="all", PolicyDocument=rights)
        session = ceph_bucket.server.client("sts").assume_role(
            RoleArn=f"arn:aws:iam:::role/{ceph_bucket.name}", RoleSessionName="test", DurationSeconds=900
        )["Credentials"]
    except ClientError as error:
        pytest.skip(f"this Ceph gives no temporary credentials: {error.response['Error']['Code']}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", session["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", session["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", session["SessionToken"])
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", session["Expiration"].isoformat())
    storage = ceph_bucket.open()
    storage.put(video(1000), "heygem/a.mp4", Meta("a.mp4"))
    link = storage.link("heygem/a.mp4", Meta("a.mp4"), MOST_SECONDS)
    assert link.capped and link.expires == pytest.approx(session["Expiration"].timestamp(), abs=1)
    assert "X-Amz-Security-Token=" in link.url
    import httpx

    assert httpx.get(link.url).status_code == 200
    notes = {finding.name: finding for finding in storage.check()}
    assert notes["credentials"].state == "note" and "temporary" in notes["credentials"].found
