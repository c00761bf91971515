"""What goes wrong with weights of networks, and what their licences mean, in Chinese."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

WEIGHTS_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "weights.unusable": ("“{name}”不能用作 {network} 的权重：{reason}。", "请改用公开发布的权重文件，由 {setting} 指定；下载位置见 docs/weights.md。"),
    "weights.missing": ("还没有安装权重“{name}”（{network}）。", "请管理员运行“heygem weights download {name}”，或从 {page} 取得文件后运行“heygem weights add 文件 --name {name}”。"),
    "weights.ambiguous": ("“{name}”可能是下面任何一种权重：{names}。", "请指明是哪一种：“heygem weights add 文件 --name 名称”。"),
    "weights.damaged": ("已安装的权重“{name}”损坏了：{reason}。", "请运行“heygem weights remove {name}”，再重新下载或添加。"),
    "weights.by_hand": ("HeyGem 不会自动下载“{name}”：{reason}。", "请从 {page} 取得 {file}，再运行“heygem weights add 文件 --name {name}”。"),
    "weights.download": ("“{name}”没能从 {host} 下载下来：{reason}。", "请再试一次，会从中断处继续；也可以设置 HEYGEM_WEIGHTS_HUB、HEYGEM_WEIGHTS_MIRROR 或 HEYGEM_WEIGHTS_PROXY；或从 {page} 取得文件后运行“heygem weights add 文件 --name {name}”。"),
    "weights.licence": ("HEYGEM_COMMERCIAL 为 true 时不使用权重“{name}”：{reason}。", "请换一个权重允许商用的引擎（见“heygem weights list”）。许可证不明的权重，要由有权使用的人用 --i-have-rights 添加后才会使用。"),
}  # fmt: skip

WEIGHTS_VALUES_ZH: dict[str, str] = {
    "it is not a PyTorch state dict": "它不是 PyTorch 的 state dict",
    "its layers are not those of this network": "里面的网络层和这个网络对不上",
    "facts.json cannot be read": "读不出 facts.json",
    "the file has another size than was written down": "文件大小和当初记录的不一样",
    "it is not a safetensors file": "它不是 safetensors 文件",
    "they were trained on LRS2, and their authors forbid every commercial use": "它们用 LRS2 训练，作者禁止任何商业用途",
    "commercial use is allowed; the use restrictions of OpenRAIL-M must be passed on": "允许商用；OpenRAIL-M 的使用限制必须一并转达",
    "nobody says who trained them on what, and under which licence": "没有人说明是谁、用什么数据训练的，也没有许可证",
    "the author publishes no weights; your own are yours, others have no licence": "作者没有发布权重；自己训练的归自己，别处流传的没有许可证",
    "code and weights are under the MIT licence": "代码和权重都是 MIT 许可证",
    "code and weights are under licences that allow it": "代码和权重的许可证都允许",
    "they were trained on CelebAMask-HQ, which is for non-commercial research": "它们用 CelebAMask-HQ 训练，该数据集只供非商业研究",
}  # fmt: skip
