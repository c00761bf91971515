"""Every sentence of a notice, in Chinese and English."""

from __future__ import annotations

from datetime import datetime

from heygem.language import LANGUAGES

WORDS: dict[str, tuple[str, str]] = {
    "job.done": ("视频已生成：{name}", "Video ready: {name}"),
    "job.failed": ("视频生成失败：{name}", "Video failed: {name}"),
    "batch.done": ("批次已完成：{name}", "Batch ready: {name}"),
    "batch.failed": ("批次已结束，有 {failed} 个失败：{name}", "Batch ended, {failed} failed: {name}"),
    "batch.text": ("共 {total} 个视频：完成 {done} 个", "{total} videos: {done} done"),
    "batch.text.failed": ("，失败 {n} 个", ", {n} failed"),
    "batch.text.cancelled": ("，取消 {n} 个", ", {n} cancelled"),
    "test": ("HeyGem 测试通知", "Test message from HeyGem"),
    "test.text": (
        "收到这条消息，说明通知设置正确。视频完成后会发到这里。",
        "This message arrived, so the settings are right. Finished videos will be announced here.",
    ),
    "state": ("状态", "State"),
    "state.done": ("已完成", "done"),
    "state.failed": ("失败", "failed"),
    "state.cancelled": ("已取消", "cancelled"),
    "length": ("时长", "Length"),
    "score": ("评分", "Score"),
    "score.value": ("{score} / 100（估算）", "{score} / 100 (estimated)"),
    "took": ("用时", "Took"),
    "expires": ("链接有效期至", "Link works until"),
    "open": ("打开视频", "Open the video"),
    "open.page": ("打开 HeyGem", "Open HeyGem"),
    "more": ("… 还有 {n} 个", "… and {n} more"),
    "seconds": ("{n} 秒", "{n} s"),
    "minutes": ("{m} 分 {s} 秒", "{m} min {s} s"),
    "hours": ("{h} 小时 {m} 分", "{h} h {m} min"),
    "colon": ("：", ": "),
}


def say(key: str, language: str, **details: object) -> str:
    """The sentence of this key."""
    return WORDS[key][LANGUAGES.index(language)].format(**details)


def duration(seconds: float, language: str) -> str:
    """A length of time: 4.2 s, 3 min 20 s, 1 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return say("seconds", language, n=f"{seconds:.1f}" if seconds < 10 else whole)
    if whole < 3600:
        return say("minutes", language, m=whole // 60, s=whole % 60)
    return say("hours", language, h=whole // 3600, m=whole % 3600 // 60)


def moment(seconds: float) -> str:
    """A time by the clock of this machine, with its zone: 2026-03-01 08:30 (UTC+08:00)."""
    at = datetime.fromtimestamp(seconds).astimezone()
    return f"{at:%Y-%m-%d %H:%M} (UTC{at.isoformat()[-6:]})"
