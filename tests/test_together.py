"""Look-ups that share a turn: whatever goes wrong in one, nobody waits for ever."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from trackrecord.directory.newcomers import Asked
from trackrecord.errors import ContactNotFound, TrackrecordError
from trackrecord.ingest import Together
from trackrecord.rules.identity import Identifier

JOE, ANN = (Asked(1, [Identifier("email", email)], None) for email in ("joe@example.com", "ann@example.com"))


async def at_once(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


async def answers(together: Together, *asked: Asked) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*map(together.ask, asked), return_exceptions=True), 5)


async def test_each_is_answered_with_what_was_found_for_it():
    nobody = ContactNotFound()
    together = Together(lambda asked: [7 if each is JOE else nobody for each in asked], at_once)
    assert await answers(together, JOE, ANN, JOE) == [7, nobody, 7]


@pytest.mark.parametrize("wrong", [[7], [7, 8, 9], None])
async def test_after_an_answer_of_the_wrong_length_the_next_look_up_is_made(wrong: Any):
    found = [wrong, [7]]

    def look_up(_: Sequence[Asked]) -> list[int | TrackrecordError]:
        return found.pop(0)

    together = Together(look_up, at_once)
    assert {type(each) for each in await answers(together, JOE, ANN)} <= {ValueError, TypeError}
    assert await answers(together, JOE) == [7]
