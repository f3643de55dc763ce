"""Rate limits, their headers, and request ids. Source: the contract, 1.4 and 1.5."""

import math
import os

from ..errors import RateLimitExceeded

WINDOW_S = 10
WINDOWS = 60 // WINDOW_S  # in a minute
UNLIMITED = 10_000_000  # told when nothing is limited: clients want a number, and some slow down when little is left of it


def share(per_minute: int, window: int) -> int:
    """Calls in one window. The remainder of a minute's share falls into its last windows: 1000 a minute is 166 or 167. Never none."""
    if not per_minute:
        return UNLIMITED
    each, rest = divmod(per_minute, WINDOWS)
    return max(1, each + (1 if window % WINDOWS >= WINDOWS - rest else 0))


class _Limit:
    """One limit's share of the present window, and what is left of it to each of those who have called."""

    __slots__ = ("header", "left", "per_minute", "share")

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.left: dict[int, int] = {}
        self.turn(0)

    def turn(self, window: int) -> None:
        self.share = share(self.per_minute, window)
        self.header = (b"x-ratelimit-limit", b"%d" % self.share)
        self.left = {}  # and not cleared, so that the memory of a busy window is given back


class Limiter:
    """Counts calls by token and by workspace, in windows of ten seconds aligned to the clock.

    What is kept is two numbers for each token and workspace that has called in the present window; the next one forgets them.
    Not thread-safe: it belongs to the event loop.
    """

    def __init__(self, *, per_token: int, per_workspace: int) -> None:
        """Calls a minute; 0 for no limit."""
        self._window = 0
        self._reset = (b"x-ratelimit-reset", b"")
        self._tokens = _Limit(per_token)
        self._workspaces = _Limit(per_workspace)

    def count(self, token: int, workspace: int, now: float, headers: list[tuple[bytes, bytes]]) -> None:
        """Count one call at `now` (Unix seconds), and add the three headers: of the two limits, that of which less is left.

        Raises RateLimitExceeded, with the headers added, when nothing was left; such a call is not counted.
        """
        window = int(now) // WINDOW_S
        tokens, workspaces = self._tokens, self._workspaces
        if window != self._window:
            self._window = window
            self._reset = (b"x-ratelimit-reset", b"%d" % ((window + 1) * WINDOW_S))
            tokens.turn(window)
            workspaces.turn(window)
        of_token = tokens.left.get(token, tokens.share)
        of_workspace = workspaces.left.get(workspace, workspaces.share)
        binding, left = (tokens, of_token) if of_token <= of_workspace else (workspaces, of_workspace)
        if left <= 0:
            headers += (binding.header, self._reset, (b"x-ratelimit-remaining", b"0"))
            wait = max(1, math.ceil((window + 1) * WINDOW_S - now))
            raise RateLimitExceeded(binding.share, retry_after_s=wait, whose="token" if binding is tokens else "workspace")
        tokens.left[token] = of_token - 1
        workspaces.left[workspace] = of_workspace - 1
        headers += (binding.header, self._reset, (b"x-ratelimit-remaining", b"%d" % (left - 1)))


_VARIANT = {digit: "89ab"[number & 3] for number, digit in enumerate("0123456789abcdef")}


class RequestIds:
    """UUIDs of version 4, from randomness fetched in large pieces."""

    def __init__(self) -> None:
        self._pool: list[str] = []

    def next(self) -> str:
        if not self._pool:
            fresh = os.urandom(16 * 256).hex()
            self._pool = [fresh[at : at + 32] for at in range(0, len(fresh), 32)]
        text = self._pool.pop()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"
