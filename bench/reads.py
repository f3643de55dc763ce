"""What looking costs when there is much to look at: lists and summaries over HTTP, totals straight from the store.

A support agent's page asks for one contact's newest events, and a poller does so over and over; neither may grow slower with
all the history of everybody else. Anybody's reads walk through all contacts, one after the other, so that no page of the
store is asked for twice in a row. The heavy contact has a tenth of all events. Latency is that of one connection, which
waits for each answer; rates are those of 16. The yardstick is GET /-/health?check=live on the same server.
"""

import time
from collections.abc import Callable

from trackrecord import engines

from . import load, processes
from .context import Bench
from .dataset import HEAVY_ONE_IN, SINCE, YEAR_S, external_id
from .figures import Figure, Result
from .ingest import LIVE, caught_up, plan
from .load import Load, Order, Plan
from .processes import Served

MANY = 16
WARM_S = 1.0
START_S = 0.5  # a load beside reads begins so much before them, or ends so much after
MODERATE = 2_000.0  # events a second while reads are measured
TIMES = 20
DAY_S = 86_400


def _plan(query: str, contact: str = "user-%06d", contacts: int = 1) -> Plan:
    fields = ("contact",) if "%" in contact else ()
    return Plan(processes.request("GET", f"/events?type=user&user_id={contact}&{query}").decode(), fields, contacts)


def measure(bench: Bench) -> Result:
    filled = bench.filled
    contacts, heavy = bench.sizes.contacts, external_id(0)
    kinds = {
        "page of 50, anybody": _plan("per_page=50", contacts=contacts),
        "summary, anybody": _plan("summary=true", contacts=contacts),
        "page of 50, the heavy contact": _plan("per_page=50", heavy),
        "summary, the heavy contact": _plan("summary=true", heavy),
    }
    figures: list[Figure] = []
    used: dict[str, float | None] = {}
    with processes.serving(filled.path) as server:
        reading = _Reading(server, contacts, bench.sizes.read_s)
        used["after the start"] = server.memory_mb()
        bench.say("reads")
        live = reading.pair(LIVE)
        figures += _figures("live: GET /-/health?check=live", live, None)
        for name, kind in kinds.items():
            figures += _figures(name, reading.pair(kind), live)
        bench.say(f"reads beside {MODERATE:,.0f} events/s")
        for name, kind in list(kinds.items())[:2]:
            figures += _figures(f"{name}, while ingesting", reading.pair(kind, ingesting=True), live)
        figures.append(Figure(name=f"POST /events meanwhile, {MODERATE:,.0f} due", unit="requests/s", values=reading.ingested))
        caught_up(server)
        used["after the reads"] = server.memory_mb()
    figures += _totals(bench)
    for when, mb in used.items():
        if mb:
            figures.append(Figure(name=f"memory {when}, both processes", unit="MB", values=[mb]))
    return Result(
        measure="reads",
        figures=figures,
        notes=[
            f"The store has {filled.events:,} events of {contacts:,} contacts; {filled.events // HEAVY_ONE_IN:,} are the heavy contact's.",
            f"The load came from {live[0].generator}; events meanwhile from a generator in Python, which sends on time.",
        ],
    )


class _Reading:
    """Asks one server, over one connection and over many."""

    def __init__(self, server: Served, contacts: int, seconds: float) -> None:
        self._port = server.port
        self._seconds = seconds
        self._events = plan(contacts)
        self._next = 0
        self.ingested: list[float] = []  # events a second, of each load that ran beside reads

    def pair(self, kind: Plan, *, ingesting: bool = False) -> tuple[Load, Load]:
        if self._seconds > WARM_S:  # else a quick run, whose figures nobody quotes
            load.run(Order(kind, self._port, 1, WARM_S))
        return self._one(kind, 1, ingesting), self._one(kind, MANY, ingesting)

    def _one(self, kind: Plan, connections: int, ingesting: bool) -> Load:
        reads = Order(kind, self._port, connections, self._seconds)
        if not ingesting:
            return load.run(reads)
        with load.beside(Order(self._events, self._port, MANY, self._seconds + START_S, self._next, MODERATE)) as events:
            self._next += int((self._seconds + START_S) * MODERATE) + 1
            found = load.run(reads)
            self.ingested.append(events.result().rate)
        return found


def _figures(name: str, found: tuple[Load, Load], live: tuple[Load, Load] | None) -> list[Figure]:
    """Latency over one connection, rate over many; against the same of the yardstick."""
    one, many = found
    return [
        Figure(name=f"p50 {name}", unit="ms", values=[one.p50_ms], ratios={"live": [one.p50_ms / live[0].p50_ms]} if live else {}),
        Figure(name=f"p99 {name}", unit="ms", values=[one.p99_ms]),
        Figure(
            name=f"{name}, {MANY} connections",
            unit="requests/s",
            values=[many.rate],
            ratios={"live": [many.rate / live[1].rate]} if live else {},
        ),
    ]


def _totals(bench: Bench) -> list[Figure]:
    """What a dashboard asks for first: each name's total, and each name's days for a year."""
    people = bench.filled.people
    first_day, last_day = SINCE // DAY_S, (SINCE + YEAR_S) // DAY_S
    reader = engines.read_store(bench.filled.path)
    try:
        totals = _timed(lambda: reader.name_totals(people.workspace))
        days = _timed(lambda: [reader.day_totals(name, first=first_day, last=last_day) for name in people.names])
    finally:
        reader.close()
    return [
        Figure(name=f"totals of all {len(people.names)} names", unit="ms", values=totals),
        Figure(name=f"totals of each day of a year, all {len(people.names)} names", unit="ms", values=days),
    ]


def _timed(work: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took
