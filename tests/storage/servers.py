"""Real stores that check signatures: OpenStack Swift in a process (from pip), and Ceph where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Server:
    """A store that runs."""

    kind: str
    endpoint: str
    access: str
    secret: str

    def client(self, service: str = "s3", **given: Any) -> Any:
        """A client that is not the product's own."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
            region_name="us-east-1",
            config=Config(signature_version="s3v4" if service == "s3" else "v4", s3={"addressing_style": "path"}),
            **given,
        )

    def environment(self) -> dict[str, str]:
        """What boto3 is to find, and nothing of the developer's."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextmanager
def swift(folder: Path) -> Iterator[Server]:
    pytest.importorskip("swift", reason="needs the packages of the extra “test” (pip install -e .[test])")
    access, secret = "test:tester", "PLANTED-swift-secret/+1"
    command = [sys.executable, "-W", "ignore", str(HERE / "swift_server.py"), str(folder), access, secret]
    with (folder.parent / "swift.log").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdin and process.stdout
    endpoint = process.stdout.readline().strip()
    if not endpoint:
        process.wait()
        reason = (folder.parent / "swift.log").read_text()
        if "xattr" in reason.lower() or "Operation not supported" in reason:
            pytest.skip("the temporary folder has no extended attributes, which Swift needs")
        pytest.fail(reason)
    try:
        yield Server("swift", endpoint, access, secret)
    finally:
        process.stdin.close()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)  # large, and pytest would keep it for three sessions


@contextmanager
def ceph(folder: Path) -> Iterator[Server]:
    wanted = ("radosgw", "ceph-mon", "ceph-osd", "radosgw-admin", "ceph", "monmaptool")
    if lacking := [name for name in wanted if shutil.which(name) is None]:
        packages = "apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
        pytest.skip(f"needs Ceph ({packages}); not here: {', '.join(lacking)}")
    access, secret = "cephaccess0123456789", "PLANTED-ceph-secret-0123456789"
    ports = [free_port(), free_port()]
    environment = {**os.environ, "ACCESS": access, "SECRET": secret, "PORT": str(ports[0]), "MON_PORT": str(ports[1])}
    done = subprocess.run(
        ["bash", str(HERE / "ceph.sh"), str(folder)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    try:
        yield Server("ceph", f"http://127.0.0.1:{ports[0]}", access, secret)
    finally:
        for name in ("client.rgw", "osd.0", "mon.a"):
            _end(folder / f"{name}.pid")


def _end(file: Path) -> None:
    """Ends the daemon whose number is in the file. All it has is in memory."""
    if not file.exists():
        return
    with suppress(ProcessLookupError):
        os.kill(int(file.read_text()), signal.SIGKILL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
