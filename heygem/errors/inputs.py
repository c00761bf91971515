"""The file or the option of the user is the cause."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class InputError(HeyGemError):
    code = "input"


class FileMissing(InputError):
    code = "input.missing"
    template = "There is no file “{name}”."
    remedy = "Check the path; if the file is on another machine, copy it here first."


class FileEmpty(InputError):
    code = "input.empty"
    template = "“{name}” is empty."
    remedy = "Export or upload the file again; the copy probably broke off."


class FileUnreadable(InputError):
    code = "input.unreadable"
    template = "“{name}” cannot be read as {kind}: {reason}."
    remedy = "Play it in a media player; if that fails too, export it again (MP4 for video, WAV or MP3 for sound)."


class FileRefused(InputError):
    code = "input.refused"
    template = "“{name}” is a {kind}, which can point to other files or addresses, so it is not opened."
    remedy = "Give the video or sound file itself (MP4, MOV, MKV, WEBM, WAV, MP3 …)."


class NoVideo(InputError):
    code = "input.no_video"
    template = "“{name}” has no picture, only sound."
    remedy = "Choose a video or a photo of the person here, and give the sound as the voice."


class NoSound(InputError):
    code = "input.no_sound"
    template = "“{name}” has no sound."
    remedy = "Choose a recording of the voice (WAV, MP3, M4A …) or a video with a sound track."


class SoundTooShort(InputError):
    code = "input.too_short"
    template = "“{name}” has only {seconds} s of sound."
    remedy = "Use a recording of at least {least} s."


class PictureTooLarge(InputError):
    code = "input.too_large"
    template = "The picture of “{name}” is {width}x{height}; the largest size is {most}."
    remedy = "Scale it to 4K or less first; 1080p is plenty for a talking head."


class PictureTooSmall(InputError):
    code = "input.too_small"
    template = "The picture of “{name}” is {width}x{height}; the smallest size is {least}."
    remedy = "Use a larger original; the face should be at least 100 pixels wide."


class NoFace(InputError):
    code = "input.no_face"
    template = "No usable face was found in “{name}” ({frames} frames looked at{why})."
    remedy = "Use a picture in which one person's face is upright, unobstructed and at least 60 pixels wide."


class OptionInvalid(InputError):
    code = "option.invalid"
    template = "{option} cannot be {value}."
    remedy = "Choose {allowed}."


class LimitExceeded(InputError):
    code = "limit.exceeded"
    template = "The {what} is {value}; this server takes at most {most}."
    remedy = "Shorten or split it, or let the administrator raise {setting}."
