"""The result of the service: found, looked at, and only then the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from heygem.engines.remote.folder import Corner
from heygem.engines.remote.service import Lost, Service
from heygem.engines.remote.watch import Watch
from heygem.errors import InputError, RemoteUnusable
from heygem.media.probe import VideoInfo, probe
from heygem.media.reader import count_frames

TRIES, PAUSE = 3, 2.0
"""How often it is looked for, and the seconds in between: shared folders of a network show files late."""
SHORT = 0.9
"""Share of the sound, half a second besides, that a result lasts at least."""
_REST = re.compile(r"[\w.-]{1,100}", re.ASCII)  # of a name, behind the code


class Result:
    """named: the path that the service says. Only its last part counts, where it begins with the code of the task (else
    the name that every version gives): it is looked for in the shared folder, then at the address of the service."""

    def __init__(self, named: str, service: Service, corner: Corner, watch: Watch) -> None:
        self._named, self._service, self._corner, self._watch = named, service, corner, watch

    def publish(self, out: Path, seconds: float) -> tuple[VideoInfo, int]:
        """Writes ``out``, whole or not at all; its picture and number of frames. seconds: how long the sound is.

        Raises RemoteUnusable, RemoteFolderUnusable."""
        part = out.with_name(out.name + ".part")
        why = "the file is not there, neither in the shared folder nor at its address"
        try:
            for turn in range(TRIES):
                self._watch.pause(PAUSE if turn else 0)
                for name, path in self._places():
                    try:
                        if self._brought(name, path, part):
                            found = look(part, seconds)
                            part.replace(out)
                            return found
                    except Lost as lost:
                        why = lost.reason
            raise RemoteUnusable(host=self._service.host, reason=why)
        finally:
            part.unlink(missing_ok=True)

    def _places(self) -> Iterator[tuple[str, str | None]]:
        """Where it may lie: (name, its path at the service, or None for the shared folder)."""
        said, code = PurePosixPath(self._named).name, self._corner.code
        fits = said.startswith(code) and _REST.fullmatch(said[len(code) :])
        name = said if fits else self._corner.result
        yield from ((name, path) for path in (None, f"/easy/{name}", f"/{name}"))

    def _brought(self, name: str, path: str | None, part: Path) -> bool:
        if path is not None:
            return self._service.download(path, part)
        if self._corner.there(name):
            self._corner.take(name, part)
            return True
        return False


def look(file: Path, seconds: float) -> tuple[VideoInfo, int]:
    """The picture and the number of frames of a film with sound that lasts as long as it should. Raises Lost."""
    try:
        found = probe(file)
        if found.video is None or found.video.still:
            raise Lost("there is no film in it")
        if found.sound is None:
            raise Lost("there is no sound in it")
        frames = count_frames(file)
    except InputError as error:
        raise Lost("it is damaged, cut short or in an unknown format") from error
    lasts = float(frames / found.video.fps)
    if lasts < SHORT * seconds - 0.5:
        raise Lost(f"it lasts {lasts:.1f} s, but the sound {seconds:.1f} s")
    return found.video, frames
