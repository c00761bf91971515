"""Results to where others can fetch them: links of the own server, or a bucket. Its keys come from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import inputs, sockets
from ..bootstrap import ensure_storage
from ..compat import io, new, ui
from ..inputs import number, result, schema, text
from ..paths import copied, film_stem, saved, scratch
from ..running import Bar, plain_words

if TYPE_CHECKING:
    from heygem.settings import Settings


class SaveToStorage(io.ComfyNode):
    NEEDS = ("av", "boto3")

    @classmethod
    def define_schema(cls) -> Any:
        return schema(
            "HeyGemSaveToStorage",
            "HeyGem save to storage",
            "Gives a video to the storage that HEYGEM_STORAGE names and returns a link that ends. No key is typed "
            "here: ComfyUI writes all widgets into the videos that it saves.",
            [
                inputs.video("what is shared"),
                text("name", "video", "of the download"),
                number("link_hours", 24.0, 0.1, 168, "how long the link works, up to seven days", step=0.5),
            ],
            [result(io.String, "link", "to the video"), result(io.String, "key", "where it lies in the storage")],
            search_aliases=["S3", "upload", "存储"],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: Any, name: str, link_hours: float) -> Any:
        from heygem import settings

        ensure_storage()
        from storage import Meta, open_storage

        with plain_words(), scratch() as fresh:
            config, bar = settings.load(), Bar()
            storage, stem = open_storage(config), film_stem(name)
            file = sockets.video_path(video, fresh)
            if storage.name == "local":  # it shares a file where it lies, and the temporary folder is emptied
                file = copied(file, saved(f"HeyGem/shared/{stem}", ".mp4"))
            key, meta = _key(config, file, stem), Meta(f"{stem}.mp4")
            _put(storage, file, key, meta, bar)
            link = storage.link(key, meta, round(link_hours * 3600)).url
            bar.done(file)
        return io.NodeOutput(link, key, ui=new(ui.PreviewText, link))

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> float:
        return float("nan")  # every time anew


def _key(config: Settings, file: Path, stem: str) -> str:
    """The same for the same file, so that an upload that was cut off goes on."""
    from storage.base import key_of, short_hash

    known = file.stat()
    token = short_hash(str(file.absolute()), str(known.st_size), str(known.st_mtime_ns))
    return key_of(config.s3_prefix, "comfyui", token, f"{stem}.mp4")


def _put(storage: Any, file: Path, key: str, meta: Any, bar: Bar) -> None:
    """An interrupt becomes what the storage knows as one, so that it forgets what it has got so far."""
    from heygem.errors import Cancelled

    stopped: list[BaseException] = []

    def progress(done: int, total: int) -> None:
        try:
            bar("upload", done, total)
        except BaseException as error:
            stopped.append(error)
            raise Cancelled from error

    try:
        storage.put(file, key, meta, progress)
    except Cancelled:
        raise stopped[0] if stopped else RuntimeError("stopped") from None


NODES = [SaveToStorage]
