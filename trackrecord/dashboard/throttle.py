"""How often somebody may try to sign in. In memory, bounded, by a clock that is passed in.

Tries are counted three ways: of an account from an address, of an address with any account, of an account from anywhere. Whoever
signed in to an account from an address before is held up there by the first count alone, so strangers elsewhere lock nobody out.
"""

import ipaddress
import math
from collections import OrderedDict
from typing import NamedTuple

KEYS_MAX = 10_000  # counts of each kind; of more the one that was raised longest ago is forgotten
FORGET_S = 3600.0  # after which without another try a count begins anew
NETWORK_BITS = 64  # of an IPv6 address, which is what one customer of a provider has at least


class Rule(NamedTuple):
    free: int  # tries before anybody has to wait
    first_s: float  # the first wait; each further try doubles it
    most_s: float


PAIR = Rule(5, 1.0, 300.0)
ADDRESS = Rule(30, 1.0, 300.0)
ACCOUNT = Rule(50, 1.0, 60.0)


class Tries:
    """Counts of one kind."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()  # how many, and when the last was made

    def wait_s(self, key: str, now: float) -> float:
        """How long from `now` (seconds) until the next try may be made; 0 where it may be made now."""
        count, last = self._counts.get(key, (0, now))
        if count < self._rule.free or now - last >= FORGET_S:
            return 0.0
        wait = min(self._rule.most_s, self._rule.first_s * (1 << min(count - self._rule.free, 32)))
        return max(0.0, last + wait - now)

    def add(self, key: str, now: float) -> None:
        count, last = self._counts.pop(key, (0, now))
        self._counts[key] = (count + 1 if now - last < FORGET_S else 1, now)
        if len(self._counts) > KEYS_MAX:
            self._counts.popitem(last=False)

    def take_back(self, key: str) -> None:
        """The last try was none."""
        count, last = self._counts.get(key, (0, 0.0))
        if count > 1:
            self._counts[key] = (count - 1, last)
        else:
            self._counts.pop(key, None)

    def forget(self, key: str) -> None:
        self._counts.pop(key, None)


class Throttle:
    def __init__(self) -> None:
        self._pairs, self._addresses, self._accounts = Tries(PAIR), Tries(ADDRESS), Tries(ACCOUNT)
        self._good: OrderedDict[str, None] = OrderedDict()  # pairs that signed in

    def begin(self, account: str, client: str | None, now: float) -> int:
        """Whole seconds (`now` in seconds) before the account may be tried from this client; 0 where it may now, and the try is counted
        as one that failed. `account` is the folded address that was typed, whether there is such an account or not.
        """
        address = network(client)
        pair = f"{address} {account}"
        waits = [self._pairs.wait_s(pair, now)]
        if pair not in self._good:
            waits += [self._addresses.wait_s(address, now), self._accounts.wait_s(account, now)]
        if max(waits) > 0:
            return math.ceil(max(waits))
        self._pairs.add(pair, now)
        self._addresses.add(address, now)
        self._accounts.add(account, now)
        return 0

    def undone(self, account: str, client: str | None) -> None:
        """The try that was begun last was not looked at."""
        address = network(client)
        self._pairs.take_back(f"{address} {account}")
        self._addresses.take_back(address)
        self._accounts.take_back(account)

    def succeeded(self, account: str, client: str | None) -> None:
        """The try that was begun last was right."""
        address = network(client)
        pair = f"{address} {account}"
        self._pairs.forget(pair)
        self._addresses.take_back(address)
        self._accounts.take_back(account)
        self._good.pop(pair, None)
        self._good[pair] = None
        if len(self._good) > KEYS_MAX:
            self._good.popitem(last=False)


def network(client: str | None) -> str:
    """What stands for a client: its address, of IPv6 the network it is in."""
    try:
        address = ipaddress.ip_address(client or "")
    except ValueError:
        return client or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), NETWORK_BITS), strict=False))
    return str(address)
