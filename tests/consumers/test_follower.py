"""The parent's side of a consumer: when it asks the process to look, and what it makes of what that says."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from trackrecord.consumers.follower import Follower
from trackrecord.errors import Unavailable

# Says what stands on its command line: the first at its start, and each of the others when it is asked.
CHILD = """
import sys
print(sys.argv[1].replace(";", chr(10)), flush=True)
for _, words in zip(sys.stdin, sys.argv[2:]):
    print(words.replace(";", chr(10)), flush=True)
sys.stdin.read()
"""
WAIT_S = 20.0


@asynccontextmanager
async def following(*says: str, head: int = 0) -> AsyncIterator[Follower]:
    """A follower of a child that says the first at its start, and each other one when it is asked. `;` parts lines."""
    follower = Follower("child", [sys.executable, "-c", CHILD, *says], cursor=0, head=head)
    try:
        yield follower
    finally:
        await follower.close()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - nobody tells when it does
            await asyncio.sleep(0.005)


async def test_one_that_is_idle_is_asked_when_the_journal_grows():
    async with following("at 0 0;idle 0", "at 5 0") as follower:
        await follower.up(timeout_s=WAIT_S)
        follower.committed(5)  # before it has said that it is idle, or after: it is asked then
        await until(lambda: follower.cursor == 5)


async def test_one_that_is_busy_is_not_asked_but_for_who_waits():
    async with following("at 0 0", "at 5 0") as follower:
        await follower.up(timeout_s=WAIT_S)
        follower.committed(3)
        follower.committed(5)
        await follower.reached(5, timeout_s=WAIT_S)  # asks: for the first time, or there would be nothing left to say
        assert follower.cursor == 5


async def test_one_that_is_idle_though_there_is_more_is_asked_at_once():
    async with following("at 0 0;idle 0", "at 7 0", head=7) as follower:
        await until(lambda: follower.cursor == 7)


async def test_one_is_asked_again_while_somebody_waits_for_more_than_it_has_reached():
    async with following("at 0 0", "at 3 0", "at 6 0", "at 9 0") as follower:
        await follower.up(timeout_s=WAIT_S)
        await asyncio.gather(*(follower.reached(position, timeout_s=WAIT_S) for position in (2, 9)))
        assert follower.cursor == 9


async def test_who_waits_too_long_hears_how_far_it_is_and_why():
    async with following("at 4 0", "trouble the disk is full") as follower:
        await follower.up(timeout_s=WAIT_S)
        with pytest.raises(Unavailable, match=r"^the record is 6 events behind the journal; "):
            await follower.reached(10, timeout_s=0.05)
        await until(lambda: follower.trouble == "the disk is full")
