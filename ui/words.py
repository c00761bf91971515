"""Every sentence a user of the page reads, in Chinese and English, by key or by error code."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from heygem import errors

LANGUAGES = ("zh", "en")

WORDS: dict[str, tuple[str, str]] = {
    # page
    "motto": ("给一段录音和一个人的视频或照片，让这个人开口说出来。", "Give a recording and a video or photo of a person: the person speaks it."),
    "footer": ("HeyGem {version} · 所有处理都在这台服务器上完成，不向外部发送任何数据。", "HeyGem {version} · Everything is done on this server; nothing is sent anywhere else."),
    "tab_single": ("单个处理", "Single"),
    # inputs
    "audio_title": ("声音", "Voice"),
    "audio_about": ("要说的话的录音：WAV、MP3、M4A……也可以用带声音的视频。", "A recording of what is to be said: WAV, MP3, M4A … or a video with sound."),
    "video_title": ("人物视频或照片", "Video or photo"),
    "video_about": ("一个人正对镜头：MP4、MOV、MKV……也可以是一张照片。", "One person facing the camera: MP4, MOV, MKV … or a single photo."),
    "no_preview": ("浏览器放不了这种格式，但不影响处理。", "Browsers cannot play this format; that does not matter for the work."),
    "photo": ("照片", "photo"),
    "seconds": ("{n} 秒", "{n} s"),
    "minutes": ("{m} 分 {s} 秒", "{m} min {s} s"),
    "hours": ("{h} 小时 {m} 分", "{h} h {m} min"),
    "fps": ("{n} 帧/秒", "{n} fps"),
    "mono": ("单声道", "mono"),
    "stereo": ("立体声", "stereo"),
    "channels": ("{n} 声道", "{n} channels"),
    # options
    "options": ("更多设置", "More settings"),
    "strength": ("口型强度", "Mouth strength"),
    "strength_about": ("0 = 嘴闭着，1 = 按声音的幅度，2 = 两倍", "0 keeps the mouth closed, 1 as the voice asks, 2 twice as wide"),
    "smoothness": ("平滑", "Smoothness"),
    "smoothness_about": ("0 = 每个音都跟上，1 = 动作最平缓", "0 follows every sound, 1 is calmest"),
    "region": ("动哪里", "What moves"),
    "region_jaw": ("嘴和下巴", "Mouth and jaw"),
    "region_mouth": ("只动嘴（胡子、手挡着下巴时）", "The mouth alone (beards, a hand at the chin)"),
    "blinks": ("照片眨眼", "Blinks of a photo"),
    "blinks_about": ("只用于照片：0 = 不眨眼，1 = 自然，2 = 两倍频率", "For photos only: 0 never, 1 as people do, 2 twice as often"),
    "sway": ("照片头部轻动", "Head motion of a photo"),
    "sway_about": ("只用于照片：0 = 不动，1 = 轻微，2 = 两倍幅度", "For photos only: 0 not at all, 1 a little, 2 twice as much"),
    "resolution": ("分辨率", "Resolution"),
    "resolution_source": ("与原视频相同", "As the source"),
    "resolution_720p": ("720p", "720p"),
    "resolution_1080p": ("1080p", "1080p"),
    "quality": ("画质", "Quality"),
    "quality_draft": ("草稿（最快）", "Draft (fastest)"),
    "quality_standard": ("标准", "Standard"),
    "quality_high": ("高", "High"),
    "length": ("声音比视频长时", "Where the voice is longer"),
    "length_pingpong": ("来回播放", "Back and forth"),
    "length_loop": ("从头循环", "Start again"),
    "length_hold": ("停在最后一帧", "Hold the last frame"),
    "face": ("第几张脸", "Which face"),
    "face_about": ("画面里有多个人时：1 = 最大的脸，2 = 第二大……", "With several people in the picture: 1 is the largest face, 2 the next …"),
    "engine": ("引擎", "Engine"),
    "engine_mesh": ("标准引擎", "Standard"),
    "engine_loudness": ("音量示意（检查同步用）", "Loudness (to check the sync)"),
    # buttons
    "start": ("开始生成", "Generate"),
    "cancel": ("取消", "Cancel"),
    "download": ("下载视频", "Download"),
    # the job
    "result_title": ("生成结果", "Result"),
    "empty": ("选好声音和视频，再点“开始生成”，进度和结果会显示在这里。关掉网页也不会中断。", "Choose a voice and a video, then press “Generate”: progress and result appear here. Closing the page does not stop the work."),
    "state_queued": ("排队中，前面还有 {ahead} 个任务", "Waiting, {ahead} before this one"),
    "state_next": ("排队中，马上开始", "Waiting, next in line"),
    "state_running": ("正在生成", "Working"),
    "state_stopping": ("正在停止……", "Stopping …"),
    "state_done": ("已完成", "Done"),
    "state_failed": ("没有成功", "This did not work"),
    "state_cancelled": ("已取消", "Cancelled"),
    "cancelled_about": ("没有留下任何文件，可以随时重新开始。", "Nothing was kept. You can start again at any time."),
    "stage_probe": ("检查文件", "Checking the files"),
    "stage_listen": ("听声音", "Listening"),
    "stage_analyse": ("分析人脸", "Finding the face"),
    "stage_render": ("生成画面", "Rendering"),
    "stage_finish": ("写入视频", "Finishing"),
    "frames": ("第 {done} / {total} 帧", "frame {done} of {total}"),
    "left": ("这一步约剩 {time}", "about {time} left in this step"),
    "elapsed": ("已用 {time}", "{time} so far"),
    "took": ("用时 {time}", "took {time}"),
    "fact_frames": ("{n} 帧", "{n} frames"),
    "score": ("质量 {n} / 100（估计）", "Quality {n} / 100 (estimated)"),
    "no_face_frames": ("有 {count} / {total} 帧看不到可用的脸，这些画面保持原样。", "{count} of {total} frames show no usable face and were left as they are."),
    "no_voice": ("声音里没有听到人声，所以嘴一直闭着。", "No voice was heard in the sound, so the mouth stays closed."),
}  # fmt: skip

ERRORS_ZH: dict[str, tuple[str, str]] = {
    "error": ("出现了意料之外的错误（{reason}）。", "请再试一次；如果还是这样，请把日志 {log} 和任务编号 {job} 发给管理员。"),
    "input": ("这个文件不能用：{reason}。", "请换一个文件再试。"),
    "input.missing": ("找不到文件“{name}”。", "请重新选择并上传这个文件。"),
    "input.empty": ("“{name}”是空文件，里面没有内容。", "可能是导出或上传时中断了，请重新导出或上传。"),
    "input.unreadable": ("“{name}”无法作为{kind}打开：{reason}。", "请先用播放器试着打开；如果也打不开，请重新导出（视频用 MP4，声音用 WAV 或 MP3）。"),
    "input.refused": ("“{name}”是{kind}，这类文件会指向别的文件或网址，为了安全不予打开。", "请直接上传视频或声音文件（MP4、MOV、MKV、WEBM、WAV、MP3 等）。"),
    "input.no_video": ("“{name}”里没有画面，只有声音。", "请在这里选择人物的视频或照片，声音请放在“声音”一栏。"),
    "input.no_sound": ("“{name}”里没有声音。", "请选择录音（WAV、MP3、M4A 等），或带声音的视频。"),
    "input.too_short": ("“{name}”的声音只有 {seconds} 秒，太短了。", "请使用至少 {least} 秒的录音。"),
    "input.too_large": ("“{name}”的画面是 {width}x{height}，超过了上限 {most}。", "请先缩小到 4K 以内；口播视频用 1080p 就足够了。"),
    "input.too_small": ("“{name}”的画面是 {width}x{height}，小于下限 {least}。", "请使用更大的原始文件，人脸最好至少有 100 像素宽。"),
    "input.no_face": ("在“{name}”里没有找到可用的人脸（看了 {frames} 帧{why}）。", "请使用人脸端正、没有遮挡、至少 60 像素宽的视频或照片。"),
    "option.invalid": ("“{option}”不能是 {value}。", "请改为：{allowed}。"),
    "output.failed": ("结果无法写入“{name}”：{reason}。", "请检查文件夹是否存在、是否有写入权限、磁盘是否还有空间。"),
    "engine.unavailable": ("{engine} 现在不能用：{reason}。", "请换一个引擎，或请管理员在服务器上运行“heygem doctor”查看缺少什么。"),
    "tool.missing": ("服务器上没有安装 {tool}。", "请管理员在 HeyGem 的环境里运行“pip install -r requirements.txt”。"),
    "weights.unusable": ("“{name}”不能用作 {network} 的权重：{reason}。", "请让 {setting} 指向公开发布的权重文件，或把它留空。"),
    "job.crashed": ("处理进程意外退出（{reason}）。", "请再试一次；如果还是这样，请换小一点或短一点的视频。SIGKILL 多半是内存不够。"),
    "job.cancelled": ("已按要求停止。", "没有留下任何文件，可以随时重新开始。"),
}  # fmt: skip
"""Code -> (message, hint). The English ones are the errors' own."""

ERROR_EN_PAGE = {
    "error": ("Something unexpected went wrong ({reason}).", "Try again; if it happens again, send the administrator the log {log} and the job number {job}."),
    "input.missing": ("There is no file “{name}”.", "Choose and upload the file again."),
}  # fmt: skip
"""Where the page has better advice than the command line."""

VALUES_ZH: dict[str, str] = {
    "a video": "视频",
    "a picture": "图片",
    "sound": "声音",
    "media": "视频或声音",
    "playlist": "一份播放列表",
    "HLS playlist": "一份 HLS 播放列表",
    "concat list": "一份拼接列表",
    "DASH manifest": "一份 DASH 清单",
    "session description": "一份会话描述文件",
    "RTSP link": "一个网络流链接",
    "it is damaged, cut short or in an unknown format": "文件已损坏、不完整，或格式未知",
    "its format is not supported": "不支持这种格式",
    "it is not a file": "这不是一个文件",
    "it has neither picture nor sound": "里面既没有画面也没有声音",
    "no picture in it can be decoded": "里面没有能解码的画面",
    "HEIC photos are not supported, save it as JPG": "不支持 HEIC 照片，请另存为 JPG",
    "it is one of the inputs": "它就是输入文件",
    "The speech model": "语音模型",
    "its weights speech_motion.safetensors are missing": "缺少模型文件 speech_motion.safetensors",
    "The NVIDIA video encoder": "NVIDIA 视频编码器",
    "The InsightFace detector": "InsightFace 人脸检测",
    "insightface is not installed": "没有安装 insightface",
    "it runs on the CPU; choose the device auto or cpu": "它只在处理器（CPU）上运行，设备请选 auto 或 cpu",
    ", the face is too small": "，脸太小",
    ", the face is seen for moments only": "，脸只出现了很短的时间",
    ", the head is turned away": "，头转得太偏",
    ", the tracker of the result went astray": "，对结果的跟踪出了错",
    ", the face is cut off by the edge": "，脸在画面边缘被切掉了",
    "there is no frame in it": "里面一帧画面也没有",
    "HeyGem does not run from its repository here": "这里的 HeyGem 不是从源代码文件夹运行的",
    "it has no GPU part": "它不使用显卡",
    "there is no such file": "没有这个文件",
    "it is not a PyTorch state dict": "它不是 PyTorch 的 state dict",
    "its layers are not those of this network": "里面的网络层和这个网络对不上",
}
"""Known details of errors in Chinese; what is not in here stands as it is."""

REASONS_ZH: dict[str, str] = {
    "speaking": "几乎听不到人声：请换一段有人说话的录音。",
    "clarity": "声音里有噪音或音乐：请用只有人声的录音。",
    "covered": "只有 {covered:.0%} 的画面看得到可用的脸：请用脸始终在画面里的视频。",
    "width": "脸太小（约 {width:.0f} 像素宽）：请用更近的镜头，或尺寸更大的原始视频。",
    "turn": "头平均偏转了 {turn:.0f}°：请让人物正对镜头。",
    "material": "可用的口型素材太少：请用一段 5 秒以上、人物在说话的视频。",
    "drawn": "有 {drawn:.0%} 的画面里，嘴的内部是画出来的：请用人物张嘴说话的视频。",
    "misfit": "口型改动太大：请用人物在自然说话的视频，不要一直露齿微笑。",
    "sharpness": "嘴部比原画面模糊：请换更清晰的视频，或调低口型强度。",
}
"""Fact -> why it took points and what to do, with the facts of the take as values. The English ones are the parts' own."""

WARNINGS = {
    r"(?P<count>\d+) of (?P<total>\d+) frames show no usable face and were left as they are": "no_face_frames",
    r"no voice was heard in the sound, so the mouth stays closed": "no_voice",
}
"""Warnings of a take, as the pipeline words them -> key."""


def say(key: str, language: str, **details: object) -> str:
    """The sentence of this key."""
    return WORDS[key][LANGUAGES.index(language)].format(**details)


def explain(code: str, details: Mapping[str, str], language: str) -> tuple[str, str]:
    """(what went wrong, what to do) for an error code. A detail that is missing reads as nothing."""
    values = _Blank(details)
    if language == "zh":
        values.update({name: VALUES_ZH.get(value, value) for name, value in details.items()})
    message, hint = templates(code, language)
    return message.format_map(values), hint.format_map(values)


def because(part: Mapping[str, Any], quality: Mapping[str, Any], language: str) -> str:
    """Why a part of the score took points, and what to do."""
    if language == "zh" and part["name"] in REASONS_ZH:
        return REASONS_ZH[part["name"]].format_map(quality)
    return f"{part['reason'][:1].upper()}{part['reason'][1:]}."


def warn(warning: str, language: str) -> str:
    """A warning of a take in this language; one that nobody knows stands as it is."""
    for pattern, key in WARNINGS.items():
        if found := re.fullmatch(pattern, warning):
            return say(key, language, **found.groupdict())
    return warning


def templates(code: str, language: str) -> tuple[str, str]:
    """(message, hint) of a code, with placeholders. A code that nobody knows reads as the general error."""
    kinds = {kind.code: (kind.template, kind.remedy) for kind in error_kinds()}
    table = ERRORS_ZH if language == "zh" else {**kinds, **ERROR_EN_PAGE}
    return table.get(code, table["error"])


def error_kinds(kind: type[errors.HeyGemError] = errors.HeyGemError) -> Iterator[type[errors.HeyGemError]]:
    """The error classes, from the root down."""
    yield kind
    for child in kind.__subclasses__():
        yield from error_kinds(child)


def duration(seconds: float, language: str) -> str:
    """A length of time for people: 4.2 s, 3 min 20 s, 1 h 5 min."""
    if seconds < 10:
        return say("seconds", language, n=f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return say("seconds", language, n=whole)
    if whole < 3600:
        return say("minutes", language, m=whole // 60, s=whole % 60)
    return say("hours", language, h=whole // 3600, m=whole % 3600 // 60)


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""
