"""What is done to the pictures after the mouth, and takes that are made again until they are good enough."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

OPTIONS: dict[str, tuple[str, str]] = {
    "finish": ("后期：背景、字幕、标志", "Finish: background, subtitles, logo"),
    "background": ("背景", "Background"),
    "background_keep": ("保持原样", "As it is"),
    "background_blur": ("虚化", "Blurred"),
    "background_colour": ("纯色", "One colour"),
    "background_file": ("图片或视频", "A picture or video"),
    "cutout": ("怎样抠出人物", "How the person is cut out"),
    "cutout_person": ("自动识别人物", "People are found"),
    "cutout_green": ("绿幕", "Green screen"),
    "cutout_blue": ("蓝幕", "Blue screen"),
    "subtitles": ("字幕文件（SRT、ASS、VTT、LRC）", "Subtitles (SRT, ASS, VTT, LRC)"),
    "captions": ("字幕放在哪里", "Where the subtitles go"),
    "captions_burn": ("写进画面", "Into the picture"),
    "captions_track": ("作为字幕轨，播放时可开关", "Beside it, to be switched on in the player"),
    "subtitle_size": ("字幕大小（占画面高度）", "Size of the subtitles (share of the height)"),
    "logo": ("标志图片（最好是透明背景的 PNG）", "Logo (best a PNG with transparency)"),
    "logo_place": ("标志的位置", "Place of the logo"),
    "logo_place_top-left": ("左上", "Top left"),
    "logo_place_top-right": ("右上", "Top right"),
    "logo_place_bottom-left": ("左下", "Bottom left"),
    "logo_place_bottom-right": ("右下", "Bottom right"),
    "logo_size": ("标志宽度（占画面宽度）", "Width of the logo (share of the picture's)"),
    "logo_opacity": ("标志不透明度", "Opacity of the logo"),
    "enhance": ("人脸增强", "Sharper face"),
    "enhance_about": ("0 = 不增强。装有 GFPGAN 权重时用它，否则锐化，结果里会写明用了哪一种", "0 leaves it alone. GFPGAN does it where its weights are installed, else sharpening; the result says which"),
    "done_background": ("背景：{place}", "background: {place}"),
    "done_enhance": ("人脸增强：{place}", "face: {place}"),
    "done_subtitles": ("字幕：{place}", "subtitles: {place}"),
    "done_logo": ("标志：{place}", "logo: {place}"),
    "tries": ("质量不够时最多生成几次", "Takes, where the quality is too low"),
    "tries_about": ("1 = 只生成一次；更多时自动换设置重做，保留最好的一个", "1 makes one; with more, other settings are tried and the best take stays"),
    "least": ("多少分算够", "Quality that is enough"),
    "least_about": ("0–100 分；只生成一次时不起作用", "0 to 100; of no concern where one take is made"),
}  # fmt: skip
