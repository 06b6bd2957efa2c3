"""
TXT records, asked of the machine's name servers or of those that the operator names.

Only these are ever asked, whatever a domain's own records say; an answer that takes longer than a
few seconds is none.
"""

from collections.abc import Sequence
from typing import Final

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

_SECONDS: Final = 5.0
_ONE_TRY: Final = 2.0


class NoRecords(Exception):
    """The name servers answered, and there is no TXT record of that name."""


class NoAnswer(Exception):
    """No name server gave an answer that counts; says why."""


class TxtRecords:
    """
    Looks up TXT records.

    *servers* are addresses of name servers and their ports; none are the machine's own. *seconds*
    are all that there are for an answer.
    """

    def __init__(
        self, servers: Sequence[tuple[str, int]] = (), *, seconds: float = _SECONDS
    ) -> None:
        self._servers = tuple(servers)
        self._seconds = seconds

    def _resolver(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address, port) for address, port in self._servers
            ]
        resolver.timeout = min(_ONE_TRY, self._seconds)
        resolver.lifetime = self._seconds
        return resolver

    async def of(self, name: str) -> list[str]:
        """The texts of *name*'s records, in order. Raises `NoRecords`, `NoAnswer`."""
        try:
            # The final dot: the machine's own search domains have no say in a public name.
            answer = await self._resolver().resolve(f"{name}.", "TXT", search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            raise NoRecords from error
        except dns.resolver.LifetimeTimeout as error:
            raise NoAnswer(f"no name server answered within {self._seconds:g} seconds") from error
        except (dns.exception.DNSException, OSError) as error:
            raise NoAnswer("the name servers could not give an answer") from error
        texts = (
            b"".join(record.strings).decode("utf-8", "replace")
            for record in answer
            if isinstance(record, TXTBase)
        )
        return sorted(texts)
