"""espeak-ng in a program of its own, which imports nothing of HeyGem: the library is under the GPL 3, and may crash.

Standard input: one JSON object, {} or {"text", "voice", "rate", "phonemes"}. Standard output: the list of voices as
JSON, or the text as a WAV file, for which it must be a file. The exit codes say what went wrong. The
argument is the folder of espeakng_loader: that may be a user's own, of which an isolated Python knows nothing.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import wave
from typing import Any, BinaryIO

DONE, DISK = 0, 3
"""Exit codes; 1 is anything else."""
_SYNCHRONOUS, _STAY = 2, 0x8000  # no sound device, and no exit() where the data is missing
_BY_CHARACTER, _UTF8, _PHONEMES = 1, 1, 0x100
_RATE = 1  # the parameter "words a minute"


class _Voice(ctypes.Structure):
    """espeak_VOICE. languages: for each a byte that says how much it is meant, its name and a zero; then a zero."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("about", ctypes.c_ubyte * 4),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


def main() -> int:
    sys.path.extend(sys.argv[1:])
    asked = json.load(sys.stdin.buffer)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints by itself goes elsewhere
    library, rate = _open()
    try:
        if "text" in asked:
            _speak(library, rate, asked, answer)
        else:
            answer.write(json.dumps(_voices(library)).encode())
        answer.close()
    except OSError as error:
        print(error, file=sys.stderr)
        return DISK
    return DONE


def _open() -> tuple[Any, int]:
    """The library and its sample rate."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_Synth.argtypes = (
        *(ctypes.c_char_p, ctypes.c_size_t),
        *(ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint),
        *(ctypes.c_void_p, ctypes.c_void_p),
    )
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _STAY)
    if rate <= 0:
        raise RuntimeError("espeak-ng does not find its data")
    return library, rate


def _voices(library: Any) -> dict[str, list[Any]]:
    """{"voices": [[identifier, title, [[how little it is meant, language]]]], "variants": [name]}"""
    voices = [[one.identifier.decode(), one.name.decode().strip(), _languages(one)] for one in _listed(library, None)]
    variants = _listed(library, _Voice(languages=ctypes.cast(ctypes.c_char_p(b"variant"), ctypes.c_void_p)))
    return {"voices": voices, "variants": [one.identifier.decode().rpartition("/")[2] for one in variants]}


def _listed(library: Any, kind: _Voice | None) -> list[_Voice]:
    found, listed = [], library.espeak_ListVoices(ctypes.byref(kind) if kind else None)
    while listed[len(found)]:
        found.append(listed[len(found)].contents)
    return found


def _languages(voice: _Voice) -> list[tuple[int, str]]:
    found, at = [], voice.languages
    while at and (order := ctypes.string_at(at, 1)[0]):
        name = ctypes.string_at(at + 1)
        found.append((order, name.decode()))
        at += len(name) + 2
    return found


def _speak(library: Any, rate: int, asked: dict[str, Any], out: BinaryIO) -> None:
    """Raises OSError where the sound cannot be written, RuntimeError where there is none."""
    failed: list[OSError] = []
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)

        @_Heard
        def heard(samples: int | None, count: int, _: int | None) -> int:
            try:
                if samples and count > 0:
                    file.writeframesraw(ctypes.string_at(samples, 2 * count))
            except OSError as error:  # an exception does not pass through the library
                failed.append(error)
            return 1 if failed else 0

        library.espeak_SetSynthCallback(heard)
        text = asked["text"].encode() + b"\0"
        flags = _UTF8 | (_PHONEMES if asked["phonemes"] else 0)
        wrong = library.espeak_SetVoiceByName(asked["voice"].encode())
        wrong = wrong or library.espeak_SetParameter(_RATE, asked["rate"], 0)
        wrong = wrong or library.espeak_Synth(text, len(text), 0, _BY_CHARACTER, 0, flags, None, None)
        if failed:
            raise failed[0]
        if wrong:
            raise RuntimeError(f"espeak-ng answers {wrong}")


if __name__ == "__main__":
    sys.exit(main())
