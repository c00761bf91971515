"""The sentences of the login page, Chinese and English."""

from __future__ import annotations

from heygem.language import LANGUAGES

WORDS: dict[str, tuple[str, str]] = {
    "title": ("登录 HeyGem", "Log in to HeyGem"),
    "name": ("用户名", "Name"),
    "password": ("密码", "Password"),
    "token": ("访问口令", "Access token"),
    "enter": ("登录", "Log in"),
    "wrong": ("用户名或密码不对，请再试一次。", "The name or the password is wrong. Try again."),
    "wrong_token": ("访问口令不对，请再试一次。", "The access token is wrong. Try again."),
    "wait": ("错误次数太多，请 {seconds} 秒后再试。", "Too many mistakes. Try again in {seconds} seconds."),
    "broken": (
        "服务器上的用户文件不能用，现在无法登录。请联系管理员。",
        "The file of users on the server cannot be used, so nobody can log in. Tell the administrator.",
    ),
    "link.expired": (
        "这个链接已经过期，请向发给您的人要一个新的。",
        "This link has expired. Ask who sent it for a new one.",
    ),
    "link.refused": (
        "这个链接不完整或被改动过，请完整地重新复制一次。",
        "This link was cut short or changed. Copy it again, whole, from where it came.",
    ),
    "result.gone": ("这个视频已经被删除。", "This video was removed."),
    "forgotten": (
        "没有账号或忘记密码？请联系管理员。",
        "No account, or the password forgotten? Ask the administrator.",
    ),
}


def say(key: str, language: str, **details: object) -> str:
    """The sentence of this key."""
    return WORDS[key][LANGUAGES.index(language)].format(**details)
