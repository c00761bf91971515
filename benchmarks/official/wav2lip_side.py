"""Wav2Lip's own code, run in its own environment: ``python wav2lip_side.py CHECKOUT FOLDER PART``.

Reads ``FOLDER/given.npz`` and writes ``FOLDER/PART.npz``; ``net`` writes the weights as ``FOLDER/weights.pth`` as well.
Nothing of the checkout is changed. What has moved since in librosa is put back from outside: filters by position,
and a sound that is mirrored at its ends.
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
import time
import types
from pathlib import Path

import numpy as np
import torch

CHECKOUT, FOLDER, PART = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
LIVE = (CHECKOUT / "avatars" / "wav2lip").is_dir()
PACKAGE = "avatars.wav2lip." if LIVE else ""
BATCH = 2
"""Frames that its detector sees at once: more of 1080p do not fit into 16 GB."""
from made import blind  # noqa: E402 (it lies beside this file)

sys.path[0] = str(CHECKOUT)  # instead of the folder of this file
sys.modules["torchsummary"] = types.SimpleNamespace(summary=None)  # is imported by one of them and never called


def network(side):
    for folder in ("avatars", "avatars/wav2lip") if LIVE else ():  # without what else its packages import
        package = types.ModuleType(folder.replace("/", "."))
        package.__path__ = [str(CHECKOUT / folder)]
        sys.modules[package.__name__] = package
    torch.manual_seed(0)
    return awake(importlib.import_module(f"{PACKAGE}models").Wav2Lip(), side)


def awake(net, side):
    """Random weights with which every layer passes on what it gets, as after a training."""
    for part in net.modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            torch.nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        elif isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = 1.0
            torch.nn.init.uniform_(part.weight, 0.7, 1.3)
            torch.nn.init.uniform_(part.bias, -0.3, 0.3)
    net.output_block[1].weight.data.mul_(0.2)
    net.train()(torch.randn(4, 1, 80, 16), torch.rand(4, 6, side, side))
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_var.clamp_(min=0.1)
    return net.eval()


def run_net(given):
    faces, mel = torch.from_numpy(given["faces"]), torch.from_numpy(given["windows"])
    net = network(faces.shape[-1])
    state = {f"module.{key}": value for key, value in net.state_dict().items()}
    torch.save({"state_dict": state}, FOLDER / "weights.pth")
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        made = net(mel, faces)
        seconds.append(time.perf_counter() - begin)
    return {"made": made.numpy(), "seconds": min(seconds)}


def run_mel(given):
    old_librosa()
    import librosa

    if LIVE:
        network(256)
    audio = importlib.import_module(f"{PACKAGE}audio")
    bank = librosa.filters.mel(16000, 800, n_mels=80, fmin=55, fmax=7600)
    return {"mel": audio.melspectrogram(given["samples"]), "bank": bank}


def old_librosa():
    import librosa

    stft, bank = librosa.stft, librosa.filters.mel
    librosa.stft = lambda y, **options: stft(y, pad_mode="reflect", **options)
    librosa.filters.mel = lambda sr, n_fft, **options: bank(sr=sr, n_fft=n_fft, **options)


def run_film(given):
    """Its program on FOLDER/clip.mp4 and FOLDER/voice.wav, with ``given`` boxes; its frames without any loss."""
    import cv2

    class Kept(list):
        def __init__(self, *_):
            super().__init__()
            kept.append(self)

        def write(self, frame):
            self.append(frame.copy())

        def release(self):
            pass

    kept, detector = [], types.ModuleType("face_detection")
    boxes = iter(given["boxes"].tolist())
    detect = types.SimpleNamespace(get_detections_for_batch=lambda images: [next(boxes) for _ in images])
    detector.LandmarksType = types.SimpleNamespace(_2D=1)
    detector.FaceAlignment = lambda *_, **options: detect
    sys.modules["face_detection"] = detector
    cv2.VideoWriter = Kept
    cv2.VideoWriter_fourcc = lambda *_: 0
    import subprocess

    subprocess.call = lambda *_, **options: 0  # nothing is put into a film: that would lose something
    program("--wav2lip_batch_size", "16")
    film = cv2.VideoCapture("clip.mp4")
    seen = []
    while (got := film.read())[0]:
        seen.append(got[1])
    return {"seen": np.stack(seen), "made": np.stack(kept[0]), "fps": film.get(cv2.CAP_PROP_FPS)}


def run_speed(given):
    """Its program as it is, with S3FD of random weights that sees no face anywhere: its network is computed, the loop
    over what it finds is not, and it is told that it found ``given`` boxes."""
    import torch.utils.model_zoo

    torch.utils.model_zoo.load_url = blind
    import face_detection
    import models

    seconds = {"detection": 0.0, "network": 0.0}
    look, boxes = face_detection.FaceAlignment.get_detections_for_batch, iter(given["boxes"].tolist())

    def detect(self, images):
        timed("detection", look)(self, images)
        return [next(boxes) for _ in images]

    def timed(name, work):
        def run(*given):
            begin = time.perf_counter()
            made = work(*given)
            seconds[name] += time.perf_counter() - begin
            return made

        return run

    face_detection.FaceAlignment.get_detections_for_batch = detect
    models.Wav2Lip.forward = timed("network", models.Wav2Lip.forward)
    program("--face_det_batch_size", str(BATCH), "--wav2lip_batch_size", "16")
    return seconds


def program(*options):
    old_librosa()
    os.chdir(FOLDER)
    Path("temp").mkdir(exist_ok=True)
    files = ("--checkpoint_path", "weights.pth", "--face", "clip.mp4", "--audio", "voice.wav", "--outfile", "out.mp4")
    sys.argv = ["inference.py", *files, *options]
    runpy.run_path(str(CHECKOUT / "inference.py"), run_name="__main__")


if __name__ == "__main__":
    with torch.no_grad(), np.load(FOLDER / "given.npz") as arrays:
        found = globals()[f"run_{PART}"](dict(arrays))
    np.savez(FOLDER / f"{PART}.npz", allow_pickle=False, **found)
