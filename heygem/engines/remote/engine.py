"""The engine ``remote``: a face2face service of the HeyGem family makes the take; here it waits, is checked and kept.

The service knows files by a folder that both share. Nothing it says is believed of the result: the file is looked at
before it becomes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from heygem import settings
from heygem.engines.base import Made, Script, Style
from heygem.engines.remote.folder import Corner
from heygem.engines.remote.result import Result
from heygem.engines.remote.service import Service, host_of
from heygem.engines.remote.task import Task
from heygem.engines.remote.watch import Watch
from heygem.errors import EngineUnavailable, RemoteMissing
from heygem.media.probe import probe_video
from heygem.tick import Tick, silent


@dataclass(frozen=True)
class _Place:
    """Where the service is. minutes: what a take may take there, 0 for no limit."""

    url: str
    folder: Path
    minutes: float

    @classmethod
    def known(cls) -> _Place:
        """From the settings. Raises RemoteMissing."""
        found = settings.load()
        if found.remote_url is None or found.remote_folder is None:
            needed = {"HEYGEM_REMOTE_URL": found.remote_url, "HEYGEM_REMOTE_FOLDER": found.remote_folder}
            raise RemoteMissing(what=", ".join(name for name, value in needed.items() if value is None))
        return cls(found.remote_url, found.remote_folder, found.remote_minutes)


class RemoteEngine:
    """A ``Studio``."""

    def __init__(self, name: str = "remote") -> None:
        self.name = name

    def warm(self) -> None:
        """Has nothing to load."""

    def device(self, style: Style) -> str:
        """The host of the service. Raises RemoteMissing where none is set up, EngineUnavailable where a device of this
        machine is asked for."""
        if style.device != "auto":
            raise EngineUnavailable(engine=self.name, reason="it runs elsewhere; choose the device auto")
        return f"remote: {host_of(_Place.known().url)}"

    def make(self, script: Script, out: Path, tick: Tick = silent) -> Made:
        """Raises RemoteMissing, RemoteFolderUnusable, RemoteRefused, RemoteUnreachable, RemoteFailed, RemoteLost,
        RemoteTimedOut, RemoteUnusable. Where it ends early, the service goes on by itself: it knows no cancel."""
        place = _Place.known()
        watch = Watch(tick, host_of(place.url), place.minutes)
        warnings = [
            f"the option “{name}” was not followed: the service does not know it"
            for name, value in script.asked.items()
            if (name, value) != ("length", "loop")
        ]
        with Service(place.url, watch) as service, Corner(place.folder, watch) as corner:
            with watch.stage("send", "probe", 0, 1):
                asked = _asked(script, corner, warnings)
            task = Task(service, corner.code, watch, lambda: corner.there(corner.result))
            with watch.stage("wait", "render", 0, script.frames):
                task.begin(asked)
            with watch.stage("render", "render", 0, script.frames):
                named = task.end(_Progress(watch, script.frames))
            with watch.stage("finish", "finish", 0, 1):
                picture, frames = Result(named, service, corner, watch).publish(out, script.seconds)
        return Made(picture, frames, watch.seconds, warnings)


class _Progress:
    """Shows the share that the service tells as frames; never fewer than before."""

    def __init__(self, watch: Watch, frames: int) -> None:
        self._watch, self._frames, self._most = watch, frames, 0

    def __call__(self, share: float) -> None:
        self._most = max(self._most, int(share * self._frames))
        self._watch.show("render", self._most, self._frames)


def _asked(script: Script, corner: Corner, warnings: list[str]) -> dict[str, object]:
    """The request, once its files are where the service finds them."""
    still = probe_video(script.video).still
    if still:
        warnings.append("the photo was sent as a film that stands still")
    return {
        "video_url": corner.put_still(script.video, "video") if still else corner.put(script.video, "video"),
        "audio_url": corner.put(script.sound, "voice"),
        "pn": 0 if script.asked.get("length") == "loop" else 1,
        "chaofen": 0,
        "watermark_switch": 0,
        "digital_auth": 0,
    }
