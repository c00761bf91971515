"""The weight files that HeyGem knows: which network, which published files, which licences.

Sizes and checksums are those that users of the published files wrote down; None where nobody did. Repositories of
Hugging Face are pinned to a commit where one is known. Licences are quoted from the pages that the rows name; the
reason says in one sentence what they mean for commercial use.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from heygem.errors import OptionInvalid

Commercial = Literal["yes", "no", "unclear"]


@dataclass(frozen=True)
class File:
    """A published file: its usual name, its size in bytes, its SHA-256."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Place:
    """A file in a hub. ``path`` is inside the repository; its last part is the name of a ``File``."""

    repo: str
    path: str
    revision: str


@dataclass(frozen=True)
class Weights:
    """One row. ``engines``: those that need it, or can use it where it is ``optional``. ``effects``: those of
    ``heygem.finish`` that can use it. ``address``: where its authors publish the first of its files outside any hub."""

    name: str
    network: str
    engines: tuple[str, ...]
    files: tuple[File, ...]
    page: str
    code: str
    licence: str
    commercial: Commercial
    reason: str
    huggingface: Place | None = None
    modelscope: Place | None = None
    optional: bool = False
    effects: tuple[str, ...] = ()
    address: str = ""


_wav2lip = partial(
    Weights,
    page="https://github.com/Rudrabha/Wav2Lip",
    code="no licence file; README: personal, research and non-commercial use",
    licence="as the code; trained on LRS2: “any form of commercial use is strictly prohibited”",
    commercial="no",
    reason="they were trained on LRS2, and their authors forbid every commercial use",
)
_musetalk = partial(
    Weights,
    page="https://huggingface.co/TMElyralab/MuseTalk",
    code="MIT",
    licence="README: “for any purpose, even commercially”; model card: CreativeML OpenRAIL-M",
    commercial="yes",
    reason="the use restrictions of OpenRAIL-M bind whoever uses them, and must be passed on",
)
_musetalk_at = partial(Place, "TMElyralab/MuseTalk", revision="2bcb936e2fddb4d86db4c62fd45b387d0c061571")
_musetalk_mirror = partial(Place, "AI-ModelScope/MuseTalk", revision="master")

_ROWS = (
    _wav2lip(
        name="wav2lip",
        network="Wav2Lip",
        engines=("wav2lip",),
        files=(
            File("wav2lip.pth", 435_807_851, "b78b681b68ad9fe6c6fb1debc6ff43ad05834a8af8a62ffc4167b7b34ef63c37"),
            File("Wav2Lip-SD-NOGAN.pt"),
        ),
    ),
    _wav2lip(
        name="wav2lip-gan",
        network="Wav2Lip + GAN",
        engines=("wav2lip-gan",),
        files=(
            File("wav2lip_gan.pth", 435_801_865, "ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8"),
            File("Wav2Lip-SD-GAN.pt"),
        ),
    ),
    Weights(
        name="wav2lip-256",
        network="Wav2Lip 256",
        engines=("wav2lip-256",),
        files=(File("wav2lip256.pth"),),
        page="https://github.com/lipku/LiveTalking",
        code="Apache-2.0; the README asks for a LiveTalking watermark on published videos",
        licence="none stated; origin of the weights and of their training data unknown",
        commercial="unclear",
        reason="nobody says who trained them on what, and under which licence",
    ),
    Weights(
        name="wav2lip-288",
        network="Wav2Lip 288",
        engines=("wav2lip-288",),
        files=(File("wav2lip_288x288.pth"),),
        page="https://github.com/primepake/wav2lip_288x288",
        code="MIT",
        licence="none: the author publishes no weights, those that circulate have no licence",
        commercial="unclear",
        reason="the author publishes no weights; your own are yours, others have no licence",
    ),
    _musetalk(
        name="musetalk",
        network="MuseTalk 1.5",
        engines=("musetalk",),
        files=(File("unet.pth", 3_400_074_924, "7ebf6c98c181e20838e4c0054e96e944ac60d5d692cc01db42839fe11b787007"),),
        huggingface=_musetalk_at("musetalkV15/unet.pth"),
        modelscope=_musetalk_mirror("musetalkV15/unet.pth"),
    ),
    _musetalk(
        name="musetalk-1.0",
        network="MuseTalk 1.0",
        engines=("musetalk-1.0",),
        files=(File("pytorch_model.bin"),),
        huggingface=_musetalk_at("musetalk/pytorch_model.bin"),
        modelscope=_musetalk_mirror("musetalk/pytorch_model.bin"),
    ),
    Weights(
        name="sd-vae",
        network="Stable Diffusion VAE (ft-mse)",
        engines=("musetalk", "musetalk-1.0"),
        files=(
            File(
                "diffusion_pytorch_model.safetensors",
                334_643_276,
                "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
            ),
            File(
                "diffusion_pytorch_model.bin",
                334_707_217,
                "1b4889b6b1d4ce7ae320a02dedaeff1780ad77d415ea0d744b476155c6377ddc",
            ),
        ),
        page="https://huggingface.co/stabilityai/sd-vae-ft-mse",
        code="MIT",
        licence="MIT",
        commercial="yes",
        reason="code and weights are under the MIT licence",
        huggingface=Place(
            "stabilityai/sd-vae-ft-mse",
            "diffusion_pytorch_model.safetensors",
            "31f26fdeee1355a5c34592e401dd41e45d25a493",
        ),
        modelscope=Place("AI-ModelScope/sd-vae-ft-mse", "diffusion_pytorch_model.bin", "master"),
    ),
    Weights(
        name="whisper-tiny",
        network="Whisper tiny",
        engines=("musetalk", "musetalk-1.0"),
        files=(
            File("model.safetensors", 151_061_672, "7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395"),
            File("pytorch_model.bin", 151_095_027, "9607f98a2b22d9e229ae43c52ecea79dcede9e0c5cfae67e8da6eda86d8aac1d"),
            File("tiny.pt", 75_572_083, "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9"),
        ),
        page="https://huggingface.co/openai/whisper-tiny",
        code="MIT",
        licence="MIT (OpenAI); Apache-2.0 on the model card",
        commercial="yes",
        reason="code and weights are under licences that allow it",
        huggingface=Place("openai/whisper-tiny", "model.safetensors", "169d4a4341b33bc18d8881c4b69c2e104e1cc0af"),
        modelscope=Place("openai-mirror/whisper-tiny", "model.safetensors", "master"),
    ),
    Weights(
        name="face-parsing",
        network="BiSeNet face parsing",
        engines=("musetalk", "musetalk-1.0"),
        files=(File("79999_iter.pth", 53_289_463, "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567"),),
        page="https://github.com/zllrunning/face-parsing.PyTorch",
        code="MIT",
        licence="none stated; trained on CelebAMask-HQ, which is for non-commercial research",
        commercial="unclear",
        reason="they were trained on CelebAMask-HQ, which is for non-commercial research",
        huggingface=Place(
            "ManyOtherFunctions/face-parse-bisent", "79999_iter.pth", "0073b233a5a3c4b1377d4dbf49245017938a72b5"
        ),
        optional=True,
    ),
    Weights(
        name="gfpgan",
        network="GFPGAN",
        engines=(),
        effects=("enhance",),
        files=(
            File("GFPGANv1.4.pth", 348_632_874, "e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad"),
            File("GFPGANv1.3.pth", 348_632_874, "c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70"),
        ),
        page="https://github.com/TencentARC/GFPGAN/releases",
        code="Apache-2.0 except for parts after StyleGAN2 (NVIDIA, non-commercial) and DFDNet (CC BY-NC-SA 4.0)",
        licence="as the code; trained on FFHQ, which is under CC BY-NC-SA 4.0",
        commercial="unclear",
        reason="their authors say Apache-2.0, but name parts and trained on faces that are for non-commercial use",
        address="https://github.com/TencentARC/GFPGAN/releases/download/v1.3.0/GFPGANv1.4.pth",
        optional=True,
    ),
)

TABLE: dict[str, Weights] = {row.name: row for row in _ROWS}
"""Name -> row."""


def row(name: str) -> Weights:
    """The row of this name. Raises OptionInvalid for a name that is not in the table."""
    if name not in TABLE:
        raise OptionInvalid(option="the name of the weights", value=f"“{name}”", allowed=" or ".join(TABLE))
    return TABLE[name]


def needs(engine: str) -> tuple[Weights, ...]:
    """The rows without which an engine does not work; none for an engine without weights."""
    return tuple(one for one in _ROWS if engine in one.engines and not one.optional)
