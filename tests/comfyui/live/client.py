"""What a program does with a running ComfyUI: it puts prompts in the queue, waits, interrupts, frees memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.comfyui.lines import Prompt


class Refused(Exception):
    """The prompt was not taken: {node: what is wrong with it}."""

    def __init__(self, answer: dict[str, Any]) -> None:
        found = answer.get("node_errors") or {"": {"errors": [answer["error"]]}}
        self.problems = {node: "; ".join(one["details"] for one in told["errors"]) for node, told in found.items()}
        super().__init__(str(self.problems))


@dataclass(frozen=True)
class Ended:
    """What the history says of a prompt."""

    status: str
    outputs: dict[str, dict[str, Any]]
    messages: list[tuple[str, dict[str, Any]]]

    def told(self, kind: str) -> dict[str, Any]:
        """The first message of this kind; empty where there is none."""
        return next((data for name, data in self.messages if name == kind), {})

    @property
    def problem(self) -> str:
        return self.told("execution_error").get("exception_message", "").strip()

    def text(self, node: str) -> str:
        return self.outputs[node]["text"][0]

    def files(self, node: str) -> list[str]:
        """What it saved, relative to the output folder."""
        shown = self.outputs.get(node, {}).get("images", [])
        return ["/".join(filter(None, (one["subfolder"], one["filename"]))) for one in shown]


def filled(prompt: Prompt, nodes: dict[str, Any]) -> Prompt:
    """With the defaults of all widgets that are required, as the page sends them. nodes: of /object_info."""
    return {
        key: {**node, "inputs": {**defaults(nodes[node["class_type"]]), **node["inputs"]}}
        for key, node in prompt.items()
    }


def defaults(node: dict[str, Any]) -> dict[str, Any]:
    known = {name: (kind, *more, {})[:2] for name, (kind, *more) in node["input"].get("required", {}).items()}
    return {name: told["default"] for name, (_, told) in known.items() if "default" in told}


class Client:
    def __init__(self, address: str) -> None:
        self.address = address
        self._http = httpx.Client(base_url=address, timeout=60)
        self._nodes: dict[str, Any] = {}

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def nodes(self) -> dict[str, Any]:
        return self._http.get("/object_info").raise_for_status().json()

    def queue(self, prompt: Prompt) -> str:
        """The id of the prompt. What it leaves out keeps its default. Raises Refused."""
        self._nodes = self._nodes or self.nodes()
        body = {"prompt": filled(prompt, self._nodes), "client_id": "tests"}
        answer = self._http.post("/prompt", json=body)
        if answer.status_code == 400:
            raise Refused(answer.json())
        return answer.raise_for_status().json()["prompt_id"]

    def wait(self, key: str, seconds: float = 240) -> Ended:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self._http.get(f"/history/{key}").json().get(key):
                status = found["status"]
                return Ended(
                    status["status_str"], found["outputs"], [(kind, data) for kind, data in status["messages"]]
                )
            time.sleep(0.1)
        raise TimeoutError(f"prompt {key} has not ended after {seconds} s")

    def run(self, prompt: Prompt) -> Ended:
        return self.wait(self.queue(prompt))

    def begun(self, key: str) -> bool:
        """Is this prompt the one that runs now?"""
        return any(entry[1] == key for entry in self._http.get("/queue").json()["queue_running"])

    def interrupt(self, key: str) -> None:
        self._http.post("/interrupt", json={"prompt_id": key}).raise_for_status()

    def set_up(self, settings: dict[str, Any]) -> None:
        """Settings of the page."""
        self._http.post("/settings", json=settings).raise_for_status()

    def free(self) -> None:
        self._http.post("/free", json={"unload_models": True, "free_memory": True}).raise_for_status()
