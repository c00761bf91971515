"""The service elsewhere that makes takes for us (engine ``remote``)."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class RemoteMissing(HeyGemError):
    code = "remote.missing"
    template = "The engine remote is not set up; missing: {what}."
    remedy = "Set it as docs/remote.md says, or choose another engine."


class RemoteFolderUnusable(HeyGemError):
    code = "remote.folder"
    template = "The folder shared with the remote service cannot be used: {reason}."
    remedy = "Check HEYGEM_REMOTE_FOLDER: it must be there, and HeyGem must be allowed to write into it."


class RemoteRefused(HeyGemError):
    """Waiting does not help."""

    code = "remote.refused"
    template = "The remote service “{host}” refuses: {reason}."
    remedy = "Check HEYGEM_REMOTE_URL, and that the service sees HEYGEM_REMOTE_FOLDER as /code/data/temp."


class RemoteUnreachable(HeyGemError):
    """A later try may succeed."""

    code = "remote.unreachable"
    template = "The remote service “{host}” cannot be used now: {reason}."
    remedy = "Check that the service runs and that HEYGEM_REMOTE_URL is its address, then try again."


class RemoteFailed(HeyGemError):
    code = "remote.failed"
    template = "The remote service “{host}” could not make the video: {reason}."
    remedy = "Use a video of one person who faces the camera, or another engine; the log of the service says more."


class RemoteLost(HeyGemError):
    code = "remote.lost"
    template = "The remote service “{host}” no longer knows the task, and its result is not in the shared folder."
    remedy = "Try again: the service was started anew, or its last answer was lost. It says how a task ended only once."


class RemoteTimedOut(HeyGemError):
    code = "remote.timeout"
    template = "The remote service “{host}” took longer than the {minutes} minutes that it may."
    remedy = "See whether the service is stuck (its log says so), or let the administrator raise HEYGEM_REMOTE_MINUTES."


class RemoteUnusable(HeyGemError):
    code = "remote.unusable"
    template = "What the remote service “{host}” made cannot be used: {reason}."
    remedy = "Try again; if it stays so, look into the log of the service, and at the room on its disk."
