"""What goes wrong with weights of networks, and what their licences mean, in Chinese."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

WEIGHTS_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "weights.unusable": ("“{name}”不能用作 {network} 的权重：{reason}。", "请把公开发布的权重文件交给 {setting}；下载位置见 docs/weights.md。"),
    "weights.missing": ("还没有安装权重“{name}”（{network}）。", "请管理员从 {page} 取得文件后运行“heygem weights add 文件 --name {name}”；能直接下载的，“heygem engines”会给出命令（heygem weights download {name}）。"),
    "weights.ambiguous": ("“{name}”可能是下面任何一种权重：{names}。", "请指明是哪一种：“heygem weights add 文件 --name 名称”。"),
    "weights.damaged": ("已安装的权重“{name}”损坏了：{reason}。", "请运行“heygem weights remove {name}”，再重新下载或添加。"),
    "weights.by_hand": ("HeyGem 不会自动下载“{name}”：{reason}。", "请从 {page} 取得 {file}，再运行“heygem weights add 文件 --name {name}”。"),
    "weights.download": ("“{name}”没能从 {host} 下载下来：{reason}。", "请再试一次，会从中断处继续；也可以设置 HEYGEM_WEIGHTS_HUB、HEYGEM_WEIGHTS_MIRROR 或 HEYGEM_WEIGHTS_PROXY；或从 {page} 取得文件后运行“heygem weights add 文件 --name {name}”。"),
    "weights.licence": ("HEYGEM_COMMERCIAL 为 true 时不使用权重“{name}”：{reason}。", "请换一个权重允许商用的引擎（见“heygem weights list”）。许可证不明的权重，要由有权使用的人用 --i-have-rights 添加后才会使用。"),
}  # fmt: skip

WEIGHTS_VALUES_ZH: dict[str, str] = {
    "it is not a PyTorch state dict": "它不是 PyTorch 的 state dict",
    "its layers are not those of this network": "里面的网络层和这个网络对不上",
    "a known network": "已知的网络",
    "its layers are those of no network that HeyGem knows": "里面的网络层不属于 HeyGem 认识的任何网络",
    "it holds commands that would run when it is loaded; do not use this file anywhere": "里面藏有加载时会执行的命令，请不要在任何地方使用这个文件",
    "it is a web page; the address it was downloaded from answered with an error or a login": "它是一个网页，下载地址返回的是错误页或登录页",
    "it is a Git LFS pointer, which holds the address of the file and not the file": "它是 Git LFS 指针，只有文件的地址，没有文件本身",
    "it is an archive; unpack it and take the file inside": "它是压缩包，请先解压，取用里面的文件",
    "its tensors are compressed, which published weights never are": "里面的张量被压缩过，公开发布的权重不会这样",
    "it claims to hold more than a file of its size can": "它声称的内容超过了这个大小的文件所能容纳的",
    "it holds no tensors that can be read without running it": "里面没有不运行代码就能读取的张量",
    "it holds numbers of a kind that weights do not have": "里面的数字类型不是权重会用的",
    "it was written on a machine with another byte order": "它来自字节顺序不同的机器",
    "it took too long to read": "读取它花的时间太长",
    "a file is missing": "缺少一个文件",
    "its content is not what was written down": "内容和当初记录的不一样",
    "it is not known to be in this hub": "这个站点上没有已知的副本",
    "its authors publish it in no hub": "作者没有把它发布到任何模型站点",
    "it asks for a login": "它要求登录",
    "it refuses access": "它拒绝访问",
    "the file is not there any more": "文件已经不在那里",
    "it takes no more requests for now": "它暂时不再接受请求",
    "it answered with a web page": "它返回的是一个网页",
    "its answer cannot be followed": "它的回应无法处理",
    "the file there has another size than the published one": "那里的文件大小和公开发布的不一样",
    "its checksum is not that of the published file": "它的校验值不是公开发布的文件的",
    "facts.json cannot be read": "读不出 facts.json",
    "the file has another size than was written down": "文件大小和当初记录的不一样",
    "it is not a safetensors file": "它不是 safetensors 文件",
    "they were trained on LRS2, and their authors forbid every commercial use": "它们用 LRS2 训练，作者禁止任何商业用途",
    "the use restrictions of OpenRAIL-M bind whoever uses them, and must be passed on": "OpenRAIL-M 的使用限制对使用者有约束力，并且必须一并转达",
    "nobody says who trained them on what, and under which licence": "没有人说明是谁、用什么数据训练的，也没有许可证",
    "the author publishes no weights; your own are yours, others have no licence": "作者没有发布权重；自己训练的归自己，别处流传的没有许可证",
    "code and weights are under the MIT licence": "代码和权重都是 MIT 许可证",
    "code and weights are under licences that allow it": "代码和权重的许可证都允许",
    "they were trained on CelebAMask-HQ, which is for non-commercial research": "它们用 CelebAMask-HQ 训练，该数据集只供非商业研究",
    "their authors say Apache-2.0, but name parts and trained on faces that are for non-commercial use": "作者标明 Apache-2.0，但列出的部分第三方代码和训练用的人脸数据只供非商业用途",
}  # fmt: skip
