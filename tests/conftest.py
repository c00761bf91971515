"""What all tests share: a real face, a real voice, one cache of avatars, the folder of further media."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from heygem import samples
from heygem.media.sound import RATE, load_sound
from tests.disks import Disk, small_disks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser come last: Playwright keeps an event loop in this thread, beside which nothing may run its
    own."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """The folder of real clips: HEYGEM_MEDIA or ../shared/media beside the project. Skips where there is none."""
    folder = Path(os.environ.get("HEYGEM_MEDIA") or Path(__file__).parents[2] / "shared" / "media")
    if not (folder / "manifest.tsv").is_file():
        pytest.skip("needs the media folder (../shared/media or HEYGEM_MEDIA), which is not here")
    return folder


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A public-domain photo of a smiling woman, 512x512 PNG."""
    return samples.portrait(tmp_path_factory.mktemp("portrait") / "portrait.png")


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """Eight seconds of a woman speaking English, float32 mono at 16 kHz."""
    return load_sound(samples.voice()).samples


@pytest.fixture(scope="session")
def voice(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of it as a WAV file: enough to speak, short enough for many tests."""
    from tests.media.clips import wav

    return wav(tmp_path_factory.mktemp("voice") / "voice.wav", speech[RATE : 3 * RATE], RATE, "-c:a", "pcm_s16le")


@pytest.fixture(scope="session")
def avatar_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of avatars for the whole session: the same face is analysed once."""
    return tmp_path_factory.mktemp("avatars")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Disk]]:
    """disk("64k"): a file system of this size, by itself."""
    yield from small_disks(tmp_path)
