"""What looking costs when there is much to look at, also while events come in: pages, summaries, and totals.

A support agent's page asks for one contact's newest events, and a poller does so over and over; neither may grow slower with
all the history of everybody else. Anybody's reads walk through all contacts, so that no page of the store is asked for twice
in a row; busy contacts have hundreds of events each, and their pages are full. Latency is as the client sees it, over one
connection and over four, with nothing taken off for the way. Rates are those of 16 connections, whose generator shares the
cores; and what one core would give, which is one second over the processor time that the server takes for a request. The
yardstick is GET /-/health?check=live on the same server, which passes our routes and does nothing.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trackrecord import engines

from . import load, plans, processes, watch
from .context import Bench
from .dataset import BUSY, SINCE, YEAR_S
from .figures import Bar, Figure, Result, over
from .ingest import Sender
from .keeping import caught_up
from .load import Load, Order, Plan
from .processes import Served, cpu_s

FEW, MANY = 4, 16
START_S = 0.5  # a load beside reads begins so much before them, or ends so much after
TIMES = 20
DAY_S = 86_400


def kinds_of(contacts: int) -> dict[str, Plan]:
    """What is read, by its name."""
    return {
        f"{what} of {whose}": plan(many)
        for what, plan in (("page of 50", plans.page), ("summary", plans.summary))
        for whose, many in (("anybody", contacts), ("busy contacts", min(BUSY, contacts)))
    }


def measure(bench: Bench, kinds: dict[str, Plan] | None = None) -> Result:
    sizes = bench.sizes
    kinds = kinds or kinds_of(sizes.many_contacts)
    with processes.serving(bench.half) as server, watch.memory(server.pid) as memory:
        reading = _Reading(server, Sender(server, plans.events(sizes.many_contacts, SINCE + YEAR_S + 1)), sizes.read_s)
        bench.say("events alone")
        peak = reading.sender.send(sizes.round_s).rate
        caught_up(server)
        for number in range(sizes.rounds):
            bench.say(f"round {number + 1} of {sizes.rounds}")
            reading.alone("live", plans.LIVE)
            for name, kind in kinds.items():
                reading.alone(name, kind)
                reading.beside(name, kind, peak / 2)
            caught_up(server)
    figures = [figure for name in ("live", *kinds) for figure in reading.figures(name, "live")]
    figures.append(Figure(name="POST /events, 64 connections", unit="requests/s", values=[peak]))
    figures.append(Figure(name=f"POST /events beside reads, {peak / 2:,.0f} due", unit="requests/s", values=reading.ingested))
    if memory.seen:
        figures.append(Figure(name="the most memory meanwhile", unit="MB", values=memory.most(), bar=Bar(most=400)))
    return Result(
        measure="reads",
        figures=figures + _totals(bench),
        notes=[f"The store had {bench.grown.events:,} events of {sizes.many_contacts:,} contacts. The load came from {reading.generator}."],
    )


class Column(NamedTuple):
    """What is kept of each kind of read."""

    name: str
    unit: str
    bar: Bar | None = None


ALONE = Column("p99", "ms")
RATE = Column(f"{MANY} connections", "requests/s")
ONE_CORE = Column("by one core", "requests/s", Bar(least=3_000))
BESIDE = Column("p99 while ingesting", "ms", Bar(most=5))
BESIDE_FEW = Column(f"p99 while ingesting, {FEW} connections", "ms")
BESIDE_RATE = Column(f"{MANY} connections while ingesting", "requests/s")


class _Reading:
    """Asks one server, alone and beside events, and keeps what came of it, round by round."""

    def __init__(self, server: Served, sender: Sender, seconds: float) -> None:
        self.sender = sender
        self.ingested: list[float] = []  # events a second, of each load that ran beside reads
        self.generator = ""
        self._server = server
        self._seconds = seconds
        self._kept: dict[tuple[str, str], list[float]] = {}

    def alone(self, name: str, kind: Plan) -> None:
        self._keep(name, ALONE, self._read(kind, 1).p99_ms)
        before = cpu_s(self._server.pid)
        found = self._read(kind, MANY)
        after = cpu_s(self._server.pid)
        self._keep(name, RATE, found.rate)
        if before is not None and after is not None and after > before:
            self._keep(name, ONE_CORE, found.requests / (after - before))

    def beside(self, name: str, kind: Plan, rate: float) -> None:
        """While so many events a second come in."""
        for column, connections in ((BESIDE, 1), (BESIDE_FEW, FEW), (BESIDE_RATE, MANY)):
            with self._ingesting(rate):
                found = self._read(kind, connections)
            self._keep(name, column, found.rate if column is BESIDE_RATE else found.p99_ms)

    def figures(self, name: str, against: str) -> list[Figure]:
        """All that was kept of one kind of read; `against` is the yardstick's name, or this one's."""
        made = []
        for column in (ALONE, RATE, ONE_CORE, BESIDE, BESIDE_FEW, BESIDE_RATE):
            values, yardstick = self._kept.get((name, column.name)), self._kept.get((against, column.name))
            if values is None:
                continue
            ratios = {against: over(values, yardstick)} if yardstick is not None and name != against else {}
            bar = column.bar if name != against else None
            made.append(Figure(name=f"{name}, {column.name}", unit=column.unit, values=values, ratios=ratios, bar=bar))
        return made

    def _read(self, kind: Plan, connections: int) -> Load:
        found = load.run(Order(kind, self._server.port, connections, self._seconds))
        self.generator = found.generator
        return found

    @contextlib.contextmanager
    def _ingesting(self, rate: float) -> Iterator[None]:
        """Events, from just before the block until a read of our length has ended in it."""
        with load.beside(self.sender.order(self._seconds + 2 * START_S, rate=rate)) as events:
            time.sleep(START_S)
            yield
            self.ingested.append(self.sender.sent(events.result()).rate)

    def _keep(self, name: str, column: Column, value: float) -> None:
        self._kept.setdefault((name, column.name), []).append(value)


def _totals(bench: Bench) -> list[Figure]:
    """What a dashboard asks for first: each name's total, and each name's days for a year, from the store."""
    people = bench.grown.people
    first_day, last_day = SINCE // DAY_S, (SINCE + YEAR_S) // DAY_S
    with contextlib.closing(engines.read_store(bench.half)) as reader:
        totals = _timed(lambda: reader.name_totals(people.workspace))
        days = _timed(lambda: [reader.day_totals(name, first=first_day, last=last_day) for name in people.names])
    return [
        Figure(name=f"totals of all {len(people.names)} names", unit="ms", values=totals),
        Figure(name=f"totals of each day of a year, all {len(people.names)} names", unit="ms", values=days, bar=Bar(most=100)),
    ]


def _timed(work: Callable[[], object]) -> list[float]:
    """Milliseconds, of each of TIMES."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took
