"""How much memory a server takes, looked at again and again while something else goes on."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .processes import memory_mb

EVERY_S = 0.5


class Memory:
    """What was seen: seconds since the beginning, and MB of all processes together. Nothing where the system does not tell."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def most(self) -> list[float]:
        """The most of all, for a Figure; empty where nothing was seen."""
        return [max(mb for _, mb in self.seen)] if self.seen else []

    def between(self, since_s: float, until_s: float) -> float | None:
        """The median of what was seen then."""
        found = [mb for at, mb in self.seen if since_s <= at < until_s]
        return statistics.median(found) if found else None


@contextmanager
def memory(pid: int) -> Iterator[Memory]:
    """Look at a process and its children until the block ends."""
    found, ended, began = Memory(), threading.Event(), time.monotonic()

    def look() -> None:
        while not ended.wait(EVERY_S):
            mb = memory_mb(pid)
            if mb is not None:
                found.seen.append((time.monotonic() - began, mb))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
