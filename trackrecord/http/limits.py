"""Counting calls for the rate-limit headers, and request ids. Source: the contract, 1.4 and 1.5."""

import os

WINDOW_S = 10
UNLIMITED = 10_000_000  # told when nothing is limited: clients want a number, and some slow down when little is left of it


class Counter:
    """Calls of each token in windows of ten seconds, aligned to the clock."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._window = 0
        self._limit = 0
        self._same: list[tuple[bytes, bytes]] = []  # the two headers that do not change within a window
        self._used: dict[int, int] = {}

    def limit(self, window: int) -> int:
        """Calls in one window. The remainder of a minute's share falls into its last windows: 1000 a minute is 166 or 167."""
        if not self._per_minute:
            return UNLIMITED
        sixth, rest = divmod(self._per_minute, 6)
        return sixth + (1 if window % 6 >= 6 - rest else 0)

    def count(self, token: int, now: float) -> list[tuple[bytes, bytes]]:
        """Count one call; `now` in Unix seconds. Returns the three headers."""
        window = int(now) // WINDOW_S
        if window != self._window:
            self._window = window
            self._limit = self.limit(window)
            self._same = [(b"x-ratelimit-limit", b"%d" % self._limit), (b"x-ratelimit-reset", b"%d" % ((window + 1) * WINDOW_S))]
            self._used.clear()
        used = self._used[token] = self._used.get(token, 0) + 1
        return [*self._same, (b"x-ratelimit-remaining", b"%d" % max(0, self._limit - used))]


class RequestIds:
    """UUIDs of version 4, from randomness fetched in large pieces."""

    def __init__(self) -> None:
        self._pool: list[str] = []

    def next(self) -> str:
        if not self._pool:
            fresh = os.urandom(16 * 256).hex()
            self._pool = [fresh[at : at + 32] for at in range(0, len(fresh), 32)]
        text = self._pool.pop()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
