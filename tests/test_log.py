"""The log: the job in every line, no secret in any, everybody's words in one file, its end for the page."""

from __future__ import annotations

import logging
import re
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loguru import logger
from pydantic import SecretStr

from heygem import log
from heygem.errors import OutputError
from heygem.settings import Settings

HEAD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+ +(\S+) ")
SECRETS = ["s3cr3t/with+signs", "hunter22"]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """The log file of a product that has started; what was set up before is set up again afterwards."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = root.handlers[:], root.level
    file = tmp_path / "outputs" / log.NAME
    log.start(file, quiet=True, secrets=SECRETS)
    yield file
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)
    logger.remove()
    logger.configure(extra={})
    logger.add(sys.stderr)


def test_every_line_has_its_job_and_a_message_cannot_pass_for_another_line(file: Path) -> None:
    logger.info("serving {}", "日志 🎬")
    with logger.contextualize(job="42"):
        logger.warning("a name.mp4\n2026-01-01 00:00:00 ERROR   7 forged\x1b[31m\u202e\rover")
        try:
            raise ZeroDivisionError("a bug")
        except ZeroDivisionError:
            logger.exception("it broke")
    lines = file.read_text("utf-8").splitlines()
    jobs = [found[1] for line in lines if (found := HEAD.match(line))]
    assert len(jobs) == len(lines) and jobs == ["-"] + ["42"] * (len(lines) - 1)
    assert lines[0].endswith(" INFO    - serving 日志 🎬")
    assert lines[2].endswith(r"forged\x1b[31m\u202e\rover")
    assert lines[-1].endswith(" ERROR   42 ZeroDivisionError: a bug")


def test_a_traceback_shows_no_variables(file: Path) -> None:
    def login(word: str) -> None:
        raise ValueError("refused")

    try:
        login("-".join(["a", "word", "of", "passing"]))
    except ValueError:
        logger.exception("login")
    text = file.read_text("utf-8")
    assert "ValueError: refused" in text and "in login" in text and "a-word-of-passing" not in text


PLANTED = [
    ("GET / Authorization: Bearer eyJhbGciOi.J9-PLANTED", "Bearer ***"),
    ("{'authorization': 'Bearer PLANTED', 'accept': '*/*'}", "'accept': '*/*'"),
    ("(b'authorization', b'Basic UExBTlRFRA==PLANTED')", "authorization"),
    ("Cookie: session=PLANTED; theme=PLANTED", "Cookie"),
    ("https://s3.example.com/b/k.mp4?X-Amz-Date=20261121&X-Amz-Signature=PLANTED&x=1", "X-Amz-Date=20261121&"),
    ("https://x.example.com/k?X-Amz-Credential=PLANTED%2F20261121%2Fus&X-Amz-Security-Token=PLANTED%2B%3D", "https"),
    ("https://b.oss.example.com/k?OSSAccessKeyId=PLANTED&Expires=1&Signature=PLANTED%2Ba%3D", "Expires=1"),
    ("https://b.cos.example.com/k?q-ak=PLANTED&q-signature=PLANTED&q-sign-time=1;2", "q-sign-time=1;2"),
    ("https://blob.example.com/k?sv=1&sig=PLANTED", "sv=1"),
    ("https://bot.example.com/send?key=PLANTED and https://bot.example.com/send?access_token=PLANTED", "send?key=***"),
    ("go=https%3A%2F%2Fa%2Fk%3Fsignature%3DPLANTED%26x%3D1", "%26x%3D1"),
    ("redis://user:PLANTED@cache:6379/0", "redis://***@cache:6379/0"),
    ('{"api_key": "PLANTED words", "password":"PLANTED"}', "api_key"),
    ("S3_SECRET_ACCESS_KEY=PLANTED", "S3_SECRET_ACCESS_KEY=***"),
    ("the value is s3cr3t/with+signs", "the value is ***"),
    ("quoted s3cr3t%2Fwith%2Bsigns and s3cr3t/with%2Bsigns", "quoted *** and ***"),
]


@pytest.mark.parametrize(("text", "kept"), PLANTED, ids=[text[:24] for text, _ in PLANTED])
def test_planted_secrets_are_gone_and_the_rest_stays(file: Path, text: str, kept: str) -> None:
    logger.info("{}", text)
    logging.getLogger("some.library").error("%s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        logger.exception("failed")
    written = file.read_text("utf-8")
    assert written.count(kept) == 3
    assert "PLANTED" not in written and "s3cr3t" not in written


@pytest.mark.parametrize(
    "text",
    [
        "queued: person.mp4 + voice.wav, Options(engine='mesh', face=0)",
        "the design of a keyboard; key frames: 12; signs=3",
        "/outputs/2026-11-21/42/测试 视频_voice.mp4",
        "serving on 0.0.0.0:7860",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert log.redact(text) == text


def test_the_secrets_of_the_settings_are_known() -> None:
    class More(Settings):
        api: SecretStr = SecretStr("hunter22")
        none: SecretStr | None = None

    assert More.model_construct().secrets == ["hunter22"]


def test_a_very_long_message_is_redacted_in_no_time(file: Path) -> None:
    for sign in ("a", "token", "?key=", "a.", "://", "'", "bearer "):
        logger.info("{}", sign * (100_000 // len(sign)))
    assert len(file.read_text("utf-8").splitlines()) == 7


def test_words_of_libraries_arrive_and_requests_do_not(file: Path) -> None:
    import uvicorn

    uvicorn.Config(lambda: None, log_level="info")  # puts handlers of its own in place
    log.take_over()
    with logger.contextualize(job="42"):
        logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s", "{received}")
    logging.getLogger("asyncio").error("never awaited", exc_info=ValueError("why"))
    logging.getLogger("uvicorn.access").info("GET /?token=1")
    logging.getLogger("uvicorn.access").warning("GET /?token=1")
    logging.getLogger("httpx").info("HTTP Request")
    chatty = logging.getLogger("chatty")
    chatty.setLevel(logging.DEBUG)
    chatty.debug("a detail")
    assert [HEAD.sub(r"\1 ", line) for line in log.tail(file)] == [
        "42 uvicorn.error: Invalid HTTP request {received}",
        "- asyncio: never awaited",
        "- ValueError: why",
    ]


def test_a_thread_that_dies_stands_in_the_log(file: Path) -> None:
    def broken() -> None:
        raise KeyError("nobody catches me")

    thread = threading.Thread(target=broken, name="heart")
    thread.start()
    thread.join()
    text = file.read_text("utf-8")
    assert "the thread heart ended" in text and "nobody catches me" in text


def test_a_log_that_cannot_be_written_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=log.NAME):
        log.start(tmp_path / "file" / log.NAME)
    logger.add(sys.stderr)


def test_the_file_is_rotated_old_ones_leave_and_tail_goes_on_in_them(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "ROTATION", "2 KB")
    log.start(file, quiet=True)
    for n in range(1000):
        logger.info("line {}", n)
    assert len(list(file.parent.iterdir())) == 1 + log.RETENTION
    assert sum(path.stat().st_size for path in file.parent.iterdir()) < 7 * 2100
    ends = [line.rpartition(" ")[2] for line in log.tail(file, 150)]
    assert ends == [str(n) for n in range(850, 1000)]
    (file.parent / "运行实时日志.other.log").write_text("a stranger\n")
    assert "a stranger" not in log.tail(file, 10_000)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        (tmp_path / "a.log").write_bytes(data)
        return tmp_path / "a.log"

    return write


@pytest.mark.parametrize(
    ("data", "lines", "end"),
    [
        (b"", 5, []),
        (b"one\n", 5, ["one"]),
        (b"one\ntwo\nhalf", 2, ["two", "half"]),
        (b"one\n\ntwo\n", 2, ["", "two"]),
        (b"a\xff\xe6\x97b\n", 1, ["a\ufffd\ufffdb"]),
        (b"x\n" * 200_000, 3, ["x"] * 3),
        ("日志\n".encode() * 30_000, 25_000, ["日志"] * 25_000),
        (b"one\n", 0, []),
    ],
)
def test_tail(written: Callable[[bytes], Path], data: bytes, lines: int, end: list[str]) -> None:
    assert log.tail(written(data), lines) == end


def test_tail_of_nothing(tmp_path: Path) -> None:
    assert log.tail(tmp_path / "missing.log") == []


def test_tail_takes_little_memory_whatever_stands_there(written: Callable[[bytes], Path]) -> None:
    file = written(b"first\n" + b"y" * 30_000_000 + b"\nlast\n")
    tracemalloc.start()
    found = log.tail(file, 10_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["last"] and peak < 5_000_000
    (whole,) = log.tail(written(b"y" * 5_000_000), 3)
    assert whole == "y" * log.LONGEST + "…"
