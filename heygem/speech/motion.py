"""From a voice to the motion of a mouth: one row per video frame. Weights: ``assets/speech_motion.safetensors``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from heygem.cache import Beat, content_key
from heygem.errors import EngineUnavailable
from heygem.speech.features import BANDS, FFT, HOP, ROWS, compress, mel_power
from heygem.speech.net import STRIDES, MouthNet
from heygem.speech.voice import loudness, talking, voice_activity, voice_at

VERSION = 1
"""Version of ``hear``: a change makes all that was heard stale."""
ASSET = Path(__file__).parent.parent / "assets" / "speech_motion.safetensors"
PIECE = 20 * ROWS
"""Feature rows that are worked on at once: memory stays flat in the length of the sound."""
CONTEXT = 4 * ROWS
"""Feature rows of both neighbours that the network sees beside a piece, more than it looks around."""
TAIL = ROWS
"""Feature rows of silence after the sound, in which the voice fades out."""
STRIDE = math.prod(STRIDES)
"""Feature rows per row of the network: 100 -> 25 a second."""
GAIN = 1.6
"""Squared error makes a network timid: on people it was not trained on its rows deviate by 0.6 where people do by 1."""
SHUT_MAYBE, SHUT_SURE = 0.35, 0.65
"""Probability of closed lips from which they begin to be drawn together, and are."""
SHUT_PEAK, SHUT_NEAR = 0.2, 3
"""Lips also meet for the moment where the probability peaks above this, and halves within so many rows."""


@dataclass(frozen=True)
class Motion:
    """rows (n, K) float32: mouth components in standard deviations of an average talker. voice (n,) float32 0..1."""

    rows: np.ndarray
    voice: np.ndarray


@dataclass(frozen=True)
class MouthBasis:
    """What a row means. Target shape = closed mouth of the person + (row - rest) @ components.

    components: (K, 468, 3) float32, canonical displacement of every landmark for +1 of a component: one standard
    deviation of an average talker while talking. The first opens the mouth, the second rounds it.
    rest: (K,) float32, the row of a closed, resting mouth. Talking has mean 0 and deviation 1 in every component.
    points: (P,) int64, landmarks of lips and chin, which the components were made from.
    """

    components: np.ndarray
    rest: np.ndarray
    points: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """(K,) how far +1 of each component opens the inner lips, canonical."""
        upper, lower = self.components[:, 13, 1], self.components[:, 14, 1]
        return lower - upper

    def rows_of(self, displacement: np.ndarray) -> np.ndarray:
        """Rows (n, K) that best explain ``displacement`` (n, 468, 3) of a person's landmarks from their closed mouth.

        Their mean and deviation tell how a person who talks in a clip differs from the average talker.
        """
        flat = self.components[:, self.points, :2].reshape(len(self.components), -1)
        seen = displacement[:, self.points, :2].reshape(len(displacement), -1)
        return (self.rest + np.linalg.lstsq(flat.T, seen.T, rcond=None)[0].T).astype(np.float32)


def listen(samples: np.ndarray, fps: Fraction, frames: int) -> Motion:
    """Mouth motion for ``frames`` video frames at ``fps`` from mono 16 kHz samples (n,).

    Row n is the mouth at n / fps seconds. Where nobody speaks, and after the end, rows are exactly at rest.
    Raises EngineUnavailable where the weights are missing or damaged.
    """
    return timed(**hear(samples), fps=fps, frames=frames)


def hear(samples: np.ndarray, beat: Beat = lambda: None) -> dict[str, np.ndarray]:
    """What is heard in mono 16 kHz samples (n,), whatever the video: all the work of ``listen`` but the last step.

    "net" (T25, K) float32: rows of the network, 25 a second. "voice" (T100,) float32 0..1: is there a voice, 100 a
    second; it ends in silence. beat is called for every piece. Raises EngineUnavailable.
    """
    end = len(samples) // HOP + TAIL
    with threadpool_limits(1, "blas"):  # the products are small: more threads would mostly wait for each other
        voice, level = _voice(samples, end, beat)
        return {"net": _net_rows(samples, end, _normaliser(samples, voice, level, beat), beat), "voice": voice}


def timed(net: np.ndarray, voice: np.ndarray, fps: Fraction, frames: int) -> Motion:
    """What ``hear`` found, at the frame rate of a video."""
    times = np.arange(frames) * float(ROWS / fps)  # in feature rows
    rows = _at(times / STRIDE, net)
    spoken = voice_at(voice, times)
    rest = mouth_basis().rest
    return Motion((rest + spoken[:, None] * (rows - rest)).astype(np.float32), spoken)


@cache
def analyser() -> str:
    """A name that changes with what ``hear`` finds: a new version or other weights."""
    return f"motion-{VERSION}-{content_key(ASSET)[:16]}"


def warm() -> None:
    """Loads the weights. Raises EngineUnavailable."""
    _nets()


def mouth_basis() -> MouthBasis:
    """The basis that the shipped weights speak in. Raises EngineUnavailable."""
    return _load()[0]


def _voice(samples: np.ndarray, end: int, beat: Beat) -> tuple[np.ndarray, float]:
    """Voice activity 0..1 of ``end`` feature rows, and the mean power of the voice."""
    loud, power = [], []
    for start, stop in _pieces(end, beat):
        mel = _mel(samples, start, stop)
        loud.append(loudness(mel))
        power.append(mel.sum(axis=1))
    voice = voice_activity(np.concatenate(loud))
    heard = len(samples) // HOP + 1
    return voice, float(np.concatenate(power)[:heard][talking(voice[:heard])].mean(dtype=np.float64))


def _normaliser(samples: np.ndarray, voice: np.ndarray, level: float, beat: Beat) -> Callable[[np.ndarray], np.ndarray]:
    """Mel power -> features without the colour of this voice and microphone: their mean over the talking is 0
    (cepstral mean normalisation, Atal 1974)."""
    spoken = talking(voice[: len(samples) // HOP + 1])
    total = np.zeros(BANDS)
    for start, stop in _pieces(len(spoken), beat):
        total += compress(_mel(samples, start, stop), level)[spoken[start:stop]].sum(axis=0)
    colour = (total / spoken.sum()).astype(np.float32)
    return lambda power: compress(power, level) - colour


def _net_rows(samples: np.ndarray, end: int, features_of: Callable[[np.ndarray], np.ndarray], beat: Beat) -> np.ndarray:
    """(T25, K) output of the networks, 25 rows a second."""
    from scipy.special import expit  # who knows a sound does without

    nets = _nets()
    out = []
    for start, stop in _pieces(end, beat):
        first = max(0, start - CONTEXT)
        features = features_of(_mel(samples, first, min(end, stop + CONTEXT)))
        rows, logits = (np.mean(parts, axis=0) for parts in zip(*(net(features) for net in nets), strict=True))
        own = slice((start - first) // STRIDE, (stop - first + STRIDE - 1) // STRIDE)
        out.append(_close(rows, expit(logits))[own])
    return np.concatenate(out)


def _close(rows: np.ndarray, shut: np.ndarray) -> np.ndarray:
    """Rows (T, K) at full strength; where the lips are likely shut (T,) they meet, by the shortest way from their rows:
    p, b and m close fully, and stay as round as they were."""
    from scipy.ndimage import convolve1d, maximum_filter1d, minimum_filter1d  # who knows a sound does without

    basis = mouth_basis()
    surely = np.clip((shut - SHUT_MAYBE) / (SHUT_SURE - SHUT_MAYBE), 0, 1)
    surely = surely * surely * (3 - 2 * surely)
    peak = (shut > SHUT_PEAK) & (shut == maximum_filter1d(shut, 3))
    peak &= minimum_filter1d(shut, 2 * SHUT_NEAR + 1) < shut / 2
    meeting = np.clip(convolve1d(peak.astype(np.float32), (0.5, 1, 0.5), mode="constant"), 0, 1)
    rows = GAIN * rows
    apart = np.maximum(0, (rows - basis.rest) @ basis.gaps) * np.maximum(surely, meeting)
    return rows - apart[:, None] * basis.gaps / (basis.gaps @ basis.gaps)


def _mel(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Mel power of the feature rows ``start`` to ``stop``, the same as if all were computed at once; after the sound
    there is silence."""
    margin = FFT // HOP  # rows whose windows may be cut by the edges of the piece
    first = max(0, start - margin)
    heard = samples[first * HOP : (stop + margin) * HOP]
    missing = (stop + margin) * HOP - first * HOP - len(heard)
    return mel_power(np.pad(heard, (0, missing)))[start - first : stop - first]


def _pieces(end: int, beat: Beat) -> Iterator[tuple[int, int]]:
    """(start, stop) of pieces that cover ``end`` feature rows; every start is a row of the network."""
    for start in range(0, end, PIECE):
        beat()
        yield start, min(end, start + PIECE)


def _at(times: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows (T, K) at fractional times (n,) in rows: cubic (Catmull and Rom 1974); the ends are held."""
    times = np.clip(times, 0, len(rows) - 1)
    whole = times.astype(np.int64)
    t = (times - whole)[:, None]
    a, b, c, d = (rows[np.clip(whole + step, 0, len(rows) - 1)] for step in (-1, 0, 1, 2))
    return b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))


@cache
def _load() -> tuple[MouthBasis, dict[str, np.ndarray], dict[str, str]]:
    """Basis, network weights by name, and metadata of the file of weights."""
    from safetensors import SafetensorError, safe_open

    if not ASSET.is_file():
        raise EngineUnavailable(engine="The speech model", reason=f"its weights {ASSET.name} are missing")
    try:
        with safe_open(ASSET, "np") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            metadata = file.metadata()
        basis = MouthBasis(*(weights.pop(f"basis.{name}") for name in ("components", "rest", "points")))
    except (SafetensorError, KeyError) as error:
        raise EngineUnavailable(engine="The speech model", reason=f"{ASSET.name} is damaged ({error})") from error
    return basis, weights, metadata


@cache
def _nets() -> list[MouthNet]:
    """The networks whose mean speaks. They are tried once: their shapes have to fit."""
    basis, weights, metadata = _load()
    try:
        dilations = json.loads(metadata["dilations"])
        nets = [MouthNet(_under(f"net{number}.", weights), dilations) for number in range(int(metadata["nets"]))]
        for net in nets:
            rows, _ = net(np.zeros((STRIDE, BANDS), np.float32))
            if rows.shape != (1, len(basis.rest)):
                raise ValueError(f"it makes {rows.shape[1]} components of {len(basis.rest)}")
    except (ValueError, KeyError) as error:
        raise EngineUnavailable(engine="The speech model", reason=f"{ASSET.name} is damaged ({error})") from error
    return nets


def _under(prefix: str, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
