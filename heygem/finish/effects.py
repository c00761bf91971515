"""All that a wish asks for, in its order: background, enhance, subtitles, logo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from heygem.errors import OptionInvalid
from heygem.finish.base import Effect, Finish
from heygem.media.frame import Frame


def check(wish: Finish, device: str = "auto") -> None:
    """Raises what is wrong with the device, the files of a wish, fonts and weights, before any work."""
    if device not in ("auto", "cpu", "cuda"):
        raise OptionInvalid(option="device", value=device, allowed="auto, cpu or cuda")
    if wish.background:
        from heygem.finish import background

        background.check(wish)
    if wish.enhance:
        from heygem.finish import enhance

        enhance.check(device)
    if wish.subtitles:
        from heygem.finish import subtitles

        subtitles.check(wish)
    if wish.logo:
        from heygem.finish import logo

        logo.check(Path(wish.logo))


class Effects:
    """Changes the frames of one film of ``frames`` frames, given in order. A context manager; raises as ``check``."""

    def __init__(self, wish: Finish, size: tuple[int, int], fps: Fraction, frames: int, device: str = "auto") -> None:
        self._opened = ExitStack()
        self._effects: list[Effect] = []
        self._beside = unseen(wish, float(frames / fps))
        try:
            for effect in _made(wish, size, fps, frames, device):
                self._effects.append(effect)
                self._opened.callback(effect.close)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Effects:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Frees what the effects hold. Safe to call twice."""
        self._opened.close()

    def __call__(self, number: int, frame: Frame) -> Frame:
        """The frame ``number`` (0, 1, 2 …), changed in place or new, of the same size."""
        for effect in self._effects:
            frame = effect(number, frame)
        return frame

    @property
    def notes(self) -> dict[str, str]:
        """Effect -> what did it."""
        return {effect.name: effect.note for effect in self._effects}

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the frames so far."""
        return [*self._beside, *(warning for effect in self._effects for warning in getattr(effect, "warnings", ()))]


def unseen(wish: Finish, seconds: float) -> list[str]:
    """What the user should know of a track of subtitles beside a film of this length. Raises SubtitlesUnusable."""
    if not wish.tracked:
        return []
    from heygem.finish import subtitles

    return subtitles.late(Path(wish.subtitles), seconds)


def _made(wish: Finish, size: tuple[int, int], fps: Fraction, frames: int, device: str) -> Iterator[Effect]:
    if wish.background:
        from heygem.finish.background import Background

        yield Background(wish, size, fps)
    if wish.enhance:
        from heygem.finish.enhance import Enhancer

        yield Enhancer(wish.enhance, device)
    if wish.subtitles and wish.captions == "burn":
        from heygem.finish.subtitles import Burned

        yield Burned(Path(wish.subtitles), size, fps, frames, wish.font, wish.subtitle_size)
    if wish.logo:
        from heygem.finish.logo import Logo

        yield Logo(wish, size)
