"""A short share of `make simulate`, and that its oracle sees: each promise is broken, and must be found."""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.broken import BROKEN
from simulator.disk import ALL, Disk, Missing
from simulator.oracle import KINDS, Wrong
from simulator.schedule import Schedule
from simulator.world import WHOLE, Child, Parts, Told, World
from trackrecord.errors import Unavailable
from trackrecord.journal.log import JournalWriter
from trackrecord.rules.records import Event, Removal

ROOT = Path(__file__).parent.parent
SEEDS = range(80)

WITHIN = 1_000  # seeds

# The kinds of which one must be found; and the seed to begin with, from which it is not far to one that finds it.
MUST_BE_FOUND = {
    "lying-disk": ({"missing", "broke"}, 0),
    "unflushed-journal": ({"missing"}, 0),
    "hasty-journal": ({"missing", "cursor"}, 0),
    "unwritten-journal": ({"refused"}, 90),
    "unsynced-store": ({"trimmed"}, 40),
    "trim-ahead": ({"trimmed"}, 35),
    "forgetful-store": ({"missing", "store"}, 0),
    "doubling-store": ({"twice"}, 0),
    "skipping-store": ({"missing", "store"}, 0),
}


@pytest.fixture(scope="module")
def disk() -> Iterator[Disk]:
    try:
        made = Disk()
    except Missing as missing:
        pytest.skip(str(missing))
    with made:
        yield made


def test_every_promise_is_kept_whatever_the_seed(disk: Disk) -> None:
    found = {seed: finding for seed in SEEDS if (finding := Schedule(disk, seed).run())}
    assert found == {}


@pytest.mark.parametrize("name", MUST_BE_FOUND)
def test_a_broken_promise_is_found(name: str, disk: Disk) -> None:
    kinds, first = MUST_BE_FOUND[name]
    findings = (Schedule(disk, seed, parts=BROKEN[name][1]).run() for seed in range(first, first + WITHIN))
    found = next((finding for finding in findings if finding), None)
    assert found is not None
    assert found.kind in kinds


# What the server goes by when it has what was erased taken from the journal, and what becomes of the copy.
ASKS = {
    "what the store has safely folded": (WHOLE, None),
    "what it has folded": (Parts(folded=lambda told: told.cursor), "undone"),
}


@pytest.mark.parametrize(("parts", "kind"), ASKS.values(), ids=ASKS.keys())
def test_a_power_loss_does_not_bring_a_removed_event_back_by_its_copy(parts: Parts, kind: str | None, disk: Disk) -> None:
    disk.begin(1)
    world = World(disk, random.Random(1), parts)
    world.sizes = world.sizes._replace(rows_a_step=1, batch_records=100, log_bytes=1 << 30)
    try:
        writer, child = started(world)
        event = Event(1, 1, 1, 100, 1)
        for record in (event, event, Removal(1, (1,), 1)):
            world.oracle.kept(writer.append([record]), [record])
        child.runner.step()
        world.told = child.says[-1]
        assert world.told == Told(cursor=3, safe=0)
        world.keep_house()
        disk.lose_power(0)
        world.drop(ALL)
        _, child = started(world)
        child.runner.step()
        assert found(lambda: world.oracle.store(world.reader, whole=True)) == kind
    finally:
        world.drop(ALL)


def test_what_a_failed_flush_has_lost_is_written_again_before_more_is_kept_behind_it(disk: Disk) -> None:
    disk.begin(1)
    world = World(disk, random.Random(1), WHOLE)
    disk.settings.forgets = 1
    first, second = [Event(1, 1, 1, 1, 1)], [Event(1, 1, 1, 2, 1)]
    try:
        writer, _ = started(world)
        disk.settings.sync_times = 1_000
        with pytest.raises(Unavailable):
            writer.append(first)
        world.oracle.refused(first, failures=2)
        world.drop(ALL)  # killed, and the batch still in its log
        disk.calm()
        writer, _ = started(world)
        world.oracle.kept(writer.append(second), second)
        disk.lose_power(0)
        world.drop(ALL)
        assert found(world.start) is None
    finally:
        world.drop(ALL)


def test_a_store_whose_flush_has_failed_calls_nothing_safe_that_was_not_written_again(disk: Disk) -> None:
    disk.begin(1)
    world = World(disk, random.Random(1), WHOLE)
    disk.settings.forgets = 1
    world.sizes = world.sizes._replace(log_bytes=1 << 30)
    try:
        store = world.store()
        store.append(1, [Event(1, 1, 1, 1, 1)])
        disk.settings.sync_times = 1
        with pytest.raises(Unavailable):
            store.sync()
        assert store.sync() == 1
        disk.lose_power(0)
        store.close()
        world.drop(ALL)
        assert world.store().cursor() == 1
    finally:
        world.drop(ALL)


def started(world: World) -> tuple[JournalWriter, Child]:
    world.start()
    world.start_child()
    assert world.writer is not None
    assert world.child is not None
    return world.writer, world.child


def found(question: Callable[[], None]) -> str | None:
    try:
        question()
    except Wrong as wrong:
        return wrong.finding.kind
    return None


def test_a_seed_is_one_schedule_call_by_call(disk: Disk) -> None:
    def trace(seed: int) -> tuple[list[str], int]:
        told: list[str] = []
        Schedule(disk, seed, say=told.append).run()
        return told, disk.counts.trace

    first = trace(3)
    assert trace(4) != first
    assert trace(3) == first


def test_what_is_found_comes_with_the_command_that_shows_it_again(disk: Disk) -> None:
    def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "simulator", *arguments], capture_output=True, text=True, cwd=ROOT, check=False)

    run = simulate("--count", "3", "--seed", "1", "--broken", "doubling-store")
    assert run.returncode == 1
    command = next(line for line in run.stdout.splitlines() if "again, step by step:" in line).partition(": ")[2]
    again = simulate(*command.split()[3:])
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1].startswith("seed ")
    assert KINDS["twice"] in again.stdout or KINDS["changed"] in again.stdout


def test_the_page_has_every_part_that_can_be_broken() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    assert [name for name, (what, _) in BROKEN.items() if f"| `{name}` | {what} |" not in text] == []
