"""Errors of the store in our words. What the server says itself is not passed on: it may repeat what it was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from heygem.errors import HeyGemError, StorageDamaged, StorageMissing, StorageRefused, StorageUnreachable
from storage.credentials import VARIABLES

_UNKNOWN, _SECRET = "the access key is not known there", "the secret key does not fit, or the region is wrong"
_RIGHT, _ENDED = "these credentials are wrong or lack the right", "the temporary credentials have ended"
_BUCKET, _REGION = "there is no such bucket", "the bucket lies in another region"
_CLOCK, _QUOTA = "the clock of this machine is wrong", "its quota is used up"
_LARGE, _NOT_OFFERED = "the file is too large for it", "it does not offer this"
_CHANGED = "the store found other data than was sent"
_CERTIFICATE, _TIME = "its certificate is not valid", "it did not answer in time"
_CONNECT, _BROKEN = "it cannot be reached", "the connection broke off"
REASONS = (
    _UNKNOWN, _SECRET, _RIGHT, _ENDED, _BUCKET, _REGION, _CLOCK, _QUOTA, _LARGE, _NOT_OFFERED, _CHANGED, _CERTIFICATE,
    _TIME, _CONNECT, _BROKEN,
)  # fmt: skip

GONE = ("NoSuchKey", "NoSuchUpload", "404")
_REFUSALS = {
    "InvalidAccessKeyId": _UNKNOWN,
    "SignatureDoesNotMatch": _SECRET,
    "AccessDenied": _RIGHT,
    "AllAccessDisabled": _RIGHT,
    "Forbidden": _RIGHT,
    "403": _RIGHT,
    "ExpiredToken": _ENDED,
    "InvalidToken": _ENDED,
    "TokenRefreshRequired": _ENDED,
    "NoSuchBucket": _BUCKET,
    "404": _BUCKET,
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "RequestTimeTooSkewed": _CLOCK,
    "QuotaExceeded": _QUOTA,
    "InsufficientStorage": _QUOTA,
    "507": _QUOTA,
    "EntityTooLarge": _LARGE,
    "413": _LARGE,
    "NotImplemented": _NOT_OFFERED,
    "MethodNotAllowed": _NOT_OFFERED,
    "501": _NOT_OFFERED,
}
_DAMAGE = ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "InvalidPart")
_PASSING = (
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "OperationAborted",
    "NoSuchUpload",
)
_CONNECTIONS = (
    (boto.SSLError, StorageRefused, _CERTIFICATE),
    ((boto.ConnectTimeoutError, boto.ReadTimeoutError), StorageUnreachable, _TIME),
    ((boto.EndpointConnectionError, boto.ProxyConnectionError), StorageUnreachable, _CONNECT),
    (boto.HTTPClientError, StorageUnreachable, _BROKEN),
    ((boto.CredentialRetrievalError, boto.MetadataRetrievalError), StorageUnreachable, _ENDED),
)


@contextmanager
def told(place: str, name: str = "") -> Iterator[None]:
    """Errors of boto3 inside of it become ours. place: the bucket. name: the file that is under way."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, place, name) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound) as error:
        raise StorageMissing(what="AWS_PROFILE" if isinstance(error, boto.ProfileNotFound) else VARIABLES) from error
    except BotoCoreError as error:
        for kinds, ours, reason in _CONNECTIONS:
            if isinstance(error, kinds):
                raise ours(place=place, reason=reason) from error
        raise StorageRefused(place=place, reason=type(error).__name__) from error


def code_of(error: ClientError) -> str:
    """Its name; the status of the answer where that had no body, as answers to HEAD."""
    return str(error.response.get("Error", {}).get("Code") or status_of(error))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _of_answer(error: ClientError, place: str, name: str) -> HeyGemError:
    code, status = code_of(error), status_of(error)
    if code in _DAMAGE:
        return StorageDamaged(name=name or place, reason=_CHANGED)
    if code in _REFUSALS:
        return StorageRefused(place=place, reason=_REFUSALS[code])
    if status >= 500 or status == 429 or code in _PASSING:
        return StorageUnreachable(place=place, reason=f"HTTP {status}")
    return StorageRefused(place=place, reason=f"{code}, HTTP {status}")
