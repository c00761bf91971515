"""Tries everything that an S3 store must do for us, with one small object that is removed again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import httpx

from heygem.errors import HeyGemError
from heygem.finding import Finding
from storage.base import Meta, disposition
from storage.credentials import end_of
from storage.faults import told
from storage.lifecycle import described

if TYPE_CHECKING:
    from storage.s3 import S3

META = Meta("HeyGem 检查.mp4")
SKEW = 60
"""Seconds that the clocks may differ: more makes links end early or late."""
_PART = 5 << 20


class Trial:
    """One object under our prefix. Each method returns what is well; what is not is a Finding or an error."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self._key = f"{s3.settings.s3_prefix}/check/{secrets.token_hex(8)}.mp4"

    def settings(self) -> str:
        chosen = self._s3.settings
        where = chosen.s3_endpoint or "AWS"
        region = self._s3.client.meta.region_name
        return f"bucket {chosen.s3_bucket} at {where}, region {region}, folder {chosen.s3_prefix}/"

    def credentials(self) -> str | Finding:
        found = self._s3.credentials
        with told(self._s3.place):
            end = end_of(found)
        if end is None and found.token is None:
            return f"from {found.method}"
        left = "nobody knows when" if end is None else f"in {(end - time.time()) / 3600:.1f} h"
        remedy = (
            "Links cannot outlive them; for longer links give HeyGem a lasting key with rights for this bucket alone."
        )
        return Finding("credentials", "note", f"from {found.method}, temporary: they end {left}", remedy)

    def write(self) -> str:
        with TemporaryDirectory() as folder:
            file = Path(folder, "check.mp4")
            file.write_bytes(secrets.token_bytes(1024))
            self._s3.put(file, self._key, META)
        return "an object was written and compared"

    def resume(self) -> str:
        """As an upload that is killed and goes on: begun, one part sent, the parts listed, given up."""
        client, at = self._s3.client, {"Bucket": self._s3.bucket, "Key": f"{self._key}.part"}
        with told(self._s3.place):
            upload = {**at, "UploadId": client.create_multipart_upload(**at)["UploadId"]}
            try:
                client.upload_part(**upload, PartNumber=1, Body=b"0" * _PART)
                there = [part["Size"] for part in client.list_parts(**upload).get("Parts", [])]
            finally:
                client.abort_multipart_upload(**upload)
        if there != [_PART]:
            return "parts are not listed: an upload that is interrupted begins anew"
        return "large uploads go on after an interruption"

    def link(self) -> str | Finding:
        link = self._s3.link(self._key, META, self._s3.settings.link_seconds)
        answer = _get(link.url, {"Range": "bytes=0-99"})
        if answer.status_code != 206 or len(answer.content) != 100:
            remedy = "Check HEYGEM_S3_REGION, HEYGEM_S3_ADDRESSING, HEYGEM_S3_LINK_ENDPOINT and HEYGEM_CDN_URL."
            return Finding("link", "missing", f"a new link answers HTTP {answer.status_code}, not 206", remedy)
        hours = f"{(link.expires - time.time()) / 3600:.1f} h"
        if answer.headers.get("content-disposition") != disposition(META.name):
            return Finding("link", "note", f"works for {hours}; names of downloads do not arrive", "")
        return f"works for {hours}, with ranges and the name of the download"

    def tampered(self) -> str | Finding:
        link = urlsplit(self._s3.link(self._key, META, 3600).url)
        changed = link.query.replace("Signature=", "Signature=0", 1)
        bare = self._s3.link(self._key, META, 3600).url.partition("?")[0]
        links = {"a changed link": urlunsplit(link._replace(query=changed)), "a link without its end": bare}
        for what, url in links.items():
            if _get(url).is_success:
                remedy = "Make the bucket private: now whoever knows an address can download, and links never end."
                return Finding("privacy", "missing", f"{what} works, too", remedy)
        return "changed links and links without a signature are refused"

    def clock(self) -> str | Finding:
        with told(self._s3.place):
            answer = self._s3.client.head_object(Bucket=self._s3.bucket, Key=self._key)
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        skew = abs(parsedate_to_datetime(said).timestamp() - time.time()) if said else 0
        if skew > SKEW:
            return Finding(
                "clock", "note", f"that of the store differs by {skew:.0f} s", "Set the clock of this machine by NTP."
            )
        return "as that of the store"

    def delete(self) -> str:
        self._s3.delete(self._key)
        gone = self._s3.exists(self._key) is None
        return "links can be revoked" if gone else "the store still shows what was deleted"

    def lifecycle(self) -> str | Finding:
        return described(self._s3)


def check(s3: S3) -> Iterator[Finding]:
    """All of it, each as soon as it is known; without the right to write the rest is not tried."""
    trial = Trial(s3)
    steps: dict[str, Callable[[], str | Finding]] = {
        "settings": trial.settings,
        "credentials": trial.credentials,
        "write": trial.write,
        "resume": trial.resume,
        "link": trial.link,
        "privacy": trial.tampered,
        "clock": trial.clock,
        "delete": trial.delete,
        "lifecycle": trial.lifecycle,
    }
    for name, step in steps.items():
        finding = _run(name, step)
        yield finding
        if name == "write" and finding.state == "missing":
            return


def _run(name: str, step: Callable[[], str | Finding]) -> Finding:
    try:
        found = step()
    except HeyGemError as error:
        return Finding(name, "missing", error.message, error.hint)
    except httpx.HTTPError as error:
        return Finding(name, "missing", f"the address of the link cannot be reached ({type(error).__name__})", "")
    return found if isinstance(found, Finding) else Finding(name, "ok", found)


def _get(url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, timeout=30)
