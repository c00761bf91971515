"""Weights of networks: what users bring, what is downloaded, what their licences allow."""

from __future__ import annotations

from heygem.errors.base import HeyGemError


class WeightsUnusable(HeyGemError):
    """setting: what names the file, a variable or a command."""

    code = "weights.unusable"
    template = "“{name}” cannot be used as the weights of {network}: {reason}."
    remedy = "Give {setting} the published file; docs/weights.md says where it is."


class WeightsMissing(HeyGemError):
    code = "weights.missing"
    template = "The weights “{name}” ({network}) are not installed."
    remedy = (
        "Get the file from {page} and run “heygem weights add FILE --name {name}”; “heygem engines” says where "
        "“heygem weights download {name}” can do it."
    )


class WeightsAmbiguous(HeyGemError):
    code = "weights.ambiguous"
    template = "“{name}” may be any of these weights: {names}."
    remedy = "Say which: “heygem weights add FILE --name NAME”."


class WeightsDamaged(HeyGemError):
    code = "weights.damaged"
    template = "The installed weights “{name}” are damaged: {reason}."
    remedy = "Run “heygem weights remove {name}”, then download or add them again."


class WeightsByHand(HeyGemError):
    code = "weights.by_hand"
    template = "HeyGem does not download “{name}”: {reason}."
    remedy = "Get {file} from {page}, then run “heygem weights add FILE --name {name}”."


class DownloadFailed(HeyGemError):
    """A later try goes on where this one stopped."""

    code = "weights.download"
    template = "“{name}” could not be downloaded from {host}: {reason}."
    remedy = (
        "Try again, it goes on where it stopped; or set HEYGEM_WEIGHTS_HUB, HEYGEM_WEIGHTS_MIRROR or "
        "HEYGEM_WEIGHTS_PROXY; or get the file from {page} and run “heygem weights add FILE --name {name}”."
    )


class LicenceRefused(HeyGemError):
    code = "weights.licence"
    template = "The weights “{name}” are not used where HEYGEM_COMMERCIAL is true: {reason}."
    remedy = (
        "Choose an engine whose weights allow it (“heygem weights list”). Weights of unclear licence are used where "
        "somebody who has the right to added them with --i-have-rights."
    )
