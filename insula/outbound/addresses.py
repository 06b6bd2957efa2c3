"""
Which addresses may be asked: the globally routable ones, and no machine of ours or our host's.

From IANA's registries of special-purpose addresses rather than from the interpreter's, whose
opinion differs from release to release.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

_FORBIDDEN_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' NAT, and the metadata service of one cloud
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the host's agent of one cloud, on an address that looks public
            "169.254.0.0/16",  # link-local, and most metadata services
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")  # all that has been given out for unicast
_FORBIDDEN_6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
#: RFC6052-2.1. Behind NAT64 the names of the old Internet resolve to these.
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_reachable(address: IPv4Address | IPv6Address) -> bool:
    """Whether *address* is on the public Internet, also the one that it may carry inside."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_reachable(address.ipv4_mapped)
        if address in _NAT64:
            return is_reachable(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id is not None or address not in _GLOBAL_6:
            return False
        return not any(address in network for network in _FORBIDDEN_6)
    return not any(address in network for network in _FORBIDDEN_4)
