"""Whose weights these are: told by what was published, by names and shapes of tensors, and by the name of the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from heygem.errors import WeightsAmbiguous, WeightsUnusable
from heygem.weights.table import TABLE, row

Shapes = Mapping[str, Sequence[int]]
"""Name of a tensor -> its shape."""
SETTING = "“heygem weights add”"

_WAV2LIP = {7: ("wav2lip", "wav2lip-gan"), 8: ("wav2lip-256",), 9: ("wav2lip-288",)}
"""Stages of the encoder of the face -> names."""
_TEXT, _TINY = 768, 384
"""Width of the texts that Stable Diffusion listens to, and of the smallest published Whisper."""


def recognise(file: Path, sha256: str, shapes: Shapes, name: str | None) -> str:
    """The name of the row that the weights of ``file`` belong to; ``name`` is checked where it is given.

    Raises WeightsUnusable where they are of another network, WeightsAmbiguous where several rows are possible.
    """
    possible = fits(shapes)
    if name is not None and name not in possible:
        details = {"name": file.name, "network": row(name).network, "setting": SETTING}
        raise WeightsUnusable(**details, reason="its layers are not those of this network")
    if not possible:
        details = {"name": file.name, "network": "a known network", "setting": SETTING}
        raise WeightsUnusable(**details, reason="its layers are those of no network that HeyGem knows")
    for narrowed in ([name], _published(possible, sha256), _called(possible, file.name), possible):
        if len(narrowed) == 1 and narrowed[0]:
            return narrowed[0]
    raise WeightsAmbiguous(name=file.name, names=", ".join(possible))


def fits(shapes: Shapes) -> tuple[str, ...]:
    """The rows whose network has such tensors, of any width."""
    stages = {found[1] for key in shapes if (found := re.match(r"face_encoder_blocks\.(\d+)\.", key))}
    if stages:
        return _WAV2LIP.get(len(stages), ())
    if "down_blocks.0.resnets.0.conv1.weight" in shapes and "up_blocks.0.resnets.0.conv1.weight" in shapes:
        heard = shapes.get("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", (0, _TEXT))[-1]
        return ("musetalk", "musetalk-1.0") if _channels(shapes, "conv_in.weight") == 8 and heard != _TEXT else ()
    if "post_quant_conv.weight" in shapes and "decoder.up_blocks.0.resnets.0.conv1.weight" in shapes:
        return ("sd-vae",) if _channels(shapes, "post_quant_conv.weight") == 4 else ()
    for prefix in ("", "model."):
        first = shapes.get(f"{prefix}encoder.conv1.weight", ())
        if len(first) == 3 and first[1] == 80:
            return ("whisper-tiny",) if first[0] <= _TINY else ()
    if "final_linear.weight" in shapes and "stylegan_decoder.constant_input.weight" in shapes:
        return ("gfpgan",)
    return ("face-parsing",) if "cp.resnet.conv1.weight" in shapes and "ffm.convblk.conv.weight" in shapes else ()


def _channels(shapes: Shapes, key: str) -> int:
    """How many channels a convolution takes."""
    shape = shapes.get(key, ())
    return shape[1] if len(shape) == 4 else 0


def _published(names: Sequence[str], sha256: str) -> list[str]:
    return [name for name in names if any(file.sha256 == sha256 for file in TABLE[name].files)]


def _called(names: Sequence[str], called: str) -> list[str]:
    return [name for name in names if any(file.name.lower() == called.lower() for file in TABLE[name].files)]
