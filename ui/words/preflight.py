"""What a quick look at a video found, before anything runs."""

# ruff: noqa: E501  one entry, one line

from __future__ import annotations

PREFLIGHT: dict[str, tuple[str, str]] = {
    "preflight_good": ("可以使用", "Ready to use"),
    "preflight_warn": ("可以使用，但请注意", "Usable, but note"),
    "preflight_bad": ("不能使用", "Not usable"),
    "preflight_looking": ("正在检查……", "Checking …"),
    "preflight_no_face": ("没有找到可用的人脸（抽查了 {frames} 帧）。请换一段人物正对镜头、脸部清晰的视频或照片。", "No usable face was found ({frames} frames looked at). Use a video or photo in which the person faces the camera."),
    "preflight_unseen": ("抽查的 {frames} 帧里有 {count} 帧没有看到人脸，这些画面会保持原样。", "{count} of {frames} frames looked at show no face; such frames are left as they are."),
    "preflight_too_small": ("抽查的 {frames} 帧里有 {count} 帧人脸太小，这些画面会保持原样。请用更近的镜头。", "In {count} of {frames} frames looked at the face is too small; such frames are left as they are. Film from nearer."),
    "preflight_turned_away": ("抽查的 {frames} 帧里有 {count} 帧头转得太偏，这些画面会保持原样。", "In {count} of {frames} frames looked at the head is turned away; such frames are left as they are."),
    "preflight_cut_off": ("抽查的 {frames} 帧里有 {count} 帧人脸超出了画面，这些画面会保持原样。", "In {count} of {frames} frames looked at the face is cut off by the edge; such frames are left as they are."),
    "preflight_narrow": ("人脸只有约 {width} 像素宽，口型会不够清楚，最好在 100 像素以上。", "The face is only about {width} pixels wide, so the mouth will look less real; 100 or more is better."),
    "preflight_turned": ("头偏转了约 {degrees}°，口型会不够自然，最好正对镜头。", "The head is turned by about {degrees}°, so the mouth will look less real; facing the camera is better."),
    "preflight_several": ("画面里有 {count} 张脸。默认使用出镜最多、最大的一张，想换人请在“更多设置”里改“第几张脸”。", "{count} faces are in the picture. The largest one that is seen most speaks; choose another one with “Which face” in “More settings”."),
    "preflight_slow": ("每秒只有 {fps} 帧，口型会不够连贯，最好在 25 帧以上。", "Only {fps} frames a second, so the mouth will look jerky; 25 or more is better."),
    "preflight_long": ("视频约 {minutes} 分钟，分析会花较长时间。", "The video takes about {minutes} minutes, so its analysis takes a while."),
    "preflight_large": ("画面是 {width}x{height}，处理会慢很多；口播视频用 1080p 就足够了。", "The picture is {width}x{height}, which takes much longer; 1080p is plenty for a talking head."),
    "preflight_unknown": ("没能完成检查，仍然可以生成。", "It could not be examined; it may still run."),
}  # fmt: skip
"""Key -> (Chinese, English). A finding that is no key of these is the code of an error: ``explain`` says it."""
