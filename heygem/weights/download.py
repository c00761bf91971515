"""Published weights from a hub: nothing without an explicit yes, and nothing twice that is here already.

A download goes on where it was interrupted, also after the process was killed. What came is compared with the size and
checksum in the table; for files without one in it with those that Hugging Face names in its answer.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from filelock import FileLock

from heygem.errors import DownloadFailed, OutputError, WeightsByHand, WeightsDamaged, WeightsUnusable
from heygem.settings import Settings
from heygem.weights.convert import Beat
from heygem.weights.licence import allow
from heygem.weights.store import Installed, WeightStore, sha256_of
from heygem.weights.table import File, Place, Weights, row

Tell = Callable[[int, int], None]
"""``tell(bytes that are here, bytes of all)``, 0 for an unknown size. It may raise: what is here then stays."""

_HUGGINGFACE, _MODELSCOPE = "https://huggingface.co", "https://www.modelscope.cn/models"
_WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try after a broken connection."""
_LONGEST_WAIT = 60.0
_REFUSALS = {
    401: "it asks for a login",
    403: "it refuses access",
    404: "the file is not there any more",
    429: "it takes no more requests for now",
}


@dataclass(frozen=True)
class Source:
    """Where a file of weights is fetched from, and what is known of it."""

    row: Weights
    url: str
    file: File

    def failed(self, reason: str) -> DownloadFailed:
        return DownloadFailed(name=self.row.name, host=httpx.URL(self.url).host, reason=reason, page=self.row.page)


def source(name: str, settings: Settings) -> Source:
    """Where weights come from with these settings. Raises WeightsByHand where HeyGem knows no place."""
    known = row(name)
    if known.address:
        return Source(known, known.address, known.files[0])
    hub: Place | None = getattr(known, settings.weights_hub)
    if hub is None:
        anywhere = known.huggingface or known.modelscope
        reason = "it is not known to be in this hub" if anywhere else "its authors publish it in no hub"
        raise WeightsByHand(name=name, file=known.files[0].name, page=known.page, reason=reason)
    base = _MODELSCOPE if settings.weights_hub == "modelscope" else settings.weights_mirror or _HUGGINGFACE
    called = hub.path.rpartition("/")[2]
    file = next(file for file in known.files if file.name == called)
    return Source(known, f"{base}/{hub.repo}/resolve/{hub.revision}/{hub.path}", file)


def download(
    name: str, settings: Settings, accepted: bool, rights: bool = False, tell: Tell = lambda done, total: None
) -> Installed:
    """Fetches, checks and installs weights. ``accepted``: somebody read the licence and said yes.

    Raises LicenceRefused, WeightsByHand, DownloadFailed, OutputError, and what ``WeightStore.add`` raises.
    """
    if not accepted:
        raise ValueError("nothing is downloaded without a yes")
    wanted, store = source(name, settings), WeightStore(settings.weights)
    allow(wanted.row, rights, settings)
    folder = settings.weights / "downloads" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if found := _same(store, wanted, rights):
                return found
            whole = folder / wanted.file.name
            Fetch(wanted, whole, settings, tell).run()
            size = whole.stat().st_size
            return _installed(store, whole, wanted.row, rights, lambda: tell(size, size))
    except OSError as error:
        raise OutputError(name=str(folder), reason=error.strerror or error) from error


def _same(store: WeightStore, wanted: Source, rights: bool) -> Installed | None:
    """What is installed, where it is the very file that would be fetched."""
    with suppress(WeightsDamaged):
        found = store.find(wanted.row.name)
        if found and found.facts.original_sha256 == wanted.file.sha256 and found.facts.rights >= rights:
            return found
    return None


def _installed(store: WeightStore, whole: Path, row: Weights, rights: bool, beat: Beat) -> Installed:
    """Installs the file that came. It stays where the disk is full or somebody stops, and goes where it is no use."""
    try:
        found = store.add(whole, row.name, rights, row.licence, beat)
    except WeightsUnusable:
        shutil.rmtree(whole.parent)
        raise
    shutil.rmtree(whole.parent)
    return found


class Fetch:
    """One file on its way: ``<name>.part`` beside where it goes, and ``<name>.json`` with what it is a part of."""

    def __init__(self, source: Source, whole: Path, settings: Settings, tell: Tell) -> None:
        self._source, self._whole, self._tell = source, whole, tell
        self._part, self._about = whole.with_name(f"{whole.name}.part"), whole.with_name(f"{whole.name}.json")
        self._proxy = settings.weights_proxy.get_secret_value() if settings.weights_proxy else None
        self._sha256 = source.file.sha256

    def run(self) -> None:
        """Tries until the file is whole; raises DownloadFailed where it never will be, or not now."""
        if self._whole.exists():  # it was not installed the last time
            self._whole.replace(self._part)
        waits = iter(_WAITS)
        with httpx.Client(proxy=self._proxy, follow_redirects=True, timeout=httpx.Timeout(30.0)) as client:
            while True:
                before = self._here()
                try:
                    self._stream(client)
                    break
                except httpx.TransportError as error:
                    if self._here() > before:
                        waits = iter(_WAITS)  # something came: it is worth to go on
                    wait = next(waits, None)
                    if wait is None:
                        raise self._source.failed(_broken(error)) from error
                    time.sleep(wait)
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise self._source.failed("its answer cannot be followed") from error
        self._check()
        self._part.replace(self._whole)

    def _here(self) -> int:
        """Bytes that are here of the very file that is asked for."""
        try:
            same = json.loads(self._about.read_text("utf-8"))["url"] == self._source.url
            return self._part.stat().st_size if same else 0
        except (FileNotFoundError, ValueError, KeyError):
            return 0

    def _stream(self, client: httpx.Client) -> None:
        here = self._here()
        if here and here == self._source.file.size:
            return
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={here}-"} if here else {})}
        with client.stream("GET", self._source.url, headers=headers) as answer:
            if answer.status_code == 416 and here:
                self._part.unlink()
                raise httpx.ReadError("begun anew")
            self._judge(answer)
            here = here if answer.status_code == 206 and _first_byte(answer) == here else 0
            total = self._total(answer, here)
            self._about.write_text(json.dumps({"url": self._source.url}), "utf-8")
            with self._part.open("ab" if here else "wb") as file:
                for chunk in answer.iter_raw():
                    file.write(chunk)
                    here += len(chunk)
                    self._tell(here, total)
            if here < total:
                raise httpx.ReadError("it ended early")

    def _judge(self, answer: httpx.Response) -> None:
        """Raises where this is not the file: at once where waiting does not help."""
        if answer.status_code in (429, 500, 502, 503, 504):
            time.sleep(min(_seconds(answer.headers.get("Retry-After", "")), _LONGEST_WAIT))
            raise _Later(answer)
        if answer.status_code not in (200, 206):
            raise self._source.failed(_refusal(answer))
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            raise self._source.failed("it answered with a web page")
        for one in (*answer.history, answer):
            named = one.headers.get("X-Linked-Etag", "").strip('"')
            if not self._sha256 and re.fullmatch(r"[0-9a-f]{64}", named):
                self._sha256 = named

    def _total(self, answer: httpx.Response, here: int) -> int:
        length = answer.headers.get("Content-Length", "")
        total, known = here + int(length) if length.isdigit() else 0, self._source.file.size
        if known and total and total != known:
            raise self._source.failed("the file there has another size than the published one")
        return known or total

    def _check(self) -> None:
        known, size = self._source.file.size, self._part.stat().st_size
        if known and size != known:
            self._part.unlink()
            raise self._source.failed("the file there has another size than the published one")
        if self._sha256 and sha256_of(self._part, lambda: self._tell(size, size)) != self._sha256:
            self._part.unlink()
            raise self._source.failed("its checksum is not that of the published file")


class _Later(httpx.TransportError):
    """The server answered that it cannot now."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(_refusal(answer))


def _refusal(answer: httpx.Response) -> str:
    return _REFUSALS.get(answer.status_code, f"it answered with status {answer.status_code}")


def _broken(error: httpx.TransportError) -> str:
    if isinstance(error, _Later):
        return str(error)
    if isinstance(error, httpx.TimeoutException):
        return "it did not answer in time"
    return "it cannot be reached" if isinstance(error, httpx.ConnectError) else "the connection broke off"


def _first_byte(answer: httpx.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
