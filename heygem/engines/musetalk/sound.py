"""What Whisper hears: from samples to the states of its layers, 50 rows a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from heygem.cache import Beat, Cache, reserve
from heygem.engines.musetalk.pieces import Pieces
from heygem.engines.wav2lip.mel import filter_bank
from heygem.media.sound import RATE, Sound

if TYPE_CHECKING:
    from heygem.engines.nets.whisper import Encoder

ROWS = 50
"""States a second."""
ROW = RATE // ROWS
"""Samples of a row."""
QUIET = -0.75
"""Log-mel of a pause in speech: 80 dB under a voice at its loudest, where Whisper's picture ends."""
_FFT, _HOP, _BANDS, _HIGHEST = 400, 160, 80, 8000.0
_STATES = "states.npy"


def hear(samples: np.ndarray, encoder: Encoder, beat: Beat = lambda: None, first: bool = False) -> np.ndarray:
    """The states (T, layers, width) float32 of mono 16 kHz samples (n,), T = n // 320.

    first: as version 1.0 of MuseTalk was taught, with OpenAI's own program. beat is called for every piece.
    """
    return np.concatenate(list(parts(samples, encoder, beat, first)))


def parts(samples: np.ndarray, encoder: Encoder, beat: Beat, first: bool = False) -> Iterator[np.ndarray]:
    """The same part by part: memory stays flat in the length of the sound."""
    pieces = Pieces(len(samples) // ROW, encoder.rows)
    before = None
    for piece, start in enumerate(pieces.starts.tolist()):
        beat()
        heard = samples[start * ROW : (start + encoder.rows) * ROW]
        now = _encoded(log_mel(heard, encoder.rows * ROW, first), encoder, first)
        yield pieces.joined(pieces.own(piece), now, now if before is None else before)
        before = now


def silence(encoder: Encoder, first: bool = False) -> np.ndarray:
    """The states (size, layers, width) float32 of a piece in which nobody speaks."""
    return _encoded(np.full((_BANDS, 2 * encoder.rows), QUIET), encoder, first)


def log_mel(samples: np.ndarray, length: int, first: bool = False) -> np.ndarray:
    """Whisper's picture of at most ``length`` samples (n,), (80, length // 160) float64.

    Behind the sound it is silent; with ``first`` the picture is grey there.
    """
    heard = np.asarray(samples[:length], np.float64)
    if not first:
        heard = np.pad(heard, (0, length - len(heard)))
    windows = sliding_window_view(np.pad(heard, _FFT // 2, "reflect"), _FFT)[::_HOP][:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)
    power = np.abs(np.fft.rfft(windows * hann)) ** 2
    bands = np.log10(np.maximum(filter_bank(RATE, _FFT, _BANDS, 0.0, _HIGHEST) @ power.T, 1e-10))
    picture = (np.maximum(bands, bands.max() - 8) + 4) / 4
    return np.pad(picture, ((0, 0), (0, length // _HOP - picture.shape[1])))


def once(sound: Sound, analyser: str, count: int, rows: Callable[[], Iterator[np.ndarray]], beat: Beat) -> np.ndarray:
    """(count, …) float16, mapped from a file: what ``rows`` yields in parts (n, …), once for all takes with this sound.

    It is as ``Sound.once``, but nothing is held in memory: an hour is 700 MB. analyser: a name that changes with what
    is found.
    """

    def fill(folder: Path) -> None:
        kept, done = None, 0
        for part in rows():
            if kept is None:
                kept = np.lib.format.open_memmap(folder / _STATES, "w+", np.float16, (count, *part.shape[1:]))
                reserve(folder / _STATES)
            kept[done : done + len(part)] = part
            done += len(part)

    def load(store: Cache) -> np.ndarray:
        return _mapped(store.entry(f"{sound.content}-{analyser}", fill, beat).folder)

    if sound.cache is not None:
        return sound.cache.attempt(load)
    with TemporaryDirectory(prefix="heygem-") as folder:
        fill(Path(folder))
        return _mapped(Path(folder))


def _mapped(folder: Path) -> np.ndarray:
    """What lies there, also after the folder is gone."""
    return np.asarray(np.load(folder / _STATES, mmap_mode="r"))


def _encoded(picture: np.ndarray, encoder: Encoder, first: bool) -> np.ndarray:
    import torch

    weight = encoder.conv1.weight
    with torch.inference_mode():
        states = encoder(torch.from_numpy(picture)[None].to(weight.device, weight.dtype), normed=not first)
    return states[0].float().cpu().numpy()
