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
│   ├── LimitExceeded     limit.exceeded      larger or longer than the settings allow
│   ├── PairsUnusable     pairs.unusable      videos and voices of which nobody knows who speaks what
│   ├── TextEmpty         say.empty           a text without a word
│   ├── TextTooLong       say.too_long        a text of more signs than are spoken at once
│   ├── TextUnreadable    say.unreadable      a text in signs that the voice cannot read
│   ├── VoiceUnknown      say.voice           no voice of this name
│   ├── SubtitlesUnusable finish.subtitles    no file of subtitles, or times that cannot be
│   ├── FontMissing       finish.font         no installed font for a text, or none of this name
│   └── CompareTooLong    compare.too_long    results that are too long to be put side by side
├── OutputError           output.failed       the result cannot be written (folder, disk, permission)
├── EngineUnavailable     engine.unavailable  the engine, a device or a model file is not there
├── ToolMissing           tool.missing        a library or program is not installed
├── SayFailed             say.failed          a text was not spoken by the voice or service asked for
├── SayBusy               say.busy            the server speaks too many texts already
├── CompareBusy           compare.busy        the server is making another comparison
├── WeightsUnusable       weights.unusable    a file of weights that the user brought is missing or of another network
├── WeightsMissing        weights.missing     weights that an engine needs are not installed
├── WeightsAmbiguous      weights.ambiguous   a file fits several rows of the table of weights
├── WeightsDamaged        weights.damaged     installed weights are no longer what was written down
├── WeightsByHand         weights.by_hand     weights that HeyGem does not download by itself
├── DownloadFailed        weights.download    a download of weights broke off or brought something else
├── LicenceRefused        weights.licence     their licence does not allow this use
├── AddressRefused        address.refused     an address that this server does not call: private, or not http(s)
├── AddressUnknown        address.unknown     the name in an address cannot be found
├── RemoteMissing         remote.missing      the engine remote is not set up
├── RemoteFolderUnusable  remote.folder       the folder shared with the remote service cannot be used
├── RemoteRefused         remote.refused      the remote service refuses; waiting does not help
├── RemoteUnreachable     remote.unreachable  the remote service does not answer, or not as it should
├── RemoteFailed          remote.failed       the remote service could not make the video, and says why
├── RemoteLost            remote.lost         the remote service forgot the task, and there is no result
├── RemoteTimedOut        remote.timeout      the remote service took longer than it may
├── RemoteUnusable        remote.unusable     the result of the remote service is no whole video
├── WebhookFailed         webhook.failed      the other side did not take a message
├── NotifyRefused         notify.refused      a channel does not take notices with these settings
├── NotifyFailed          notify.failed       a channel did not take a notice this time
├── StorageMissing        storage.missing       the cloud storage is not set up
├── StorageRefused        storage.refused       the storage refuses: credentials, rights, bucket; waiting does not help
├── StorageUnreachable    storage.unreachable   the storage does not answer, or not now
├── StorageDamaged        storage.damaged       a file did not arrive whole
├── LinkExpired           link.expired          the time of a link is over
├── LinkRefused           link.refused          a link was changed or cut short
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

from heygem.errors.base import (
    HeyGemError,
)
from heygem.errors.batch import PairsUnusable
from heygem.errors.delivery import (
    LinkExpired,
    LinkRefused,
    StorageDamaged,
    StorageMissing,
    StorageRefused,
    StorageUnreachable,
)
from heygem.errors.door import (
    AddressRefused,
    AddressUnknown,
    LoginMissing,
    NotifyFailed,
    NotifyRefused,
    OriginRefused,
    UsersUnusable,
    WebhookFailed,
)
from heygem.errors.finish import CompareBusy, CompareTooLong, FontMissing, SubtitlesUnusable
from heygem.errors.inputs import (
    FileEmpty,
    FileMissing,
    FileRefused,
    FileUnreadable,
    InputError,
    LimitExceeded,
    NoFace,
    NoSound,
    NoVideo,
    OptionInvalid,
    PictureTooLarge,
    PictureTooSmall,
    SoundTooShort,
)
from heygem.errors.remote import (
    RemoteFailed,
    RemoteFolderUnusable,
    RemoteLost,
    RemoteMissing,
    RemoteRefused,
    RemoteTimedOut,
    RemoteUnreachable,
    RemoteUnusable,
)
from heygem.errors.say import (
    SayBusy,
    SayFailed,
    TextEmpty,
    TextTooLong,
    TextUnreadable,
    VoiceUnknown,
)
from heygem.errors.weights import (
    DownloadFailed,
    LicenceRefused,
    WeightsAmbiguous,
    WeightsByHand,
    WeightsDamaged,
    WeightsMissing,
    WeightsUnusable,
)
from heygem.errors.work import (
    Cancelled,
    DiskLow,
    EngineUnavailable,
    Interrupted,
    JobMissing,
    JobState,
    OutOfMemory,
    OutputError,
    QueueFull,
    ResultGone,
    Stalled,
    StoreBusy,
    StoreInUse,
    StoreUnusable,
    TimedOut,
    ToolMissing,
    WorkerDied,
)

__all__ = [
    "AddressRefused",
    "AddressUnknown",
    "Cancelled",
    "CompareBusy",
    "CompareTooLong",
    "DiskLow",
    "DownloadFailed",
    "EngineUnavailable",
    "FileEmpty",
    "FileMissing",
    "FileRefused",
    "FileUnreadable",
    "FontMissing",
    "HeyGemError",
    "InputError",
    "Interrupted",
    "JobMissing",
    "JobState",
    "LicenceRefused",
    "LimitExceeded",
    "LinkExpired",
    "LinkRefused",
    "LoginMissing",
    "NoFace",
    "NoSound",
    "NoVideo",
    "NotifyFailed",
    "NotifyRefused",
    "OptionInvalid",
    "OriginRefused",
    "OutOfMemory",
    "OutputError",
    "PairsUnusable",
    "PictureTooLarge",
    "PictureTooSmall",
    "QueueFull",
    "RemoteFailed",
    "RemoteFolderUnusable",
    "RemoteLost",
    "RemoteMissing",
    "RemoteRefused",
    "RemoteTimedOut",
    "RemoteUnreachable",
    "RemoteUnusable",
    "ResultGone",
    "SayBusy",
    "SayFailed",
    "SoundTooShort",
    "Stalled",
    "StorageDamaged",
    "StorageMissing",
    "StorageRefused",
    "StorageUnreachable",
    "StoreBusy",
    "StoreInUse",
    "StoreUnusable",
    "SubtitlesUnusable",
    "TextEmpty",
    "TextTooLong",
    "TextUnreadable",
    "TimedOut",
    "ToolMissing",
    "UsersUnusable",
    "VoiceUnknown",
    "WebhookFailed",
    "WeightsAmbiguous",
    "WeightsByHand",
    "WeightsDamaged",
    "WeightsMissing",
    "WeightsUnusable",
    "WorkerDied",
]
