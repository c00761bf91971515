"""A large file in parts. What a killed process sent stays: the store is asked which parts it has, the rest follows."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from heygem.errors import Cancelled, StorageDamaged
from storage.base import Progress
from storage.facts import Card, Facts
from storage.faults import GONE, code_of
from storage.sending import Limit, Meter, body, carry


class Upload:
    """One object. place: Bucket and Key. extra: what the object shall be besides its bytes. at_once: parts under way
    at a time; so many begin anew after a kill."""

    def __init__(
        self,
        client: Any,
        place: Mapping[str, str],
        extra: Mapping[str, Any] | None = None,
        limit: Limit | None = None,
        at_once: int = 1,
    ) -> None:
        self._client, self._place, self._extra = client, dict(place), dict(extra or {})
        self._limit, self._at_once = limit, at_once

    def small(self, file: Path, facts: Facts, progress: Progress) -> None:
        """In one request."""
        meter = Meter(0, self._limit)

        def send() -> str:
            with body(file, 0, facts.size, meter) as content:
                self._client.put_object(
                    **self._place, **self._extra, Body=content, ContentLength=facts.size, ContentMD5=_md5(facts, 1)
                )
            return ""

        carry({1: send}, meter, facts.size, progress)

    def large(self, file: Path, facts: Facts, card: Card, progress: Progress) -> None:
        """In parts. Raises StorageDamaged and, where ``progress`` does, Cancelled: then the store forgets all parts."""
        there = self._there(facts)
        if there is None:
            facts, there = self._begin(facts, card), {}
        meter = Meter(sum(map(facts.length, there)), self._limit)
        lacking = [number for number in range(1, len(facts.md5s) + 1) if number not in there]
        progress(meter.bytes, facts.size)
        sends = {number: partial(self._part, file, facts, number, meter) for number in lacking}
        try:
            sent = carry(sends, meter, facts.size, progress, self._at_once)
        except Cancelled:
            self.abort(facts)
            card.remove()
            raise
        self._complete(facts, {**there, **sent})

    def abort(self, facts: Facts) -> None:
        """The store forgets what it has of this upload; where it cannot be told now, ``sweep`` does it later."""
        if facts.upload:
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(**self._place, UploadId=facts.upload)

    def _begin(self, facts: Facts, card: Card) -> Facts:
        answer = self._client.create_multipart_upload(**self._place, **self._extra)
        opaque = str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
        facts = replace(facts, upload=answer["UploadId"], opaque=opaque)
        card.write(facts)
        return facts

    def _there(self, facts: Facts) -> dict[int, str] | None:
        """Whole and right parts: number -> ETag. None where the store knows nothing of this upload (any more)."""
        if not facts.upload:
            return None
        found = {}
        try:
            for page in self._client.get_paginator("list_parts").paginate(**self._place, UploadId=facts.upload):
                for part in page.get("Parts", []):
                    number, tag = part["PartNumber"], part["ETag"]
                    right = number <= len(facts.md5s) and part["Size"] == facts.length(number)
                    if right and fits(tag, facts.md5s[number - 1], facts.opaque):
                        found[number] = tag
        except ClientError as error:
            if code_of(error) in GONE:
                return None
            raise
        return found

    def _part(self, file: Path, facts: Facts, number: int, meter: Meter) -> str:
        start, size = (number - 1) * facts.part, facts.length(number)
        with body(file, start, size, meter) as content:
            tag = self._client.upload_part(
                **self._place,
                UploadId=facts.upload,
                PartNumber=number,
                Body=content,
                ContentLength=size,
                ContentMD5=_md5(facts, number),
            )["ETag"]
        if not fits(tag, facts.md5s[number - 1], facts.opaque):
            raise StorageDamaged(name=file.name, reason="the store found other data than was sent")
        return tag

    def _complete(self, facts: Facts, tags: Mapping[int, str]) -> None:
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(tags.items())]
        try:
            self._client.complete_multipart_upload(
                **self._place, UploadId=facts.upload, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            if code_of(error) not in GONE:  # gone: an answer was lost and the request repeated; who verifies will see
                raise


def fits(tag: str, md5: str, opaque: bool) -> bool:
    """Does the ETag speak for this content? One that is no MD5 says nothing, so it does not speak against it."""
    bare = tag.strip('"').lower()
    return opaque or not re.fullmatch(r"[0-9a-f]{32}", bare) or bare == md5


def _md5(facts: Facts, number: int) -> str:
    """As Content-MD5 has it: the store compares what arrives."""
    return base64.b64encode(bytes.fromhex(facts.md5s[number - 1])).decode()
