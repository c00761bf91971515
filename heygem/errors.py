"""The tree of errors. Each has a code (stable, for machines), a message (what and why) and a hint (what to do).

HeyGemError
├── InputError            the user's file or option is the cause
│   ├── FileMissing       input.missing       no such file
│   ├── FileEmpty         input.empty         zero bytes, or a header and nothing behind it
│   ├── FileUnreadable    input.unreadable    not media, cut short, or damaged
│   ├── FileRefused       input.refused       a playlist or another container that points outside itself
│   ├── NoVideo           input.no_video      sound where a picture is needed
│   ├── NoSound           input.no_sound      a file without a sound track where a voice is needed
│   ├── SoundTooShort     input.too_short     less than 0.1 s of sound
│   ├── PictureTooLarge   input.too_large     above the largest picture size
│   ├── PictureTooSmall   input.too_small     below the smallest picture size
│   ├── NoFace            input.no_face       no usable face in the whole file
│   ├── OptionInvalid     option.invalid      an option outside its range
│   └── LimitExceeded     limit.exceeded      larger or longer than the settings allow
├── OutputError           output.failed       the result cannot be written (folder, disk, permission)
├── EngineUnavailable     engine.unavailable  the engine, a device or a model file is not there
├── ToolMissing           tool.missing        a library or program is not installed
├── WeightsUnusable       weights.unusable    a file of weights that the user brought is missing or of another network
├── AddressRefused        address.refused     an address that this server does not call: private, or not http(s)
├── AddressUnknown        address.unknown     the name in an address cannot be found
├── WebhookFailed         webhook.failed      the other side did not take a message
├── LoginMissing          login.missing       neither logged in nor a valid token
├── OriginRefused         origin.refused      the page of another site sent the request
├── UsersUnusable         users.unusable      the file of users cannot be read or written
├── WorkerDied            job.crashed         the process that did the work ended in the middle of it
├── OutOfMemory           job.out_of_memory   the graphics memory is too small, even for one frame at a time
├── Stalled               job.stalled         the work gave no sign of life for too long
├── TimedOut              job.timeout         the work took longer than the setting allows
├── Interrupted           job.interrupted     the work was ended from outside again and again
├── JobMissing            job.missing         there is no such job or batch
├── JobState              job.state           what was asked does not fit the state of the job
├── DiskLow               disk.low            too little room to take in or to begin new work
├── QueueFull             queue.full          too many jobs wait already
├── ResultGone            result.gone         the result was removed from the disk
├── StoreBusy             store.busy          another process holds the list of jobs for too long
├── StoreInUse            store.in_use        another HeyGem serves this list of jobs already
├── StoreUnusable         store.unusable      the list of jobs cannot be read or written
└── Cancelled             job.cancelled       the user stopped the work
"""

from __future__ import annotations

from typing import ClassVar


class HeyGemError(Exception):
    """Base of all errors that a user may read.

    ``details`` are the values inside the sentence (a file name, a number): the page uses them to say the same in
    another language, looked up by ``code``. ``message`` and ``hint`` are templates in English over these details.
    """

    code: ClassVar[str] = "error"
    template: ClassVar[str] = "{reason}"
    remedy: ClassVar[str] = ""

    def __init__(self, **details: object) -> None:
        self.details = {name: str(value) for name, value in details.items()}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One English sentence: what went wrong and why."""
        return self.template.format_map(_Blank(self.details))

    @property
    def hint(self) -> str:
        """One English sentence: what to do now. May be empty."""
        return self.remedy.format_map(_Blank(self.details))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.details)


class _Blank(dict[str, str]):
    """A detail that was not given reads as nothing instead of raising inside an error."""

    def __missing__(self, key: str) -> str:
        return ""


def _rebuild(kind: type[HeyGemError], details: dict[str, str]) -> HeyGemError:
    return kind(**details)


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


class OutputError(HeyGemError):
    code = "output.failed"
    template = "The result cannot be written to “{name}”: {reason}."
    remedy = "Check that the folder exists, may be written to, and that the disk has room."


class EngineUnavailable(HeyGemError):
    code = "engine.unavailable"
    template = "{engine} cannot be used: {reason}."
    remedy = "Run “heygem doctor” to see what is missing, or choose another engine or device."


class ToolMissing(HeyGemError):
    code = "tool.missing"
    template = "{tool} is not installed."
    remedy = "Run “pip install -r requirements.txt” in the environment of HeyGem."


class WeightsUnusable(HeyGemError):
    code = "weights.unusable"
    template = "“{name}” cannot be used as the weights of {network}: {reason}."
    remedy = "Let {setting} name the published file, or leave it empty."


class AddressRefused(HeyGemError):
    code = "address.refused"
    template = "“{address}” is not called: {reason}."
    remedy = "Give an http or https address on the internet, or let the administrator set HEYGEM_WEBHOOK_PRIVATE=true."


class AddressUnknown(HeyGemError):
    code = "address.unknown"
    template = "The name “{host}” cannot be found in the network."
    remedy = "Check the spelling of the address."


class WebhookFailed(HeyGemError):
    code = "webhook.failed"
    template = "“{host}” did not take the message: {reason}."
    remedy = "Check that the service at this address runs and answers with a status from 200 to 299."


class LoginMissing(HeyGemError):
    code = "login.missing"
    template = "This needs a login or a valid token."
    remedy = "Log in at /login, or send the header “Authorization: Bearer TOKEN”."


class OriginRefused(HeyGemError):
    code = "origin.refused"
    template = "Requests from pages of “{origin}” are not accepted."
    remedy = "Send it from the page of HeyGem itself, or let the administrator add this origin to HEYGEM_CORS_ORIGINS."


class UsersUnusable(HeyGemError):
    code = "users.unusable"
    template = "The file of users “{name}” cannot be used: {reason}."
    remedy = "Mend or remove the file; “heygem users add NAME” makes a new one."


class WorkerDied(HeyGemError):
    code = "job.crashed"
    template = "The process that did the work ended unexpectedly ({reason})."
    remedy = "Start it again; if that does not help, use a smaller or shorter video. SIGKILL: mostly too little memory."


class OutOfMemory(HeyGemError):
    code = "job.out_of_memory"
    template = "The work ran out of graphics memory, even with one frame at a time."
    remedy = "Wait until other programs on the graphics card are done, use a smaller video, or choose the device cpu."


class Stalled(HeyGemError):
    code = "job.stalled"
    template = "The work gave no sign of life for {seconds} s in the stage “{stage}” and was ended."
    remedy = "Start it again; if it stops at the same place, send the file to the administrator."


class TimedOut(HeyGemError):
    code = "job.timeout"
    template = "The work took longer than the {minutes} minutes that this server allows for one job."
    remedy = "Cut the recording into shorter ones, or let the administrator raise HEYGEM_JOB_MINUTES."


class Interrupted(HeyGemError):
    code = "job.interrupted"
    template = "The work was ended from outside {times} times, so it is not begun again."
    remedy = "Retry it once the server runs quietly; if it ends again, the administrator finds more in the log."


class JobMissing(HeyGemError):
    code = "job.missing"
    template = "There is no job or batch “{id}”."
    remedy = "It may have been removed; look into the history."


class JobState(HeyGemError):
    code = "job.state"
    template = "The job is {state}, so this cannot be done."
    remedy = "Look at its present state, then choose again."


class DiskLow(HeyGemError):
    code = "disk.low"
    template = "The disk of the results has only {free} MB left; new work needs {floor} MB."
    remedy = "Remove results that nobody needs, or let the administrator make room."


class QueueFull(HeyGemError):
    code = "queue.full"
    template = "{waiting} jobs wait already; this server lets at most {most} wait."
    remedy = "Try again in a few minutes, or let the administrator raise HEYGEM_MAX_QUEUED."


class ResultGone(HeyGemError):
    code = "result.gone"
    template = "The result “{name}” is no longer on the disk."
    remedy = "Run the job again; results are removed after a time, or by hand."


class StoreBusy(HeyGemError):
    code = "store.busy"
    template = "The list of jobs is held by another process; nothing was changed."
    remedy = "Try again in a moment; if it stays so, end the program that has opened jobs.sqlite3."


class StoreInUse(HeyGemError):
    code = "store.in_use"
    template = "Another HeyGem (process {process}) already serves the list of jobs “{name}”."
    remedy = "Use that one, stop it first, or give this one its own folder with HEYGEM_HOME."


class StoreUnusable(HeyGemError):
    code = "store.unusable"
    template = "The list of jobs cannot be used: {reason}."
    remedy = "Check the disk and the rights of HEYGEM_HOME; a damaged jobs.sqlite3 can be moved away, results stay."


class Cancelled(HeyGemError):
    code = "job.cancelled"
    template = "Stopped on request."
    remedy = "Nothing was kept; start it again at any time."
