"""ComfyUI as far as the nodes know it, written from the signatures of cores 0.12.1 and 0.33.0 alone.

``install(folder)`` puts it into sys.modules; STATE is what a test looks at and sets.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from fractions import Fraction
from inspect import Parameter, Signature
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import av

INPUT = ("display_name", "optional", "tooltip", "lazy", "extra_dict", "raw_link")
WIDGET = (*INPUT, "default", "socketless", "force_input")
KINDS = {
    "Boolean": (*WIDGET, "label_on", "label_off"),
    "Int": (*WIDGET, "min", "max", "step", "control_after_generate", "display_mode"),
    "Float": (*WIDGET, "min", "max", "step", "round", "display_mode"),
    "String": (*WIDGET, "multiline", "placeholder", "dynamic_prompts"),
    "Combo": (*WIDGET, "options", "upload", "image_folder", "remote", "control_after_generate"),
    **dict.fromkeys(("Image", "Mask", "Audio", "Video", "AnyType"), INPUT),
}
"""Type -> the keywords that its Input takes."""


class Interrupted(BaseException):
    """InterruptProcessingException as in 0.33.0."""


class OldInterrupted(Exception):
    """And as in 0.12.1."""


@dataclass
class State:
    """bars: (share, preview) of every message. interrupt_at: from that share on the user has pressed cancel. loaded:
    what the memory manager holds; freed: bytes it was asked for."""

    folder: Path = Path()
    bars: list[tuple[float, Any]] = field(default_factory=list)
    interrupt_at: float | None = None
    loaded: list[Any] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)

    def check(self) -> None:
        """Who notices the interrupt clears it."""
        if self.interrupt_at is not None and self.bars and self.bars[-1][0] >= self.interrupt_at:
            self.interrupt_at = None
            raise sys.modules["comfy.model_management"].InterruptProcessingException  # a test may set the old one


STATE = State()


class ProgressBar:
    def __init__(self, total: int, node_id: str | None = None) -> None:
        self.total = total

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        self.total = total or self.total
        STATE.bars.append((value / self.total, preview))
        STATE.check()


class ExecutionBlocker:
    def __init__(self, message: str | None) -> None:
        self.message = message


class ModelPatcher:
    def __init__(self, model: Any, load_device: Any, offload_device: Any, size: int = 0) -> None:
        self.model, self.load_device, self.offload_device, self.size = model, load_device, offload_device, size
        self._detached: list[Any] = []

    def add_callback(self, kind: str, call: Any) -> None:
        assert kind == "on_detach_after"
        self._detached.append(call)

    def detach(self, unpatch_all: bool = True) -> None:
        for call in self._detached:
            call(self, unpatch_all)


def load_models_gpu(models: list[Any], memory_required: float = 0) -> None:
    for one in models:
        if one in STATE.loaded:
            STATE.loaded.remove(one)
            one.detach(unpatch_all=False)
        STATE.loaded.append(one)


def unload_all_models() -> None:
    """What POST /free asks for."""
    while STATE.loaded:
        STATE.loaded.pop().detach()


def _input(io_type: str, known: tuple[str, ...]) -> Any:
    def make(self: Any, id: str, **given: Any) -> None:
        assert given.keys() <= set(known), given
        self.__dict__.update(
            {"optional": False, "default": None, "lazy": None, "tooltip": None, "options": None, **given}
        )
        self.id = id

    words = [Parameter(word, Parameter.KEYWORD_ONLY, default=None) for word in known]
    sign = Signature([Parameter("id", Parameter.POSITIONAL_OR_KEYWORD), *words])
    return type("Input", (), {"__init__": make, "__signature__": sign, "io_type": io_type})


@dataclass
class Output:
    id: str | None = None
    display_name: str = ""
    tooltip: str = ""
    is_output_list: bool = False


def _typed(io_type: str, known: tuple[str, ...] = INPUT) -> Any:
    return type(
        io_type, (), {"Input": _input(io_type, known), "Output": type("Output", (Output,), {"io_type": io_type})}
    )


@dataclass
class Schema:
    node_id: str
    display_name: str = ""
    category: str = "sd"
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    search_aliases: list[str] = field(default_factory=list)
    is_input_list: bool = False
    is_output_node: bool = False


class ComfyNode:
    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        schema = cls.define_schema()  # pyright: ignore[reportAttributeAccessIssue]
        names = [one.id for one in schema.inputs]
        assert len(names) == len(set(names)), names
        return schema


class NodeOutput:
    def __init__(self, *args: Any, ui: Any = None) -> None:
        self.args, self.ui = args, ui


class VideoFromFile:
    def __init__(self, file: Any) -> None:
        self._file = file

    def get_stream_source(self) -> Any:
        return self._file

    def get_dimensions(self) -> tuple[int, int]:
        with av.open(self._file) as container:
            return container.streams.video[0].width, container.streams.video[0].height

    def save_to(self, path: str, format: Any = "auto", codec: Any = "auto", metadata: Any = None) -> None:
        self.get_dimensions()  # raises for what is no video
        shutil.copyfile(self._file, path)


class VideoFromComponents:
    def __init__(self, components: Any) -> None:
        self._components = components

    def get_stream_source(self) -> Any:
        raise ValueError("Could not determine output format")

    def save_to(self, path: str, format: Any = "auto", codec: Any = "auto", metadata: Any = None) -> None:
        from heygem.media.frame import Frame
        from heygem.media.writer import VideoWriter

        images = (self._components.images * 255).round().byte().numpy()
        with VideoWriter(path, self._components.frame_rate, images.shape[2:0:-1], "draft", device="cpu") as writer:
            for image in images:
                writer.write(Frame.of(image))


def video_of(images: Any, rate: int = 25) -> VideoFromComponents:
    """What “Create Video” makes of images (B, H, W, 3)."""
    return VideoFromComponents(SimpleNamespace(images=images, frame_rate=Fraction(rate), audio=None))


def _save_path(prefix: str, root: str, width: int = 0, height: int = 0) -> tuple[str, str, int, str, str]:
    place = Path(os.path.normpath(prefix))
    folder = Path(root, place.parent).resolve()
    if not folder.is_relative_to(Path(root).resolve()):
        raise Exception("Saving image outside the output folder is not allowed.")
    folder.mkdir(parents=True, exist_ok=True)
    taken = [int(one.name[len(place.name) + 1 :].split("_")[0]) for one in folder.glob(f"{place.name}_*")]
    return str(folder), place.name, max(taken, default=0) + 1, str(place.parent), prefix


def install(folder: Path) -> None:
    """ComfyUI's modules, with its folders below ``folder``."""
    STATE.folder = folder
    places = {
        f"get_{name}_directory": lambda name=name: str(STATE.folder / name) for name in ("input", "output", "temp")
    }
    io = {name: _typed(name.upper(), known) for name, known in KINDS.items()}
    io |= {"Schema": Schema, "ComfyNode": ComfyNode, "NodeOutput": NodeOutput, "Custom": _typed}
    ui = {"PreviewText": lambda value: {"text": value}, "PreviewImage": lambda image, cls=None: {"images": image}}
    latest = {
        "ComfyExtension": object,
        "InputImpl": SimpleNamespace(VideoFromFile=VideoFromFile, VideoFromComponents=VideoFromComponents),
        "Types": SimpleNamespace(VideoContainer=SimpleNamespace(MP4="mp4")),
        "io": SimpleNamespace(**io, NumberDisplay=SimpleNamespace(slider="slider", number="number")),
        "ui": SimpleNamespace(**ui),
    }
    management: dict[str, Any] = {
        "InterruptProcessingException": Interrupted,
        "throw_exception_if_processing_interrupted": STATE.check,
        "load_models_gpu": load_models_gpu,
        "unload_all_models": unload_all_models,
        "free_memory": lambda size, device: STATE.freed.append(size),
        "get_torch_device": lambda: sys.modules["torch"].device("cpu"),
        "unet_offload_device": lambda: sys.modules["torch"].device("cpu"),
    }
    modules: dict[str, dict[str, Any]] = {
        "comfy_api": {},
        "comfy_api.latest": latest,
        "comfy": {},
        "comfy.utils": {"ProgressBar": ProgressBar},
        "comfy.model_management": management,
        "comfy.model_patcher": {"ModelPatcher": ModelPatcher},
        "comfy.patcher_extension": {"CallbacksMP": SimpleNamespace(ON_DETACH="on_detach_after")},
        "comfy_execution": {},
        "comfy_execution.graph_utils": {"ExecutionBlocker": ExecutionBlocker},
        "folder_paths": {**places, "get_save_image_path": _save_path},
    }
    for name, values in modules.items():
        module = sys.modules[name] = ModuleType(name)
        module.__dict__.update(values)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
