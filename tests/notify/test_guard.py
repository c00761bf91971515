"""Addresses that users type: what is called, what is refused, and that the checked address is the one called."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any

import pytest

from heygem.errors import AddressRefused, AddressUnknown
from heygem.notify import guard

PUBLIC = ("8.8.8.8", "2606:4700::1111")
OWN = ("127.0.0.1", "127.8.9.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.9", "100.64.0.1", "fd12::1")
NEVER = (
    "169.254.169.254",  # metadata of most clouds
    "100.100.100.200",  # of Alibaba
    "168.63.129.16",
    "fd00:ec2::254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fec0::1",
)


def url_of(address: str) -> str:
    return f"http://[{address}]:8080/hook" if ":" in address else f"http://{address}:8080/hook"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert guard.check(url_of(address)) == [address]


@pytest.mark.parametrize("address", [*OWN, *NEVER])
def test_all_else_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="private or reserved"):
        guard.check(url_of(address))


@pytest.mark.parametrize("address", OWN)
def test_the_own_network_is_called_where_the_administrator_allows_it(address: str) -> None:
    assert guard.check(url_of(address), private=True) == [address]


@pytest.mark.parametrize("address", NEVER)
def test_some_are_refused_even_then(address: str) -> None:
    with pytest.raises(AddressRefused):
        guard.check(url_of(address), private=True)


@pytest.mark.parametrize("address", ["::ffff:8.8.8.8", "::ffff:10.0.0.1"])
@pytest.mark.parametrize("private", [False, True])
def test_ipv4_inside_of_ipv6_is_refused_by_newer_pythons_too(
    address: str, private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the outer address says of itself what the inner one says."""
    for name in ("is_multicast", "is_unspecified", "is_link_local", "is_loopback", "is_global", "is_reserved"):
        outer = getattr(IPv6Address, name).fget

        def said(self: IPv6Address, name: str = name, outer: Callable[[IPv6Address], bool] = outer) -> bool:
            return getattr(self.ipv4_mapped, name) if self.ipv4_mapped else outer(self)

        monkeypatch.setattr(IPv6Address, name, property(said))
    with pytest.raises(AddressRefused, match="private or reserved"):
        guard.check(url_of(address), private)


@pytest.mark.parametrize("disguise", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST"])
def test_loopback_in_disguise_is_refused(disguise: str) -> None:
    with pytest.raises(AddressRefused):
        guard.check(f"http://{disguise}/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/a", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("example.com/hook", "only http and https"),
        ("http://", "only http and https"),
        ("", "only http and https"),
        ("http://user:word@example.com/", "user name or password"),
        ("http://example.com:port/", "no valid address"),
        ("http://[::1/", "no valid address"),
        ("http://xn--0/", "no valid address"),
        ("http://exa..mple。。com/", "no valid address"),
    ],
)
def test_other_addresses_are_refused_with_the_reason_and_without_their_secrets(url: str, reason: str) -> None:
    with pytest.raises(AddressRefused, match=reason) as caught:
        guard.check(url)
    assert "word" not in caught.value.message.replace("password", "")


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[Any]:
    """The resolver, the one thing that is not real here: what a name server out of our hands would say."""
    asked: list[Any] = []

    def resolve(host: str, port: Any, **_: Any) -> list[Any]:
        asked.append(host)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(guard.socket, "getaddrinfo", resolve)
    return asked


def test_one_bad_address_of_a_name_refuses_it_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "8.8.8.8", "10.0.0.1")
    with pytest.raises(AddressRefused):
        guard.check("https://example.com/")


def test_a_chinese_name_is_resolved_in_its_ascii_form(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, "8.8.8.8")
    assert guard.check("https://例子.com/") == ["8.8.8.8"]
    assert asked == ["xn--fsqu00a.com"]


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    with pytest.raises(AddressUnknown, match=r"no-such-host\.invalid"):
        guard.check("http://no-such-host.invalid/")
