"""The server's side of the analysis: start its process with the first question, ask, start it again when it dies.

The process holds derived data only, so losing it costs time and nothing else. No numpy here: the server never loads it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..errors import Unavailable
from . import frames

log = logging.getLogger("trackrecord.analysis")

ANSWER_S = 10.0  # a question waits for its answer; making the columns of many millions may take longer, and goes on meanwhile
WAITING_MAX = 64  # questions at one time
TRIES = 2  # for a question whose process ended before it was answered
CLOSE_S = 10.0  # for the question it is at, and to save the columns; then it is killed, which does no harm
RETRY_S = 3  # what who must come again is told to wait


class Died(Exception):
    """The process ended before it answered."""


class Analysis:
    """Everything here happens on the event loop."""

    def __init__(self, command: Sequence[str], *, caught_up: Callable[[], Awaitable[int]], answer_s: float = ANSWER_S) -> None:
        """`caught_up` waits until the store has all that was acknowledged before, and returns its cursor."""
        self._command = command
        self._caught_up = caught_up
        self._answer_s = answer_s
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0  # how many questions have no answer yet
        self._last = 0
        self._starting = asyncio.Lock()
        self.progress: str | None = None  # how far it is, while much is being read
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def ask(self, question: str, **arguments: Any) -> Any:
        """The answer to one of analysis/questions.py, as of everything acknowledged before: lists, dicts, numbers, and `array` for many.

        Raises Unavailable when it does not come in time, when too many wait, or when the store cannot be read.
        """
        if self._asked >= WAITING_MAX:
            raise _unavailable("too many questions about events wait for their answers")
        self._asked += 1
        try:
            cursor = await self._caught_up()
            for _ in range(TRIES):
                with contextlib.suppress(Died):
                    return await self._ask(question, arguments, cursor)
            raise _unavailable("the process that answers questions about events ended before it answered")
        finally:
            self._asked -= 1

    async def close(self) -> None:
        self._closed = True
        process, hearing = self._process, self._hearing
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), CLOSE_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        if hearing is not None:
            await asyncio.gather(hearing, return_exceptions=True)

    async def _ask(self, question: str, arguments: dict[str, Any], cursor: int) -> Any:
        process = await self._started()
        self._last += 1
        number = self._last
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        assert process.stdin is not None  # noqa: S101 - asked for below
        try:
            process.stdin.write(frames.frame([number, question, arguments, cursor], frames.as_bytes))
            return await asyncio.wait_for(answer, self._answer_s)
        except TimeoutError:
            raise _unavailable(self.progress or f"{question} takes longer than {self._answer_s:g} s, as others wait before it") from None
        finally:
            self._waiting.pop(number, None)

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._closed:
                raise _unavailable("the server is ending")
            if self._process is None or self._hearing is None or self._hearing.done():
                try:
                    self._process = await asyncio.create_subprocess_exec(
                        *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True
                    )
                except OSError as error:
                    log.error("the analysis cannot be started: %s", error)
                    raise _unavailable("the process that answers questions about events cannot be started") from error
                self._hearing = asyncio.create_task(self._hear(self._process))
            return self._process

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        """Hand answers out until the process ends; then whoever still waits asks the next one."""
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            while True:
                size = frames.length(await process.stdout.readexactly(frames.LENGTH_BYTES))
                self._heard(*frames.decode(await process.stdout.readexactly(size), frames.as_array))
        except asyncio.IncompleteReadError:
            code = await process.wait()
            if code:
                log.error("the analysis ended with code %s", code)
        except Exception:
            log.exception("the analysis could not be understood")
            process.kill()
            await process.wait()
        finally:
            self.progress = None
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(Died())

    def _heard(self, word: str, *rest: Any) -> None:
        if word == "progress":
            (self.progress,) = rest
            return
        self.progress = None
        number, said = rest
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return  # who asked has gone
        if word == "answer":
            answer.set_result(said)
        else:
            answer.set_exception(_unavailable(said))


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, retry_after_s=RETRY_S)
