"""Credentials: never settings of our own, only what boto3 finds (environment, profile, role of the machine)."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError

VARIABLES = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"


def found() -> bool:
    """Are there any?"""
    try:
        return boto3.Session().get_credentials() is not None
    except BotoCoreError:  # a profile that does not exist, or half of a pair of keys
        return False


def end_of(credentials: Any) -> float | None:
    """When they end, in seconds since the epoch; those that are about to are renewed first. None: not, or nobody knows.

    botocore keeps the time to itself, but a link that is signed with them ends with them.
    """
    credentials.get_frozen_credentials()
    ends = getattr(credentials, "_expiry_time", None)
    return ends.timestamp() if ends else None
