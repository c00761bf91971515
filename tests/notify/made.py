"""Notices, and channels that lead to servers of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from heygem import settings
from heygem.notify.base import Item, Notice
from heygem.settings import Settings

KEY = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"
SECRET = "SEC10d6e79b42bd94be0d0d603843651aa2"
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PASSWORD = "correct-horse-battery"
LINK = "https://bucket.s3.example.com/heygem/a.mp4?X-Amz-Expires=86400&X-Amz-Signature=0123456789abcdef"
OK = b'{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}'
ROBOTS = ("wecom", "dingtalk", "feishu")
PATHS = {
    "wecom": f"/cgi-bin/webhook/send?key={KEY}",
    "dingtalk": f"/robot/send?access_token={KEY}",
    "feishu": f"/open-apis/bot/v2/hook/{KEY}",
    "webhook": f"/hook?token={KEY}",
}


def configured(site: str, *names: str, **more: Any) -> Settings:
    """Settings of channels at ``http://127.0.0.1:PORT``."""
    given: dict[str, Any] = {f"notify_{name}": site + PATHS[name] for name in names}
    signed = {"notify_dingtalk_secret": SECRET, "notify_feishu_secret": SECRET, "webhook_secret": SIGNING}
    return settings.load(**{**given, **signed, "webhook_private": True, **more})


def notice(**changed: Any) -> Notice:
    facts = (("状态", "已完成"), ("时长", "42 秒"), ("链接有效期至", "2026-03-01 08:30 (UTC+08:00)"))
    given = {
        "kind": "job",
        "language": "zh",
        "title": "视频已生成：早安_口播",
        "text": "",
        "link": LINK,
        "thumbnail": None,
        "facts": facts,
        "key": "job:0123456789abcdef:1772325000.000",
        "at": 1772325000.0,
        "caption": "打开视频",
    }
    return Notice(**{**given, **changed})


def crowd(n: int = 200, name: str = "产品介绍 第二版 (最终) 🎬 ", link: str = LINK) -> tuple[Item, ...]:
    return tuple(
        Item(f"{name}{i:03}", link) if i % 5 else Item(f"{name}{i:03}", None, "失败 没有找到人脸")
        for i in range(1, n + 1)
    )


def picture(folder: Path) -> Path:
    path = folder / "thumbnail.jpg"
    Image.new("RGB", (320, 180), "teal").save(path, "JPEG")
    return path
