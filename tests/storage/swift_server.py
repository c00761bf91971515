"""OpenStack Swift with its S3 face, all of it in this one process: ``python swift_server.py FOLDER USER SECRET``.

It checks signatures, expiry and checksums for real. Prints the address once it answers; ends with its standard input.
The folder must allow extended attributes (ext4, xfs, overlay do).
"""

# ruff: noqa: E402  eventlet must come before everything else

from __future__ import annotations

import eventlet
from eventlet import tpool

eventlet.monkey_patch()

import os
import sys
from getpass import getuser
from importlib import import_module
from pathlib import Path

PROXY = """
[DEFAULT]
swift_dir = {conf}
bind_ip = 127.0.0.1
bind_port = {port}
user = {user}
log_level = CRITICAL
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
conn_timeout = 10
node_timeout = 60
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{name} = {secret} .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = s3.test
"""


class Nothing:
    """The log of requests, which nobody reads."""

    def write(self, *_: object) -> None: ...
    def flush(self) -> None: ...


def configure(conf: Path) -> None:
    """Swift reads its configuration from a fixed place, unless told otherwise before anything else."""
    (conf / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = s\nswift_hash_path_prefix = p\n"
        "[storage-policy:0]\nname = gold\ndefault = yes\n"
    )
    os.environ["SWIFT_CONF"] = str(conf / "swift.conf")
    for name in ("swift.common.utils", "swift.common.utils.config"):
        import_module(name).SWIFT_CONF_FILE = str(conf / "swift.conf")  # pyright: ignore[reportAttributeAccessIssue]
    import_module("swift.common.utils").validate_hash_conf()
    import_module("swift.common.storage_policy").reload_storage_policies()


def serve(folder: Path, access: str, secret: str) -> str:
    """Starts everything and returns the address."""
    for name in ("node/disk", "conf", "cache"):
        (folder / name).mkdir(parents=True)
    conf = folder / "conf"
    configure(conf)
    from eventlet import GreenPool, listen, wsgi
    from swift.account.server import AccountController
    from swift.common.ring import RingBuilder
    from swift.common.wsgi import SwiftHttpProtocol, loadapp
    from swift.container.server import ContainerController
    from swift.obj.server import ObjectController

    def start(app: object, socket: object) -> None:
        eventlet.spawn(wsgi.server, socket, app, Nothing(), custom_pool=GreenPool(256), protocol=SwiftHttpProtocol)

    for kind, controller in (
        ("object", ObjectController),
        ("container", ContainerController),
        ("account", AccountController),
    ):
        socket = listen(("127.0.0.1", 0))
        port = socket.getsockname()[1]
        ring = RingBuilder(4, 1, 0)
        where = {"ip": "127.0.0.1", "port": port, "replication_ip": "127.0.0.1", "replication_port": port}
        ring.add_dev({"region": 1, "zone": 1, "device": "disk", "weight": 1, **where})
        ring.rebalance()
        ring.get_ring().save(str(conf / f"{kind}.ring.gz"))
        settings = {"devices": folder / "node", "mount_check": "false", "disable_fallocate": "true", "swift_dir": conf}
        settings |= {"fallocate_reserve": "0", "recon_cache_path": folder / "cache", "bind_ip": "127.0.0.1"}
        start(controller({**{name: str(value) for name, value in settings.items()}, "bind_port": port}), socket)
    socket = listen(("127.0.0.1", 0))
    port = socket.getsockname()[1]
    account, _, name = access.partition(":")
    text = PROXY.format(conf=conf, port=port, user=getuser(), account=account, name=name, secret=secret)
    (conf / "proxy.conf").write_text(text)
    start(loadapp(str(conf / "proxy.conf")), socket)
    return f"http://127.0.0.1:{port}"


if __name__ == "__main__":
    print(serve(Path(sys.argv[1]), *sys.argv[2:4]), flush=True)
    tpool.execute(sys.stdin.buffer.read)  # until the other end is closed, however that ends
    os._exit(0)
