"""Runs prompts as ComfyUI does: lists item by item, collecting nodes at once, blocked items not at all."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.comfyui.fake_comfy import ExecutionBlocker
from tests.comfyui.lines import Prompt

Core = Callable[..., tuple[Any, ...]]
UNKNOWN = (None,)
"""An input that is not evaluated yet."""


def load_pack(folder: Path) -> ModuleType:
    """The pack in this folder, imported as ComfyUI does it: under the name of its path."""
    name = str(folder).replace(".", "_x_")
    spec = spec_from_file_location(name, folder / "__init__.py")
    assert spec and spec.loader
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def nodes_of(pack: ModuleType) -> dict[str, Any]:
    """Id -> node."""

    async def found() -> list[Any]:
        return await (await pack.comfy_entrypoint()).get_node_list()

    return {node.GET_SCHEMA().node_id: node for node in asyncio.run(found())}


class Engine:
    """core: nodes of ComfyUI itself, as functions of their inputs that return their outputs."""

    def __init__(self, nodes: dict[str, Any], core: dict[str, Core]) -> None:
        self._nodes, self._core = nodes, core

    def run(self, prompt: Prompt) -> dict[str, list[list[Any]]]:
        """Node -> its outputs, each a list, of all that ran."""
        done: dict[str, list[list[Any]]] = {}
        linked = {value[0] for node in prompt.values() for value in node["inputs"].values() if isinstance(value, list)}
        for last in prompt.keys() - linked:
            self._run(last, prompt, done)
        return done

    def _run(self, key: str, prompt: Prompt, done: dict[str, list[list[Any]]]) -> None:
        if key in done:
            return
        kind, inputs = prompt[key]["class_type"], prompt[key]["inputs"]
        node = self._nodes.get(kind)
        schema = node.GET_SCHEMA() if node else None
        lazy = {one.id for one in schema.inputs if one.lazy} if schema else set()
        given: dict[str, Any] = {one.id: [one.default] for one in schema.inputs if not one.optional} if schema else {}
        for name, value in inputs.items():
            if isinstance(value, list) and name in lazy:
                given[name] = UNKNOWN
            elif isinstance(value, list):
                self._run(value[0], prompt, done)
                given[name] = done[value[0]][value[1]]
            else:
                given[name] = [value]
        if lazy & inputs.keys():
            for name in self._nodes[kind].check_lazy_status(**given):
                self._run(inputs[name][0], prompt, done)
                given[name] = done[inputs[name][0]][inputs[name][1]]
        done[key] = self._mapped(kind, schema, given)

    def _mapped(self, kind: str, schema: Any, given: dict[str, Any]) -> list[list[Any]]:
        if schema is None:
            calls = [{name: values[min(n, len(values) - 1)] for name, values in given.items()} for n in _range(given)]
            rows = [() if _blocked(call.values()) else self._core[kind](**call) for call in calls]
            return [list(column) for column in zip(*(row for row in rows if row), strict=True)]
        count = len(schema.outputs)
        if schema.is_input_list:
            blocked = _blocked(one for values in given.values() for one in values)
            rows = [self._called(kind, given, count, blocked)]
        else:
            calls = [{name: values[min(n, len(values) - 1)] for name, values in given.items()} for n in _range(given)]
            rows = [self._called(kind, call, count, _blocked(call.values())) for call in calls]
        outputs: list[list[Any]] = [[] for _ in schema.outputs]
        for row in rows:
            for column, output, value in zip(outputs, schema.outputs, row, strict=True):
                if output.is_output_list and not isinstance(value, ExecutionBlocker):
                    column.extend(value)
                else:
                    column.append(value)
        return outputs

    def _called(self, kind: str, given: dict[str, Any], count: int, blocked: bool) -> Any:
        if blocked:
            return (ExecutionBlocker(None),) * count
        args = asyncio.run(self._in_a_loop(kind, given)).args
        assert len(args) == count, kind
        return args

    async def _in_a_loop(self, kind: str, given: dict[str, Any]) -> Any:
        """As ComfyUI does it: in this thread, beside a running event loop."""
        return self._nodes[kind].execute(**given)


def _range(given: dict[str, Any]) -> range:
    assert all(given.values()), "ComfyUI fails on empty lists"
    return range(max(map(len, given.values())))


def _blocked(values: Any) -> bool:
    return any(isinstance(value, ExecutionBlocker) for value in values)
