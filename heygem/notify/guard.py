"""Requests to addresses that users typed. They must not become a way into the network behind the server.

A name is resolved once for each request, every address it stands for is judged, and the connection goes to just those
addresses: a name that points elsewhere a moment later (DNS rebinding) changes nothing. No proxy is used and no redirect
is followed, since both would move the decision elsewhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from heygem.errors import AddressRefused, AddressUnknown

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA = frozenset(map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254")))
"""Where clouds tell a machine its secrets, beside the link-local addresses."""
CONNECT = 5.0
"""Seconds for a connection, and for each silence of the other side."""


def check(url: str, private: bool = False) -> list[str]:
    """The IP addresses that this URL stands for. private: those of one's own network are allowed, too.

    Raises AddressRefused where one of them must not be called, AddressUnknown where the name is not found.
    """
    try:
        parts = httpx.URL(url)
        host, port = parts.raw_host.decode("ascii"), parts.port
        shown = parts.host  # not the whole URL: paths and queries often hold secrets
    except (httpx.InvalidURL, UnicodeError):
        raise AddressRefused(address=url[:80], reason="it is no valid address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise AddressRefused(address=shown or url[:80], reason="only http and https are called")
    if parts.userinfo:
        raise AddressRefused(address=shown, reason="it holds a user name or password")
    try:
        found = socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise AddressUnknown(host=shown) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(is_allowed(ipaddress.ip_address(address), private) for address in addresses):
        raise AddressRefused(address=shown, reason="it leads into a private or reserved network")
    return addresses


def is_allowed(address: IPAddress, private: bool = False) -> bool:
    """Public unicast; with ``private`` one's own network, too. Never link-local, metadata or IPv4 inside of IPv6."""
    if address.is_multicast or address.is_unspecified or address.is_link_local or address in METADATA:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    if address.is_loopback:  # ::1 also counts as reserved
        return private
    return (private or address.is_global) and not address.is_reserved


class Guarded(httpx.AsyncHTTPTransport):
    """The transport of every request to such an address: ``httpx.AsyncClient(transport=Guarded())``."""

    def __init__(self, private: bool = False) -> None:
        super().__init__()
        self._private = private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        addresses = await asyncio.to_thread(check, str(request.url), self._private)
        name = request.url.raw_host.decode("ascii")
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await super().handle_async_request(_aimed(request, address, name))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last == 0:
                    raise
        raise AssertionError("a name without an address is unknown")


def _aimed(request: httpx.Request, address: str, name: str) -> httpx.Request:
    """The same request to one IP address; the header Host and the certificate stay those of the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": name},
    )
