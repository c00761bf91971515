"""Planes become colours and back as the frame itself does it, many at once."""

from __future__ import annotations

import numpy as np
import torch

from heygem.engines.neural import planes
from heygem.media.frame import Frame


def data(*frames: Frame) -> torch.Tensor:
    return torch.from_numpy(np.stack([frame.data for frame in frames]))


def anything(seed: int) -> Frame:
    """Any levels in all planes: colours beyond red, green and blue too."""
    return Frame(np.random.default_rng(seed).integers(0, 180, (36, 40), dtype=np.uint8))


def test_colours_are_those_of_the_frame():
    frames = [anything(seed) for seed in range(3)]
    made = planes.rgb(data(*frames)).permute(0, 2, 3, 1).numpy() * 255
    expected = np.stack([frame.rgb() for frame in frames])
    assert made.shape == (3, 24, 40, 3) and np.abs(made - expected).max() < 0.8, "it rounds, and so does OpenCV's table"


def test_what_does_not_change_stays_equal_to_the_bit():
    frames = [anything(seed) for seed in range(3)]
    change = torch.zeros(3, 3, 24, 40)
    change[1, :, 4:8, 10:20] = 0.5
    made = planes.changed(data(*frames), change)
    assert torch.equal(made[[0, 2]], data(frames[0], frames[2]))
    same = made[1] == data(frames[1])[0]
    assert same[:4].all() and same[8:24].all() and same[4:8, :10].all() and not same[4:8, 10:20].any()


def test_a_change_is_that_of_a_pasted_patch():
    frame = Frame.of(np.random.default_rng(1).integers(60, 190, (24, 40, 3), dtype=np.uint8))
    picture = frame.rgb()
    patch = np.clip(picture.astype(int) + np.random.default_rng(2).integers(-40, 40, picture.shape), 0, 255)
    change = torch.from_numpy((patch - picture) / 255).float().permute(2, 0, 1)[None]
    made = planes.changed(data(frame), change)[0].numpy()
    frame.paste(0, 0, patch.astype(np.uint8))
    assert np.abs(made.astype(int) - frame.data).max() <= 1
