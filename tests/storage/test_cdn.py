"""Links through a CDN. CloudFront itself cannot be had here, so its rules are applied to the link by hand; a CDN that
hands everything on is a real proxy before a real store."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from heygem.errors import StorageMissing
from storage import Meta
from storage.base import MOST_SECONDS, disposition
from tests.storage.conftest import Bucket
from tests.storage.proxy import Proxy

KEY = "heygem/2026-11-21/batch/0123abcd-lesson-1.mp4"
META = Meta("王老师 第1课.mp4")
PRIVATE = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def given(tmp_path: Path, content: bytes) -> dict[str, object]:
    """The settings of CloudFront."""
    file = tmp_path / "cdn.pem"
    file.write_bytes(content)
    return {"cdn_url": "https://d1.cloudfront.example", "cdn_key_id": "K2JCJMDEHXQW5F", "cdn_key_file": file}


def unpacked(text: str) -> bytes:
    """CloudFront's own base64."""
    return base64.b64decode(text.replace("-", "+").replace("_", "=").replace("~", "/"))


def test_a_link_is_signed_as_cloudfront_demands(swift_bucket: Bucket, tmp_path: Path) -> None:
    link = swift_bucket.open(**given(tmp_path, pem(PRIVATE))).link(KEY, META, 86400)
    url, _, rest = link.url.partition("&Expires=")
    query = parse_qs(f"Expires={rest}")
    assert query["Key-Pair-Id"] == ["K2JCJMDEHXQW5F"]
    assert int(query["Expires"][0]) == link.expires == pytest.approx(time.time() + 86400, abs=3) and not link.capped
    condition = {"DateLessThan": {"AWS:EpochTime": int(link.expires)}}
    policy = json.dumps({"Statement": [{"Resource": url, "Condition": condition}]}, separators=(",", ":"))
    signature, public = unpacked(query["Signature"][0]), PRIVATE.public_key()
    public.verify(signature, policy.encode(), padding.PKCS1v15(), hashes.SHA1())
    with pytest.raises(InvalidSignature):
        public.verify(signature, policy.replace("lesson-1", "other").encode(), padding.PKCS1v15(), hashes.SHA1())
    parts = urlsplit(url)
    assert (parts.netloc, parts.path) == ("d1.cloudfront.example", f"/{KEY}")
    assert parse_qs(parts.query)["response-content-disposition"] == [disposition(META.name)]


def test_its_links_outlive_temporary_credentials_but_not_seven_days(
    swift_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.s3.end_of", lambda credentials: time.time() + 60)
    storage = swift_bucket.open(**given(tmp_path, pem(PRIVATE)))
    assert not storage.link(KEY, META, 86400).capped
    long = storage.link(KEY, META, 30 * 86400)
    assert long.capped and long.expires == pytest.approx(time.time() + MOST_SECONDS, abs=3)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n"])
def test_a_key_that_is_none_is_named(swift_bucket: Bucket, tmp_path: Path, content: bytes) -> None:
    storage = swift_bucket.open(**given(tmp_path, content))
    with pytest.raises(StorageMissing, match="HEYGEM_CDN_KEY_FILE"):
        storage.link(KEY, META, 60)


def test_a_cdn_without_a_key_hands_the_signed_link_on(
    swift_bucket: Bucket, proxy: Proxy, video: Callable[[int], Path]
) -> None:
    """It asks the store under the store's own name, as CDNs do."""
    proxy.host_header = urlsplit(swift_bucket.server.endpoint).netloc
    storage, file = swift_bucket.open(cdn_url=proxy.endpoint), video(1000)
    storage.put(file, KEY, META)
    assert proxy.seen == [], "uploads go to the store itself"
    link = storage.link(KEY, META, 86400)
    assert link.url.startswith(proxy.endpoint)
    assert httpx.get(link.url).content == file.read_bytes()
    assert httpx.get(link.url.replace("lesson-1", "lesson-2")).status_code == 403
    assert httpx.get(link.url.partition("?")[0]).status_code in (400, 403)
