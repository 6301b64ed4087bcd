"""Which IP addresses may be connected to: public ones alone, whatever form they are written in."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

_NAT64: Final = ip_network("64:ff9b::/96")  # RFC 6052; RFC 8215 has 64:ff9b:1::/48, which is private
_UNICAST: Final = ip_network("2000::/3")  # all that IANA has given out for global use
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16")))
"""Where clouds answer questions about the machine: AWS, Google and others; AWS over IPv6; Alibaba; Azure."""

_Any = IPv4Address | IPv6Address

_KINDS: Final[tuple[tuple[str, Callable[[_Any], bool]], ...]] = (
    ("a cloud's metadata address", _METADATA.__contains__),
    ("an unspecified address", lambda a: a.is_unspecified),
    ("a loopback address", lambda a: a.is_loopback),
    ("a link-local address", lambda a: a.is_link_local),
    ("a multicast address", lambda a: a.is_multicast),
    ("a reserved address", lambda a: a.is_reserved or (a.version == 6 and not a.is_private and a not in _UNICAST)),
    ("a private address", lambda a: a.is_private),
    ("no public address", lambda a: not a.is_global),
)


def kept_out(address: str) -> str | None:
    """Why an IP address is not connected to, in words ("a private address"); None for a public one.

    An IPv4 address within an IPv6 one (mapped, NAT64, 6to4) is judged as what it is; Teredo's hold two and are refused.
    Raises `ValueError` for what is no IP address. Source: the IANA special-purpose registries, as `ipaddress` holds them.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.teredo:
            return "a tunnel's address"
        found = _within(found) or found
    return next((words for words, holds in _KINDS if holds(found)), None)


def _within(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
