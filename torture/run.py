"""Chooses rounds, runs them, and counts. The seed decides which rounds, in what order, and what each chooses; not the clock."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from .rounds import ROUNDS
from .tally import Found, Tally
from .world import Skipped, World

WORLD_EVENTS = 25_000  # acknowledged in one data directory; then it is checked whole, and a new one begins
FINDINGS_MOST = 50  # past which a run ends
KEEP_LOG_BYTES = 20_000


class Run:
    """One run. `folder` is its own; what is left there at the end is the evidence of what was found."""

    def __init__(self, folder: Path, *, seed: int, names: list[str], say: Callable[[str], None] = lambda what: None) -> None:
        self.tally = Tally(seed, names)
        self._folder = folder
        self._rng = random.Random(seed)
        self._names = names
        self._say = say
        self._worlds = 0
        self._last = names[0]
        self._shared: World | None = None

    def for_time(self, seconds: float) -> None:
        """Rounds until the time is over, none of which is cut short."""
        until = time.monotonic() + seconds
        weights = [ROUNDS[name].weight for name in self._names]
        first = list(self._names)
        self._rng.shuffle(first)  # each once, and then by their weights
        while time.monotonic() < until and len(self.tally.found) < FINDINGS_MOST:
            (name,) = [first.pop()] if first else self._rng.choices(self._names, weights)
            self.one(name)
        self.close()

    def one(self, name: str) -> None:
        """One round, and a new data directory when this one has become large, or something was found in it."""
        self._say(name)
        self._last = name
        row = self.tally.rows[name]
        world = self._world() if ROUNDS[name].own else self._shared or self._world()
        if not ROUNDS[name].own:
            self._shared = world
        world.rng = random.Random(self._rng.random())
        before = _counts(world)
        began = time.monotonic()
        try:
            ROUNDS[name].does(world)
            row.rounds += 1
        except Skipped as skipped:
            row.skipped = str(skipped)
        except Exception as error:
            row.rounds += 1
            world.oracle.found("answers", f"the round broke off: {error!r}")
        except BaseException:
            world.gone()
            raise
        if ROUNDS[name].own or world.oracle.findings or world.oracle.acknowledged > WORLD_EVENTS:
            self._end(world)
        for field, value in _counts(world).items():
            setattr(row, field, getattr(row, field) + value - before[field])
        row.took_s += time.monotonic() - began
        self.tally.unnoticed, world.unnoticed = self.tally.unnoticed + world.unnoticed, 0
        self._note(name, world)
        self.tally.done += 1

    def close(self) -> None:
        """The last check of the last data directory."""
        if (world := self._shared) is not None:
            self._end(world)
            self._note(self._last, world)

    def abandon(self) -> None:
        """End whatever still runs, unjudged."""
        if self._shared is not None:
            self._shared.gone()

    def _world(self) -> World:
        self._worlds += 1
        return World(self._folder / f"world-{self._worlds}", random.Random(self._rng.random()))

    def _end(self, world: World) -> None:
        try:
            if world.runs and not world.oracle.findings:
                world.judge()
                world.stop()
                world.check()
        except Exception as error:
            world.oracle.found("answers", f"the last check broke off: {error!r}")
        if world is self._shared:
            self._shared = None
        world.gone()
        if not world.oracle.findings:
            world.close()

    def _note(self, name: str, world: World) -> None:
        for finding in world.oracle.findings[:FINDINGS_MOST]:
            self.tally.rows[name].kinds[finding.kind] += 1
            self.tally.found.append(Found(self.tally.done + 1, name, finding))
        if world.oracle.findings:
            (world.folder / "findings.txt").write_text("\n".join(f"{each.kind}: {each.text}" for each in world.oracle.findings) + "\n")

    def clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _counts(world: World) -> dict[str, int]:
    oracle = world.oracle
    return {
        "faults": world.faults,
        "acknowledged": oracle.acknowledged,
        "unanswered": oracle.unanswered,
        "refusals": oracle.refusals,
        "compared": world.compared,
    }
