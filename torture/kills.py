"""Rounds that kill or stop processes at moments nobody knows before."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Set

from .server import NotStarted, runs, until
from .world import World

EVENTS_A_ROUND = (60, 900)  # acknowledged before something happens


def under_load(world: World, most: int = EVENTS_A_ROUND[1]) -> None:
    """Start the load, and return at a moment nobody knows before."""
    world.load.start(world.server.url)
    world.load.for_events(world.rng.randint(EVENTS_A_ROUND[0], most))
    time.sleep(world.rng.random() * 0.05)


def kill(world: World) -> None:
    under_load(world)
    world.kill()
    world.start()
    world.judge()


def kill_both(world: World) -> None:
    under_load(world)
    with contextlib.suppress(ProcessLookupError):
        os.kill(world.server.store_pid, signal.SIGKILL)
    world.fault()
    time.sleep(world.rng.random() * 0.02)
    world.kill()
    world.start()
    world.judge()


def kill_at_start(world: World) -> None:
    """Killed while it starts, several times, over what a kill under load left."""
    under_load(world)
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
    under_load(world)
    stopped(world, set(world.oracle.lost), world.load.join)


def stopped(world: World, lost_before: Set[int], join: Callable[[], None]) -> None:
    """SIGTERM under a load, whose end is waited for by `join`; then a start. What was kept was answered."""
    code, said = world.server.terminate()
    world.fault()
    join()
    if code != 0 or not said.startswith("Stopped"):
        world.oracle.found("answers", f"a server that was asked to stop under load ended with {code}, saying {said!r}")
    world.gone()
    world.stopped()
    world.start()
    world.judge()
    if kept := world.oracle.kept_without_a_word(world.oracle.lost - lost_before):
        world.oracle.found("answers", f"a server that was asked to stop kept {len(kept)} events and answered nobody: {kept[:5]}")


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
