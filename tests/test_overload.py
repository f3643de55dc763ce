"""A small share of torture's rounds of overload: the server may be slow and may refuse, and does not lie, hang, grow or fall over."""

import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from torture import crowd, overload
from torture.flood import FIRST_SENDER, flood, people
from torture.oracle import Oracle
from torture.server import RealServer
from torture.world import Skipped, World

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads a process's memory in /proc")

ROUNDS: dict[str, Callable[[World], object]] = {
    "more than it can take": partial(overload.flooded, ahead=16, seconds=1.0),
    "asked to stop meanwhile": partial(overload.stopped_ahead, lanes=("yes",)),
    "a store that stands still": overload.store_stopped,
    "a disk that is slow": overload.slow_disk,
    "slow, idle and deaf clients": crowd.slow_clients,
    "clients that send far ahead": crowd.sent_ahead,
    "heavy readers": partial(overload.heavy_readers, events=200),
}


@pytest.mark.parametrize("does", ROUNDS.values(), ids=ROUNDS.keys())
def test_the_server_stays_honest_and_bounded_under(does: Callable[[World], object], tmp_path: Path) -> None:
    world = World(tmp_path / "world", random.Random(3))
    try:
        does(world)
        assert [(each.kind, each.text) for each in world.oracle.findings] == []
        assert world.compared > 0
    except Skipped as skipped:
        pytest.skip(str(skipped))
    finally:
        world.close()


def test_a_flood_tells_of_an_answer_that_is_not_honest(tmp_path: Path) -> None:
    oracle = Oracle()
    with RealServer(tmp_path / "data") as server:
        (person,) = people(server.url, oracle, 1)
        person.external_id = "nobody"
        found = flood(server.url, oracle, [person], ahead=4, seconds=0.2)
    assert found.answers.keys() == {404}
    assert {each.text[:27] for each in oracle.findings} == {"a flood was answered 404 {'"}
    assert oracle.refused >= {FIRST_SENDER * 10_000_000 + 1}
