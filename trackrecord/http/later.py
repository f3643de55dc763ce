"""Writes that no request waits for, such as when a token was last used."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from ..errors import TrackrecordError

log = logging.getLogger("trackrecord.http")

K = TypeVar("K")
KEYS_MAX = 10_000  # of which it is known when they were last written


class Later(Generic[K]):
    """Calls `write` with a key and the moment (whole Unix seconds) soon after it was noted, each key at most once in `every_s`, whether
    that went well or not. What cannot be written now is not written at all.
    """

    def __init__(self, write: Callable[..., Any], in_thread: Callable[..., Awaitable[Any]], *, every_s: int) -> None:
        self._write = write
        self._in_thread = in_thread
        self._every_s = every_s
        self._noted: dict[K, int] = {}
        self._running: set[asyncio.Task[None]] = set()

    def note(self, key: K, last: int | None, *, now: int) -> None:
        """Something happened to `key` at `now`; `last` is what the file says."""
        known = self._noted.get(key, last)
        if known is not None and now - known < self._every_s:
            return
        if len(self._noted) >= KEYS_MAX:
            self._noted.clear()
        self._noted[key] = now
        task = asyncio.ensure_future(self._run(key, now))
        self._running.add(task)  # or nobody would hold it
        task.add_done_callback(self._running.discard)

    async def _run(self, key: K, now: int) -> None:
        try:
            await self._in_thread(self._write, key, now=now)
        except (TrackrecordError, RuntimeError) as error:  # the latter when the server ends meanwhile
            log.info("not written: %s", error)
