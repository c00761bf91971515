"""Random crops of clips, each heard as if spoken by somebody else, elsewhere, into another microphone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from heygem.quality.lips import SHUT
from heygem.speech.features import BANDS, FLOOR, ROWS
from heygem.speech.motion import STRIDE
from heygem.speech.voice import talking
from heygem.training.data import Clip

SILENT = (np.log10(FLOOR) + 1.5) / 1.5
"""The feature of a band without power."""


@dataclass(frozen=True)
class Sampling:
    """batch: crops a step. crop: feature rows. studio: share of crops from GRID's one speaker, the rest from everybody
    else, a clip of twice the length ``evenness`` to 1 as often (1: as its length, 0: each clip as often)."""

    batch: int = 16
    crop: int = 256
    studio: float = 0.5
    evenness: float = 0.7
    tempo: float = 0.1
    warp: float = 0.25


class Batches:
    """Endless random batches: features (B, T, 64), rows (B, T / 4, K), shut (B, T / 4) and weight (B, T / 4)."""

    def __init__(self, clips: Sequence[Clip], sampling: Sampling, rng: np.random.Generator):
        self._sampling, self._rng = sampling, rng
        self._clips = [Track.of(clip) for clip in clips]
        studio = np.array([clip.person == "grid_s1" for clip in clips])
        length = np.array([len(clip.power) for clip in clips], float) ** sampling.evenness
        length[studio] = 1
        length[studio] *= sampling.studio / max(1, length[studio].sum())
        length[~studio] *= (1 - sampling.studio) / max(1, length[~studio].sum())
        self._chance = length / length.sum()

    def draw(self) -> tuple[torch.Tensor, ...]:
        crops = [self._crop() for _ in range(self._sampling.batch)]
        features, rows, shut, weight = (torch.from_numpy(np.stack(part)) for part in zip(*crops, strict=True))
        return features, rows[:, ::STRIDE], shut[:, ::STRIDE], weight[:, ::STRIDE]

    def _crop(self) -> tuple[np.ndarray, ...]:
        rng, size = self._rng, self._sampling.crop
        track = self._clips[rng.choice(len(self._clips), p=self._chance)]
        tempo = np.exp(rng.uniform(-1, 1) * self._sampling.tempo)
        slack = 20
        start = rng.uniform(-slack, max(1, len(track.power) - size * tempo + slack))
        times = start + np.arange(size) * tempo
        power, inside = _at(track.power, times)
        shut, there = _at(track.shut, times + track.lag)
        rows, _ = _at(track.rows, times + track.lag)
        features = self._elsewhere(power * inside[:, None])
        features -= features[talking(_at(track.voice, times)[0])].mean(axis=0)
        return features, rows, shut, (inside & there).astype(np.float32)

    def _elsewhere(self, power: np.ndarray) -> np.ndarray:
        """Another vocal tract, microphone, room and level: features (T, 64) float32 of the power (T, 64)."""
        rng = self._rng
        if rng.random() < 0.3:  # somebody else talks in the background
            other = self._clips[rng.integers(len(self._clips))].power
            heard = other[(rng.integers(len(other)) + np.arange(len(power))) % len(other)]
            power = power + heard * 10 ** -rng.uniform(0.8, 2.5)
        loud = np.log10(power + 1e-7)
        bands = np.arange(BANDS)
        scale = np.exp(rng.uniform(-1, 1) * self._sampling.warp)
        loud = _at(loud.T, np.clip(bands * scale + rng.normal(), 0, BANDS - 1))[0].T
        loud += np.interp(bands, np.linspace(0, BANDS - 1, 6), rng.normal(size=6) * 0.35) + rng.normal() * 0.25
        noise = np.interp(bands, np.linspace(0, BANDS - 1, 5), rng.normal(size=5) * 0.3) - rng.uniform(0.5, 5)
        noisy = 10**loud + 10**noise * rng.gamma(8, 1 / 8, size=loud.shape)
        features = (np.log10(noisy + FLOOR) + 1.5) / 1.5
        if rng.random() < 0.25:  # a telephone, or a codec that saves
            features[:, rng.integers(35, BANDS - 2) :] = SILENT
        for _ in range(rng.integers(3)):
            first = rng.integers(BANDS - 4)
            features[:, first : first + rng.integers(1, 8)] = features.mean()
        return features.astype(np.float32)


@dataclass(frozen=True)
class Track:
    """A clip at 100 rows a second: power (T, 64) relative to its voice, voice (T,), rows (T, K), shut (T,); lag in
    rows."""

    power: np.ndarray
    voice: np.ndarray
    rows: np.ndarray
    shut: np.ndarray
    lag: float

    @classmethod
    def of(cls, clip: Clip) -> Track:
        frames = np.arange(len(clip.power)) / ROWS * clip.fps
        shut = (clip.gap < SHUT).astype(np.float32)
        power = clip.power * (BANDS / clip.level)
        return cls(
            power, clip.voice, _at(clip.rows.astype(np.float32), frames)[0], _at(shut, frames)[0], clip.lag * ROWS
        )


def _at(rows: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (T, ...) at fractional times (n,), ends held, float32; and whether each time lies inside."""
    inside = (times >= 0) & (times <= len(rows) - 1)
    times = np.clip(times, 0, len(rows) - 1)
    whole = np.minimum(times.astype(np.int64), len(rows) - 2)
    part = (times - whole).astype(np.float32).reshape(-1, *[1] * (rows.ndim - 1))
    return rows[whole] * (1 - part) + rows[whole + 1] * part, inside
