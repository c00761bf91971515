"""Finished videos on their way to the storage, and the links to them."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class StorageMissing(HeyGemError):
    code = "storage.missing"
    template = "The cloud storage is not set up; missing: {what}."
    remedy = "Set it as docs/storage.md says, then run “heygem storage check”."


class StorageRefused(HeyGemError):
    """Waiting does not help."""

    code = "storage.refused"
    template = "The storage “{place}” refuses: {reason}."
    remedy = "Run “heygem storage check”: it tries every right and says what to change."


class StorageUnreachable(HeyGemError):
    """A later try may succeed."""

    code = "storage.unreachable"
    template = "The storage “{place}” cannot be used now: {reason}."
    remedy = "Try again later; if it stays so, check the network of this machine and HEYGEM_S3_ENDPOINT."


class StorageDamaged(HeyGemError):
    """A later try may succeed: it sends again what differs."""

    code = "storage.damaged"
    template = "“{name}” did not arrive whole in the storage: {reason}."
    remedy = "Send it again; if it happens again, something between this machine and the storage changes data."


class LinkExpired(HeyGemError):
    code = "link.expired"
    template = "This link has expired."
    remedy = "Ask the person who sent it for a new one."


class LinkRefused(HeyGemError):
    code = "link.refused"
    template = "This link is not valid: it was cut short or changed."
    remedy = "Copy it again, whole, from where it came."
