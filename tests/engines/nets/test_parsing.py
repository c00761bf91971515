"""BiSeNet: the normalisations become part of the convolutions without changing what comes out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from heygem.engines.nets.parsing import CLASSES, BiSeNet
from heygem.errors import WeightsUnusable
from tests.engines.nets import diffusion


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return diffusion.parsing()


def test_every_pixel_gets_a_value_for_every_class(state: dict[str, Tensor]) -> None:
    net, pictures = BiSeNet.of(state), torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        classes = net(pictures)
        again = torch.cat([net(pictures[k : k + 1]) for k in range(2)])
    assert classes.shape == (2, CLASSES, 64, 96) and classes.isfinite().all()
    assert (classes - again).abs().max() < 1e-4
    assert len(classes.argmax(1).unique()) > 1


@pytest.mark.parametrize(
    ("layer", "convolution", "norm"),
    [
        ("cp.resnet", "conv1", "bn1"),
        ("cp.resnet.layer2.0", "downsample.0", "downsample.1"),
        ("cp.arm16", "conv_atten", "bn_atten"),
        ("ffm.convblk", "conv", "bn"),
    ],
)
def test_a_folded_normalisation_is_the_normalisation(
    state: dict[str, Tensor], layer: str, convolution: str, norm: str
) -> None:
    weight = state[f"{layer}.{convolution}.weight"]
    bn = nn.BatchNorm2d(len(weight)).eval()
    bn.load_state_dict({key.rpartition(".")[2]: state[key] for key in state if key.startswith(f"{layer}.{norm}.")})
    x = torch.randn(1, weight.shape[1], 9, 9)
    folded = BiSeNet.of(state).get_submodule(f"{layer}.{convolution}")
    assert torch.allclose(
        conv2d(x, folded.get_parameter("weight"), folded.get_parameter("bias")), bn(conv2d(x, weight)), atol=1e-5
    )


def test_files_without_counters_are_the_same(state: dict[str, Tensor]) -> None:
    without = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    x = torch.rand(1, 3, 32, 32)
    assert len(without) < len(state) and torch.equal(BiSeNet.of(without)(x), BiSeNet.of(state)(x))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ffm.conv1.weight": None}, "ffm.conv1.weight is missing"),
        ({"cp.resnet.bn1.running_var": None}, "cp.resnet.bn1.running_var is missing"),
        ({"cp.resnet.fc.weight": torch.zeros(1)}, "cp.resnet.fc.weight is unknown to it"),
        ({"conv_out.conv_out.weight": torch.zeros(11, 16, 1, 1)}, "has the shape 11x16x1x1 instead of 19x16x1x1"),
    ],
)
def test_other_weights_are_refused_with_the_reason(
    state: dict[str, Tensor], change: dict[str, Tensor | None], reason: str
) -> None:
    with pytest.raises(WeightsUnusable) as caught:
        BiSeNet.of({key: value for key, value in (state | change).items() if value is not None})
    assert reason in caught.value.details["reason"]
