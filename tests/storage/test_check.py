"""``heygem storage check``: what is well on real stores, and what is not, in words, without a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from loguru import logger

from heygem import cli, log, settings
from heygem.errors import OutputError, StorageMissing, StorageRefused
from heygem.finding import Finding
from storage import Meta, missing, open_storage
from storage.faults import REASONS
from tests.storage.conftest import Bucket
from ui.words import VALUES_ZH

META = Meta("a.mp4")


def found(bucket: Bucket, **more: object) -> dict[str, Finding]:
    return {finding.name: finding for finding in bucket.open(**more).check()}


def test_a_store_that_does_everything(bucket: Bucket) -> None:
    findings = found(bucket)
    states = {name: finding.state for name, finding in findings.items()}
    assert states.pop("lifecycle") == "note", findings["lifecycle"]
    assert set(states.values()) == {"ok"} and len(states) == 8, findings
    assert "works for 24.0 h" in findings["link"].found
    listed = bucket.server.client().list_objects_v2(Bucket=bucket.name)
    assert listed["KeyCount"] == 0, "nothing is left behind"


def test_wrong_keys(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-PLANTED")
    findings = found(bucket)
    reason = "secret key does not fit" if bucket.server.kind == "swift" else "credentials are wrong"
    assert reason in findings["write"].found and "link" not in findings


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    assert "no such bucket" in found(bucket, s3_bucket="not-here")["write"].found


@pytest.mark.slow
def test_a_bucket_that_is_open_to_everybody(ceph_bucket: Bucket) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{ceph_bucket.name}/*",
            }
        ],
    }
    ceph_bucket.server.client().put_bucket_policy(Bucket=ceph_bucket.name, Policy=json.dumps(policy))
    finding = found(ceph_bucket)["privacy"]
    assert finding.state == "missing" and "without its end works" in finding.found and "private" in finding.remedy


def test_links_that_lead_nowhere(swift_bucket: Bucket) -> None:
    findings = found(swift_bucket, s3_link_endpoint="http://127.0.0.1:1")
    assert findings["link"].state == "missing" and "cannot be reached" in findings["link"].found
    assert findings["delete"].state == "ok"


def test_a_wrong_clock_is_said(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.check.SKEW", -1)
    assert "differs by" in found(swift_bucket)["clock"].found


def test_what_is_not_set_is_named(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert missing(settings.load()) == []
    assert missing(swift_bucket.settings()) == []
    with pytest.raises(StorageMissing, match=r"missing: HEYGEM_S3_BUCKET\."):
        open_storage(swift_bucket.settings(s3_bucket=None))
    assert missing(swift_bucket.settings(cdn_key_id="K1")) == ["HEYGEM_CDN_URL", "HEYGEM_CDN_KEY_FILE"]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StorageMissing, match="AWS_ACCESS_KEY_ID"):
        open_storage(swift_bucket.settings())
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "AWS_ACCESS_KEY_ID" in missing(swift_bucket.settings())[0]


def test_a_profile_in_a_file_is_enough(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    server = swift_bucket.server
    file.write_text(f"[videos]\naws_access_key_id = {server.access}\naws_secret_access_key = {server.secret}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "videos")
    findings = found(swift_bucket)
    assert findings["credentials"].found == "from shared-credentials-file" and findings["write"].state == "ok"


def test_every_reason_has_a_chinese_word() -> None:
    assert set(REASONS) - set(VALUES_ZH) == set()


def test_secrets_appear_nowhere(
    swift_bucket: Bucket, video: Callable[[int], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not in errors, nor in the log with its tracebacks, in what check says, in files of the home."""
    file = tmp_path / "heygem.log"
    log.start(file, quiet=True)
    for name in ("SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", f"PLANTED-{name}")
    storage = swift_bucket.open()
    said = [repr(storage), str(vars(storage)), repr(storage.settings)]
    for act in (
        lambda: storage.put(video(10), "heygem/a.mp4", META),
        lambda: storage.put(video(6 << 20), "heygem/a.mp4", META),
        lambda: storage.exists("heygem/a.mp4"),
        lambda: storage.delete("heygem/a.mp4"),
        storage.sweep,
    ):
        with pytest.raises(StorageRefused) as caught:
            act()
        said += [repr(caught.value), str(caught.value.details), caught.value.hint]
        logger.opt(exception=caught.value).error("failed")
    said += map(str, storage.check())
    logger.remove()
    assert file.read_text("utf-8").count("failed") >= 5 and "Traceback" in file.read_text("utf-8")
    said += [path.read_text("utf-8") for path in [file, *swift_bucket.home.rglob("*")] if path.is_file()]
    assert "PLANTED" not in "".join(said)


def say(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    """What ``heygem storage`` prints and says besides."""
    assert cli.main(["storage", *words]) == code
    said = capsys.readouterr()
    return said.out, said.err


@pytest.fixture
def shell(swift_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Settings as variables, as the command line finds them."""
    for name, value in swift_bucket.environment().items():
        monkeypatch.setenv(name, value)
    return swift_bucket


def test_the_command_line(shell: Bucket, video: Callable[[int], Path], capsys: pytest.CaptureFixture[str]) -> None:
    file = video(5000)
    out, told = say(capsys, "put", str(file))
    key, url = out.splitlines()
    assert key.startswith("heygem/") and key.isascii() and key.endswith("-1.mp4") and "works until" in told
    assert httpx.get(url).content == file.read_bytes()
    assert say(capsys, "put", str(file))[0].splitlines()[0] == key, "the same file goes to the same place"
    out, _ = say(capsys, "link", key, "--name", "新名字.mp4", "--seconds", "60")
    assert "%E6%96%B0" in httpx.get(out.strip()).headers["content-disposition"]
    assert "removed" in say(capsys, "delete", key)[0]
    assert "input.missing" in say(capsys, "link", key, code=1)[1]
    assert say(capsys, "sweep")[0] == "0 dead uploads given up\n"
    assert "0 old results" in say(capsys, "sweep", "--older", "60")[0]
    assert "takes no rules" in say(capsys, "setup")[0]
    assert {row["name"] for row in json.loads(say(capsys, "check", "--json")[0])} >= {"write", "link", "privacy"}


def test_the_command_line_refuses(
    shell: Bucket, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "input.missing" in say(capsys, "put", "nothing.mp4", code=1)[1]
    monkeypatch.setenv("HEYGEM_S3_BUCKET", "not-here")
    assert "storage.refused" in say(capsys, "delete", "heygem/a.mp4", code=1)[1]
    monkeypatch.setenv("HEYGEM_STORAGE", "local")
    assert "option.invalid" in say(capsys, "setup", code=2)[1]
    monkeypatch.setenv("HEYGEM_S3_ENDPOINT", "s3.example.com")
    assert "HEYGEM_S3_ENDPOINT" in say(capsys, "check", code=2)[1]


def test_a_home_that_cannot_be_written_is_said(shell: Bucket, video: Callable[[int], Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        shell.open(home=tmp_path / "file", s3_part_mb=5).put(video(6 << 20), "heygem/a.mp4", META)
