"""Threads for what takes long, apart from those that short reads and writes have, and shared between workspaces in turns."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from .errors import Unavailable

WAITING_MAX = 16  # pieces of work of one workspace that wait for a thread, long ones apart; past it 503
WAITING = {
    True: "contact searches and exports of some",
    False: "long lists, queries, exports and deletions",
}  # what they are, for who is refused
RETRY_S = 2  # what a caller is told to wait then


class Background:
    """Runs blocking work in a few threads. Whose turn it is goes round the workspaces that wait: a busy one holds up itself.

    Work that may take many seconds is `long`, and never has the last thread: what takes parts of a second need not wait for it.
    Belongs to the event loop.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="trackrecord background")
        self._free = threads
        self._free_for_long = max(1, threads - 1)
        self._waiting: dict[tuple[int, bool], deque[asyncio.Future[None]]] = {}  # by (workspace, long), the next one first

    async def run(
        self, workspace: int, function: Callable[..., Any], /, *args: Any, begun: bool = False, long: bool = False, **kwargs: Any
    ) -> Any:
        """Raises Unavailable where too much of this workspace's work waits already, but not for the rest of what has `begun`."""
        await self._turn(workspace, begun=begun, long=long)
        loop = asyncio.get_running_loop()

        def done(_: "Future[Any]") -> None:
            loop.call_soon_threadsafe(self._next, long)

        try:
            job = self._pool.submit(partial(function, *args, **kwargs))
        except BaseException:
            self._next(long)
            raise
        job.add_done_callback(done)  # and not when we are done waiting: a thread goes on when its caller has gone
        return await asyncio.wrap_future(job)

    def shutdown(self) -> None:
        """Return when all that runs has ended."""
        self._pool.shutdown()

    async def _turn(self, workspace: int, *, begun: bool, long: bool) -> None:
        if self._free and (self._free_for_long or not long):
            self._free -= 1
            self._free_for_long -= long
            return
        mine = self._waiting.setdefault((workspace, long), deque())
        if len(mine) >= WAITING_MAX and not begun:
            raise Unavailable(
                f"{len(mine)} {WAITING[long]} of this workspace are waiting for their turn; ask again later",
                retry_after_s=RETRY_S,
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        mine.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._next(long)
            elif turn in mine:
                mine.remove(turn)
                if not mine and self._waiting.get((workspace, long)) is mine:
                    del self._waiting[workspace, long]
            raise

    def _next(self, long: bool) -> None:
        """Some work is done: give its thread to the first of the next workspace that may have it."""
        self._free_for_long += long
        while key := next((key for key in self._waiting if self._free_for_long or not key[1]), None):
            mine = self._waiting.pop(key)
            turn = mine.popleft()
            if mine:
                self._waiting[key] = mine
            if not turn.done():
                self._free_for_long -= key[1]
                turn.set_result(None)
                return
        self._free += 1


class Turns:
    """Who may do a thing at once, by what it is and whose. Belongs to the event loop."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._queued: dict[tuple[str, int], int] = {}

    def of(self, what: str, workspace: int, *, most: int = 1) -> asyncio.Semaphore:
        """Always the same one for the same; at most `most` are in it at once, as the first who asks for it says."""
        return self._turns.setdefault((what, workspace), asyncio.Semaphore(most))

    @contextlib.asynccontextmanager
    async def waiting(self, what: str, workspace: int) -> AsyncIterator[None]:
        """Have the one turn there is, when it comes. Raises Unavailable where WAITING_MAX wait for it already."""
        key = (what, workspace)
        if self._queued.get(key, 0) >= WAITING_MAX:
            raise Unavailable(f"{WAITING_MAX} {what} of this workspace are waiting for their turn; ask again later", retry_after_s=RETRY_S)
        self._queued[key] = self._queued.get(key, 0) + 1
        try:
            await self.of(what, workspace).acquire()
        finally:
            self._queued[key] -= 1
        try:
            yield
        finally:
            self.of(what, workspace).release()
