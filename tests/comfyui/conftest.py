"""A fake ComfyUI with the pack linked into it, its folders, and media in its input folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from heygem.comfyui_install import install
from heygem.media.sound import RATE
from tests.comfyui import fake_comfy
from tests.comfyui.engine import Core, Engine, load_pack, nodes_of
from tests.media.clips import wav

PACK = Path(__file__).parents[2] / "comfyui"


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The pack, through the link that heygem.comfyui_install makes."""
    home = tmp_path_factory.mktemp("comfy.ui")
    (home / "main.py").touch()
    for name in ("comfy", "custom_nodes"):
        (home / name).mkdir()
    fake_comfy.install(home)
    return load_pack(install(home))


@pytest.fixture(scope="session")
def nodes(pack: ModuleType) -> dict[str, Any]:
    return nodes_of(pack)


@pytest.fixture
def comfy(nodes: dict[str, Any], tmp_path: Path, avatar_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a ComfyUI of this test alone: input, output, temp."""
    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
    state = fake_comfy.STATE
    state.folder, state.bars, state.interrupt_at = tmp_path, [], None
    monkeypatch.setenv("HEYGEM_HOME", str(avatar_cache / "home"))
    yield tmp_path
    fake_comfy.unload_all_models()


@pytest.fixture
def filled(comfy: Path, portrait: Path, words: Path, clip: Path) -> Path:
    """The input folder with what the production lines name."""
    folder = comfy / "input"
    (folder / "person.mp4").write_bytes(clip.read_bytes())
    (folder / "portrait.png").write_bytes(portrait.read_bytes())
    (folder / "voice.wav").write_bytes(words.read_bytes())
    return folder


@pytest.fixture(scope="session")
def words(speech: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """0.8 s of a voice: 20 frames."""
    samples = speech[2 * RATE : 2 * RATE + 4 * RATE // 5]
    return wav(tmp_path_factory.mktemp("words") / "words.wav", samples, RATE, "-c:a", "pcm_s16le")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of the portrait in motion, 320x320."""
    from heygem import samples

    return samples.clip(tmp_path_factory.mktemp("clip") / "person.mp4", 1, (320, 320), 120)


@pytest.fixture
def engine(nodes: dict[str, Any], filled: Path) -> Engine:
    return Engine(nodes, core_nodes(filled.parent))


def core_nodes(comfy: Path) -> dict[str, Core]:
    """The nodes of ComfyUI itself that the production lines use."""
    import torch
    from PIL import Image

    api = sys.modules["comfy_api.latest"]

    def load_image(image: str) -> tuple[Any, Any]:
        picture = np.asarray(Image.open(comfy / "input" / image).convert("RGBA")) / np.float32(255)
        return torch.from_numpy(picture[None, ..., :3].copy()), 1 - torch.from_numpy(picture[None, ..., 3].copy())

    def load_audio(audio: str) -> tuple[Any]:
        import av

        with av.open(str(comfy / "input" / audio)) as container:
            blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
            rate = container.streams.audio[0].rate
        return (
            {"waveform": torch.from_numpy(np.concatenate(blocks, 1) / np.float32(32768))[None], "sample_rate": rate},
        )

    def save_video(video: Any, filename_prefix: str, **_: str) -> tuple[Path]:
        place = sys.modules["folder_paths"].get_save_image_path(filename_prefix, str(comfy / "output"))
        out = Path(place[0], f"{place[1]}_{place[2]:05}_.mp4")
        video.save_to(str(out))
        return (out,)

    return {
        "LoadVideo": lambda file: (api.InputImpl.VideoFromFile(str(comfy / "input" / file)),),
        "LoadImage": load_image,
        "LoadAudio": load_audio,
        "SaveVideo": save_video,
        "PreviewAny": lambda source: (source,),
    }
