"""The parent's side of a consumer in another process: start it, wake it, know how far it is, start it again when it dies."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from ..errors import Unavailable

log = logging.getLogger("trackrecord.consumers")

CLOSE_S = 10  # for the batch it is at; then it is killed, which does no harm
RESTART_PAUSES_S = (0.0, 0.2, 1.0, 5.0)  # by how often it ended in a row without getting on; the last one repeats


class Follower:
    """Keeps one consumer process running. Everything here happens on the event loop."""

    def __init__(self, name: str, command: Sequence[str], *, cursor: int, head: int) -> None:
        self.name = name
        self.cursor = cursor
        self.safe = 0  # what a power loss would leave it at; the journal keeps everything after
        self.trouble: str | None = "starting"
        self.moved: Callable[[], None] = lambda: None  # called when the cursor has moved
        self._command = command
        self._head = head
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._closing = False
        self._idle = False  # it has said that it waits to be asked
        self._asked = False  # and has told nothing since
        self._told = asyncio.Event()
        self._task = asyncio.create_task(self._keep_running())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def committed(self, head: int) -> None:
        """The journal has grown to `head`. A busy consumer is not asked: it looks again by itself, having gathered for a while."""
        self._head = head
        if self._idle:
            self._ask()

    async def up(self, *, timeout_s: float) -> None:
        """Return once the process has told where it is, or after `timeout_s`; `trouble` says which."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), timeout_s)

    async def reached(self, position: int, *, timeout_s: float) -> None:
        """Return once everything up to `position` is handled. Raises Unavailable after `timeout_s`."""
        if self.cursor >= position:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._asked:
            self._ask()
        self._waiters[waiter] = position
        try:
            await asyncio.wait_for(waiter, timeout_s)
        except TimeoutError:
            why = "nothing is lost" if self.trouble is None else self.trouble
            raise Unavailable(f"the record is {position - self.cursor} events behind the journal; {why}", retry_after_s=2) from None
        finally:
            self._waiters.pop(waiter, None)

    async def close(self) -> None:
        """End the process after the batch it is at. What it has not handled waits in the journal."""
        self._closing = True
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), CLOSE_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _ask(self) -> None:
        """Have it look now."""
        self._idle, self._asked = False, True
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        process.stdin.write(b"\n")

    async def _keep_running(self) -> None:
        failures = 0
        while not self._closing:
            before = self.cursor
            try:
                await self._run_once()
            except OSError as error:
                log.error("%s cannot be started: %s", self.name, error)
            except Exception:
                log.exception("%s could not be followed", self.name)
                if self._process is not None and self._process.returncode is None:
                    self._process.kill()
                    await self._process.wait()
            if self._closing:
                return
            failures = 0 if self.cursor > before else failures + 1
            pause_s = RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S) - 1)]
            code = self._process.returncode if self._process is not None else None
            self.trouble = f"{self.name} ended with code {code}; starting it again"
            log.error("%s ended with code %s; starting it again in %.1f s", self.name, code, pause_s)
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        self._idle = self._asked = False
        if self._closing and self._process.stdin is not None:
            self._process.stdin.close()
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        async for line in self._process.stdout:
            word, _, rest = line.decode().strip().partition(" ")
            if word == "at":
                cursor, safe = rest.split()
                self._moved(int(cursor), int(safe))
            elif word == "idle":
                self._idle = True
                if int(rest) < self._head:
                    self._ask()
            else:
                self.trouble = rest
                log.warning("%s: %s", self.name, rest)
        await self._process.wait()

    def _moved(self, cursor: int, safe: int) -> None:
        self.cursor, self.safe, self.trouble, self._asked = cursor, safe, None, False
        self._told.set()
        for waiter, wanted in self._waiters.items():
            if wanted <= cursor and not waiter.done():
                waiter.set_result(None)
        if any(wanted > cursor for wanted in self._waiters.values()):
            self._ask()
        self.moved()
