"""How often an address may do something: a bucket for each, of which so many are kept."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: Addresses remembered at most, about 2 MB; the longest unseen is forgotten first.
MOST_ADDRESSES = 10_000
#: A provider hands out whole networks of this length: who has one IPv6 address has 2^64.
IPV6_PREFIX = 64


@dataclass(frozen=True)
class Draw:
    """What came of one draw: whether it was granted, what is left, and when there is more."""

    granted: bool
    limit: int
    left: int
    period_s: float
    full_in_s: float
    retry_after_s: float


class Allowance:
    """So many draws in a period for each address, at once or spread; what was drawn comes back evenly.

    This is the generic cell rate algorithm (ITU-T I.371): of every address one number is kept, the moment at which its
    bucket is full again.

    Parameters
    ----------
    limit
        Draws that a full bucket holds; 0: there is no limit.
    period_s
        Seconds in which an empty bucket fills.
    clock
        Seconds that nobody sets back.
    """

    def __init__(
        self,
        limit: int,
        period_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_ADDRESSES,
    ) -> None:
        self.limit = limit
        self.period_s = period_s
        self._clock = clock
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, address: str) -> Draw:
        """Take one out of the bucket of an address, if there is one in it."""
        return self._asked(address, take=True)

    def look(self, address: str) -> Draw:
        """Say what a draw would bring, and take nothing."""
        return self._asked(address, take=False)

    def _asked(self, address: str, *, take: bool) -> Draw:
        if not self.limit:
            return Draw(True, 0, 0, self.period_s, 0.0, 0.0)
        key, each_s = counted_as(address), self.period_s / self.limit
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key, now), now)
            wait_s = full_at + each_s - now - self.period_s
            granted = wait_s <= 1e-9 * self.period_s  # sums of floats: the last of a bucket counts as there
            if granted and take:
                full_at += each_s
                self._full_at[key] = full_at
                self._full_at.move_to_end(key)
                if len(self._full_at) > self._most:
                    self._full_at.popitem(last=False)
        left = math.floor((self.period_s - (full_at - now)) / each_s + 1e-6)
        return Draw(granted, self.limit, left, self.period_s, full_at - now, 0.0 if granted else wait_s)


def counted_as(address: str) -> str:
    """Return under which name an address is counted: its network where it is IPv6, one name for this machine."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]  # no address at all: a socket's name, or nonsense that shall not fill the memory
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif not ip.is_loopback:
            return str(ipaddress.ip_network((ip, IPV6_PREFIX), strict=False))
    return "this machine" if ip.is_loopback else str(ip)
