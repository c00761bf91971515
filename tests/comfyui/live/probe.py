"""A node of the tests' own that lies beside the pack in ComfyUI: it tells what is in memory."""

from __future__ import annotations


class Held:
    CATEGORY, FUNCTION, OUTPUT_NODE = "tests", "tell", True
    RETURN_TYPES = ("STRING",)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    @classmethod
    def IS_CHANGED(cls):
        return float("nan")

    def tell(self):
        from comfy.model_management import current_loaded_models  # pyright: ignore[reportMissingImports]

        from heygem.engines.neural.resident import modules

        names = [type(one.model.model).__name__ for one in current_loaded_models]
        return {"ui": {"text": (f"{len(modules())} {' '.join(names)}",)}, "result": ("",)}


NODE_CLASS_MAPPINGS = {"TestsHeld": Held}
