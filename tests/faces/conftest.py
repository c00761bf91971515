"""Pictures and clips with known truth, made of one public-domain portrait."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from heygem.faces.track import Tracker
from heygem.media.frame import Frame
from heygem.media.writer import VideoWriter


@pytest.fixture(scope="session")
def woman() -> np.ndarray:
    """(256, 256, 3) RGB: a face about 100 px wide."""
    from skimage.data import astronaut

    return np.ascontiguousarray(astronaut()[:256, 96:352])


@pytest.fixture(scope="session")
def stranger(woman: np.ndarray) -> np.ndarray:
    """Somebody else: the same face much longer and of another skin."""
    tall = cv2.resize(woman, (256, 340), interpolation=cv2.INTER_AREA)[:256]
    return np.clip(tall * np.array([0.55, 0.75, 1.0]), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def open_tracker() -> Iterator[Tracker]:
    with Tracker(most=2) as tracker:
        yield tracker


@pytest.fixture
def tracker(open_tracker: Tracker) -> Tracker:
    """A tracker that follows two faces and has seen nothing."""
    open_tracker.reset()
    return open_tracker


def place(picture: np.ndarray, size: tuple[int, int], at: tuple[float, float], scale: float = 1.0) -> np.ndarray:
    """``picture`` on grey of ``size`` (w, h) with its upper left corner ``at`` (x, y), ``scale`` times as large."""
    where = np.array([[scale, 0, at[0]], [0, scale, at[1]]])
    grey = np.full((size[1], size[0], 3), 110, np.uint8)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(picture, where, size, dst=grey, flags=flags, borderMode=cv2.BORDER_TRANSPARENT)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Writes pictures (RGB) to a clip and returns its path."""

    def write(pictures: Iterable[np.ndarray], name: str = "clip.mp4", fps: int = 25) -> Path:
        pictures = list(pictures)
        height, width = pictures[0].shape[:2]
        with VideoWriter(tmp_path / name, Fraction(fps), (width, height), quality="draft") as writer:
            for picture in pictures:
                writer.write(Frame.of(picture))
        return tmp_path / name

    return write
