"""What flows between nodes, and how it becomes a file: whole videos never become tensors here."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .compat import InputImpl, Types, io
from .paths import Fresh, temporary
from .running import plain_words

if TYPE_CHECKING:
    import numpy as np

    from heygem.pipeline import Options

HeyGemOptions = io.Custom("HEYGEM_OPTIONS")
"""A dict of options by their flat names, as Options and Style have them; "label" is for people."""
HeyGemAvatar = io.Custom("HEYGEM_AVATAR")
"""A dict: "video", the path of an analysed video or photo, and "face"."""
HeyGemLine = io.Custom("HEYGEM_LINE")
"""A heygem.report.Line, or NONE_PASSED."""
NONE_PASSED = "none passed"
"""A gate says by this that nothing comes through it, so that a report does not wait for more."""

_FOLD = {  # channels as FFmpeg orders them -> (left, right); the low frequencies are left out, as players do
    3: ((1, 0, 0.71), (0, 1, 0.71)),
    4: ((1, 0, 0.71, 0.5), (0, 1, 0.71, 0.5)),
    5: ((1, 0, 0.71, 0.71, 0), (0, 1, 0.71, 0, 0.71)),
    6: ((1, 0, 0.71, 0, 0.71, 0), (0, 1, 0.71, 0, 0, 0.71)),
    8: ((1, 0, 0.71, 0, 0.71, 0, 0.71, 0), (0, 1, 0.71, 0, 0, 0.71, 0, 0.71)),
}


class FileAudio(Mapping[str, Any]):
    """An AUDIO that lies in a file and is decoded when a node of others looks at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in ("waveform", "sample_rate"):
            raise KeyError(key)
        if not self._known:
            self._known = _decoded(self.path)
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(("waveform", "sample_rate"))

    def __len__(self) -> int:
        return 2


def video_path(video: Any, fresh: Fresh = temporary) -> Path:
    """The file of a VIDEO: its own where it is the whole of one (rotation and size are then read as they should be),
    else a new MP4."""
    if isinstance(video, InputImpl.VideoFromFile) and (own := _own_file(video)):
        return own
    out = fresh(".mp4")
    video.save_to(str(out), format=Types.VideoContainer.MP4)
    return out


def _own_file(video: Any) -> Path | None:
    """None where it lies in memory, or was trimmed or cropped (cores after 0.12)."""
    source = video.get_stream_source()
    window = getattr(video, "get_active_trim_window", lambda: (0, 0))()
    if not isinstance(source, str) or not Path(source).is_file() or tuple(window) != (0, 0):
        return None
    if not hasattr(video, "as_cropped"):
        return Path(source)
    import av

    with av.open(source) as container:
        stream = container.streams.video[0]
        return Path(source) if (stream.width, stream.height) == tuple(video.get_dimensions()) else None


def as_video(path: Path) -> Any:
    return InputImpl.VideoFromFile(str(path))


def file_name(video: Any) -> str:
    """The name of the file of a VIDEO, for people; empty where it lies in memory."""
    source = video.get_stream_source() if isinstance(video, InputImpl.VideoFromFile) else None
    return Path(source).name if isinstance(source, str) else ""


def audio_path(audio: Any, fresh: Fresh = temporary) -> Path:
    """The file of an AUDIO: its own, or a new WAV of 16 bits with one or two channels.

    Raises NoSound for what "Get Video Components" gives of a silent video.
    """
    import numpy as np

    from heygem.errors import NoSound

    if isinstance(audio, FileAudio):
        return audio.path
    if audio is None or not audio["waveform"].numel():
        raise NoSound(name="the audio input")
    samples = np.asarray(audio["waveform"].detach().cpu().float())[0]  # of a batch the first one
    return _write_wav(fresh(".wav"), _folded(samples), int(audio["sample_rate"]))


def _folded(samples: np.ndarray) -> np.ndarray:
    """(1 or 2, n) of (channels, n): muxed as they are, six channels would be three times as long."""
    import numpy as np

    if len(samples) <= 2:
        return samples
    if len(samples) not in _FOLD:
        return samples.mean(axis=0, keepdims=True)
    matrix = np.array(_FOLD[len(samples)], np.float32)
    return (matrix / matrix.sum(axis=1, keepdims=True)) @ samples


def _write_wav(out: Path, samples: np.ndarray, rate: int) -> Path:
    import numpy as np

    with wave.open(str(out), "wb") as file:
        file.setnchannels(len(samples))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples.T, -1, 1) * 32767).round().astype("<i2").tobytes())
    return out


def _decoded(path: Path) -> dict[str, Any]:
    """waveform (1, channels, n) float32 and sample_rate, as ComfyUI has them. Says in plain words what is no sound."""
    import av
    import numpy as np
    import torch

    from heygem.media.probe import probe_sound

    with plain_words():
        probe_sound(path)
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        resampler = av.AudioResampler("fltp", rate=rate)
        blocks = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        blocks += [out.to_ndarray() for out in resampler.resample(None)]
    return {"waveform": torch.from_numpy(np.concatenate(blocks, axis=1))[None], "sample_rate": rate}


def image_path(image: Any, mask: Any = None, fresh: Fresh = temporary) -> Path:
    """A PNG of the first picture of an IMAGE (B, H, W, 3 or 4), 0..1. mask (B, H, W): where it is 1, one sees through,
    as "Load Image" gives it."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray((image[0].detach().cpu().float().clamp(0, 1) * 255).round()).astype(np.uint8)
    if mask is not None and tuple(mask.shape[1:]) == pixels.shape[:2]:  # without transparency it is 64x64 of nothing
        opaque = np.asarray(((1 - mask[0].detach().cpu().float().clamp(0, 1)) * 255).round()).astype(np.uint8)
        pixels = np.dstack([pixels[..., :3], opaque])
    out = fresh(".png")
    Image.fromarray(pixels).save(out)
    return out


def as_image(rgb: np.ndarray) -> Any:
    """IMAGE (1, h, w, 3) float32 of (h, w, 3) uint8."""
    import torch

    return torch.from_numpy(rgb.copy()).float()[None] / 255


def options_of(*given: Mapping[str, Any] | None) -> Options:
    """Options with these values by their flat names; the later one wins. Raises OptionInvalid."""
    from heygem.pipeline import Options

    flat: dict[str, Any] = {}
    for one in given:
        flat |= one or {}
    return Options.of(flat)


def widgets(use_gpu: bool = True, **said: Any) -> dict[str, Any]:
    """Options by their flat names, of widgets that have names of their own."""
    names = {"mouth_strength": "strength", "face_index": "face"}
    return {names.get(name, name): value for name, value in said.items()} | {"device": "auto" if use_gpu else "cpu"}
