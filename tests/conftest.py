"""What all tests share: a real face, a real voice, one cache of avatars, the folder of further media."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from heygem import bench, samples
from heygem.media.sound import RATE, load_sound
from tests.disks import Disk, small_disks

Figure = Callable[[str, str, str, bool], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--save", action="store_true", help="measure at full length; append the figures to benchmarks/RESULTS.md"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with tests in a browser come last: Playwright keeps an event loop in this thread, beside which nothing may
    run its own; those with many of them before those with few. Files with slow tests come first, so that no process
    ends up alone with one."""
    slow, browser = ({item.path for item in items if item.get_closest_marker(name)} for name in ("slow", "browser"))
    many = Counter(item.path for item in items if item.path in browser)
    items.sort(key=lambda item: (item.path in browser, item.path not in slow, -many[item.path]))


@pytest.fixture(scope="session")
def figure(request: pytest.FixtureRequest) -> Iterator[Figure]:
    """figure(what, value, aim, met): fails where the aim is missed; with --save all of them are written down."""
    found: list[dict[str, str | bool]] = []

    def figure(what: str, value: str, aim: str, met: bool) -> None:
        found.append({"what": what, "value": value, "aim": aim, "met": met})
        print(f"{what}: {value}, aim {aim}")
        assert met, f"{what}: {value}, aim {aim}"

    yield figure
    if found and request.config.getoption("--save"):
        command = "`python -m pytest -m slow tests/storage --save`, against OpenStack Swift on the same machine"
        bench.save({"kind": "delivery", **bench.where(), "clip": command, "found": found})


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
