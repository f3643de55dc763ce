"""What is done to the server, one function a round. To add a round, write it and add a row to ROUNDS.

A round finds a world whose server runs or does not, and leaves it judged. What goes wrong goes to the world's oracle; a round
that cannot be had on this machine raises Skipped.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple

from .server import NotStarted, runs, until
from .world import World


class Skipped(Exception):
    """The round cannot be had here; the message says why."""


class Round(NamedTuple):
    does: Callable[[World], None]
    what: str  # what it does to the server
    judged: str  # beside the record, which is compared after every round
    own: bool = False  # wants a data directory of its own
    weight: int = 1  # how often it is chosen, against others


EVENTS_A_ROUND = (60, 900)  # acknowledged before something happens


def _under_load(world: World) -> None:
    """Start the load, and return at a moment nobody knows before."""
    world.load.start(world.server.url)
    world.load.for_events(world.rng.randint(*EVENTS_A_ROUND))
    time.sleep(world.rng.random() * 0.05)


def kill(world: World) -> None:
    _under_load(world)
    world.kill()
    world.start()
    world.judge()


def kill_both(world: World) -> None:
    _under_load(world)
    with contextlib.suppress(ProcessLookupError):
        os.kill(world.server.store_pid, signal.SIGKILL)
    world.fault()
    time.sleep(world.rng.random() * 0.02)
    world.kill()
    world.start()
    world.judge()


def kill_at_start(world: World) -> None:
    """Killed while it starts, several times, over what a kill under load left."""
    _under_load(world)
    world.kill()
    for _ in range(world.rng.randint(1, 3)):
        with world.launched() as server:
            time.sleep(0.1 + world.rng.random() * 0.8)
            server.kill()
        world.fault()
        world.gone()
    world.start()
    world.judge()


def kill_store(world: World) -> None:
    world.load.start(world.server.url)
    for _ in range(world.rng.randint(1, 4)):
        before = world.oracle.unanswered
        world.load.for_events(world.rng.randint(30, 400))
        with contextlib.suppress(ProcessLookupError):
            store = world.server.store_pid
            os.kill(store, signal.SIGKILL)
            world.fault()
            until(lambda store=store: not runs(store))
        if world.oracle.unanswered > before:
            world.oracle.found("answers", "requests got no answer while the store's process was killed")
    world.load.for_events(50)
    world.judge()


def stop(world: World) -> None:
    _under_load(world)
    code, said = world.server.terminate()
    world.fault()
    world.load.join()
    if code != 0 or not said.startswith("Stopped"):
        world.oracle.found("answers", f"a server that was asked to stop under load ended with {code}, saying {said!r}")
    world.gone()
    world.stopped()
    world.start()
    world.judge()


def two_servers(world: World) -> None:
    world.load.start(world.server.url)
    world.load.for_events(50)
    try:
        with world.second() as second:
            second.listening()
        world.oracle.found("answers", "a second server started on the same directory")
    except NotStarted as refused:
        if "is in use by process" not in str(refused):
            world.oracle.found("answers", f"a second server was not told why it cannot start: {refused}")
    world.fault()
    before = world.oracle.acknowledged
    world.load.for_events(100)
    if world.oracle.acknowledged < before + 100:
        world.oracle.found("answers", "the first server did not go on beside a second one")
    world.judge()


ROUNDS: dict[str, Round] = {
    "kill": Round(kill, "kill -9 of the server under load, then a start", "the files as they were left", weight=6),
    "kill-both": Round(kill_both, "kill -9 of the store's process and then of the server", "the same", weight=2),
    "kill-at-start": Round(kill_at_start, "kill -9 under load, then up to three more within the next starts", "the same", weight=2),
    "kill-store": Round(kill_store, "kill -9 of the store's process alone, up to four times", "every request has its answer", weight=2),
    "stop": Round(stop, "SIGTERM under load, then a start", "exit code 0, no logs beside the files", weight=2),
    "two-servers": Round(two_servers, "a second server on the same directory", "it is refused with the reason, the first goes on"),
}
