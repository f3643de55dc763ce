"""What is arriving now, for whoever watches: every event with what became of it, as soon as the store has it.

One hub reads what is new once for all who watch, in bites, and only while somebody does. Each watcher has a queue of its own;
past its bounds the oldest go, and are counted. So a slow watcher harms only itself, and a flood of events makes the hub pass
some over in place of reading all: nothing here ever delays an event.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from .directory import Directory
from .errors import RequestError, Unavailable
from .outcomes import ERASED
from .receipts import Names, shown
from .stores.base import EventReader
from .wire.receipts import ReceiptBody

T = TypeVar("T")
log = logging.getLogger("trackrecord.live")

WATCHERS_MAX = 100  # of a server
WATCHERS_OF_WORKSPACE_MAX = 20
RETRY_S = 10  # what who comes past that is told to wait
QUEUE_MAX = 1_000  # events that wait for one watcher
QUEUE_BYTES = 4 << 20  # and their metadata together
BITE = 200  # events read at once, of all that are watched
BITE_POSITIONS = 5_000  # looked at for them
BITE_EVERY_S = 0.05  # between bites: more than 4,000 events a second are not all shown
BEHIND_MAX = 20_000  # positions the hub may be behind the store; past it, it goes on near the store's head
BEHIND_LEFT = 1_000  # and that near
MADE_UP_MAX = 1_000  # events from before its beginning that a watcher may be told
LOOK_BACK_MAX = 50_000  # positions looked at for them
BEAT_S = 15.0  # between signs of life
ASK_S = 3.0  # between looks whether a watcher may still watch
AGAIN_S = 1.0  # after a read that the store could not answer


class Told(NamedTuple):
    """What became of an event."""

    position: int
    body: ReceiptBody
    workspace: int
    contact: int = 0  # its number; 0 of an erased event
    name: int = 0  # likewise
    folded: str = ""
    size: int = 0  # bytes of metadata
    events: int = 1


class Missed(NamedTuple):
    """Events that are not told, up to `position`: `events` at most, as records that are no events of the workspace may be among them."""

    position: int
    events: int
    size: int = 0


class Beat(NamedTuple):
    """Everything up to `position` was told. Comes first of all, and then now and again, so that silence means a lost connection."""

    position: int


class Wanted(NamedTuple):
    """Which events a watcher wants; what is empty sets no limit. An erased event has neither name nor contact."""

    names: frozenset[int] = frozenset()
    folded: frozenset[str] = frozenset()  # names that nobody may have used yet; beside `names`
    contacts: frozenset[int] = frozenset()
    outcome: str | None = None

    def fits(self, told: Told) -> bool:
        if self.outcome is not None and told.body.outcome != self.outcome:
            return False
        if self.contacts and told.contact not in self.contacts:
            return False
        return not (self.names or self.folded) or told.name in self.names or told.folded in self.folded


EVERYTHING = Wanted()


class Store(Protocol):
    """The questions that are asked of the store: ingest.Reads."""

    async def ask_now(self, question: Callable[[EventReader], T]) -> T: ...

    async def ask_in_background(self, workspace: int, question: Callable[[EventReader], T]) -> T: ...


class _Watcher:
    """One who watches, and what waits for it."""

    def __init__(self, workspace: int, wanted: Wanted) -> None:
        self.workspace = workspace
        self.wanted = wanted
        self.stirred = asyncio.Event()
        self._queue: deque[Told | Missed] = deque()
        self._size = 0

    def put(self, told: Told | Missed) -> None:
        self._queue.append(told)
        self._size += told.size
        self.stirred.set()
        lost, position = 0, 0
        while len(self._queue) > QUEUE_MAX or self._size > QUEUE_BYTES:
            oldest = self._queue.popleft()
            self._size -= oldest.size
            lost, position = lost + oldest.events, oldest.position
        if lost:
            self._queue.appendleft(Missed(position, lost))

    def take(self) -> list[Told | Missed]:
        some = list(self._queue)
        self._queue.clear()
        self._size = 0
        self.stirred.clear()
        return some


class Live:
    """The hub. Belongs to the event loop."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        names: Names,
        cursor: Callable[[], int],
        head: Callable[[], int],
        beat_s: float = BEAT_S,
        ask_s: float = ASK_S,
    ) -> None:
        """`cursor` is how far the store is, `head` how far the journal."""
        self._store = store
        self._directory = directory
        self._names = names
        self._cursor = cursor
        self._head = head
        self._beat_s, self._ask_s = beat_s, ask_s
        self._watchers: list[_Watcher] = []
        self._at = 0  # up to where everything was handed to the watchers
        self._handing = asyncio.Lock()  # held while a bite is read and handed out, so that nobody joins in between
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def moved(self) -> None:
        """The store has got on."""
        if self._watchers:
            self._stirred.set()

    def end(self) -> None:
        """End what is watched now, and let nobody watch any more: the server stops."""
        self._ended = True
        for each in self._watchers:
            each.stirred.set()

    async def close(self) -> None:
        self.end()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def watch(
        self, workspace: int, ask: Callable[[], Awaitable[Wanted]], *, after: int | None = None, last: int = 0, follow: bool = True
    ) -> AsyncGenerator[list[Told | Missed | Beat], None]:
        """What becomes of every event of a workspace from now on, some at a time, in order of position: a Beat first of all.

        With `after`, from behind that position on, as far as MADE_UP_MAX events and LOOK_BACK_MAX positions reach; else with
        `last`, from so many events before now on. Without `follow` it ends with what was acknowledged before now. `ask` tells what
        is wanted, and is asked again now and then: a RequestError that it raises then ends the stream. Raises what it raises at
        first, and Unavailable for who follows past WATCHERS_MAX.
        """
        watcher = _Watcher(workspace, await ask())
        with self._watching(watcher) if follow else contextlib.nullcontext():
            joined, now = await self._joined()
            watcher.wanted = await ask()  # again: now every name of an event from before has its number
            joined = joined if follow else now
            start = now if after is None else min(after, now)
            passed = max(start, joined)
            yield [Beat(start)]
            if start < joined:
                yield await self._made_up(watcher, after=start, upto=joined, most=MADE_UP_MAX)
            elif last and after is None:
                yield [told for told in await self._made_up(watcher, after=0, upto=start, most=last) if isinstance(told, Told)]
            ask_at, beat_at = time.monotonic() + self._ask_s, time.monotonic() + self._beat_s
            while follow and not self._ended:
                some = [told for told in watcher.take() if told.position > passed]
                if some or time.monotonic() >= beat_at:
                    passed = some[-1].position if some else max(passed, self._at)
                    yield [*some] if some else [Beat(passed)]
                    beat_at = time.monotonic() + self._beat_s
                if time.monotonic() >= ask_at:
                    try:
                        watcher.wanted = await ask()
                    except RequestError:
                        return
                    except Unavailable as error:
                        log.warning("whether somebody may still watch could not be seen: %s", error)
                    ask_at = time.monotonic() + self._ask_s
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(watcher.stirred.wait(), min(beat_at, ask_at) - time.monotonic())

    @contextlib.contextmanager
    def _watching(self, watcher: _Watcher) -> Iterator[_Watcher]:
        there = [each for each in self._watchers if each.workspace == watcher.workspace]
        if self._ended:
            raise Unavailable("the server is about to stop; connect again later", retry_after_s=RETRY_S)
        if len(self._watchers) >= WATCHERS_MAX or len(there) >= WATCHERS_OF_WORKSPACE_MAX:
            whose = f"{WATCHERS_OF_WORKSPACE_MAX} of this workspace" if len(there) >= WATCHERS_OF_WORKSPACE_MAX else f"{WATCHERS_MAX}"
            raise Unavailable(f"{whose} are watching already; connect again when one of them has ended", retry_after_s=RETRY_S)
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)
            self._stirred.set()  # the hub ends when nobody watches

    async def _joined(self) -> tuple[int, int]:
        """Behind which position a watcher has everything in its queue from now on, and where the journal's head is now."""
        async with self._handing:
            if self._task is None or self._task.done():
                self._at = self._cursor()
                self._task = asyncio.create_task(self._run())
            return self._at, max(self._head(), self._at)

    async def _made_up(self, watcher: _Watcher, *, after: int, upto: int, most: int) -> list[Told | Missed | Beat]:
        """The last `most` events in a span that are wanted; first what is not told of it."""
        wanted, lowest = watcher.wanted, max(after, upto - LOOK_BACK_MAX)
        if wanted.folded and not wanted.names:
            return []  # nobody has used such a name
        found: list[Told] = []
        size = 0
        while upto > lowest and len(found) < most and size < QUEUE_BYTES:
            bite = partial(self._bite, [watcher.workspace], after=max(lowest, upto - BITE_POSITIONS), upto=upto)
            told, upto = await self._store.ask_in_background(watcher.workspace, partial(bite, newest=True, wanted=wanted))
            found += [each for each in told if wanted.fits(each)]
            size += sum(each.size for each in told)
        if len(found) > most:
            upto, found = found[most].position, found[:most]
        missed = [Missed(upto, upto - after)] if upto > after else []
        return [*missed, *reversed(found)]

    async def _run(self) -> None:
        while self._watchers:
            began = time.monotonic()
            try:
                async with self._handing:
                    await self._hand_out(self._cursor())
            except Unavailable as error:
                log.warning("what arrives cannot be read just now: %s", error)
                await asyncio.sleep(AGAIN_S)
            except Exception:
                log.exception("what arrives could not be told")
                await asyncio.sleep(AGAIN_S)
            if self._at >= self._cursor():
                await self._stirred.wait()
                self._stirred.clear()
            await asyncio.sleep(max(0.0, began + BITE_EVERY_S - time.monotonic()))

    async def _hand_out(self, cursor: int) -> None:
        """One bite of what is new, to whom it is for."""
        if cursor - self._at > BEHIND_MAX:
            passed_over = Missed(cursor - BEHIND_LEFT, cursor - BEHIND_LEFT - self._at)
            self._at = passed_over.position
            for watcher in self._watchers:
                watcher.put(passed_over)
        if cursor <= self._at:
            return
        workspaces = {watcher.workspace for watcher in self._watchers}
        told, self._at = await self._store.ask_now(
            partial(self._bite, workspaces, after=self._at, upto=min(cursor, self._at + BITE_POSITIONS))
        )
        for each in told:
            for watcher in self._watchers:
                if watcher.workspace == each.workspace and watcher.wanted.fits(each):
                    watcher.put(each)

    def _bite(
        self,
        workspaces: Collection[int],
        store: EventReader,
        *,
        after: int,
        upto: int,
        newest: bool = False,
        wanted: Wanted = EVERYTHING,
    ) -> tuple[list[Told], int]:
        """Some events of a span as they are told, and up to where it is looked at; with `newest` down to where. For a thread.

        Of events from before now, whose names all have numbers, those that are not `wanted` are left out.
        """
        read = store.receipts(
            workspaces,
            after=after,
            upto=upto,
            limit=BITE,
            newest=newest,
            names=wanted.names,
            contacts=wanted.contacts,
            outcome=wanted.outcome,
        )
        end = after if newest else upto
        if read.more:
            end = read.found[-1].position - (1 if newest else 0)
        named = self._names.by_numbers([receipt.event.event.name for receipt in read.found if receipt.event is not None])
        told = []
        for receipt, body in zip(read.found, shown(self._directory, self._names, read.found), strict=True):
            if receipt.event is None or body.outcome == ERASED:
                told.append(Told(receipt.position, body, receipt.workspace))
            else:
                event = receipt.event.event
                name = named[event.name]
                told.append(Told(receipt.position, body, receipt.workspace, event.contact, name.number, name.folded, len(event.metadata)))
        return told, end
