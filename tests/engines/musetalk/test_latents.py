"""Latents of source frames: encoded once, kept with the avatar, few in memory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from heygem.cache import Cache
from heygem.engines.musetalk import latents
from heygem.engines.musetalk.latents import Latents
from heygem.engines.neural.place import Place
from heygem.faces.avatar import Avatar

CPU = Place(torch.device("cpu"), torch.float32, "CPU")


class Encoder:
    """Counts, and gives the mean colour of each cell."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, faces: Tensor) -> Tensor:
        self.seen += len(faces)
        return torch.nn.functional.avg_pool2d(faces, 8).mean(1, keepdim=True).expand(-1, 8, -1, -1)


@pytest.fixture
def avatar(portrait: Path, avatar_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Avatar:
    """Of ten frames, with blocks of four."""
    monkeypatch.setattr(latents, "BLOCK", 4)
    known = Avatar.prepare(portrait, cache=avatar_cache)
    many = replace(known, landmarks=np.repeat(known.landmarks, 10, 0), weight=np.ones(10, np.float32))
    return replace(many, cache=Cache(tmp_path / "cache"))


def faces(numbers: list[int]) -> Tensor:
    return torch.stack([torch.full((3, 16, 16), n / 16) for n in numbers])


def asked(store: Latents, numbers: list[int]) -> list[float]:
    found = store.of(np.array(numbers), faces(numbers))
    assert found.shape == (len(numbers), 8, 2, 2) and found.dtype == torch.float32
    return (found[:, 0, 0, 0] * 16).tolist()


def test_each_frame_is_encoded_once_and_the_next_take_encodes_none(avatar: Avatar) -> None:
    encoder = Encoder()
    with closing(Latents(avatar, encoder, "test-1", CPU)) as store:
        for numbers in ([0, 1, 2], [3, 4, 4, 3], [2, 1, 0], [5, 6, 7], [8, 9, 9, 9]):
            assert asked(store, numbers) == numbers
    assert encoder.seen == 10
    again = Encoder()
    store = Latents(avatar, again, "test-1", CPU)
    assert asked(store, [9, 5, 1]) == [9, 5, 1] and again.seen == 0
    other = Encoder()
    assert asked(Latents(avatar, other, "test-2", CPU), [1]) == [1] and other.seen == 1, "other weights"


def test_frames_without_a_face_do_not_keep_a_block_from_being_kept(avatar: Avatar) -> None:
    weight = avatar.weight.copy()
    weight[1:3] = 0
    some = replace(avatar, weight=weight)
    store = Latents(some, Encoder(), "test-1", CPU)
    for _ in range(2):  # the second call puts away what the first one found
        asked(store, [0, 3])
    again = Encoder()
    asked(Latents(some, again, "test-1", CPU), [3, 0])
    assert again.seen == 0


def test_what_a_short_sound_saw_is_kept_when_it_ends_and_added_to(avatar: Avatar) -> None:
    for numbers, new in (([0, 1], 2), ([1, 2, 5], 2), ([0, 1, 2, 5], 0), ([0, 1, 2, 3], 1)):
        encoder = Encoder()
        with closing(Latents(avatar, encoder, "test-1", CPU)) as store:
            assert asked(store, numbers) == numbers
        assert encoder.seen == new


def test_without_a_close_only_whole_blocks_are_kept(avatar: Avatar) -> None:
    store = Latents(avatar, Encoder(), "test-1", CPU)
    for _ in range(2):
        asked(store, [0, 1, 2, 3, 4])
    again = Encoder()
    asked(Latents(avatar, again, "test-1", CPU), [0, 1, 2, 3, 4])
    assert again.seen == 1


def test_memory_stays_flat(avatar: Avatar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latents, "MOST", 2)
    encoder = Encoder()
    store = Latents(replace(avatar, cache=None), encoder, "test-1", CPU)
    for n in [*range(10), *range(9, -1, -1)]:
        assert asked(store, [n]) == [n]
        assert len(store._blocks) <= 2
    assert 10 < encoder.seen <= 20, "what left the memory is encoded again"


def test_a_full_disk_only_costs_the_next_take(avatar: Avatar, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(latents.np, "savez", full)
    for _ in range(2):
        encoder = Encoder()
        assert asked(Latents(avatar, encoder, "test-1", CPU), [0, 1, 2, 3]) == [0, 1, 2, 3] and encoder.seen == 4
