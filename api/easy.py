"""The addresses of the well-known face2face service: what was written for it works here unchanged.

Same requests, codes and shapes of answers; what hurt there is cured: a job that ended stays readable, answers are
JSON by name too, and a busy server queues instead of refusing. Every answer has the HTTP status 200.
"""

from __future__ import annotations

import re
import secrets
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from loguru import logger
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.desk import At, Desk
from api.errors import without_paths
from api.fetch import fetched
from api.intake import inside
from api.models import progress
from api.reading import bounded, json_object
from api.results import file
from heygem.errors import HeyGemError, InputError, JobMissing, OptionInvalid, OutputError, QueueFull
from heygem.jobs.folder import result_of
from heygem.jobs.job import BUSY, DONE, FAILED, STATES, Extras, Failure, Job
from heygem.jobs.job import Request as Asked
from heygem.jobs.limits import check_files, check_room
from heygem.notify.post import Send
from heygem.pipeline import Options
from heygem.settings import Settings

router = APIRouter(tags=["HeyGem-compatible"])
DATA = "/code/data/temp"
"""What clients call the shared folder."""
SYSTEM, OK, BUSY_NOW, BAD, MISSING, EXISTS = 9999, 10000, 10001, 10002, 10004, 10005
MESSAGES = {
    SYSTEM: "系统异常",
    OK: "成功",
    BUSY_NOW: "忙碌中",
    BAD: "参数异常",
    MISSING: "任务不存在",
    EXISTS: "任务已存在，正在执行中",
}
RUN, SUCCESS, ERROR = 1, 2, 3
_STAGES = {"probe": "检查文件", "analyse": "分析视频", "listen": "分析声音", "render": "生成视频", "finish": "写入文件"}
_IGNORED = ("watermark_switch", "digital_auth", "chaofen")
_CODE = re.compile(r"[\w-][\w.-]*")
_LONGEST = 128  # bytes of a code: names of files are counted in bytes
_BODY = 1 << 20
_ENDED = [state for state in STATES if state not in BUSY]

Explain = Callable[[Failure], str]
"""What happened and what to do, in the language of the clients."""


class EasyReply(BaseModel):
    """The shape of every answer."""

    code: int = Field(description="9999 error, 10000 fine, 10001 full, 10002 wrong request, 10004 unknown, 10005 busy")
    success: bool
    msg: str
    data: dict[str, Any]


def _explain(request: Request) -> Explain:
    return request.app.state.explain


Words = Annotated[Explain, Depends(_explain)]


@dataclass(frozen=True)
class Task:
    """What a client asked for. ignored: fields that mean nothing here."""

    code: str
    audio: str
    video: str
    options: Options
    ignored: list[str]


@router.post("/easy/submit")
async def submit(request: Request, desk: At, words: Words) -> EasyReply:
    """Takes `{code, audio_url, video_url, pn, …}`: the files are addresses or paths below /code/data/temp."""
    try:
        task = _task(await bounded(request, _BODY))
        known = await run_in_threadpool(desk.queue.store.by_key, _key(task.code))
        if known is not None and known.busy:
            return _reply(EXISTS, data={"code": task.code, "current_status": RUN})
        await run_in_threadpool(check_room, desk.queue, desk.settings)
        async with _files(task, desk.settings) as (audio, video):
            await run_in_threadpool(_submit, desk, task, audio, video)
    except HeyGemError as error:
        return _refused(error, words)
    note = f"（已忽略：{'、'.join(task.ignored)}）" if task.ignored else ""
    return _reply(OK, MESSAGES[OK] + note, {"code": task.code})


@router.get("/easy/query")
def query(desk: At, words: Words, code: str = "") -> EasyReply:
    """How a task is doing: `data.status` is 1 while it waits or runs, 2 done, 3 failed; as often as one likes."""
    if not code:
        return _reply(BAD, "code参数缺失")
    try:
        job = desk.queue.store.by_key(_key(code))
        if job is None:
            return _reply(MISSING, success=True)
        return _reply(OK, "", {"code": code, **_state(desk, job, code, words)})
    except HeyGemError as error:
        return _refused(error, words)


@router.api_route("/{code}-r.mp4", methods=["GET", "HEAD"], include_in_schema=False)
@router.head("/easy/{code}-r.mp4", include_in_schema=False)
@router.get("/easy/{code}-r.mp4")
def result(request: Request, desk: At, code: str) -> Response:
    """The file that `data.result` names."""
    job = desk.queue.store.by_key(_key(code))
    if job is None:
        raise JobMissing(id=code)
    return file(request, result_of(job), "video/mp4")


def courier(settings: Settings) -> dict[str, Send]:
    """Puts results into the shared folder as soon as they are there: some clients only watch the folder."""

    def deliver(job: Job) -> None:
        if job.state == DONE and job.hook and job.key == job.hook:  # else its code began anew
            _share(settings.easy_folder, job, job.hook.partition(":")[2])

    return {"easy": deliver}


def _task(body: bytes | None) -> Task:
    """Raises OptionInvalid. Clients send JSON under any content type."""
    if body is None or (given := json_object(body)) is None:
        raise OptionInvalid(option="the body", value="read", allowed="a JSON object")
    for name in ("code", "audio_url", "video_url"):
        if given.get(name) in (None, ""):
            raise OptionInvalid(option=name, value="missing", allowed="a value")
    code = str(given["code"])
    if not _CODE.fullmatch(code) or len(code.encode()) > _LONGEST:  # it becomes the name of a file
        allowed = f"letters, digits, “-”, “_” and “.”, at most {_LONGEST} bytes"
        raise OptionInvalid(option="code", value=f"“{code[:80]}”", allowed=allowed)
    turns = str(given.get("pn", "")) in ("", "1", "None")  # forth and back is what the service does when not told
    ignored = [name for name in _IGNORED if str(given.get(name, "")) == "1"]
    options = Options(length="pingpong" if turns else "loop")
    return Task(code, str(given["audio_url"]), str(given["video_url"]), options, ignored)


@asynccontextmanager
async def _files(task: Task, settings: Settings) -> AsyncIterator[tuple[Path, Path]]:
    """(audio, video) for as long as the block lasts. Raises OptionInvalid, AddressRefused, FileUnreadable …"""
    async with fetched([task.audio, task.video], settings) as found:
        audio, video = (
            here or _local(name, option, settings)
            for here, name, option in zip(found, (task.audio, task.video), ("audio_url", "video_url"), strict=True)
        )
        yield audio, video


def _local(name: str, option: str, settings: Settings) -> Path:
    """Raises OptionInvalid."""
    if settings.easy_folder is None:
        raise OptionInvalid(option=option, value=f"“{name[:200]}”", allowed="an address; HEYGEM_EASY_FOLDER is not set")
    return inside(settings.easy_folder, name.removeprefix(DATA).lstrip("/") if name.startswith(DATA) else name, option)


def _submit(desk: Desk, task: Task, audio: Path, video: Path) -> None:
    check_files(desk.settings, [audio], [video])
    store, key = desk.queue.store, _key(task.code)
    extras = Extras(key=key, hook=key, link=False)  # clients reuse their files
    old = store.by_key(key)
    freed = old is not None and store.change(old.id, _ENDED, key=None)  # the code begins anew, as it does there
    try:
        desk.queue.submit(Asked(video, audio, task.options), extras)
    except HeyGemError:
        if old and freed:
            with suppress(sqlite3.IntegrityError):  # another request has the code by now
                store.change(old.id, _ENDED, key=key)
        raise
    if freed and desk.settings.easy_folder:
        with suppress(OSError):
            (desk.settings.easy_folder / f"{task.code}-r.mp4").unlink()  # only now: it may have been the input


def _state(desk: Desk, job: Job, code: str, words: Explain) -> dict[str, Any]:
    if job.state == DONE and job.take and job.take.path.is_file():
        _share(desk.settings.easy_folder, job, code)
        took = (job.ended or 0) - (job.started or 0)
        found = {"cost": round(took, 2), "video_duration": round(job.take.seconds, 2)}
        size = {"width": job.take.width, "height": job.take.height}
        return {"status": SUCCESS, "progress": 100, "result": f"/{code}-r.mp4", "msg": "任务完成", **found, **size}
    if job.busy:
        ahead = desk.queue.store.ahead(job.id)
        msg = _STAGES.get(job.stage, f"排队中，前面还有 {ahead} 个任务")
        return {"status": RUN, "progress": min(int(100 * progress(job)), 99), "result": "", "msg": msg}
    msg = "任务已取消"
    if job.state == FAILED and job.error:
        msg = words(without_paths(job.error))
    elif job.state == DONE:
        msg = "结果已被清理"
    return {"status": ERROR, "progress": int(100 * progress(job)), "result": "", "msg": msg}


def _share(folder: Path | None, job: Job, code: str) -> None:
    """The result under the name that clients look for: whole or not at all. Raises OutputError."""
    if folder is None or job.take is None or not job.take.path.is_file():
        return
    to = folder / f"{code}-r.mp4"
    if to.is_file() and to.stat().st_size == job.take.path.stat().st_size:
        return
    part = folder / f".{code}-r.mp4.{secrets.token_hex(8)}.part"  # courier and questions may come at the same time
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(job.take.path, part)  # a copy: clients move, cut and delete it
        part.replace(to)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(name=to.name, reason=error.strerror or str(error)) from error


def _key(code: str) -> str:
    return f"easy:{code}"


def _refused(error: HeyGemError, words: Explain) -> EasyReply:
    code = BUSY_NOW if isinstance(error, QueueFull) else BAD if isinstance(error, InputError) else SYSTEM
    if error.code.startswith("address."):
        code = BAD
    if code == SYSTEM:
        logger.error("/easy: {}", error)
    return _reply(code, f"{MESSAGES[code]}：{words(without_paths(Failure.of(error)))}")


def _reply(code: int, msg: str | None = None, data: dict[str, Any] | None = None, success: bool = False) -> EasyReply:
    msg = MESSAGES[code] if msg is None else msg
    return EasyReply(code=code, success=success or code == OK, msg=msg, data=data or {})
