"""Links of this server itself: signed, ending, leading to nothing but what was shared."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from heygem import settings
from heygem.errors import LinkExpired, LinkRefused, ResultGone
from heygem.jobs.job import Batch, Job, Request
from heygem.pipeline import Options
from storage import Meta, key_for, open_storage
from storage.base import MOST_SECONDS, disposition
from storage.local import Local

KEY = "heygem/2026-11-21/batch/0123abcd-lesson-1.mp4"
META = Meta("王老师 第1课 & “完”.mp4")


@pytest.fixture
def url(local: Local, video: Callable[[int], Path]) -> str:
    local.put(video(1000), KEY, META)
    return local.link(KEY, META, 60).url


def test_a_link_leads_to_the_file_under_its_name(local: Local, url: str, video: Callable[[int], Path]) -> None:
    assert url.startswith(f"/share/{KEY}?") and url.isascii()
    file, meta = local.open_link(url)
    assert file.stat().st_size == 1000 and meta == META
    assert set(parse_qs(urlsplit(url).query)) == {"name", "kind", "expires", "signature"}


def test_the_public_address_stands_before_it(tmp_path: Path, url: str) -> None:
    public = Local(settings.load(home=tmp_path / "home", public_url="https://video.example.com/heygem/"))
    link = public.link(KEY, META, 60).url
    assert link.startswith("https://video.example.com/heygem/share/heygem/")
    assert public.open_link(link)[1] == META, "the whole address may be given, too"


@pytest.mark.parametrize("seconds", [60, 86400, MOST_SECONDS])
def test_it_works_until_just_before_its_end(
    local: Local, url: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = local.link(KEY, META, seconds)
    monkeypatch.setattr("storage.local.time.time", lambda: link.expires - 0.5)
    assert local.open_link(link.url)[0].is_file()
    monkeypatch.setattr("storage.local.time.time", lambda: link.expires)
    with pytest.raises(LinkExpired):
        local.open_link(link.url)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("expires=", "expires=9"),
        ("lesson-1", "lesson-2"),
        ("signature=", "signature=0"),
        ("name=", "name=x"),
        ("kind=video", "kind=text"),
        ("&signature=", "&other="),
        ("/share/heygem/", "/share/../"),
        ("/share/", "/other/"),
        ("expires=", "expires=%C3%A9"),
    ],
)
def test_a_changed_link_is_refused(local: Local, url: str, old: str, new: str) -> None:
    assert old in url
    with pytest.raises(LinkRefused):
        local.open_link(url.replace(old, new, 1))


@pytest.mark.parametrize("url", ["", "/share/", "/share/a.mp4", "/share/a.mp4?name=a&kind=b&expires=1&signature=é"])
def test_what_is_no_link_is_refused(local: Local, url: str) -> None:
    with pytest.raises(LinkRefused):
        local.open_link(url)


def test_a_link_of_another_server_is_refused(local: Local, url: str, tmp_path: Path) -> None:
    other = Local(settings.load(home=tmp_path / "other"))
    assert other.link(KEY, META, 60)
    with pytest.raises(LinkRefused):
        other.open_link(url)


def test_the_key_is_for_its_owner_alone(url: str, tmp_path: Path) -> None:
    file = tmp_path / "home" / "share.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size == 32
    assert file.read_bytes().hex() not in url


def test_revoked_and_removed_results_are_gone(local: Local, url: str, video: Callable[..., Path]) -> None:
    local.delete(KEY)
    with pytest.raises(ResultGone, match="王老师"):
        local.open_link(url)
    file = video(1000)
    local.put(file, KEY, META)
    assert local.open_link(url)[0] == file
    file.unlink()
    with pytest.raises(ResultGone):
        local.open_link(url)
    assert local.exists(KEY) is None
    assert local.sweep() == 1 and list((file.parent / "home" / "shared").iterdir()) == []


def test_check_says_what_is_missing(local: Local, tmp_path: Path) -> None:
    assert [finding.state for finding in local.check()] == ["ok", "note"]
    (tmp_path / "file").write_text("")
    broken = Local(settings.load(home=tmp_path / "file", public_url="https://video.example.com"))
    assert [finding.state for finding in broken.check()] == ["missing", "ok"]


def test_it_is_what_there_is_without_any_setting(tmp_path: Path) -> None:
    assert open_storage(settings.load(home=tmp_path)).name == "local"


def job(name: str = "王老师 第1课.mp4") -> Job:
    request = Request(Path(name), Path("a voice (final).wav"), Options())
    return Job("00aa11bb22cc33dd", request, Path("outputs"))


def test_keys_are_plain_long_and_never_the_same(tmp_path: Path) -> None:
    config = settings.load(home=tmp_path, s3_prefix="team/videos")
    keys = {key_for(config, job()) for _ in range(1000)}
    assert len(keys) == 1000
    key = keys.pop()
    prefix, day, owner, name = key.rsplit("/", 3)
    assert prefix == "team/videos" and day == time.strftime("%Y-%m-%d") and owner == job().id
    assert name.endswith("-1-a-voice-final.mp4") and len(name.partition("-")[0]) == 24 and key.isascii()
    assert f"/{'b' * 16}/" in key_for(config, job(), Batch("b" * 16, "batch", Path("outputs")))
    assert key_for(config, job("课程" * 100)).endswith("-a-voice-final.mp4")


def test_names_of_downloads_survive() -> None:
    assert disposition("a b.mp4") == "attachment; filename=\"a b.mp4\"; filename*=UTF-8''a%20b.mp4"
    assert disposition("课程.mp4").startswith('attachment; filename="video.mp4"; filename*=')
    assert "\n" not in disposition('a"\r\nX: y.mp4') and disposition('a"b.mp4').count('"') == 2
