"""What stands beside the example workflows, in English and Chinese: line -> Markdown."""

from __future__ import annotations

NOTES = {
    "single": """
## One video, one voice

Choose a video of a person and a recording, press Run. The result lies in **output/HeyGem**.
A photo? Put **HeyGem photo** in between. More to set: connect **HeyGem parameters**.

## 一个视频，一段声音

选择人物视频和录音，点“运行”，结果在 **output/HeyGem**。
照片请在中间接“HeyGem 照片”；更多选项接“HeyGem 参数”。
""",
    "batch": """
## A folder of lessons

Put pairs into **input/lessons**: **1.mp4** with **1.wav**, **2.mp4** with **2.wav** … or name a CSV file with the
columns video, audio and name. Clips without a usable face and broken files are skipped; the report in
**output/HeyGem** says what became of each.

## 一个文件夹批量生成

把成对的文件放进 **input/lessons**：**1.mp4** 配 **1.wav**，**2.mp4** 配 **2.wav**……
也可以用 CSV 表（video、audio、name 三列）。
没有可用人脸的和损坏的文件会跳过，**output/HeyGem** 里的报告写明每一个的结果。
""",
    "teacher": """
## A lesson from a photo

A photo and a recording become a lesson with background, subtitles and logo, which is then shared and announced. Where
it goes is set in the environment (**HEYGEM_STORAGE**, **HEYGEM_NOTIFY_…**), never in a node: ComfyUI writes all widgets
into the videos that it saves.

## 照片变成课程

照片和录音生成带背景、字幕和标志的课程视频，然后分享并通知。存到哪里、通知谁，都用环境变量设置
（**HEYGEM_STORAGE**、**HEYGEM_NOTIFY_…**），不要写在节点里：ComfyUI 会把所有控件的内容写进视频。
""",
    "compare": """
## Which parameters look better?

Two sets of parameters speak the same voice, side by side; their scores stand below.

## 哪组参数更好看？

两组参数说同一段声音，左右并排，评分在下方。
""",
    "retry": """
## Again until it is good

While the score is below **least_score**, the take is made again with other parameters; the best one is kept. Without
any step HeyGem goes through a list of its own.

## 不够好就重做

评分低于设定值时换参数重做，保留最好的一次。不接步骤时，HeyGem 依次尝试自己的一组参数。
""",
    "spoken": """
## Text and a photo, no recording

The text is spoken (offline, or by a service that HeyGem's settings name), the photo speaks it, the face is made
clearer.

## 只有文字和照片

文字转成语音（离线，或用 HeyGem 设置里的服务），由照片说出，再把人脸修清晰。
""",
}
