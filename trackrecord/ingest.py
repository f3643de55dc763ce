"""The way of an event: find its contact and name, decide, append to the journal, and only then say yes.

Also here, because they stand at the same gate: reads that wait for what was acknowledged before them.
"""

import asyncio
import contextlib
import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from .background import Background, Turns
from .directory import Directory
from .directory.identity import IdentityCache, NameCache
from .directory.newcomers import Asked, Newcomers
from .errors import ContactNotFound, TrackrecordError, Unavailable
from .faults import reach
from .journal.commit import Journal
from .requestlog import RequestLog
from .rules.contacts import Contact
from .rules.directory import EventName, Workspace
from .rules.events import Accepted, accept
from .rules.identity import Identifier, Newcomer, for_submit, newcomer
from .rules.metadata import Kept
from .rules.profiles import Profile
from .rules.records import Baseline, Erasure, Event, Merge, Record, Removal
from .rules.requests import lost
from .settings import Settings
from .stores.base import EventReader
from .wire.events import SentSummary, SubmittedEvent
from .wire.json import encode

T = TypeVar("T")
BEHIND_RETRY_S = 2  # what a sender is told to wait when the store has fallen too far behind
LOOK_UPS_MAX = 500  # contacts looked up in one turn
OWED_AGAIN_S = 2.0  # between tries to journal an erasure or a merge
UNREADABLE_S = 30.0  # how long health tells of a read that the store could not answer
REMOVED_TOGETHER = 5_000  # positions in one record


class Following(Protocol):
    """What is asked of the store's consumer: how far it is, and to be told when it has got somewhere."""

    @property
    def cursor(self) -> int: ...

    async def reached(self, position: int, *, timeout_s: float) -> None: ...


def distinct_part(dedup: str, kept: Kept | None) -> str:
    """What besides contact, name and second tells events of the REST API apart, by the setting `dedup`."""
    if dedup == "strict":
        return ""
    if dedup == "off":
        return uuid.uuid4().hex
    return hashlib.blake2b(encode(kept.values if kept else {}), digest_size=12).hexdigest()


class Together:
    """Look-ups of contacts that wait at the same time share one turn in a thread, as events share one write."""

    def __init__(self, look_up: Callable[[Sequence[Asked]], list[int | TrackrecordError]], in_thread: Callable[..., Any]) -> None:
        self._look_up = look_up
        self._in_thread = in_thread
        self._waiting: list[tuple[Asked, asyncio.Future[int]]] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> int:
        """Raises what the look-up answered for this one, and Unavailable where none could be made."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LOOK_UPS_MAX], self._waiting[LOOK_UPS_MAX:]
                try:
                    found = await self._in_thread(self._look_up, [asked for asked, _ in batch])
                    answers = list(zip([answer for _, answer in batch], found, strict=True))
                except BaseException as error:
                    answers = [(answer, error) for _, answer in batch]
                for answer, one in answers:
                    if answer.done():
                        continue  # who asked has gone
                    if isinstance(one, BaseException):
                        answer.set_exception(one)
                    else:
                        answer.set_result(one)
        finally:
            self._running = None  # whatever happened, the next who asks begins anew


class Ingest:
    """Takes events for every door: HTTP, the import, later the browser. Nothing is kept unless its call returns."""

    def __init__(
        self,
        *,
        directory: Directory,
        journal: Journal,
        store: Following,
        in_thread: Callable[..., Any],
        for_new: Callable[..., Any],
        now: Callable[[], float],
        profile: Profile,
        dedup: str,
        lag_max_records: int,
        identity_cache_entries: int,
        create_contacts: bool = False,
    ) -> None:
        self.directory = directory
        self.journal = journal
        self.identities = IdentityCache(directory.contacts, entries=identity_cache_entries, anonymous=profile.anonymous_user_id)
        self.names = NameCache(directory.names)
        self._store = store
        self._in_thread = in_thread  # for look-ups, which wait for nobody
        self._for_new = for_new  # for what events write in the directory: that waits for its one writer
        self._now = now
        self._profile = profile
        self._dedup = dedup
        self._lag_max_records = lag_max_records
        self.creates_contacts = create_contacts  # whether an event of nobody makes a user
        self._newcomers = Newcomers(directory.contacts, self.identities, now=now, profile=profile)
        self._strangers = Together(lambda asked: self.identities.resolve_many([(each.workspace, each.tried) for each in asked]), in_thread)
        self._nobodies = Together(self._newcomers.make, for_new)  # apart, so that who is known waits for no write
        self._owed: set[asyncio.Task[None]] = set()

    async def submit(self, workspace: Workspace, sent: SubmittedEvent) -> int:
        """Keep one event; return its position once it is on stable storage.

        Raises a RequestError that says what to change, ContactNotFound, Conflict for an ambiguous e-mail, or Unavailable.
        """
        tried, accepted, now = self._judged(sent)
        contact = self.identities.cached(workspace.number, tried[0])
        if contact is None:
            made = newcomer(tried, user_id=sent.user_id, email=sent.email) if self.creates_contacts else None
            contact = await self.resolve(workspace, tried, made, name=accepted.folded)
        name = self.names.cached(workspace.number, accepted.folded)
        if name is None:
            name = (await self.name(workspace, accepted.folded, accepted.name)).number
        return await self.journal.append(self.event(workspace, contact, name, accepted, int(now * 1000)))

    def ready(self, workspace: Workspace, sent: SubmittedEvent) -> Event | None:
        """The record that submit would append, if its contact and its name are in memory; else None. Raises as submit does."""
        tried, accepted, now = self._judged(sent)
        contact = self.identities.cached(workspace.number, tried[0])
        name = self.names.cached(workspace.number, accepted.folded)
        return None if contact is None or name is None else self.event(workspace, contact, name, accepted, int(now * 1000))

    def _judged(self, sent: SubmittedEvent) -> tuple[list[Identifier], Accepted, float]:
        """Whom to look for, what is kept, and the moment it came (Unix seconds)."""
        profile, now = self._profile, self._now()
        tried = for_submit(
            id=sent.id,
            intercom_user_id=sent.intercom_user_id if profile.submit_by_intercom_user_id else None,
            user_id=sent.user_id,
            email=sent.email,
            first_decides=profile.first_identifier_decides,
        )
        accepted = accept(sent.event_name, sent.created_at, sent.metadata, now=int(now), profile=profile)
        self.check_room()
        return tried, accepted, now

    def event(self, workspace: Workspace, contact: int, name: int, accepted: Accepted, received_at_ms: int) -> Event:
        """The record of an accepted event, by the numbers of its contact and name."""
        kept = accepted.metadata
        distinct = distinct_part(self._dedup, kept)
        if kept is None:
            return Event(workspace.number, contact, name, accepted.created_at, received_at_ms, distinct=distinct)
        return Event(
            workspace.number,
            contact,
            name,
            accepted.created_at,
            received_at_ms,
            encode(kept.values) if kept.values else b"",
            kept.kinds,
            encode(kept.dropped) if kept.dropped else b"",
            distinct,
        )

    async def resolve(
        self, workspace: Workspace, tried: Sequence[Identifier], made: Newcomer | None = None, *, name: str | None = None
    ) -> int:
        """The number of the contact meant, which is made of `made` where nobody is and the settings allow it.

        Raises ContactNotFound, Conflict when an e-mail names several, and what Newcomers.make answers; and Unprocessable, with
        nobody made, where the event's folded `name` is new and past the limit.
        """
        cached = self.identities.cached(workspace.number, tried[0])
        if cached is not None:
            return cached
        asked = Asked(workspace.number, tried, made)
        try:
            return await self._strangers.ask(asked)
        except ContactNotFound:
            if asked.newcomer is None:
                raise
        if name is not None and self.names.cached(workspace.number, name) is None:
            for error in (await self.past_limit(workspace, [name])).values():
                raise error
        return await self._nobodies.ask(asked)

    async def past_limit(self, workspace: Workspace, folded: Sequence[str]) -> dict[str, TrackrecordError]:
        """Those of these folded names that are new and past the limit, where an event may make a contact; else none."""
        limit = self._profile.event_names_max
        if not (limit and self.creates_contacts):
            return {}
        found: dict[str, TrackrecordError] = await self._in_thread(self.directory.names.past_limit, workspace.number, folded, limit=limit)
        return found

    def resolve_many(self, asked: Sequence[Asked]) -> list[int | TrackrecordError]:
        """As resolve, for many at once, in a thread: each stands as its contact's number or as the error it would raise."""
        found = self.identities.resolve_many([(each.workspace, each.tried) for each in asked])
        if self.creates_contacts:
            left = [place for place, one in enumerate(found) if isinstance(one, ContactNotFound) and asked[place].newcomer is not None]
            for place, one in zip(left, self._newcomers.make([asked[place] for place in left]) if left else (), strict=True):
                found[place] = one
        return found

    async def name(self, workspace: Workspace, folded: str, name: str) -> EventName:
        """The name's entry, made if it is new. Raises Unprocessable past the limit of active names."""
        known: EventName | None = (await self._in_thread(self.directory.names.find, workspace.number, [folded])).get(folded)
        if known is not None:
            return self.names.keep(known, folded)
        found: EventName = await self._for_new(
            self.names.resolve, workspace.number, folded, name, now=int(self._now()), limit=self._profile.event_names_max
        )
        return found

    async def summaries(self, workspace: Workspace, tried: Sequence[Identifier], rows: Sequence[tuple[SentSummary, str, str]]) -> None:
        """Keep baselines for one contact, all or none; rows carry (what was sent, name, folded name)."""
        contact = await self.resolve(workspace, tried)
        now = self._now()
        names = await self._for_new(
            self.directory.names.resolve_all,
            workspace.number,
            [(folded, name) for _, name, folded in rows],
            now=int(now),
            limit=self._profile.event_names_max,
        )
        records = [
            Baseline(workspace.number, contact, names[folded].number, int(now * 1000), row.count or 0, row.first, row.last)
            for row, _, folded in rows
        ]
        if records:
            await self.append(records)

    async def erase(self, workspace: int, contacts: Sequence[int]) -> None:
        """Journal that contacts were deleted, so that their events go from wherever they were copied.

        With a contact goes everyone who was merged into it: name them too. The directory remembers what is owed: while the
        journal cannot be written this returns, and goes on trying beside.
        """
        for contact in contacts:
            self.identities.forget(contact)
        at_ms = int(self._now() * 1000)
        await self._owe([Erasure(workspace, contact, at_ms) for contact in contacts])

    async def merge(self, workspace: int, source: int, target: int) -> None:
        """Journal that a contact was merged into another, so that its events follow it. The directory remembers, as for erase."""
        self.identities.forget(source)
        await self._owe([Merge(workspace, source, target, int(self._now() * 1000))])

    async def remove(self, workspace: int, positions: Sequence[int]) -> int:
        """Journal that single events were deleted; return the journal's head: once the store is there, they are gone.

        Positions that hold no stored event of the workspace are passed over when they are folded. Raises Unavailable, with
        nothing deleted.
        """
        at_ms = int(self._now() * 1000)
        records = [
            Removal(workspace, tuple(positions[start : start + REMOVED_TOGETHER]), at_ms)
            for start in range(0, len(positions), REMOVED_TOGETHER)
        ]
        return await self.append(records) + len(records) - 1 if records else self.journal.head

    async def _owe(self, records: Sequence[Record]) -> None:
        """Append what the directory has decided already: now, or beside as soon as it can be."""
        if not records:
            return
        reach("directory.before-journal")
        try:
            await self.journal.append_many(records)
        except Unavailable:
            task = asyncio.create_task(self._append_later(records))
            self._owed.add(task)
            task.add_done_callback(self._owed.discard)

    async def _append_later(self, records: Sequence[Record]) -> None:
        while True:
            await asyncio.sleep(OWED_AGAIN_S)
            with contextlib.suppress(Unavailable):
                await self.journal.append_many(records)
                return

    async def close(self) -> None:
        """Stop trying; what is still owed is journalled at the next start."""
        for task in self._owed:
            task.cancel()
        await asyncio.gather(*self._owed, return_exceptions=True)

    async def append(self, records: Sequence[Record]) -> int:
        """Keep records next to each other; return the position of the first. Raises Unavailable."""
        self.check_room()
        return await self.journal.append_many(records)

    def check_room(self) -> None:
        """Raises Unavailable when the store has fallen too far behind to take more."""
        behind = self.journal.head - self._store.cursor
        if behind > self._lag_max_records:
            raise Unavailable(f"the store is {behind} records behind the journal; send this again later", retry_after_s=BEHIND_RETRY_S)


class Reads:
    """Asks the store, after everything acknowledged before the question has reached it."""

    def __init__(
        self, reader: EventReader, *, journal: Journal, store: Following, executor: Executor, background: Background, wait_s: float
    ) -> None:
        self._reader = reader
        self._journal = journal
        self._store = store
        self._executor = executor
        self._background = background
        self._wait_s = wait_s
        self._failed: tuple[float, str] | None = None

    async def ask(self, question: Callable[[EventReader], T]) -> T:
        """Run a question in a thread. Raises Unavailable when the store does not catch up in time."""
        await self.caught_up()
        return await self.ask_now(question)

    async def ask_now(self, question: Callable[[EventReader], T]) -> T:
        """As ask, but not after anything: for whoever knows how far the store is."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._asked, question)

    async def ask_in_background(self, workspace: int, question: Callable[[EventReader], T]) -> T:
        """As ask, for a question that may take long: it waits for its turn (background.py), so that others need not wait for it."""
        await self.caught_up()
        answer: T = await self._background.run(workspace, self._asked, question)
        return answer

    @property
    def trouble(self) -> str | None:
        """Why the store could not be read lately; None when it could."""
        if self._failed is None or time.monotonic() - self._failed[0] > UNREADABLE_S:
            return None
        return self._failed[1]

    def _asked(self, question: Callable[[EventReader], T]) -> T:
        try:
            return question(self._reader)
        except Unavailable as error:
            self._failed = time.monotonic(), str(error)
            raise

    async def caught_up(self) -> int:
        """Wait until the store has everything acknowledged so far; return up to which position that is. Raises Unavailable."""
        head = self._journal.head
        if self._store.cursor < head:
            await self._store.reached(head, timeout_s=self._wait_s)
        return head


async def move_events(services: "Services", workspace: int, source: Contact, target: Contact) -> None:
    """Have the events of a contact that was merged follow it, and forget what nobody is called by any more.

    Second, as the journal's record of it would be wrong of a contact that still stands for itself. If we die in between,
    directory.contacts.merges() has it, and start-up journals what is missing.
    """
    services.requests.forget(workspace, lost(source, target))
    await services.ingest.merge(workspace, source.number, target.number)


class State(NamedTuple):
    """What a server keeps, as of one moment."""

    data: Path
    files: dict[str, int]  # bytes, by name; a folder's ends with a slash
    first: int  # the oldest position that the journal still has; 0 for it and the last where it has none
    last: int
    cursors: dict[str, int]  # of each consumer, by its name


class Services(Protocol):
    """Everything opened by server.py that handlers and imports reach for."""

    @property
    def directory(self) -> Directory: ...

    @property
    def ingest(self) -> Ingest: ...

    @property
    def reads(self) -> Reads: ...

    @property
    def requests(self) -> RequestLog: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def profile(self) -> Profile: ...

    def now(self) -> float:
        """Unix seconds, by the server's clock."""

    async def in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run blocking work beside the event loop."""

    async def at_gate(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As in_thread, in threads that only tokens, contacts and names are looked up in: no slow read stands before an event."""

    async def in_background(
        self, workspace: int, function: Callable[..., Any], /, *args: Any, begun: bool = False, long: bool = False, **kwargs: Any
    ) -> Any:
        """As in_thread, in the few threads for what takes long; see Background.run. Raises Unavailable past what may wait there."""

    @property
    def turns(self) -> Turns: ...

    def copy_into(self, folder: Path) -> None:
        """Make a consistent copy of everything in a new folder; see backup.copy."""

    def state(self) -> "State":
        """How large the files are, and how far each consumer is. Reads the disk."""

    def troubles(self) -> list[str]:
        """Why the server cannot do its whole work now; empty when it can."""
