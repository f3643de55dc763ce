"""The hub of what is arriving, over a store in memory: what no test of the wire has the time to wait for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from trackrecord import live
from trackrecord.directory import Directory
from trackrecord.errors import Unavailable
from trackrecord.live import Beat, Live, Missed, Told, Wanted
from trackrecord.rules.contacts import Draft
from trackrecord.rules.profiles import profile_named
from trackrecord.rules.records import Event
from trackrecord.stores.base import EventReader
from trackrecord.stores.memory import MemoryStore

WORKSPACE = 1


class Reads:
    """Asks the store at once, unless it is broken; counts the questions."""

    def __init__(self, store: EventReader) -> None:
        self.store = store
        self.asked = 0
        self.broken = 0  # so many questions from now on are not answered

    async def ask_now(self, question: Callable[[EventReader], Any]) -> Any:
        self.asked += 1
        if self.broken:
            self.broken -= 1
            raise Unavailable("the file is locked")
        return question(self.store)

    async def ask_in_background(self, workspace: int, question: Callable[[EventReader], Any]) -> Any:
        return question(self.store)


class House:
    """A hub, and what it reads from."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.store = MemoryStore()
        self.reads = Reads(self.store)
        self.contact = directory.contacts.create(WORKSPACE, Draft(role="user", external_id="ann"), now=0, profile=profile_named("lenient"))
        self.name = directory.names.resolve(WORKSPACE, "clicked", "clicked", now=0, limit=0).number
        self.live = Live(
            store=self.reads, directory=directory, names=directory.names, cursor=self.store.cursor, head=self.store.cursor, beat_s=0.01
        )

    def append(self, count: int, **fields: Any) -> None:
        end = self.store.cursor()
        self.store.append(
            end + 1,
            [
                Event(WORKSPACE, self.contact.number, self.name, created_at=number, received_at_ms=1, **fields)
                for number in range(end, end + count)
            ],
        )
        self.live.moved()

    @asynccontextmanager
    async def watching(self, **where: Any) -> AsyncIterator[AsyncIterator[Any]]:
        async with aclosing(self.live.watch(WORKSPACE, everything, **where)) as watched:
            yield (told async for some in watched for told in some)


async def everything() -> Wanted:
    return Wanted()


async def until(watched: AsyncIterator[Any], position: int) -> list[Any]:
    """All but beats that is told up to a position."""
    told = []
    async for each in watched:
        if not isinstance(each, Beat):
            told.append(each)
        if each.position >= position:
            break
    return told


@pytest.fixture
def house(tmp_path) -> Any:
    directory = Directory.open(tmp_path / "directory.db")
    directory.workspaces.create("ours", "ours", now=0)
    yield House(directory)
    directory.close()


def test_while_nothing_arrives_beats_say_that_the_connection_lives(house: House):
    async def run() -> list[Any]:
        house.append(3)
        async with house.watching() as watched:
            return [await anext(watched) for _ in range(4)]

    assert asyncio.run(run()) == [Beat(3)] * 4


def test_nothing_is_read_while_nobody_watches(house: House):
    async def run() -> int:
        house.append(3)
        async with house.watching() as watched:
            await anext(watched)
        house.append(3)
        await house.live.close()
        return house.reads.asked

    assert asyncio.run(run()) == 0


def test_a_flood_is_passed_over_up_to_near_the_head_and_told(house: House):
    async def run() -> list[Any]:
        async with house.watching() as watched:
            await anext(watched)
            house.append(live.BEHIND_MAX + 500)
            return await until(watched, live.BEHIND_MAX + 500)

    missed, *told = asyncio.run(run())
    gap = live.BEHIND_MAX + 500 - live.BEHIND_LEFT
    assert missed == Missed(gap, gap)
    assert [each.position for each in told] == list(range(gap + 1, live.BEHIND_MAX + 501))


def test_a_queue_holds_the_newest_by_number_and_by_bytes(house: House):
    async def run(count: int, **fields: Any) -> list[Any]:
        async with house.watching() as watched:
            await anext(watched)
            begin = house.store.cursor()
            house.append(count, **fields)
            async with house.watching() as other:  # one that takes what comes: when it has all, so has the first one's queue
                await anext(other)
                house.append(1)
                await until(other, begin + count + 1)
            return await until(watched, begin + count + 1)

    missed, *told = asyncio.run(run(live.QUEUE_MAX + 100))
    assert (missed, len(told)) == (Missed(101, 101), live.QUEUE_MAX)
    long = b'{"n":"' + b"x" * (live.QUEUE_BYTES // 2) + b'"}'
    missed, *told = asyncio.run(run(3, metadata=long, kinds="s"))
    assert (missed.events, len(told)) == (2, 2)


def test_what_the_store_cannot_answer_is_asked_again(house: House):
    async def run() -> list[Any]:
        async with house.watching() as watched:
            await anext(watched)
            house.reads.broken = 1
            house.append(2)
            return await until(watched, 2)

    assert [each.position for each in asyncio.run(run()) if isinstance(each, Told)] == [1, 2]


def test_who_comes_when_the_server_stops_is_sent_away(house: House):
    async def run() -> None:
        house.live.end()
        async with house.watching() as watched:
            await anext(watched)

    with pytest.raises(Unavailable, match="about to stop"):
        asyncio.run(run())
