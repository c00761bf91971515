"""The engine that lets another service work: what it says in a take, and what goes wrong with it."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

REMOTE: dict[str, tuple[str, str]] = {
    "stage_send": ("发送文件", "Sending the files"),
    "stage_wait": ("等待远程服务接收任务", "Waiting until the service takes it"),
    "not_measured": ("画面由远程服务生成，没有测量质量，所以没有评分。", "The pictures were made elsewhere: the quality was not measured, so there is no score."),
    "not_followed": ("远程服务不支持“{option}”，这一项没有生效。", "The remote service does not know the setting “{option}”; it was not followed."),
    "sent_as_film": ("照片以静止视频的形式发送给远程服务，人物不会眨眼，头也不会动。", "The photo was sent as a film that stands still: it neither blinks nor moves its head."),
}  # fmt: skip

REMOTE_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "remote.missing": ("还没有设置好远程引擎，缺少：{what}。", "请管理员按 docs/remote.md 设置，或换一个引擎。"),
    "remote.folder": ("与远程服务共享的文件夹不能用：{reason}。", "请管理员检查 HEYGEM_REMOTE_FOLDER：文件夹要存在，并且 HeyGem 有写入权限。"),
    "remote.refused": ("远程服务“{host}”拒绝了请求：{reason}。", "请管理员检查 HEYGEM_REMOTE_URL，并确认那个服务看到的 /code/data/temp 就是 HEYGEM_REMOTE_FOLDER。"),
    "remote.unreachable": ("现在用不了远程服务“{host}”：{reason}。", "请管理员确认服务正在运行、HEYGEM_REMOTE_URL 填写正确，然后重试。"),
    "remote.failed": ("远程服务“{host}”没能生成视频：{reason}。", "请使用只有一个人、正对镜头的视频，或换一个引擎；那个服务的日志里有详细原因。"),
    "remote.lost": ("远程服务“{host}”已经不记得这个任务，共享文件夹里也没有结果。", "请重试：那个服务可能重启过，或最后一次回应丢失了；任务的结局它只说一次。"),
    "remote.timeout": ("远程服务“{host}”超过了允许的 {minutes} 分钟。", "请看看那个服务是不是卡住了（它的日志里有），或请管理员调大 HEYGEM_REMOTE_MINUTES。"),
    "remote.unusable": ("远程服务“{host}”生成的文件不能用：{reason}。", "请重试；如果总是这样，请管理员查看那个服务的日志和磁盘空间。"),
}  # fmt: skip

REMOTE_VALUES_ZH: dict[str, str] = {
    "it runs elsewhere; choose the device auto": "它在别的机器上运行，设备请选 auto",
    "it redirects to another address": "它转向了另一个地址",
    "it asks for a login": "它要求登录",
    "there is no face2face service at this address": "这个地址上没有 face2face 服务",
    "it does not answer as a face2face service does": "对方的回应不像是 face2face 服务",
    "it tells no reason": "它没有说明原因",
    "the file is not there, neither in the shared folder nor at its address": "共享文件夹里没有，从它的地址也下载不到",
    "the file is larger than a result may be": "文件超过了结果允许的大小",
    "there is no film in it": "里面没有视频画面",
    "there is no sound in it": "里面没有声音",
    "it is no folder": "它不是文件夹",
}  # fmt: skip
