"""How much one visitor and one address may deliver, in windows of ten seconds."""

import ipaddress
import math

from ..errors import RateLimitExceeded, Unavailable

WINDOW_S = 10
WINDOWS = 60 // WINDOW_S  # in a minute
WHO_MAX = 100_000  # visitors and addresses counted in one window; past it everybody new has to wait for the next


class Caps:
    """Counts items by visitor and by address. Not thread-safe: it belongs to the event loop."""

    def __init__(self, *, per_visitor: int, per_address: int) -> None:
        """Items a minute; 0 for no limit."""
        self._shares = (per_visitor and max(1, per_visitor // WINDOWS), per_address and max(1, per_address // WINDOWS))
        self._window = 0
        self._counts: dict[tuple[int, str], int] = {}

    def count(self, visitors: dict[str, int], address: str, *, now: float) -> None:
        """Count so many items of each visitor, all from one address, at `now` (Unix seconds).

        Raises RateLimitExceeded, with nothing counted, where that is too much. A delivery that is greater than a whole share is
        let through by itself: it could never come otherwise.
        """
        window = int(now // WINDOW_S)
        if window != self._window:
            self._window, self._counts = window, {}
        wait = max(1, math.ceil((window + 1) * WINDOW_S - now))
        asked = [((0, visitor), items, self._shares[0], "visitor") for visitor, items in visitors.items()]
        asked.append(((1, network(address)), max(1, sum(visitors.values())), self._shares[1], "address"))
        for who, items, share, whose in asked:
            before = self._counts.get(who, 0)
            if share and before and before + items > share:
                raise RateLimitExceeded(share, retry_after_s=wait, whose=whose)
        if len(self._counts) + len(asked) > WHO_MAX:
            raise Unavailable("too many browsers deliver at once", retry_after_s=wait)
        for who, items, _, _ in asked:
            self._counts[who] = self._counts.get(who, 0) + items


def network(address: str) -> str:
    """What counts as one address: of IPv6 its /64, which one line or one machine has for itself."""
    try:
        there = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((there, 64), strict=False)) if there.version == 6 else address
