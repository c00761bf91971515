"""Any store that speaks S3. Always signature v4: without it boto3 would still sign links in the old way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from heygem import __version__
from heygem.errors import FileMissing, OutputError, StorageDamaged, StorageRefused
from heygem.finding import Finding
from heygem.settings import Settings
from storage import cdn
from storage.base import DEAD_DAYS, Item, Link, Meta, Progress, checked, disposition, ends, short_hash, silent
from storage.credentials import end_of
from storage.facts import Card, Facts, read
from storage.faults import GONE, code_of, told
from storage.lifecycle import add_md5
from storage.multipart import Upload, fits
from storage.sending import count_only_what_is_sent, limit

MIB = 1 << 20
_SHA256 = "sha256"


class S3:
    """Threads may share one. client: of boto3, for the parts of this package."""

    name = "s3"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.bucket = settings.s3_bucket or ""
        self._cards = settings.home / "sending"  # a folder of its own: that of uploads is served to browsers
        self.place = f"{self.bucket} @ {urlsplit(settings.s3_endpoint or 'https://AWS').netloc}"
        with told(self.place):
            session = boto3.Session()
            self.credentials: Any = session.get_credentials()
            self.client = _connect(session, settings, settings.s3_endpoint)
            own = settings.s3_link_endpoint
            self._signer = _connect(session, settings, own) if own else self.client

    def put(self, file: Path, key: str, meta: Meta, progress: Progress = silent) -> Item:
        card = self._card(key)
        facts = self._facts(file, card, key, progress)
        with told(self.place, file.name):
            if facts.upload and (item := self._arrived(key, facts)):  # killed after the end, before it was noted
                card.remove()
                return item
            upload = Upload(
                self.client,
                self._at(key),
                self._extra(meta, facts),
                limit(self.settings.upload_limit_mb_s),
                self.settings.s3_parts_at_once,
            )

            def watched(done: int, total: int) -> None:
                if not facts.fit(file):  # a body that ends early would leave the store waiting for the rest
                    raise StorageDamaged(name=file.name, reason="the file has changed meanwhile")
                progress(done, total)

            if len(facts.md5s) == 1:
                upload.small(file, facts, watched)
            else:
                upload.large(file, facts, card, watched)
            return self._verified(file, key, facts, card)

    def link(self, key: str, meta: Meta, seconds: int) -> Link:
        latest, allowed = ends(seconds)
        with told(self.place):
            if self.settings.cdn_key_id:
                return Link(cdn.signed(self.settings, checked(key), meta, latest), latest, allowed < seconds)
            end = min(latest, end_of(self.credentials) or latest)
            if end <= time.time():
                raise StorageRefused(place=self.place, reason="the temporary credentials have ended")
            shape = {"ResponseContentDisposition": disposition(meta.name), "ResponseContentType": meta.kind}
            url = self._signer.generate_presigned_url(
                "get_object", Params={**self._at(key), **shape}, ExpiresIn=max(int(end - time.time()), 1)
            )
        return Link(cdn.moved(self.settings, url), end, end < latest or allowed < seconds)

    def exists(self, key: str) -> Item | None:
        with told(self.place):
            found = self._head(key)
        return None if found is None else Item(key, found["ContentLength"], _sha256_of(found))

    def delete(self, key: str) -> None:
        card = self._card(key)
        facts = card.read()
        with told(self.place):
            if facts:
                Upload(self.client, self._at(key)).abort(facts)
                card.remove()
            self.client.delete_object(**self._at(key))

    def check(self) -> Iterator[Finding]:

        from storage.check import check

        return check(self)

    def sweep(self) -> int:
        oldest = time.time() - DEAD_DAYS * 86400
        for file in self._cards.glob("*"):
            with suppress(FileNotFoundError):
                if file.stat().st_mtime < oldest:
                    file.unlink()
        given_up = 0
        with told(self.place):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(**self.ours)
            for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
                if upload["Initiated"].timestamp() < oldest:
                    self.client.abort_multipart_upload(**self._at(upload["Key"]), UploadId=upload["UploadId"])
                    given_up += 1
        return given_up

    @property
    def ours(self) -> dict[str, str]:
        """The part of the bucket that is ours."""
        return {"Bucket": self.bucket, "Prefix": f"{self.settings.s3_prefix}/"}

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": checked(key)}

    def _card(self, key: str) -> Card:
        name = short_hash(self.settings.s3_endpoint or "", self.bucket, checked(key))
        return Card(self._cards / f"{name}.json")

    def _facts(self, file: Path, card: Card, key: str, progress: Progress) -> Facts:
        """What a killed process left, where the file is still the same; else what is read now."""
        if not file.is_file():
            raise FileMissing(name=file.name)
        known = card.read()
        if known and known.fit(file):
            return known
        if known:  # another file under the same key: the store forgets the parts of the first
            Upload(self.client, self._at(key)).abort(known)
            card.remove()
        size = file.stat().st_size
        facts = read(file, self.settings.s3_part_mb * MIB, lambda: progress(0, size))
        with suppress(OutputError):  # an outage may need many tries; without a card each of them reads anew
            card.write(facts)
        return facts

    def _extra(self, meta: Meta, facts: Facts) -> dict[str, Any]:
        """What the object shall be besides its bytes."""
        extra: dict[str, Any] = {
            "ContentType": meta.kind,
            "ContentDisposition": disposition(meta.name),
            "Metadata": {_SHA256: facts.sha256},
        }
        kind, _, key = (self.settings.s3_sse or "").partition("aws:kms:")
        if key or kind:
            extra["ServerSideEncryption"] = "aws:kms" if key else kind
        if key:
            extra["SSEKMSKeyId"] = key
        return extra

    def _head(self, key: str) -> dict[str, Any] | None:
        try:
            return self.client.head_object(**self._at(key))
        except ClientError as error:
            if code_of(error) in GONE:
                return None
            raise

    def _arrived(self, key: str, facts: Facts) -> Item | None:
        """The object, where it is there with all that was sent. Some rights let nobody ask for what is not there."""
        try:
            found = self._head(key)
        except ClientError:
            return None
        return None if not found or _differs(found, facts) else Item(key, facts.size, facts.sha256)

    def _verified(self, file: Path, key: str, facts: Facts, card: Card) -> Item:
        """What is there is compared with what was sent; what differs is removed."""
        found = self._head(key)
        wrong = "it is not there" if found is None else _differs(found, facts)
        card.remove()
        if wrong:
            self.client.delete_object(**self._at(key))
            raise StorageDamaged(name=file.name, reason=wrong)
        return Item(key, facts.size, facts.sha256)


def _sha256_of(found: dict[str, Any]) -> str | None:
    """Stores write the names of metadata as they like: sha256, Sha256."""
    return {name.lower(): value for name, value in found.get("Metadata", {}).items()}.get(_SHA256)


def _differs(found: dict[str, Any], facts: Facts) -> str:
    """What is wrong with an object; nothing where all is well. Its parts were compared when they were sent."""
    if found["ContentLength"] != facts.size:
        return "it has another size there"
    opaque = facts.opaque or str(found.get("ServerSideEncryption", "")).startswith("aws:kms")
    if _sha256_of(found) not in (None, facts.sha256) or (
        len(facts.md5s) == 1 and not fits(found.get("ETag", ""), facts.md5s[0], opaque)
    ):
        return "it has another checksum there"
    return ""


def _leave_out(bucket: str, request: AWSRequest, **_: Any) -> None:
    """The domain stands for the bucket, so paths begin with the key. boto3 has no style for that."""
    parts = urlsplit(str(request.url))
    request.url = urlunsplit(parts._replace(path=parts.path.removeprefix(bucket) or "/"))


def _connect(session: boto3.Session, settings: Settings, endpoint: str | None) -> Any:
    """Checksums only where S3 demands them: many stores do not know the new ones."""
    own = settings.s3_addressing == "domain"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if own else settings.s3_addressing},
        retries={"mode": "standard", "total_max_attempts": 6},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=3 * settings.s3_parts_at_once + 4,
        user_agent_extra=f"HeyGem/{__version__}",
    )
    client = session.client("s3", endpoint_url=endpoint, region_name=settings.s3_region, config=config)
    count_only_what_is_sent(client)
    if own:
        client.meta.events.register("before-sign.s3", partial(_leave_out, f"/{settings.s3_bucket}"))
    client.meta.events.register("before-call.s3.PutBucketLifecycleConfiguration", add_md5)
    return client
