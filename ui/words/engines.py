"""The engines: what each is for, whether it may be used here, and what the licences of its weights say."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

ENGINES: dict[str, tuple[str, str]] = {
    # their names
    "engine": ("引擎", "Engine"),
    "engine_mesh": ("标准引擎", "Standard"),
    "engine_loudness": ("音量示意", "Loudness"),
    "engine_wav2lip": ("Wav2Lip", "Wav2Lip"),
    "engine_wav2lip-gan": ("Wav2Lip + GAN", "Wav2Lip + GAN"),
    "engine_wav2lip-256": ("Wav2Lip 256", "Wav2Lip 256"),
    "engine_wav2lip-288": ("Wav2Lip 288", "Wav2Lip 288"),
    "engine_musetalk": ("MuseTalk 1.5", "MuseTalk 1.5"),
    "engine_musetalk-1.0": ("MuseTalk 1.0", "MuseTalk 1.0"),
    "engine_remote": ("远程服务（face2face）", "Remote service (face2face)"),
    "engine_marked": ("{title}（{state}）", "{title} ({state})"),
    # what each is for
    "engine_for_mesh": ("默认引擎：用这个人自己的口型画面，不需要显卡，也不需要权重。", "The default: re-uses the person's own mouth pictures. Needs neither a GPU nor weights."),
    "engine_for_loudness": ("只把音量画在嘴上，用来检查音画同步，不用于成品。", "Only paints the loudness on the mouth: to check the sync, not for results."),
    "engine_for_wav2lip": ("速度快的神经网络；嘴部画面只有 96 像素，比较柔和。", "A fast network; its mouth is 96 px wide at most, so it looks soft."),
    "engine_for_wav2lip-gan": ("和 Wav2Lip 同一个网络，另一种训练方法：据作者说画面更好，同步稍差；嘴部画面也是 96 像素。", "The same network trained in another way: better looks and slightly worse sync, say its authors; 96 px as well."),
    "engine_for_wav2lip-256": ("Wav2Lip 的 256 像素版本：嘴部更细致，计算量约为 7 倍。", "Wav2Lip at 256 px: a finer mouth for about 7 times the work."),
    "engine_for_wav2lip-288": ("Wav2Lip 的 288 像素版本：嘴部更细致，计算量约为 5 倍。", "Wav2Lip at 288 px: a finer mouth for about 5 times the work."),
    "engine_for_musetalk": ("大型神经网络，重新画出 256 像素的下半张脸；最好有显卡，没有时非常慢。", "A large network that paints the lower face anew, at 256 px. Best with a GPU; very slow without one."),
    "engine_for_musetalk-1.0": ("MuseTalk 的上一个版本，权重不同；一般请用 1.5。", "The version before 1.5, with other weights; 1.5 is the better choice for most."),
    "engine_for_remote": ("由另一台机器上的 face2face 服务生成，声音和视频会发送给它。", "A face2face service elsewhere makes the video; voice and video are sent to it."),
    # may it be used
    "engine_state_ready": ("可以使用", "ready"),
    "engine_state_missing": ("未安装权重", "weights not installed"),
    "engine_state_damaged": ("权重损坏", "weights damaged"),
    "engine_state_refused": ("许可证不允许", "refused by licence"),
    "engine_state_off": ("未设置", "not set up"),
    "engine_licence_yes": ("可以商用", "commercial use allowed"),
    "engine_licence_no": ("禁止商用", "no commercial use"),
    "engine_licence_unclear": ("商用许可不明", "commercial use unclear"),
    "engine_because": ("{allowed}：{reason}。", "{allowed}: {reason}."),
    # the cards
    "engine_cards": ("引擎", "Engines"),
    "engine_cards_about": (
        "哪些引擎现在能用，缺什么，能不能商用。装好权重后这里会自动更新，不用重新启动。命令由管理员在服务器的 HeyGem 文件夹里运行（前面可能要加 .venv/bin/）。",
        "Which engines can be used now, what the others lack, and what their licences allow. What is installed shows up here without a restart. Commands are for an administrator, in the folder of HeyGem on the server (you may need .venv/bin/ in front).",
    ),
    "engine_commercial_on": ("本服务器用于商业用途（HEYGEM_COMMERCIAL=true）：许可证不允许的权重不会使用。", "This server is for commercial use (HEYGEM_COMMERCIAL=true): weights whose licence does not allow that are not used."),
    "engine_default": ("默认", "default"),
    "engine_device": ("计算设备", "Device"),
    "engine_memory": ("占用", "Memory"),
    "engine_licence": ("许可证", "Licence"),
    "engine_licence_code": ("代码：{text}", "Code: {text}"),
    "engine_licence_weights": ("权重：{text}", "Weights: {text}"),
    "engine_licence_row": ("{name}（{network}）：{text}", "{name} ({network}): {text}"),
    "engine_rights": ("添加 {name} 的人声明自己有权使用它。", "Whoever added {name} said to have the right to use it."),
    "engine_at": ("另一台机器：{host}", "elsewhere: {host}"),
    "engine_installed": ("权重 {size}", "weights {size}"),
    "engine_download": ("权重文件约 {size}", "files of about {size}"),
    "engine_gpu": ("显存 {size}（{source}）", "GPU memory {size} ({source})"),
    "engine_small": ("没有权重", "no weights"),
    "engine_how_missing": ("怎样安装（还缺 {n} 个权重文件）", "How to install (files of weights missing: {n})"),
    "engine_how_off": ("怎样设置", "How to set it up"),
    "engine_fetch": ("先取得 {file}，再运行（FILE 换成这个文件）。发布页：", "Get {file}, then run this with the file in place of FILE. Published at"),
    "engine_run": ("运行（先显示许可证，同意后才开始）：", "Run (it shows the licence first and asks):"),
    "engine_remove": ("先移除损坏的权重：", "Remove what is damaged:"),
    "engine_optional": ("可选，只有 --exact 用到：{name}（{network}）", "Optional, for --exact alone: {name} ({network})"),
    "engine_copy": ("复制", "Copy"),
    "engine_copied": ("已复制", "Copied"),
}  # fmt: skip

LICENCES_ZH: dict[str, str] = {
    "as the code; trained on FFHQ, which is under CC BY-NC-SA 4.0": "同代码；用 FFHQ 训练，该数据集采用 CC BY-NC-SA 4.0",
    "Apache-2.0 except for parts after StyleGAN2 (NVIDIA, non-commercial) and DFDNet (CC BY-NC-SA 4.0)": "Apache-2.0，但其中来自 StyleGAN2（NVIDIA，非商业）和 DFDNet（CC BY-NC-SA 4.0）的部分除外",
    "Apache-2.0, shipped with HeyGem": "Apache-2.0，随 HeyGem 一起提供",
    "code and weights are HeyGem's own": "代码和权重都是 HeyGem 自己的",
    "needs none": "不需要",
    "it is HeyGem's own": "这是 HeyGem 自己的代码",
    "of the service": "以那个服务为准",
    "the licence of the service decides, which HeyGem does not know": "取决于那个服务的许可证，HeyGem 无从得知",
    "README of MuseTalk: its own program, fp16, RTX 3050 Ti Laptop with 4 GB": "据 MuseTalk 的 README：作者自己的程序、fp16、4 GB 显存的 RTX 3050 Ti 笔记本",
    "no licence file; README: personal, research and non-commercial use": "没有许可证文件；README：仅限个人、研究和非商业用途",
    "as the code; trained on LRS2: “any form of commercial use is strictly prohibited”": "同代码；用 LRS2 训练：“严禁任何形式的商业用途”",
    "Apache-2.0; the README asks for a LiveTalking watermark on published videos": "Apache-2.0；README 要求公开发布的视频带 LiveTalking 水印",
    "none stated; origin of the weights and of their training data unknown": "没有说明；权重和训练数据来源不明",
    "none: the author publishes no weights, those that circulate have no licence": "没有：作者没有发布权重，别处流传的没有许可证",
    "README: “for any purpose, even commercially”; model card: CreativeML OpenRAIL-M": "README：“可用于任何目的，包括商业用途”；模型卡：CreativeML OpenRAIL-M",
    "MIT (OpenAI); Apache-2.0 on the model card": "MIT（OpenAI）；模型卡上写 Apache-2.0",
    "none stated; trained on CelebAMask-HQ, which is for non-commercial research": "没有说明；用 CelebAMask-HQ 训练，该数据集只供非商业研究",
}  # fmt: skip
"""What cards quote. Names of licences are the same in every language."""
