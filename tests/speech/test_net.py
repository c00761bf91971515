"""The network in numpy does what torch trained, at any shape; weights that make no network are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from heygem.speech.net import STRIDES, Conv, MouthNet
from heygem.training import net as training


def trained(channels: int, components: int = 6) -> training.MouthNet:
    """A network whose batch normalisation has seen something."""
    torch.manual_seed(0)
    net = training.MouthNet(components, channels)
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(4, 200, 64) * 2 + 1)
    return net.eval()


def in_numpy(net: training.MouthNet) -> MouthNet:
    return MouthNet({name: value.numpy() for name, value in net.state_dict().items()}, training.DILATIONS)


@pytest.mark.parametrize("channels", [8, 64])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 97, 400])
def test_torch_makes_the_same(channels: int, length: int) -> None:
    theirs = trained(channels)
    features = np.random.default_rng(length).normal(size=(length, 64)).astype(np.float32)
    rows, logits = in_numpy(theirs)(features)
    with torch.no_grad():
        expected = [part[0].numpy() for part in theirs(torch.from_numpy(features)[None])]
    assert rows.shape == (-(-length // int(np.prod(STRIDES))), 6) and rows.dtype == np.float32
    assert np.abs(rows - expected[0]).max() < 1e-4 and np.abs(logits - expected[1]).max() < 1e-4


def test_a_convolution_is_centred() -> None:
    """What happens in row 12 is seen by output 6 of stride 2 and by its neighbours ``dilation`` away."""
    conv = Conv(np.ones((3, 1, 1), np.float32), np.zeros(1, np.float32), stride=2, dilation=4)
    x = np.zeros((30, 1), np.float32)
    x[12] = 1
    assert np.flatnonzero(conv(x)).tolist() == [4, 6, 8]


def test_weights_of_another_network_are_refused() -> None:
    weights = {name: value.numpy() for name, value in trained(8).state_dict().items()}
    with pytest.raises(KeyError):
        MouthNet(weights, (*training.DILATIONS, 1))
    with pytest.raises(KeyError):
        MouthNet({name: value for name, value in weights.items() if "head" not in name}, training.DILATIONS)
