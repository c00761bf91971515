"""The storage and the notices, tried at a press: what is well, what is not and what to do."""

from __future__ import annotations

import threading
from typing import Any

from loguru import logger

from heygem.errors import HeyGemError, OptionInvalid
from heygem.finding import Finding
from heygem.notify import CHANNELS, send_test
from heygem.settings import Settings
from storage import missing, open_storage
from ui.browser import live
from ui.desk import Desk
from ui.files import problem
from ui.template import plain
from ui.words import WORDS, explain, say, told

_LABELS = ("check_title", "check_storage", "check_start", "notice_channels", "notice_test")


class Checks:
    """Builds the sheet in the current block and answers its browsers. One check runs at a time, and all see it."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._settings = desk, desk.settings
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._findings: list[Finding] = []
        self._channels = channels(desk.settings)
        live("checks", self.answer, desk)

    def answer(self, question: dict[str, Any], language: str) -> dict[str, Any]:
        """What the browser shows. question: do, "check" or "notice", then with the name of a channel."""
        try:
            if question.get("do") == "check":
                self.start()
            sent = self._sent(str(question.get("channel")), language) if question.get("do") == "notice" else {}
            return plain({**self._state(language), **sent})
        except Exception as error:
            return plain(problem(error, language, self._desk.log.name))

    def start(self) -> None:
        """Begins a check, unless one goes on."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._findings = []
                self._thread = threading.Thread(target=self._check, name="heygem-check", daemon=True)
                self._thread.start()

    def _check(self) -> None:
        try:
            for finding in open_storage(self._settings).check():
                self._findings.append(finding)
        except HeyGemError as error:
            self._findings.append(Finding("settings", "missing", error.message, error.hint))
        except Exception:
            logger.exception("the storage could not be checked")
            self._findings.append(Finding("settings", "missing", "unexpected", ""))

    def _state(self, language: str) -> dict[str, Any]:
        going = self._thread is not None and self._thread.is_alive()
        found = list(self._findings)
        return {
            "storage": where(self._settings, language),
            "going": going,
            "summary": _summary(found, going, language),
            "findings": [_row(finding, language) for finding in found],
            "channels": [
                {**channel, "title": say(f"channel_{channel['name']}", language), **_refused(channel, language)}
                for channel in self._channels
            ],
            "none": "" if self._channels else say("notice_none", language),
            "words": {label: say(label, language) for label in _LABELS},
        }

    def _sent(self, channel: str, language: str) -> dict[str, Any]:
        outcome = send_test(self._settings, channel)
        if isinstance(outcome, HeyGemError):
            logger.warning("the test by {} failed: {}", channel, outcome.message)
            return {"said": {"channel": channel, **problem(outcome, language, self._desk.log.name)}}
        return {"said": {"channel": channel, "text": say("notice_sent", language)}}


def where(settings: Settings, language: str) -> str:
    """Where results are shared from."""
    return say("check_local", language) if settings.storage == "local" else place(settings, language)


def place(settings: Settings, language: str) -> str:
    """The bucket and the host it is at."""
    host = (settings.s3_endpoint or "https://AWS").partition("://")[2]
    return say("place_bucket", language, host=host, bucket=settings.s3_bucket or "?")


def lacking(settings: Settings) -> list[str]:
    """The variables that must be set before anything can be uploaded. Without a cloud nobody is asked for credentials:
    that could leave this machine."""
    if settings.storage == "s3":
        return missing(settings)
    return ["HEYGEM_STORAGE=s3", *([] if settings.s3_bucket else ["HEYGEM_S3_BUCKET"])]


def channels(settings: Settings) -> list[dict[str, Any]]:
    """Those that are set: name and target, or the error of one that is set wrongly."""
    found: list[dict[str, Any]] = []
    for name, kind in CHANNELS.items():
        try:
            if channel := kind.open(settings):
                found.append({"name": name, "target": channel.target})
        except OptionInvalid as error:
            found.append({"name": name, "code": error.code, "details": error.details})
    return found


def _refused(channel: dict[str, Any], language: str) -> dict[str, str]:
    if "code" not in channel:
        return {}
    if channel["details"]["value"] == "empty":
        return {"problem": say("notice_lacks", language, what=channel["details"]["option"])}
    message, hint = explain(channel["code"], channel["details"], language)
    return {"problem": message, "remedy": hint}


def _row(finding: Finding, language: str) -> dict[str, str]:
    key = f"finding_{finding.name}"
    name = say(key, language) if key in WORDS else finding.name
    said = {"found": told(finding.found, language), "remedy": told(finding.remedy, language)}
    return {"name": name, "state": finding.state, **said}


def _summary(found: list[Finding], going: bool, language: str) -> dict[str, str]:
    if going:
        return {"level": "looking", "text": say("check_going", language)}
    states = [finding.state for finding in found]
    if bad := states.count("missing"):
        return {"level": "bad", "text": say("check_bad", language, n=bad)}
    if notes := states.count("note"):
        return {"level": "warn", "text": say("check_notes", language, n=notes)}
    return {"level": "good", "text": say("check_all_well", language)} if states else {}
