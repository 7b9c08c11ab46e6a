"""Names and addresses of hosts: which are tried, in which order, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from poolse._support.dns import Address

__all__ = ["attempts", "certificate_name", "interleaved"]


def certificate_name(host: str) -> str:
    """Return the name to ask a server for, and to look for in its certificate.

    A dot at the end of `api.corp.` keeps the resolver from trying search domains. It is no part of
    the name in TLS (RFC 6066, 3), while the Host header keeps it, as browsers do.
    """
    return host.rstrip(".")


def interleaved(found: Sequence[Address]) -> list[Address]:
    """Return the addresses in the resolver's order, but the families take turns (RFC 8305, 4).

    Where IPv6 leads nowhere, the second address responds then, not the ninth.
    """
    families = list(dict.fromkeys(address[0] for address in found))
    turn = dict.fromkeys(families, 0)
    ranked: list[tuple[int, int, Address]] = []
    for address in found:
        ranked.append((turn[address[0]], families.index(address[0]), address))
        turn[address[0]] += 1
    return [address for _, _, address in sorted(ranked, key=lambda rank: rank[:2])]


def attempts(
    found: Sequence[Address], until: float, clock: Callable[[], float]
) -> Iterator[tuple[Address, float]]:
    """Return each address, with the time until which it may be tried.

    One that does not respond may use up its share of the time only. What it leaves is for the
    others, and the last one has all that is left.
    """
    order = interleaved(found)
    for left, address in zip(range(len(order), 0, -1), order, strict=True):
        now = clock()
        yield address, now + (until - now) / left
