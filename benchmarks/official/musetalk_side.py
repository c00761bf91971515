"""MuseTalk's own code, run in its own environment: ``python musetalk_side.py CHECKOUT FOLDER PART``.

Reads ``FOLDER/given.npz``, writes ``FOLDER/PART.npz`` and the shapes of the networks as ``FOLDER/*.json``. Nothing of
the checkout is changed: paths that it expects are made in FOLDER, its autoencoder gives the mean instead of a sample.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch

CHECKOUT, FOLDER, PART = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
from made import blind, weights  # noqa: E402 (it lies beside this file)

sys.path[0] = str(CHECKOUT)  # instead of the folder of this file

UNET = {
    "sample_size": 64,
    "in_channels": 8,
    "out_channels": 4,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "cross_attention_dim": 384,
    "attention_head_dim": 8,
}
VAE = {
    "block_out_channels": [128, 256, 512, 512],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "latent_channels": 4,
    "layers_per_block": 2,
    "sample_size": 256,
}


kept: list[torch.library.Library] = []


def transforms():
    """Lets torchvision load where its operators were built for another PyTorch: only its transforms are wanted."""
    try:
        import torchvision.transforms
    except RuntimeError:
        kept.append(torch.library.Library("torchvision", "DEF"))
        for name in ("nms", "qnms"):
            kept[0].define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        import torchvision.transforms  # noqa: F401


def shaped(name: str, net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Random weights for ``net``; its shapes are written down for the other side."""
    shapes = {key: list(value.shape) for key, value in net.state_dict().items()}
    (FOLDER / f"{name}.json").write_text(json.dumps(shapes), "utf-8")
    return weights(shapes)


def vae():
    from diffusers import AutoencoderKL
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    if not (FOLDER / "sd-vae").is_dir():
        net = AutoencoderKL(**VAE)
        net.load_state_dict(shaped("sd-vae", net))
        net.save_pretrained(FOLDER / "sd-vae")
    DiagonalGaussianDistribution.sample = lambda self, generator=None: self.mode()
    from musetalk.models.vae import VAE as Official

    return Official(str(FOLDER / "sd-vae"))


def run_vae(given):
    net, face = vae(), given["face"][..., ::-1]  # it takes blue, green, red
    latents = net.get_latents_for_unet(face)
    picture = net.vae.decode(latents[:, :4] / net.scaling_factor).sample
    pixels = net.decode_latents(latents[:, :4])[..., ::-1]
    return {"latents": latents, "picture": picture, "pixels": pixels}


def unet_file(file):
    """Writes the weights of the U-Net, and beside the folder its configuration."""
    from diffusers import UNet2DConditionModel

    (FOLDER / "musetalk.json.config").write_text(json.dumps(UNET), "utf-8")
    with torch.device("meta"):
        net = UNet2DConditionModel(**UNET)
    torch.save(shaped("musetalk", net), file)


def run_unet(given):
    from musetalk.models.unet import PositionalEncoding, UNet

    file = FOLDER / "unet.pth"
    unet_file(file)
    official = UNet(str(FOLDER / "musetalk.json.config"), str(file), device="cpu")
    file.unlink()
    official.model.eval()
    heard = PositionalEncoding(d_model=384)(torch.from_numpy(given["chunk"]))
    latents = torch.from_numpy(given["latents"])
    said = official.model(latents, torch.tensor([0]), encoder_hidden_states=heard).sample
    return {"said": said, "pixels": vae().decode_latents(said)[..., ::-1]}


def whisper():
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

    WhisperFeatureExtractor().save_pretrained(FOLDER / "whisper")
    config = WhisperConfig(
        d_model=384,
        encoder_layers=4,
        encoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_layers=1,
        decoder_attention_heads=6,
        decoder_ffn_dim=1536,
    )
    net = WhisperModel(config).eval()
    net.load_state_dict(shaped("whisper-tiny", net))
    return net


def run_whisper(given):
    import soundfile
    from musetalk.utils.audio_processor import AudioProcessor

    soundfile.write(FOLDER / "voice.wav", given["samples"], 16000, subtype="FLOAT")
    net = whisper()
    processor = AudioProcessor(str(FOLDER / "whisper"))
    features, length = processor.get_audio_feature(str(FOLDER / "voice.wav"))
    found = {"mel": features[0][0]}
    for fps in (25, 30):
        found[f"chunks{fps}"] = processor.get_whisper_chunk(features, "cpu", torch.float32, net, length, fps=fps)
    return found


def run_openai(given):
    sys.modules["ffmpeg"] = types.ModuleType("ffmpeg")  # it would read files; it is given samples
    from musetalk.whisper.audio2feature import Audio2Feature
    from musetalk.whisper.whisper.model import ModelDimensions, Whisper

    sizes = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 384, "n_audio_head": 6, "n_audio_layer": 4}
    sizes |= {"n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 384, "n_text_head": 6, "n_text_layer": 1}
    net = Whisper(ModelDimensions(**sizes))
    torch.save({"dims": sizes, "model_state_dict": shaped("whisper-openai", net)}, FOLDER / "tiny.pt")
    hearing = Audio2Feature(model_path=str(FOLDER / "tiny.pt"))
    states = hearing.audio2feat(given["samples"])
    return {"states": states, "chunks25": np.stack(hearing.feature2chunks(states, 25))}


def parser_files():
    """Writes the weights of the parser where the checkout's code looks for them."""
    from musetalk.utils.face_parsing.model import BiSeNet
    from musetalk.utils.face_parsing.resnet import Resnet18

    os.chdir(FOLDER)
    models = Path("models/face-parse-bisent")
    models.mkdir(parents=True, exist_ok=True)
    loaded = Resnet18.init_weight
    Resnet18.init_weight = lambda self, path: None  # no file yet: the shapes are asked for
    torch.save(shaped("face-parsing", BiSeNet()), models / "79999_iter.pth")
    torch.save(Resnet18("").state_dict(), models / "resnet18-5c106cde.pth")
    Resnet18.init_weight = loaded


def run_parsing(given):
    parser_files()
    from musetalk.utils.blending import get_image
    from musetalk.utils.face_parsing import FaceParsing
    from PIL import Image

    parser = FaceParsing(90, 90)
    square = Image.fromarray(given["face"]).resize((512, 512), Image.BILINEAR)
    found = {"classes": parser.net(parser.preprocess(square)[None])[0]}
    box = given["box"].tolist()
    made = given["made"]
    import cv2

    patch = cv2.resize(made[..., ::-1], (box[2] - box[0], box[3] - box[1]))
    for mode in ("jaw", "raw"):
        parser.net = Blocks(given["classes"])  # random weights see no faces: a drawn face takes their place
        found[mode] = get_image(given["frame"][..., ::-1].copy(), patch, box, mode=mode, fp=parser)[..., ::-1]
    return found


class Blocks:
    """A parser that always sees the same classes (512, 512)."""

    def __init__(self, classes):
        self._classes = classes

    def __call__(self, picture):
        return (torch.nn.functional.one_hot(torch.from_numpy(self._classes).long(), 19).permute(2, 0, 1)[None],)


def run_made(given):
    """The weights of everything that their script loads, where it looks for them."""
    parser_files()
    vae()
    Path("models/sd-vae").symlink_to(FOLDER / "sd-vae")
    Path("models/musetalkV15").mkdir()
    unet_file("models/musetalkV15/unet.pth")
    whisper().save_pretrained(FOLDER / "whisper")
    Path("models/whisper").symlink_to(FOLDER / "whisper")
    Path("tasks.yaml").write_text("one: {video_path: clip.mp4, audio_path: voice.wav}\n", "utf-8")
    return {}


def run_speed(given):
    """Their script as it is, but for what finds faces: of two networks one computes, and both are told."""
    seconds, points, boxes = {"analysis": 0.0, "network": 0.0}, iter(given["points"]), iter(given["boxes"].tolist())

    def timed(name, work):
        def run(*some, **more):
            begin = time.perf_counter()
            made = work(*some, **more)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name] += time.perf_counter() - begin
            return made

        return run

    def seen(*_):
        keypoints = np.zeros((1, 133, 2))
        keypoints[0, 23:91] = next(points)
        return types.SimpleNamespace(pred_instances=types.SimpleNamespace(keypoints=keypoints))

    for name in ("mmpose", "mmpose.apis", "mmpose.structures"):
        sys.modules[name] = types.ModuleType(name)
    apis, structures = sys.modules["mmpose.apis"], sys.modules["mmpose.structures"]
    apis.init_model, apis.inference_topdown = lambda *_, **more: None, seen
    structures.merge_data_samples = lambda one: one
    import torch.utils.model_zoo

    torch.utils.model_zoo.load_url = blind
    sys.path.append(str(CHECKOUT / "musetalk" / "utils"))
    from face_detection import FaceAlignment
    from musetalk.models.unet import UNet
    from musetalk.models.vae import VAE as Official

    look = timed("analysis", FaceAlignment.get_detections_for_batch)
    FaceAlignment.get_detections_for_batch = lambda self, images: (look(self, images), [next(boxes)])[1]
    Official.get_latents_for_unet = timed("network", Official.get_latents_for_unet)
    Official.decode_latents = timed("network", Official.decode_latents)
    load = UNet.__init__

    def loaded(self, *some, **more):
        load(self, *some, **more)
        self.model.forward = timed("network", self.model.forward)

    UNet.__init__ = loaded
    half = ["--use_float16"] if torch.cuda.is_available() else []
    os.chdir(FOLDER)
    files = [
        "--inference_config",
        "tasks.yaml",
        "--unet_config",
        "musetalk.json.config",
        "--output_vid_name",
        "out.mp4",
    ]
    sys.argv = ["inference.py", *files, *half]
    runpy.run_path(str(CHECKOUT / "scripts" / "inference.py"), run_name="__main__")
    (made,) = Path("results").rglob("out.mp4")
    assert made.stat().st_size, "their script made no film"
    return seconds


transforms()
with torch.no_grad(), np.load(FOLDER / "given.npz") as given:
    found = globals()[f"run_{PART}"](dict(given))
np.savez(FOLDER / f"{PART}.npz", **{key: np.asarray(value) for key, value in found.items()})
