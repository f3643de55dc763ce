"""One schedule: which step comes next, what it chooses and what fails in it, all drawn from one seed. Nothing else decides anything."""

import gc
import random
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from trackrecord.errors import TrackrecordError
from trackrecord.journal.cleansing import LATE_MS

from .disk import ALL, ORPHAN, SERVER, STORE, Disk
from .oracle import Finding, Wrong
from .world import EVENTS, JOURNAL, WHOLE, Child, Parts, World

STEPS_LEAST, STEPS_MOST = 10, 60
REST_MOST = 2_000  # steps in which all must have come to rest
DAY_MS = 86_400_000


class Schedule:
    def __init__(self, disk: Disk, seed: int, *, parts: Parts = WHOLE, say: Callable[[str], None] | None = None) -> None:
        disk.begin(seed)
        self.faults: Counter[str] = Counter()
        self.steps = 0
        self._disk = disk
        self._rng = random.Random(seed)
        self._say = say
        self._power = False  # what is armed is a power loss
        self.world = World(disk, self._rng, parts)
        disk.settings.early_permille = self._rng.choice((0, 0, 30, 300))
        disk.settings.forgets = self._rng.choice((0, 1))
        quiet = self._rng.random() < 0.3  # much is done before anything happens
        moods = {name: 0 if quiet and step.harm else self._rng.choice((0, 0.3, 1, 1, 3)) for name, step in STEPS.items()}
        self._names = list(STEPS)
        self._weights = [step.weight * (1 if step.always else moods[name]) for name, step in STEPS.items()]

    def run(self) -> Finding | None:
        """None when every promise was kept."""
        try:
            for _ in range(self._rng.randint(STEPS_LEAST, STEPS_MOST)):
                self._step()
            self._end()
        except Wrong as wrong:
            self._tell(f"WRONG: {wrong}")
            return wrong.finding
        finally:
            self._count()
            self.world.drop(ALL)
        return None

    def _step(self) -> None:
        self.steps += 1
        world = self.world
        if world.writer is None:
            self._start()
        elif world.child is None and self._rng.random() < 0.5:
            self._start_child()
        else:
            (name,) = self._rng.choices(self._names, self._weights)
            STEPS[name].does(self)

    def _tell(self, what: str) -> None:
        if self._say is not None:
            counts = self._disk.counts
            self._say(f"{self.steps:4}  write {counts.writes:5}  sync {counts.syncs:4}  head {self.world.oracle.head:4}  {what}")

    # Doing something in a process, whatever comes of it.

    def _attempt(self, mask: int, what: Callable[[], object]) -> bool:
        """Whether it was done. What dies of it is dropped; an error that no failing call explains is a finding."""
        before, owner = self._disk.failed, (mask & -mask).bit_length() - 1
        done = False
        try:
            with self._disk.process(owner):
                what()
            done = True
        except Wrong:
            raise
        except Exception as error:
            failed, dead = self._disk.failed - before, self._disk.settings.dead
            if not failed and not dead:
                raise Wrong("broke", f"{error!r} though no call had failed") from error
            self._tell(f"  {error}")
            error.__traceback__ = None
            if not isinstance(error, TrackrecordError):
                self._disk.kill(mask)  # nobody catches it: the process ends
        return not self._died() and done

    def _died(self) -> bool:
        """Clear away who is dead."""
        mask = self._disk.settings.dead
        if not mask:
            return False
        self.world.drop(mask)
        if self._power:
            self._lose_power()
        self._tell(f"  dead: {_names(mask)}")
        return True

    def _lose_power(self) -> None:
        self._power = False
        permille = self._rng.choice((0, 0, 0, 100, 500, 900, 1000))
        self._disk.lose_power(permille)
        self.world.drop(ALL)
        self._disk.calm()
        self.faults["power losses"] += 1
        self._tell(f"  power lost; {permille / 10:.0f} % of the sectors that were not synced survive")

    def _start(self) -> None:
        self._tell("the server starts")
        if not self._attempt(1 << SERVER, self.world.start):
            self.world.drop(1 << SERVER)
            gc.collect(1)

    def _start_child(self) -> None:
        world = self.world
        owner = ORPHAN if world.orphan is not None and world.orphan.owner == STORE else STORE
        self._tell("the store's process starts")
        if not self._attempt(1 << owner, lambda: world.start_child(owner)):
            world.drop(1 << owner)
            gc.collect(1)

    # Steps.

    def submit(self) -> None:
        world = self.world
        writer, oracle = world.writer, world.oracle
        assert writer is not None
        records = world.load.batch(world.now_ms, oracle.head)
        self._tell(f"a batch of {len(records)}: {' '.join(type(record).__name__ for record in records[:8])}")
        first: list[int] = []
        before = self._disk.failed
        if self._attempt(1 << SERVER, lambda: first.append(writer.append(records))):
            oracle.kept(first[0], records)
        elif world.writer is None:
            oracle.unanswered(records)
        else:
            oracle.refused(records, failures=self._disk.failed - before)

    def fold(self) -> None:
        for _ in range(self._rng.choice((1, 1, 4))):  # three without anything to do bring what was done to stable storage
            child = self.world.child
            if child is not None and self._attempt(1 << child.owner, child.runner.step):
                self._tell(f"the store folds, to {child.runner.cursor}")

    def hear(self) -> None:
        child = self.world.child
        if child is not None and child.says:
            for _ in range(self._rng.choice((1, len(child.says)))):
                self.world.told = child.says.popleft()
            self._tell(f"the server hears {self.world.told}")

    def keep_house(self) -> None:
        self._tell(f"housekeeping of the journal, {self.world.told.safe} are safe")
        self._attempt(1 << SERVER, self.world.keep_house)

    def probe(self) -> None:
        assert self.world.writer is not None
        self._tell("the journal probes the disk")
        if self._attempt(1 << SERVER, self.world.writer.probe):
            self.world.oracle.settled()

    def copy_logs(self) -> None:
        """What threads of the product do beside the writers."""
        world = self.world
        if world.writer is not None and world.copying is not None and world.copying.wanted.is_set():
            self._tell("the journal's log is copied back beside its writer")
            self._attempt(1 << SERVER, world.copying.copy)
        if world.child is not None and world.child.checkpointer.wanted.is_set():
            self._tell("the store's log is copied back beside its writer")
            self._attempt(1 << world.child.owner, world.child.checkpointer.copy)

    def look(self) -> None:
        reader = self.world.reader
        assert reader is not None
        self._tell("somebody reads everything")
        self._attempt(1 << SERVER, lambda: self.world.oracle.store(reader))

    def hold(self) -> None:
        path = self._rng.choice((JOURNAL, EVENTS))
        if len(self.world.snapshots) < 3:
            self._tell(f"a reader of {path.name} begins, and takes its time")
            self._attempt(1 << SERVER, lambda: self.world.hold(path))

    def let_go(self) -> None:
        if self.world.snapshots:
            self._tell("a reader ends")
            snapshot = self.world.snapshots.pop(0)
            self._attempt(1 << SERVER, snapshot.close)

    def pass_time(self) -> None:
        seconds = self._rng.choice((0.1, 1, 5, 11, 70))
        self.world.up_s += seconds
        self.world.now_ms += int(seconds * 1000)
        self._tell(f"{seconds} s pass")

    def jump(self) -> None:
        by_ms = self._rng.choice((-400 * DAY_MS, -DAY_MS, -60_000, 60_000, DAY_MS, 400 * DAY_MS))
        self.world.now_ms = max(1, self.world.now_ms + by_ms)
        self.faults["clock jumps"] += 1
        self._tell(f"the clock jumps by {by_ms} ms")

    def fail(self) -> None:
        settings, rng = self._disk.settings, self._rng
        what, after, times = rng.choice(("write", "sync", "sync", "both")), rng.choice((0, 0, 1, 3, 10)), rng.choice((1, 1, 2, 5, 1_000))
        if what != "sync":
            settings.write_after, settings.write_times = after, times
        if what != "write":
            settings.sync_after, settings.sync_times = rng.choice((0, 0, 1, 2)), times
        self._tell(f"after {after}, {times} calls will fail: {what}")

    def fill(self) -> None:
        self._disk.settings.full = 1
        self._tell("the disk is full")

    def mend(self) -> None:
        self._disk.calm()
        self._tell("the disk works")

    def kill(self) -> None:
        """Processes, or all of them by a power loss: now, or before one of the next calls that change something."""
        world, rng = self.world, self._rng
        child = 1 << world.child.owner if world.child is not None else 0
        mask, power = rng.choice(((1 << SERVER, False), (child, False), (ALL, False), (ALL, True), (ALL, True)))
        if not mask or self._power:
            return
        after = rng.choice((0, 1, 2, 5, 12, 40)) if rng.random() < 0.8 else None
        self.faults["kills"] += not power
        self._power = power
        self._tell(f"{'power fails' if power else 'kill of ' + _names(mask)} {'now' if after is None else f'after {after} more calls'}")
        if after is None:
            self._kill_now(mask)
        else:
            self._disk.settings.die_mask, self._disk.settings.die_after = mask, after

    def _kill_now(self, mask: int) -> None:
        world = self.world
        if mask == 1 << SERVER and world.child is not None:
            if world.orphan is None:  # it notices the end of its input, in a while
                world.orphan, world.child = world.child, None
            else:
                mask = ALL
        self._disk.kill(mask)
        self._died()

    def dawdle(self) -> None:
        """The store's process of a killed server does what it is at, and ends."""
        orphan = self.world.orphan
        if orphan is None:
            return
        self._tell("the store's process of before does one more step, and ends")
        if self._rng.random() < 0.5 and not self._attempt(1 << orphan.owner, orphan.runner.step):
            return
        self.world.orphan = None
        self._attempt(1 << orphan.owner, orphan.close)

    def stop(self) -> None:
        self._tell("the server is stopped")
        if self.world.child is not None:
            child = self.world.child
            if not self._attempt(1 << child.owner, self.world.stop_child):
                return
        if self._attempt(1 << SERVER, self.world.stop):
            self.faults["stops"] += 1

    # The end.

    def _end(self) -> None:
        """Once more something may happen; then all comes to rest, and is compared with all that was sent."""
        self._disk.settings.die_mask, self._power = 0, False
        self._disk.calm()
        self._rng.choice((lambda: None, lambda: self._kill_now(ALL), self.stop, *[self._lose_power] * 3))()
        self._disk.calm()
        world = self.world
        while world.orphan is not None:
            self.dawdle()
        for snapshot in world.snapshots:
            snapshot.close()
        world.snapshots = []
        if world.writer is None:
            self._start()
        if world.child is None:
            self._start_child()
        for _ in range(2):  # the second time for what may come late
            self._rest()
            world.now_ms = max(world.now_ms, max((each.received_at_ms for each in world.oracle.truth.values()), default=0)) + LATE_MS + 1
        reader = world.reader
        assert reader is not None
        self._tell("all is at rest")
        self._attempt(1 << SERVER, lambda: world.oracle.store(reader, whole=True))
        self._attempt(1 << SERVER, lambda: world.oracle.cleansed(JOURNAL))

    def _rest(self) -> None:
        for _ in range(REST_MOST):
            child = self.world.child
            assert child is not None
            self.copy_logs()
            if self._rests(child):
                return
        raise Wrong("broke", f"nothing has come to rest in {REST_MOST} steps")

    def _rests(self, child: Child) -> bool:
        """One more step of everything; whether nothing is left to do."""
        waits: list[float | None] = []
        more: list[bool] = []
        self._attempt(1 << child.owner, lambda: waits.append(child.runner.step()))
        while child.says:
            self.world.told = child.says.popleft()
        self._attempt(1 << SERVER, lambda: more.append(self.world.keep_house()))
        return waits == [None] and more == [False]

    def _count(self) -> None:
        counts = self._disk.counts
        self.faults["writes failed"] += counts.failed_writes
        self.faults["syncs failed"] += counts.failed_syncs
        self.faults["no room"] += counts.full
        self.faults["sectors lost"] += counts.sectors_lost
        self.faults["sectors torn off"] += counts.sectors_torn


class Step(NamedTuple):
    weight: float
    does: Callable[[Schedule], None]
    always: bool = False  # in every schedule; of the others each schedule leaves some out
    harm: bool = False  # in no quiet one


STEPS = {
    "submit": Step(10, Schedule.submit, always=True),
    "fold": Step(7, Schedule.fold, always=True),
    "hear": Step(5, Schedule.hear, always=True),
    "keep house": Step(6, Schedule.keep_house, always=True),
    "probe": Step(0.5, Schedule.probe),
    "copy logs": Step(3, Schedule.copy_logs),
    "look": Step(0.5, Schedule.look),
    "hold": Step(0.7, Schedule.hold),
    "let go": Step(0.7, Schedule.let_go),
    "pass time": Step(2, Schedule.pass_time),
    "jump": Step(0.7, Schedule.jump, harm=True),
    "fail": Step(1.5, Schedule.fail, harm=True),
    "fill": Step(0.5, Schedule.fill, harm=True),
    "mend": Step(1.5, Schedule.mend, always=True),
    "kill": Step(2.5, Schedule.kill, harm=True),
    "dawdle": Step(1, Schedule.dawdle, always=True),
    "stop": Step(0.5, Schedule.stop, harm=True),
}


def _names(mask: int) -> str:
    return ", ".join(name for owner, name in enumerate(("the server", "the store's process", "the store's process")) if mask >> owner & 1)
