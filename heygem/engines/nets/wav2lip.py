"""Wav2Lip (Prajwal et al. 2020): how a face looks when it says the sound. For faces of 96, 256 and 288 px."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NamedTuple, Self, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heygem.engines.nets.load import State, fitted, unusable

NETWORK = "Wav2Lip"
WIDTH = 16
"""Channels of the first layer as published; all others are multiples of it."""
BANDS, COLUMNS = 80, 16
"""Of the sound that belongs to one face."""


class Stage(NamedTuple):
    """A convolution to ``out`` times the width, and ``more`` of the same size behind it, each beside a short cut.
    ``extra``: rows that a growing one adds at the end."""

    out: int
    kernel: int
    stride: int | tuple[int, int]
    pad: int
    more: int = 0
    extra: int = 0


class Form(NamedTuple):
    """The steps from a face to a point, and from a sound to a face."""

    shrink: tuple[Stage, ...]
    grow: tuple[Stage, ...]


_HEAR = (
    Stage(2, 3, 1, 1, 2),
    Stage(4, 3, (3, 1), 1, 2),
    Stage(8, 3, 3, 1, 2),
    Stage(16, 3, (3, 2), 1, 1),
    Stage(32, 3, 1, 0),
    Stage(32, 1, 1, 0),
)
_DOWN = (Stage(4, 3, 2, 1, 3), Stage(8, 3, 2, 1, 2), Stage(16, 3, 2, 1, 2), Stage(32, 3, 2, 1, 1))
_UP = tuple(Stage(out, 3, 2, 1, 2, 1) for out in (24, 16, 8, 4))
FORMS = {
    96: Form(
        (Stage(1, 7, 1, 3), Stage(2, 3, 2, 1, 2), *_DOWN, Stage(32, 3, 1, 0)),
        (Stage(32, 3, 1, 0, 1), Stage(32, 3, 2, 1, 2, 1), *_UP),
    ),
    256: Form(
        (Stage(1, 7, 1, 3), Stage(2, 3, 2, 1, 2), *_DOWN, Stage(32, 3, 2, 1, 1), Stage(32, 4, 1, 0)),
        (Stage(32, 4, 1, 0, 1), Stage(32, 3, 2, 1, 1, 1), Stage(32, 3, 2, 1, 2, 1), *_UP),
    ),
    288: Form(
        (
            *(Stage(1, 7, 1, 3), Stage(2, 5, 2, 2, 1), Stage(2, 3, 2, 1, 2), *_DOWN),
            *(Stage(32, 3, 1, 0), Stage(32, 3, 1, 0)),
        ),
        (Stage(32, 3, 1, 0, 1), Stage(32, 3, 2, 1, 2), Stage(32, 3, 2, 1, 2), *_UP, Stage(4, 3, 2, 1, 2, 1)),
    ),
}
"""Side of the face in px -> the network for it."""
_SIDES = {(len(form.shrink), form.shrink[-1].kernel): side for side, form in FORMS.items()}
"""How many steps, and the kernel of the last -> the side."""


class Wav2Lip(nn.Module):
    """Faces (B, 6, side, side) and their sound (B, 1, 80, 16) -> speaking faces (B, 3, side, side), 0..1 BGR.

    The six channels are the face without its lower half (zeros), then the whole face, both 0..1 BGR. Names of weights
    are those of the published files. width: channels of the first layer.
    """

    @classmethod
    def of(cls, state: State, name: str = "wav2lip") -> Self:
        """The network, ready to predict, with these weights; side and width follow from them.

        name: of the weights, for the error. Raises WeightsUnusable where they are those of another network.
        """

        def build(given: dict[str, Tensor]) -> Self:
            width = len(given["face_encoder_blocks.0.0.conv_block.0.weight"])
            steps = {int(key.split(".")[1]) for key in given if key.startswith("face_encoder_blocks.")}
            kernel = given[f"face_encoder_blocks.{max(steps)}.0.conv_block.0.weight"].shape[-1]
            side = _SIDES.get((len(steps), kernel))
            if side is None:
                reason = (
                    f"{len(steps)} steps down to a kernel of {kernel} suit no face of {', '.join(map(str, FORMS))} px"
                )
                raise unusable(name, NETWORK, reason)
            return cls(side, width)

        return fitted(build, state, name, NETWORK).float()

    def __init__(self, side: int = 96, width: int = WIDTH) -> None:
        super().__init__()
        self.side, self.width = side, width
        shrink, grow = FORMS[side]
        widths = [width * stage.out for stage in shrink]
        self.face_encoder_blocks = nn.ModuleList(
            nn.Sequential(*_stage(inputs, width, stage), *([_conv(out, out, 1)] if not stage.pad else []))
            for inputs, out, stage in zip([6, *widths], widths, shrink, strict=False)
        )
        heard = [width * stage.out for stage in _HEAR]
        layers = [_stage(inputs, width, stage) for inputs, stage in zip([1, *heard], _HEAR, strict=False)]
        self.audio_encoder = nn.Sequential(*(layer for stage in layers for layer in stage))
        self.face_decoder_blocks = nn.ModuleList([nn.Sequential(_conv(heard[-1], heard[-1], 1))])
        inputs = heard[-1]
        for stage, seen in zip(grow, reversed(widths), strict=False):
            self.face_decoder_blocks.append(nn.Sequential(*_stage(inputs + seen, width, stage, up=True)))
            inputs = width * stage.out
        last = _conv(inputs + widths[0], 2 * width, 3, 1, 1)
        self.output_block = nn.Sequential(last, nn.Conv2d(2 * width, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, faces: Tensor) -> Tensor:
        return self.face(faces, self.sound(mel))

    def sound(self, mel: Tensor) -> Tensor:
        """(B, 32 width): what is said in mel (B, 1, 80, 16), see ``heygem.engines.wav2lip.mel``."""
        return self.audio_encoder(mel).flatten(1)

    def face(self, faces: Tensor, said: Tensor) -> Tensor:
        """(B, 3, side, side) 0..1 BGR: faces (B, 6, side, side) that say ``said`` (B, 32 width), see ``sound``."""
        seen, x = [], faces
        for block in self.face_encoder_blocks:
            x = block(x)
            seen.append(x)
        x = said[:, :, None, None]
        for block in self.face_decoder_blocks:
            x = torch.cat((block(x), seen.pop()), dim=1)
        return self.output_block(x)

    def fused(self) -> Self:
        """The same network, its normalisations inside its convolutions: the same faces but for rounding, sooner."""
        made = deepcopy(self)
        for part in made.modules():
            if isinstance(part, Block):
                part.fuse()
        return made


class Block(nn.Module):
    """A convolution, normalised, then what came in on top if ``residual``, then ReLU."""

    def __init__(self, convolution: nn.Conv2d | nn.ConvTranspose2d, residual: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels))
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv_block(x)
        return (made.add_(x) if self._residual else made).relu_()

    def fuse(self) -> None:
        """Puts the normalisation into the convolution."""
        convolution, norm = cast(Any, self.conv_block)
        up = isinstance(convolution, nn.ConvTranspose2d)
        self.conv_block = nn.Sequential(fuse_conv_bn_eval(convolution, norm, transpose=up))


def _conv(inputs: int, outputs: int, kernel: int, stride: int | tuple[int, int] = 1, pad: int = 0) -> Block:
    return Block(nn.Conv2d(inputs, outputs, kernel, stride, pad))


def _stage(inputs: int, width: int, stage: Stage, up: bool = False) -> list[Block]:
    out = width * stage.out
    if up:
        first = Block(nn.ConvTranspose2d(inputs, out, stage.kernel, stage.stride, stage.pad, stage.extra))
    else:
        first = _conv(inputs, out, stage.kernel, stage.stride, stage.pad)
    return [first, *(Block(nn.Conv2d(out, out, 3, 1, 1), residual=True) for _ in range(stage.more))]
