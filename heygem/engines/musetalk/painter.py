"""The networks that paint: a face and what is heard in, the same face saying it out."""

from __future__ import annotations

import torch
from torch import Tensor

from heygem.engines.nets.unet import UNet
from heygem.engines.nets.vae import Decoder, Encoder
from heygem.engines.neural.place import Place, Steady


class Painter:
    """At one place, in batches of one size."""

    def __init__(self, unet: UNet, encoder: Encoder, decoder: Decoder, place: Place, batch: int) -> None:
        self._encode, self._speak, self._decode = (Steady(net, place, batch) for net in (encoder, unet, decoder))

    def latents(self, faces: Tensor) -> Tensor:
        """(n, 8, s / 8, s / 8): faces (n, 3, s, s), RGB 0..1, without their lower half and whole."""
        whole = faces * 2 - 1
        hidden = whole.clone()
        hidden[:, :, faces.shape[2] // 2 :] = -1
        return torch.cat([self._encode(hidden), self._encode(whole)], 1)

    def faces(self, latents: Tensor, heard: Tensor) -> Tensor:
        """(n, 3, s, s), RGB 0..1, of ``latents`` (n, 8, s / 8, s / 8) and what is ``heard`` (n, 50, width)."""
        return (self._decode(self._speak(latents, heard)) / 2 + 0.5).clamp(0, 1)
