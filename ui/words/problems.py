"""What went wrong and what to do: errors, their details, scores and warnings in words."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

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
    "address.refused": ("不会访问“{address}”：{reason}。", "请填写互联网上能访问的 http 或 https 地址；如果要用内部网络的地址，请管理员设置 HEYGEM_WEBHOOK_PRIVATE=true。"),
    "address.unknown": ("在网络上找不到“{host}”。", "请检查地址有没有写错。"),
    "webhook.failed": ("“{host}”没有收下通知：{reason}。", "请检查这个地址上的服务是否在运行，并且返回 200 到 299 的状态码。"),
    "login.missing": ("需要先登录，或提供有效的令牌。", "请打开 /login 登录；用接口时请带上请求头“Authorization: Bearer 令牌”。"),
    "origin.refused": ("不接受来自“{origin}”网页的请求。", "请在 HeyGem 自己的网页上操作，或请管理员把这个来源加到 HEYGEM_CORS_ORIGINS。"),
    "users.unusable": ("用户文件“{name}”不能用：{reason}。", "请修好或删除这个文件；“heygem users add 用户名”会新建一个。"),
    "job.crashed": ("处理进程意外退出（{reason}）。", "请再试一次；如果还是这样，请换小一点或短一点的视频。SIGKILL 多半是内存不够。"),
    "job.out_of_memory": ("显存不够，一次只处理一帧也放不下。", "请等显卡上的其他程序结束后再试，或换一个尺寸小一点的视频，或把设备改成 cpu。"),
    "job.stalled": ("任务在“{stage}”这一步连续 {seconds} 秒没有动静，已被停止。", "请再试一次；如果总停在同一个地方，请把文件发给管理员。"),
    "job.timeout": ("任务超过了服务器允许的 {minutes} 分钟。", "请把录音剪短，或请管理员调大 HEYGEM_JOB_MINUTES。"),
    "job.missing": ("没有编号为“{id}”的任务或批次。", "它可能已被删除，请在历史记录里查看。"),
    "job.state": ("这个任务现在是“{state}”状态，不能这样操作。", "请先看看它现在的状态，再选择。"),
    "disk.low": ("存放结果的磁盘只剩 {free} MB，开始新任务需要 {floor} MB。", "请删除不再需要的结果，或请管理员清理磁盘。"),
    "store.busy": ("任务列表正被另一个程序占用，没有做任何改动。", "请稍后再试；如果一直这样，请关闭打开了 jobs.sqlite3 的程序。"),
    "store.in_use": ("另一个 HeyGem（进程 {process}）正在使用任务列表“{name}”。", "请直接用那一个，或先停止它，或用 HEYGEM_HOME 给这一个另外的文件夹。"),
    "store.unusable": ("任务列表不能使用：{reason}。", "请检查磁盘和 HEYGEM_HOME 的权限；损坏的 jobs.sqlite3 可以移走，结果文件不受影响。"),
    "job.cancelled": ("已按要求停止。", "可以随时重新开始。"),
}  # fmt: skip
"""Code -> (message, hint). The English ones are the errors' own."""

ERROR_EN_PAGE = {
    "error": ("Something unexpected went wrong ({reason}).", "Try again; if it happens again, send the administrator the log {log} and the job number {job}."),
    "input.missing": ("There is no file “{name}”.", "Choose and upload the file again."),
}  # fmt: skip
"""Where the page has better advice than the command line."""
VALUES_ZH: dict[str, str] = {
    "only http and https are called": "只支持 http 和 https 地址",
    "it holds a user name or password": "地址里带有用户名或密码",
    "it is no valid address": "地址格式不对",
    "it leads into a private or reserved network": "它指向内部网络或保留的地址",
    "it did not answer in time": "没有在规定时间内回应",
    "the connection failed": "连接失败",
    "its certificate is not valid": "对方的证书无效",
    "it is not a list of names and hashed passwords": "它不是用户名和加密密码的列表",
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
    r"the graphics memory was too small, so the batch was halved to (?P<count>\d+)": "halved",
}
"""Warnings of a take, as the pipeline words them -> key."""
