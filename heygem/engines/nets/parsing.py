"""BiSeNet (Yu et al. 2018) as it parses faces: which pixel is skin, lip, nose, hair."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from heygem.engines.nets.load import State, fitted

CLASSES = 19
SKIN, NOSE, MOUTH, UPPER_LIP, LOWER_LIP, NECK = 1, 10, 11, 12, 13, 14
"""Some of the classes."""
NAME, NETWORK = "face-parsing", "BiSeNet"
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
_TRAINING = ("conv_out16.", "conv_out32.")  # heads that only training asks


class BiSeNet(nn.Module):
    """Pictures (B, 3, H, W), RGB 0..1 -> one value per class (B, 19, H, W), the highest is the class. It was trained
    on squares of 512 px; H and W are multiples of 32.

    Batch normalisation is part of the convolutions: where it follows one, that has a bias here.
    """

    @classmethod
    def of(cls, state: State) -> BiSeNet:
        """The network with these weights. Raises WeightsUnusable where they are those of another network."""
        return fitted(_build, state, NAME, NETWORK)

    def __init__(self, widths: Sequence[int], inner: int, heads: Sequence[int]) -> None:
        super().__init__()
        self.cp = Context(widths, inner)
        self.ffm = Fusion(widths[1] + inner, heads[0], heads[1])
        self.conv_out = Head(heads[0], heads[2])

    def forward(self, pictures: Tensor) -> Tensor:
        mean, deviation = (pictures.new_tensor(one)[:, None, None] for one in (_MEAN, _DEVIATION))
        classes = self.conv_out(self.ffm(*self.cp((pictures - mean) / deviation)))
        return interpolate(classes, pictures.shape[2:], mode="bilinear", align_corners=True)


class Convolution(nn.Module):
    """A convolution with bias, and ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.conv(x))


class Context(nn.Module):
    """Pictures -> features (B, C, H / 8, W / 8), as they are and as their surroundings explain them."""

    def __init__(self, widths: Sequence[int], inner: int) -> None:
        super().__init__()
        self.resnet = ResNet(widths)
        self.arm16, self.arm32 = Refinement(widths[2], inner), Refinement(widths[3], inner)
        self.conv_head16, self.conv_head32 = Convolution(inner, inner), Convolution(inner, inner)
        self.conv_avg = Convolution(widths[3], inner, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine, middle, coarse = self.resnet(x)
        low = self.arm32(coarse) + self.conv_avg(coarse.mean((2, 3), keepdim=True))
        low = self.conv_head32(interpolate(low, middle.shape[2:]))
        low = self.conv_head16(interpolate(self.arm16(middle) + low, fine.shape[2:]))
        return fine, low


class Refinement(nn.Module):
    """Weighs channels by what the whole picture says of them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Convolution(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * self.conv_atten(x.mean((2, 3), keepdim=True)).sigmoid()


class Fusion(nn.Module):
    """Joins fine features and their surroundings."""

    def __init__(self, inputs: int, outputs: int, narrow: int) -> None:
        super().__init__()
        self.convblk = Convolution(inputs, outputs, 1)
        self.conv1 = nn.Conv2d(outputs, narrow, 1, bias=False)
        self.conv2 = nn.Conv2d(narrow, outputs, 1, bias=False)

    def forward(self, fine: Tensor, low: Tensor) -> Tensor:
        x = self.convblk(torch.cat([fine, low], 1))
        return x + x * self.conv2(relu(self.conv1(x.mean((2, 3), keepdim=True)))).sigmoid()


class Head(nn.Module):
    """Features -> classes."""

    def __init__(self, inputs: int, middle: int) -> None:
        super().__init__()
        self.conv = Convolution(inputs, middle)
        self.conv_out = nn.Conv2d(middle, CLASSES, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class ResNet(nn.Module):
    """Pictures -> features of an eighth, a sixteenth and a 32nd of their size (ResNet-18, He et al. 2016)."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 7, 2, padding=3)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = _blocks(widths[0], widths[0], 1)
        self.layer2 = _blocks(widths[0], widths[1], 2)
        self.layer3 = _blocks(widths[1], widths[2], 2)
        self.layer4 = _blocks(widths[2], widths[3], 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.layer2(self.layer1(self.maxpool(relu(self.conv1(x)))))
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


class Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        same = inputs == outputs and stride == 1
        self.downsample = nn.Sequential() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.conv2(relu(self.conv1(x))) + self.downsample(x))


def _blocks(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(Block(inputs, outputs, stride), Block(outputs, outputs, 1))


def _build(state: dict[str, Tensor]) -> BiSeNet:
    for key in [key for key in state if key.startswith(_TRAINING)]:
        del state[key]
    widths = [state[f"cp.resnet.layer{level}.0.conv1.weight"].shape[0] for level in range(1, 5)]
    last = ("ffm.convblk.conv", "ffm.conv1", "conv_out.conv.conv")
    heads = [state[f"{layer}.weight"].shape[0] for layer in last]
    net = BiSeNet(widths, state["cp.conv_avg.conv.weight"].shape[0], heads)
    _fold(state)
    return net


def _fold(state: dict[str, Tensor]) -> None:
    """Replaces every batch normalisation by the weights and bias of the convolution before it."""
    for norm in [key.removesuffix(".running_mean") for key in state if key.endswith(".running_mean")]:
        scale, shift, mean, var = (state.pop(f"{norm}.{k}") for k in ("weight", "bias", "running_mean", "running_var"))
        state.pop(f"{norm}.num_batches_tracked", None)
        head, _, last = norm.rpartition(".")
        convolution = f"{head}.{'0' if last == '1' else last.replace('bn', 'conv')}"
        factor = scale / (var + 1e-5).sqrt()
        state[f"{convolution}.weight"] = state[f"{convolution}.weight"] * factor[:, None, None, None]
        state[f"{convolution}.bias"] = shift - mean * factor
