"""What is done to the pictures after the mouth, and what goes wrong with it."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

FINISH: dict[str, tuple[str, str]] = {
    "no_person": ("有 {count} / {total} 帧没有找到人物，这些画面只有背景。", "No person was found in {count} of {total} frames; they show the background alone."),
    "no_screen": ("有 {count} / {total} 帧没有找到颜色 {colour}，请用取色工具从幕布上取色。", "The colour {colour} was not found in {count} of {total} frames; pick it from the screen behind the person."),
    "no_subtitle": ("字幕里没有一行落在视频的时间范围内。", "No line of the subtitles lies within the film."),
}  # fmt: skip

FINISH_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "finish.subtitles": ("“{name}”不能用作字幕：{reason}{where}。", "请使用 SRT、ASS 或 WebVTT 字幕文件，或带时间的文本，例如“0:01 - 0:03.5 你好”或“[00:01.20] 你好”。"),
    "finish.font": ("这段文字画不出来：{reason}（{what}）。", "字体一栏请留空，或填写服务器上已安装的字体名称；如果没有字体包含这些字，请管理员安装，中文字体可以用“apt install fonts-noto-cjk”。"),
    "compare.too_long": ("选中的结果一共 {minutes} 分钟，对比视频最多 {most} 分钟。", "请少选几个，或选短一些的；在服务器上用“heygem compare”没有这个限制。"),
    "compare.busy": ("服务器正在生成另一个对比视频。", "请等它完成后再试，大约一分钟。"),
}  # fmt: skip

FINISH_VALUES_ZH: dict[str, str] = {
    "it is larger than 5 MB": "文件超过 5 MB",
    "it is not a text": "它不是文本文件",
    "it is empty": "里面没有内容",
    "no line in it has a text and a time": "里面没有一行同时有文字和时间",
    "it is no whole ASS file": "这个 ASS 文件不完整或格式有误",
    "a line ends before it begins": "有一行的结束时间早于开始时间",
    "a text is too long to be shown": "有一条文字太长，画面上放不下",
    "the program that draws them ended or hangs": "绘制字幕的程序意外退出或没有反应",
    "the track of subtitles cannot be written": "字幕轨无法写入",
    "this font is not installed": "没有安装这个字体",
    "this font lacks signs of it": "这个字体缺少其中的字",
    "no installed font has all its signs": "已安装的字体都缺少其中的字",
    "it is neither PNG, JPEG, WebP nor GIF": "它不是 PNG、JPEG、WebP 或 GIF 图片",
}  # fmt: skip
