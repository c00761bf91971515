"""Which video speaks which voice, in Chinese."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

PAIRS_ERRORS_ZH: dict[str, tuple[str, str]] = {
    "pairs.unusable": ("视频和声音无法一一对应：{reason}{names}。", "请让每个视频和它的声音同名，或只放一段声音给所有视频用，或用一张表格（CSV），写明“视频”“音频”“名称”三列。"),
}  # fmt: skip

PAIRS_VALUES_ZH: dict[str, str] = {
    "there is no video or photo": "没有视频或照片",
    "there is no voice": "没有声音",
    "these files have no partner": "这些文件没有对应的另一半",
    "several files of one kind have the same name": "有几个同类文件的名字相同",
    "the folder cannot be read": "无法读取这个文件夹",
    "the table cannot be read": "无法读取这张表格",
    "its text is neither UTF-8 nor GB18030": "它的文字编码既不是 UTF-8 也不是 GB18030",
    "the first row of the table does not name the columns video and audio": "表格第一行没有写明“视频”和“音频”两列",
    "the table has no rows below the first": "表格第一行下面没有内容",
    "these rows name no video or no audio": "这几行没有写视频或音频",
    "these rows name files that are not there": "这几行写的文件不存在",
}
