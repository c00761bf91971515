"""Texts that are spoken: what the page says, and what goes wrong, in Chinese."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

SAY: dict[str, tuple[str, str]] = {
    "say_title": ("没有录音？输入文字生成", "No recording? Type the text"),
    "say_text": ("要说的话", "What is to be said"),
    "say_about": ("在这里输入要说的话。离线音色听得出是机器声；要自然的声音，请用真人录音。", "Type here what is to be said. The offline voices sound like a machine; for a natural one use a recording."),
    "say_voice": ("音色", "Voice"),
    "say_auto": ("自动（按文字的语言）", "By the language"),
    "say_man": ("{name} · 男声", "{name} · man"),
    "say_woman": ("{name} · 女声", "{name} · woman"),
    "say_service": ("{name} · 外部语音服务", "{name} · external service"),
    "say_speed": ("语速", "Speed"),
    "say_make": ("生成语音", "Speak it"),
    "say_working": ("正在生成语音……", "Speaking …"),
}  # fmt: skip

SAY_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "say.empty": ("文字里没有可以念出来的内容。", "请至少写一个词。"),
    "say.too_long": ("文字有 {length} 个字符，最多 {most} 个。", "请分成几段，分别生成语音。"),
    "say.voice": ("没有“{voice}”这个音色。", "请从列表里选择，“heygem say --voices”会列出全部音色。"),
    "say.unreadable": ("音色“{voice}”不会念“{signs}”。", "请选择与文字语言一致的音色；离线日语音色请用假名代替汉字。"),
    "say.failed": ("“{service}”没能念出这段文字：{reason}。", "请再试一次或换一个音色；“heygem doctor”会检查离线音色，语音服务由 HEYGEM_TTS_… 设置。"),
    "say.busy": ("服务器正在同时念 {most} 段文字，暂时忙不过来。", "请过几秒再试。"),
}  # fmt: skip

SAY_VALUES_ZH: dict[str, str] = {
    "the speech program could not start": "语音程序无法启动",
    "the speech program ended unexpectedly": "语音程序意外退出",
    "it took too long": "花的时间太长",
    "the voice made no sound": "没有发出声音",
    "its answer is no sound": "对方的回应不是声音",
    "a text": "文本",
    "it is not a text file in UTF-8": "它不是 UTF-8 编码的文本文件",
    "its answer is too large": "对方的回应太大",
    "it does not know this address, model or voice": "它不认识这个地址、模型或音色",
}  # fmt: skip
