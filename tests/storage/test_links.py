"""Links to real stores: who may use them, until when, and what arrives."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit, urlunsplit

import botocore.auth
import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectTimeoutError

from heygem.errors import StorageRefused, StorageUnreachable
from storage import Meta
from storage.base import MOST_SECONDS, disposition
from storage.s3 import S3
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy

KEY = "heygem/2026-11-21/batch/0123abcd-lesson-1.mp4"
META = Meta("王老师 第1课+“完”.mp4")
DAY = 86400


@pytest.fixture
def filled(bucket: Bucket, video: Callable[[int], Path]) -> tuple[S3, bytes]:
    """A storage with one video."""
    storage, file = bucket.open(), video(100_000)
    storage.put(file, KEY, META)
    return storage, file.read_bytes()


def aged(storage: S3, monkeypatch: pytest.MonkeyPatch, seconds: float, lives: int = DAY) -> str:
    """A link that was made so long ago: the clock that signatures are made with is turned back, nothing else."""
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    with monkeypatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda remove_tzinfo=True: then.replace(tzinfo=None))
        return storage._signer.generate_presigned_url(
            "get_object", Params={"Bucket": storage.bucket, "Key": KEY}, ExpiresIn=lives
        )


def altered(url: str, name: str, value: str) -> str:
    """The link with one value of its query changed."""
    parts = urlsplit(url)
    query = [(one, value if one == name else old) for one, old in parse_qsl(parts.query)]
    assert (name, value) in query
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def test_a_link_gives_the_whole_video_its_parts_and_its_name(filled: tuple[S3, bytes]) -> None:
    storage, content = filled
    link = storage.link(KEY, META, DAY)
    query = parse_qs(urlsplit(link.url).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"] and "X-Amz-Signature" in query, "version 4 of signatures"
    assert not {"AWSAccessKeyId", "Signature"} & set(query), "not version 2"
    assert int(query["X-Amz-Expires"][0]) == pytest.approx(DAY, abs=1)
    whole = httpx.get(link.url)
    assert whole.status_code == 200 and whole.content == content
    assert whole.headers["content-disposition"] == disposition(META.name)
    assert quote(META.name, safe="") in whole.headers["content-disposition"]
    assert whole.headers["content-type"] == "video/mp4"
    part = httpx.get(link.url, headers={"Range": "bytes=500-999"})
    assert part.status_code == 206 and part.content == content[500:1000]
    assert part.headers["content-range"] == f"bytes 500-999/{len(content)}"


def test_the_name_is_also_kept_with_the_object(filled: tuple[S3, bytes], bucket: Bucket) -> None:
    head = bucket.server.client().head_object(Bucket=bucket.name, Key=KEY)
    assert head["ContentDisposition"] == disposition(META.name) and head["ContentType"] == "video/mp4"
    assert set(map(str.lower, head["Metadata"])) == {"sha256"}, "nothing about people or this machine"


def test_a_link_of_a_day_works_until_just_before_and_not_just_after(
    filled: tuple[S3, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, content = filled
    assert httpx.get(aged(storage, monkeypatch, DAY - 30)).content == content
    assert httpx.get(aged(storage, monkeypatch, DAY + 5)).status_code == 403
    assert httpx.get(aged(storage, monkeypatch, MOST_SECONDS - 30, MOST_SECONDS)).content == content
    assert httpx.get(aged(storage, monkeypatch, MOST_SECONDS + 5, MOST_SECONDS)).status_code == 403


def test_a_short_link_ends_when_it_said(filled: tuple[S3, bytes]) -> None:
    storage, content = filled
    link = storage.link(KEY, META, 3)
    assert httpx.get(link.url).content == content
    time.sleep(max(link.expires - time.time(), 0) + 1.2)
    assert httpx.get(link.url).status_code == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Amz-Signature", "0" * 64),
        ("X-Amz-Expires", "604800"),
        ("X-Amz-Date", "20991121T000000Z"),
        ("response-content-disposition", "attachment; filename=virus.exe"),
    ],
)
def test_a_changed_link_is_refused(filled: tuple[S3, bytes], name: str, value: str) -> None:
    storage, _ = filled
    answer = httpx.get(altered(storage.link(KEY, META, DAY).url, name, value))
    assert answer.status_code in (400, 403) and b"secret" not in answer.content.lower()


def test_a_link_opens_nothing_else(filled: tuple[S3, bytes], bucket: Bucket) -> None:
    storage, _ = filled
    bucket.server.client().put_object(Bucket=bucket.name, Key="heygem/other.mp4", Body=b"secret")
    parts = urlsplit(storage.link(KEY, META, DAY).url)
    moved = urlunsplit(parts._replace(path=f"/{bucket.name}/heygem/other.mp4"))
    assert httpx.get(moved).status_code == 403
    assert not httpx.get(urlunsplit(parts._replace(query=""))).is_success
    assert httpx.put(urlunsplit(parts), content=b"x").status_code == 403


def test_a_deleted_video_is_gone_for_every_link(filled: tuple[S3, bytes]) -> None:
    storage, _ = filled
    links = [storage.link(KEY, META, DAY), storage.link(KEY, META, 3600)]
    storage.delete(KEY)
    assert [httpx.get(link.url).status_code for link in links] == [404, 404]


def test_links_stay_within_seven_days(swift_bucket: Bucket) -> None:
    link = swift_bucket.open().link(KEY, META, 30 * DAY)
    assert link.capped and link.expires == pytest.approx(time.time() + MOST_SECONDS, abs=3)
    assert int(parse_qs(urlsplit(link.url).query)["X-Amz-Expires"][0]) <= MOST_SECONDS


def test_links_may_lead_to_another_address_of_the_store(filled: tuple[S3, bytes], bucket: Bucket) -> None:
    """Uploads go through the network of the company, links are opened outside of it."""
    outside = bucket.server.endpoint.replace("127.0.0.1", "localhost")
    link = bucket.open(s3_link_endpoint=outside).link(KEY, META, DAY)
    assert link.url.startswith(f"{outside}/") and httpx.get(link.url).content == filled[1]


@pytest.mark.parametrize("style", ["virtual", "domain"])
def test_the_bucket_may_stand_in_the_name_of_the_host(
    swift_bucket: Bucket, proxy: Proxy, video: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """Names that lead to the store only through a proxy, so that no name server is needed; the store checks them."""
    monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
    own = f"http://{swift_bucket.name}.s3.test"
    endpoint = own if style == "domain" else "http://s3.test"
    storage, file = swift_bucket.open(s3_endpoint=endpoint, s3_addressing=style, s3_part_mb=5), video(6 << 20)
    storage.put(file, KEY, META)
    link = storage.link(KEY, META, DAY)
    assert link.url.startswith(f"{own}/{KEY}?") and httpx.get(link.url).content == file.read_bytes()
    assert httpx.get(link.url.replace("lesson-1", "lesson-2")).status_code == 403
    assert {finding.state for finding in storage.check() if finding.name != "lifecycle"} == {"ok"}
    assert storage.sweep() == 0
    storage.delete(KEY)
    assert storage.exists(KEY) is None and len(proxy.seen) > 10


@pytest.mark.usefixtures("quick")
def test_bodies_are_never_chunked(swift_bucket: Bucket, video: Callable[[int], Path]) -> None:
    """Many stores refuse boto3's chunked bodies. Over https, which the servers here do not speak, so the requests are
    looked at and go nowhere."""
    seen: dict[str, dict[str, str]] = {}

    def look(request: AWSPreparedRequest, **_: object) -> None:
        plain = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        seen[request.method] = plain
        raise ConnectTimeoutError(endpoint_url="")

    storage = swift_bucket.open(s3_endpoint="https://s3.example.com")
    storage.client.meta.events.register("before-send.s3", look)
    with pytest.raises(StorageUnreachable):
        storage.put(video(1000), KEY, META)
    headers = seen["PUT"]
    assert headers["content-md5"] and headers["content-length"] == "1000"
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD", "TLS and the MD5 protect it"
    assert not {"transfer-encoding", "content-encoding", "x-amz-trailer", "x-amz-sdk-checksum-algorithm"} & set(headers)


@pytest.mark.parametrize("given", [{}, {"s3_region": "cn-north-1"}])
def test_aws_itself_gets_version_4_as_well(swift_bucket: Bucket, given: dict[str, str]) -> None:
    """Where boto3 by itself would sign in the old way."""
    link = swift_bucket.open(s3_endpoint=None, **given).link(KEY, META, DAY)
    host = urlsplit(link.url).hostname or ""
    assert "X-Amz-Signature=" in link.url and ".amazonaws.com" in host
    assert given.get("s3_region", "amazonaws") in host


def test_temporary_credentials_end_their_links(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    end = datetime.now(UTC) + timedelta(minutes=30)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", end.isoformat())
    storage = swift_bucket.open()
    link = storage.link(KEY, META, DAY)
    assert link.capped and link.expires == pytest.approx(end.timestamp(), abs=1)
    assert int(parse_qs(urlsplit(link.url).query)["X-Amz-Expires"][0]) <= 1800
    short = storage.link(KEY, META, 600)
    assert not short.capped and short.expires == pytest.approx(time.time() + 600, abs=2)


def test_ended_credentials_make_no_link(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = swift_bucket.open()
    monkeypatch.setattr("storage.s3.end_of", lambda credentials: time.time() - 1)
    with pytest.raises(StorageRefused, match="temporary credentials have ended"):
        storage.link(KEY, META, DAY)
