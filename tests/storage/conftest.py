"""Stores that tests run against. Those of S3 are real servers that check signatures, expiry and checksums."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from heygem import settings
from heygem.settings import PREFIX, Settings
from storage.local import Local
from storage.s3 import S3
from tests.storage import servers
from tests.storage.proxy import Proxy
from tests.storage.servers import Server


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.swift(tmp_path_factory.mktemp("swift") / "data") as server:
        yield server


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.ceph(tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture(params=["swift", pytest.param("ceph", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the real stores."""
    return request.getfixturevalue(request.param)


@dataclass
class Bucket:
    """A new bucket on a real store, and a storage of ours on it."""

    server: Server
    name: str
    home: Path

    @property
    def given(self) -> dict[str, Any]:
        return {
            "home": self.home,
            "storage": "s3",
            "s3_endpoint": self.server.endpoint,
            "s3_region": "us-east-1",
            "s3_bucket": self.name,
        }

    def settings(self, **more: Any) -> Settings:
        return settings.load(**{**self.given, **more})

    def open(self, **more: Any) -> S3:
        return S3(self.settings(**more))

    def environment(self, **more: Any) -> dict[str, str]:
        """For child processes."""
        named = {PREFIX + name.upper(): str(value) for name, value in {**self.given, **more}.items()}
        return {**os.environ, **self.server.environment(), **named}

    def content(self, key: str) -> bytes:
        """What really lies there, read by another client."""
        return self.server.client().get_object(Bucket=self.name, Key=key)["Body"].read()


MakeBucket = Callable[[Server], Bucket]


@pytest.fixture
def make_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MakeBucket:
    for name in [name for name in os.environ if name.startswith(("AWS_", PREFIX))]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)

    def made(server: Server) -> Bucket:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        bucket = Bucket(server, f"heygem-{uuid4().hex[:12]}", tmp_path / "home")
        server.client().create_bucket(Bucket=bucket.name)
        return bucket

    return made


@pytest.fixture
def bucket(server: Server, make_bucket: MakeBucket) -> Bucket:
    """On each of the real stores."""
    return make_bucket(server)


@pytest.fixture
def swift_bucket(swift: Server, make_bucket: MakeBucket) -> Bucket:
    return make_bucket(swift)


@pytest.fixture
def ceph_bucket(ceph: Server, make_bucket: MakeBucket) -> Bucket:
    return make_bucket(ceph)


@pytest.fixture
def local(tmp_path: Path) -> Local:
    return Local(settings.load(home=tmp_path / "home", outputs=tmp_path / "outputs"))


@pytest.fixture
def proxy(swift: Server) -> Iterator[Proxy]:
    """Stands before Swift and makes what goes wrong on the way."""
    with Proxy(swift.endpoint) as made:
        yield made


@pytest.fixture
def troubled(swift: Server, proxy: Proxy, make_bucket: MakeBucket) -> Bucket:
    """A bucket on Swift that is reached through the proxy."""
    direct = make_bucket(swift)
    through = Server(swift.kind, proxy.endpoint, swift.access, swift.secret)
    return Bucket(through, direct.name, direct.home)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 waits only for a moment before it tries again."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0.01)


@pytest.fixture
def video(tmp_path: Path) -> Callable[[int], Path]:
    """video(bytes): a file of that size that compresses badly and has no two equal parts."""

    def made(size: int, name: str = "王老师 第1课.mp4") -> Path:
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path

    return made
