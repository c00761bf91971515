"""The production lines of comfyui/example_workflows as API prompts: {node: {"class_type", "inputs"}}.

Links are [node, output]; widgets that keep their default are left out. The files lie in ComfyUI's input folder:
person.mp4, portrait.png, logo.png, voice.wav, and the folder lessons with pairs.
"""

from __future__ import annotations

from typing import Any

Prompt = dict[str, dict[str, Any]]

CAPTIONS = "1\n00:00:00,000 --> 00:00:01,000\n同学们好\n\n2\n00:00:01,000 --> 00:00:02,000\nWelcome to the lesson\n"


def node(kind: str, **inputs: object) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def person_and_voice() -> Prompt:
    return {"1": node("LoadVideo", file="person.mp4"), "2": node("LoadAudio", audio="voice.wav")}


def saved(source: str, prefix: str, output: int = 0) -> dict[str, Any]:
    return node("SaveVideo", video=[source, output], filename_prefix=prefix, format="auto", codec="auto")


def single() -> Prompt:
    """One video, one voice."""
    return {
        **person_and_voice(),
        "3": node("HeyGemTalkingHead", video=["1", 0], audio=["2", 0]),
        "4": saved("3", "HeyGem/single"),
        "5": node("PreviewAny", source=["3", 2]),
    }


def batch() -> Prompt:
    """A folder of pairs: those without a face are left out, broken ones do not stop the rest, a report lists all
    and keeps the videos under their names."""
    return {
        "1": node("HeyGemPairList", source="lessons"),
        "2": node("HeyGemFaceGate", video=["1", 0], audio=["1", 1], name=["1", 2]),
        "3": node("HeyGemTalkingHead", video=["2", 0], audio=["2", 1], name=["2", 2], on_error="skip"),
        "5": node("HeyGemBatchReport", lines=["3", 3], skipped=["2", 3], name="HeyGem/batch"),
        "6": node("PreviewAny", source=["5", 0]),
    }


def teacher() -> Prompt:
    """A teacher's photo and recording: background, subtitles and logo, then shared and announced."""
    return {
        "1": node("LoadImage", image="portrait.png"),
        "2": node("LoadAudio", audio="voice.wav"),
        "3": node("HeyGemPhoto", image=["1", 0]),
        "4": node("HeyGemExpression", blinks=1.0, nod=1.0, sway=1.0, smile=0.2),
        "5": node("HeyGemTalkingHead", video=["3", 0], audio=["2", 0], options=["4", 0]),
        "6": node("HeyGemBackground", video=["5", 0], background="colour", colour="#dfe9f3"),
        "7": node("LoadImage", image="logo.png"),
        "8": node("HeyGemSubtitles", video=["6", 0], text=CAPTIONS, logo=["7", 0], logo_mask=["7", 1]),
        "9": saved("8", "HeyGem/lesson"),
        "10": node("HeyGemSaveToStorage", video=["8", 0], name="lesson"),
        "11": node("HeyGemNotify", title="课程视频已生成", text=["5", 2], link=["10", 0]),
    }


def compare() -> Prompt:
    """Two sets of parameters side by side."""
    return {
        **person_and_voice(),
        "3": node("HeyGemParameters", label="calm", mouth_strength=0.8, smoothness=0.6),
        "4": node("HeyGemParameters", label="lively", mouth_strength=1.3, smoothness=0.1),
        "5": node("HeyGemCompare", video=["1", 0], audio=["2", 0], set_a=["3", 0], set_b=["4", 0]),
        "6": saved("5", "HeyGem/compare"),
        "7": node("PreviewAny", source=["5", 3]),
    }


def retry() -> Prompt:
    """Again with other parameters until the score is good enough; the best one is kept."""
    return {
        **person_and_voice(),
        "3": node("HeyGemParameters", label="softer", mouth_strength=0.8),
        "4": node("HeyGemRetry", video=["1", 0], audio=["2", 0], tries=2, least_score=95.0, step_2=["3", 0]),
        "5": saved("4", "HeyGem/retry"),
        "6": node("PreviewAny", source=["4", 2]),
    }


def spoken() -> Prompt:
    """Text and a photo, no recording at all."""
    return {
        "1": node("LoadImage", image="portrait.png"),
        "2": node("HeyGemPhoto", image=["1", 0]),
        "3": node("HeyGemTextToSpeech", text="大家好，欢迎来到今天的课程。"),
        "4": node("HeyGemTalkingHead", video=["2", 0], audio=["3", 0]),
        "5": node("HeyGemEnhanceFace", video=["4", 0], amount=0.6),
        "6": saved("5", "HeyGem/spoken"),
    }


LINES = {"single": single, "batch": batch, "teacher": teacher, "compare": compare, "retry": retry, "spoken": spoken}
"""Name of the example workflow -> its prompt."""
