"""Downloads from a real server: whole, broken, damaged, refused, and never without a yes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heygem import settings
from heygem.errors import DownloadFailed, LicenceRefused, OptionInvalid, OutputError, WeightsByHand, WeightsUnusable
from heygem.settings import Settings
from heygem.weights import download as downloading
from heygem.weights.download import download, source
from heygem.weights.store import WeightStore
from heygem.weights.table import TABLE, File
from tests.weights import made
from tests.weights.hub import Hub, hub

PATH = "/TMElyralab/MuseTalk/resolve/2bcb936e2fddb4d86db4c62fd45b387d0c061571/musetalkV15/unet.pth"


def published(monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, known: bool = True) -> None:
    """``content`` is the published file of these weights; known: size and checksum stand in the table."""
    file = replace(TABLE[name].files[0], size=None, sha256=None)
    if known:
        file = File(file.name, len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(TABLE, name, replace(TABLE[name], files=(file,)))


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch) -> bytes:
    out = io.BytesIO()
    torch.save({**made.musetalk(), "more": torch.randn(100_000)}, out)
    published(monkeypatch, "musetalk", out.getvalue())
    monkeypatch.setattr(downloading, "_WAITS", (0.0, 0.0, 0.0))
    return out.getvalue()


@pytest.fixture
def server(content: bytes) -> Iterator[Hub]:
    with hub(content) as running:
        yield running


@pytest.fixture
def config(server: Hub, tmp_path: Path) -> Settings:
    return settings.load(home=tmp_path / "home", weights_mirror=server.url)


def parts(config: Settings) -> list[str]:
    return sorted(path.name for path in (config.weights / "downloads").rglob("*") if path.is_file())


def test_a_download_is_checked_installed_and_cleared_away(config, server, content):
    told = []
    found = download("musetalk", config, accepted=True, tell=lambda done, total: told.append((done, total)))
    assert found == WeightStore(config.weights).verify("musetalk")
    assert found.facts.original == "unet.pth" and found.facts.licence == TABLE["musetalk"].licence
    assert server.asked == [(PATH, "")] and told[-1] == (len(content), len(content))
    assert parts(config) == ["musetalk.lock"]


def test_nothing_without_a_yes(config, server):
    with pytest.raises(ValueError, match="yes"):
        download("musetalk", config, accepted=False)
    assert server.asked == [] and not config.home.exists()


def test_what_is_here_already_is_not_fetched_again(config, server):
    first = download("musetalk", config, accepted=True)
    assert download("musetalk", config, accepted=True) == first
    assert len(server.asked) == 1


def test_a_broken_connection_goes_on_where_it_broke(config, server, content):
    server.plan = ["break", "break", "503"]
    download("musetalk", config, accepted=True)
    half, more = len(content) // 2, (len(content) + 1) // 2 // 2
    assert [asked for _, asked in server.asked] == ["", *[f"bytes={n}-" for n in (half, half + more, half + more)]]


def test_a_later_process_goes_on_as_well(config, server, content):
    class Killed(BaseException): ...

    def kill(done: int, total: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        download("musetalk", config, accepted=True, tell=kill)
    assert parts(config) == ["musetalk.lock", "unet.pth.json", "unet.pth.part"]
    here = (config.weights / "downloads" / "musetalk" / "unet.pth.part").stat().st_size
    download("musetalk", config, accepted=True)
    assert 0 < here < len(content) and server.asked[-1][1] == f"bytes={here}-"


def test_a_part_of_another_address_is_not_gone_on_with(config, server):
    folder = config.weights / "downloads" / "musetalk"
    folder.mkdir(parents=True)
    (folder / "unet.pth.part").write_bytes(b"x" * 1000)
    (folder / "unet.pth.json").write_text('{"url": "https://elsewhere"}')
    download("musetalk", config, accepted=True)
    assert server.asked == [(PATH, "")]


def test_a_server_without_ranges_begins_anew(config, server):
    server.plan = ["break", "no ranges"]
    download("musetalk", config, accepted=True)
    assert WeightStore(config.weights).verify("musetalk")


def test_a_part_that_is_too_long_begins_anew(config, server, content):
    server.plan = ["break"] + ["503"] * 9
    with pytest.raises(DownloadFailed):
        download("musetalk", config, accepted=True)
    with (config.weights / "downloads" / "musetalk" / "unet.pth.part").open("ab") as file:
        file.write(content)
    server.plan = []
    download("musetalk", config, accepted=True)
    assert WeightStore(config.weights).verify("musetalk")


@pytest.mark.parametrize(
    ("plan", "reason", "requests"),
    [
        (["404"], "not there any more", 1),
        (["403"], "refuses access", 1),
        (["401"], "asks for a login", 1),
        (["418"], "status 418", 1),
        (["page"], "web page", 1),
        (["429"] * 9, "no more requests", 4),
        (["500"] * 9, "status 500", 4),
        (["to http://127.0.0.1:1/x"] * 9, "cannot be reached", 4),
        (["to /again"] * 40, "cannot be followed", 21),
    ],
)
def test_what_the_server_does_instead_is_said(config, server, plan, reason, requests):
    server.plan = plan
    with pytest.raises(DownloadFailed, match=reason) as caught:
        download("musetalk", config, accepted=True)
    assert "127.0.0.1" in caught.value.message and "HEYGEM_WEIGHTS_MIRROR" in caught.value.hint
    assert len(server.asked) == requests
    assert WeightStore(config.weights).find("musetalk") is None
    server.plan = []
    assert download("musetalk", config, accepted=True), "nothing that came is in the way"


def test_too_many_requests_are_waited_out(config, server):
    server.plan = ["429", "429"]
    assert download("musetalk", config, accepted=True)


@pytest.mark.parametrize(("change", "reason"), [(b"", "checksum"), (b"more", "another size")])
def test_another_file_than_the_published_one_is_thrown_away(config, server, content, change, reason):
    server.content = (bytes([content[0] ^ 1]) + content[1:]) + change
    with pytest.raises(DownloadFailed, match=reason):
        download("musetalk", config, accepted=True)
    assert not any(name.endswith(".part") for name in parts(config))
    server.content = content
    assert download("musetalk", config, accepted=True)


def test_without_a_checksum_in_the_table_the_one_of_hugging_face_counts(config, server, content, monkeypatch):
    published(monkeypatch, "musetalk", content, known=False)
    server.headers = {"X-Linked-Etag": f'"{hashlib.sha256(b"other").hexdigest()}"'}
    server.plan = ["to /cdn"]
    with pytest.raises(DownloadFailed, match="checksum"):
        download("musetalk", config, accepted=True)
    server.headers = {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"'}
    server.plan = ["to /cdn", "no length"]
    assert download("musetalk", config, accepted=True)


def test_a_file_that_turns_out_to_be_no_weights_does_not_stay(config, server, monkeypatch):
    server.content = b"PK\x03\x04" + bytes(1000)
    published(monkeypatch, "musetalk", server.content)
    with pytest.raises(WeightsUnusable):
        download("musetalk", config, accepted=True)
    assert parts(config) == ["musetalk.lock"]


def test_a_disk_that_is_full_keeps_what_came(server, content, disk):
    small = disk("300k")
    config = settings.load(home=small.path, weights_mirror=server.url)
    with pytest.raises(OutputError, match="No space left"):
        download("musetalk", config, accepted=True)
    roomy = disk("64m")
    config = settings.load(home=roomy.path, weights_mirror=server.url)
    assert download("musetalk", config, accepted=True)


def test_weights_that_could_not_be_installed_are_not_fetched_twice(config, server, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OutputError(name="weights", reason="No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError):
        patch.setattr(WeightStore, "add", full)
        download("musetalk", config, accepted=True)
    assert download("musetalk", config, accepted=True)
    assert len(server.asked) == 1


def test_a_proxy_is_asked_instead(server, tmp_path):
    config = settings.load(
        home=tmp_path, weights_mirror="http://hub.invalid", weights_proxy=server.url.replace("//", "//user:hunter22@")
    )
    assert download("musetalk", config, accepted=True)
    assert server.asked == [(f"http://hub.invalid{PATH}", "")]
    assert "hunter22" not in repr(config)


def test_modelscope(config, server, monkeypatch):
    monkeypatch.setattr(downloading, "_MODELSCOPE", f"{server.url}/models")
    assert download("musetalk", config.model_copy(update={"weights_hub": "modelscope"}), accepted=True)
    assert server.asked == [("/models/AI-ModelScope/MuseTalk/resolve/master/musetalkV15/unet.pth", "")]


def test_what_its_authors_publish_elsewhere_comes_from_there(config, server, monkeypatch):
    out = io.BytesIO()
    torch.save({"params_ema": made.gfpgan()}, out)
    server.content = out.getvalue()
    published(monkeypatch, "gfpgan", server.content)
    assert source("gfpgan", config).url == TABLE["gfpgan"].address
    monkeypatch.setitem(TABLE, "gfpgan", replace(TABLE["gfpgan"], address=f"{server.url}/releases/GFPGANv1.4.pth"))
    for place in ("huggingface", "modelscope"):
        found = download("gfpgan", config.model_copy(update={"weights_hub": place}), accepted=True)
        assert found.name == "gfpgan" and found.facts.original == "GFPGANv1.4.pth"
    assert server.asked == [("/releases/GFPGANv1.4.pth", "")]


def test_what_is_in_no_hub_is_fetched_by_hand(config, server):
    for name in ("wav2lip", "wav2lip-gan", "wav2lip-256", "wav2lip-288"):
        with pytest.raises(WeightsByHand) as caught:
            download(name, config, accepted=True, rights=True)
        assert TABLE[name].page in caught.value.hint and f"--name {name}" in caught.value.hint
    with pytest.raises(WeightsByHand, match="this hub"):
        source("face-parsing", config.model_copy(update={"weights_hub": "modelscope"}))
    with pytest.raises(OptionInvalid):
        source("wav3lip", config)
    assert server.asked == []


def test_what_may_not_be_used_is_not_fetched(config, server):
    commercial = config.model_copy(update={"commercial": True})
    with pytest.raises(LicenceRefused):
        download("face-parsing", commercial, accepted=True)
    assert server.asked == []
    assert download("musetalk", commercial, accepted=True)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.huggingface])
def test_the_addresses_are_those_of_the_hubs(name):
    place = TABLE[name].huggingface
    assert place is not None
    usual = settings.load(weights_mirror=None, weights_hub="huggingface")
    assert source(name, usual).url.startswith(f"https://huggingface.co/{place.repo}/resolve/")
    mirrored = settings.load(weights_mirror="https://hf-mirror.com/", weights_hub="huggingface")
    assert source(name, mirrored).url == source(name, usual).url.replace("huggingface.co", "hf-mirror.com")
