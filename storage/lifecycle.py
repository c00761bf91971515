"""The bucket keeps itself tidy: results move to a cheaper class after 30 days, leave after 60, dead uploads after 3.

Only two rules with names of ours are written, for our folder; all others stay as they are.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from heygem.finding import Finding
from storage.base import DEAD_DAYS
from storage.faults import code_of, status_of, told

if TYPE_CHECKING:
    from storage.s3 import S3

COLD_DAYS, DELETE_DAYS = 30, 60
RESULTS, UPLOADS = "heygem-results", "heygem-uploads"
_NONE = "NoSuchLifecycleConfiguration"
_BY_HAND = f"Let “heygem storage sweep --older {DELETE_DAYS}” run once a day (cron)."
_MINIMUM = "TransitionDefaultMinimumObjectSize"


def setup(s3: S3) -> Iterator[Finding]:
    """Writes the rules, as many of them as the store takes; says which."""
    cold = s3.settings.s3_storage_class
    for transition, uploads in ((cold if _offers(s3, cold) else "", True), ("", True), ("", False)):
        with told(s3.place):
            try:
                _write(s3, _rules(s3, transition, uploads))
            except ClientError as error:
                if status_of(error) in (400, 405, 501) or code_of(error) in ("NotImplemented", "MethodNotAllowed"):
                    continue
                raise
        yield Finding("delete", "ok", f"results leave the bucket after {DELETE_DAYS} days")
        if transition:
            yield Finding("class", "ok", f"they move to {cold} after {COLD_DAYS} days")
        else:
            remedy = "Set HEYGEM_S3_STORAGE_CLASS to a name that this store knows; without, everything works the same."
            yield Finding("class", "note", f"this store has no class {cold}; results stay where they are", remedy)
        if uploads:
            yield Finding("uploads", "ok", f"uploads that broke off leave after {DEAD_DAYS} days")
        else:
            yield Finding("uploads", "note", "this store does not tidy up uploads that broke off", _BY_HAND)
        return
    yield Finding("lifecycle", "note", "this store takes no rules for its objects; nothing was changed", _BY_HAND)


def described(s3: S3) -> str | Finding:
    """What the bucket has of our rules."""
    with told(s3.place):
        try:
            ours = {rule["ID"]: rule for rule in _read(s3)["Rules"] if rule.get("ID") in (RESULTS, UPLOADS)}
        except ClientError as error:
            found = "these credentials may not look" if status_of(error) == 403 else "this store has no such rules"
            return Finding("lifecycle", "note", found, _BY_HAND)
    if RESULTS not in ours:
        return Finding("lifecycle", "note", "nothing leaves the bucket by itself", "Run “heygem storage setup” once.")
    return f"results leave after {ours[RESULTS].get('Expiration', {}).get('Days')} days"


def remove_old(s3: S3, days: float) -> int:
    """For stores without rules: removes what lies in our folder for longer. How many objects that were."""
    oldest, removed = time.time() - days * 86400, 0
    with told(s3.place):
        pages = s3.client.get_paginator("list_objects_v2").paginate(**s3.ours)
        for item in [item for page in pages for item in page.get("Contents", [])]:
            if item["LastModified"].timestamp() < oldest:
                s3.client.delete_object(Bucket=s3.bucket, Key=item["Key"])
                removed += 1
    return removed


def _offers(s3: S3, cold: str) -> bool:
    """Does the store know this class? Some take rules with classes that they do not have."""
    at = {"Bucket": s3.bucket, "Key": f"{s3.ours['Prefix']}check/{secrets.token_hex(8)}"}
    with told(s3.place):
        try:
            s3.client.put_object(**at, Body=b"", StorageClass=cold)
        except ClientError as error:
            if status_of(error) not in (400, 501):
                raise
            return False
        s3.client.delete_object(**at)
    return True


def _rules(s3: S3, transition: str, uploads: bool) -> list[dict[str, Any]]:
    common = {"Status": "Enabled", "Filter": {"Prefix": s3.ours["Prefix"]}}
    results: dict[str, Any] = {"ID": RESULTS, **common, "Expiration": {"Days": DELETE_DAYS}}
    if transition:
        results["Transitions"] = [{"Days": COLD_DAYS, "StorageClass": transition}]
    dead = {"ID": UPLOADS, **common, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": DEAD_DAYS}}
    return [results, dead] if uploads else [results]


def _read(s3: S3) -> dict[str, Any]:
    try:
        return {"Rules": [], **s3.client.get_bucket_lifecycle_configuration(Bucket=s3.bucket)}
    except ClientError as error:
        if code_of(error) == _NONE:
            return {"Rules": []}
        raise


def _write(s3: S3, rules: list[dict[str, Any]]) -> None:
    """The store replaces all rules at once, so those of others are read and written back."""
    known = _read(s3)
    others = [rule for rule in known["Rules"] if rule.get("ID") not in (RESULTS, UPLOADS)]
    kept = {_MINIMUM: known[_MINIMUM]} if _MINIMUM in known else {}
    s3.client.put_bucket_lifecycle_configuration(
        Bucket=s3.bucket, LifecycleConfiguration={"Rules": [*others, *rules]}, **kept
    )


def add_md5(params: dict[str, Any], **_: Any) -> None:
    """Many stores want this header with the rules; boto3 stopped sending it."""
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()
