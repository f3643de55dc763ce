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

from trackrecord import engines

from . import load, processes, watch
from .context import Bench
from .dataset import BUSY, SINCE, YEAR_S
from .figures import Bar, Figure, Result
from .ingest import Sender, plan
from .keeping import caught_up
from .load import Load, Order, Plan
from .processes import Served, cpu_s

FEW, MANY = 4, 16
START_S = 0.5  # a load beside reads begins so much before them, or ends so much after
TIMES = 20
DAY_S = 86_400
LIVE = Plan(processes.request("GET", "/-/health?check=live").decode())
P99, RATE, TOTALS, MEMORY = Bar(most=5), Bar(least=3_000), Bar(most=100), Bar(most=400)


def _plan(query: str, contacts: int) -> Plan:
    return Plan(processes.request("GET", f"/events?type=user&user_id=user-%06d&{query}").decode(), ("contact",), contacts)


def measure(bench: Bench) -> Result:
    sizes, data = bench.sizes, bench.half
    busy = min(BUSY, sizes.many_contacts)
    kinds = {
        "page of 50, anybody": _plan("per_page=50", sizes.many_contacts),
        "page of 50, busy contacts": _plan("per_page=50", busy),
        "summary, anybody": _plan("summary=true", sizes.many_contacts),
        "summary, busy contacts": _plan("summary=true", busy),
    }
    figures: list[Figure] = []
    with processes.serving(data) as server:
        reading = _Reading(server, sizes.read_s)
        sender = Sender(server, plan(sizes.many_contacts, SINCE + YEAR_S + 1))
        bench.say("reads alone")
        live = reading.rate(LIVE)
        figures += [*reading.latency("live", LIVE, 1, None), *reading.rates("live", live, None)]
        for name, kind in kinds.items():
            figures += [*reading.latency(name, kind, 1, None), *reading.rates(name, reading.rate(kind), live)]
        bench.say("events alone")
        peak = sender.send(sizes.round_s).rate
        caught_up(server)
        figures.append(Figure(name="POST /events, 64 connections", unit="requests/s", values=[peak]))
        bench.say("reads beside events at half of that")
        ingested: list[float] = []
        with watch.memory(server.pid) as memory:
            for name, kind in kinds.items():
                beside = f"{name}, while ingesting"
                for connections, bar in ((1, P99), (FEW, None)):
                    with _ingesting(sender, sizes.read_s, peak / 2, ingested):
                        figures += reading.latency(beside, kind, connections, bar)
                with _ingesting(sender, sizes.read_s, peak / 2, ingested):
                    found, _ = reading.rate(kind)
                figures.append(Figure(name=f"{beside}, {MANY} connections", unit="requests/s", values=[found.rate]))
        figures.append(Figure(name=f"POST /events meanwhile, {peak / 2:,.0f} due", unit="requests/s", values=ingested))
        caught_up(server)
    if memory.seen:
        figures.append(Figure(name="the most memory meanwhile", unit="MB", values=memory.most(), bar=MEMORY))
    figures += _totals(bench)
    return Result(
        measure="reads",
        figures=figures,
        notes=[f"The store had {bench.grown.events:,} events of {sizes.many_contacts:,} contacts. The load came from {live[0].generator}."],
    )


@contextlib.contextmanager
def _ingesting(sender: Sender, seconds: float, rate: float, ingested: list[float]) -> Iterator[None]:
    """Events at a rate, from just before the block until it has lasted so long."""
    with load.beside(sender.order(seconds + 2 * START_S, rate=rate)) as events:
        time.sleep(START_S)
        yield
        ingested.append(sender.sent(events.result()).rate)


class _Reading:
    """Asks one server, over one connection and over many."""

    def __init__(self, server: Served, seconds: float) -> None:
        self._server = server
        self._seconds = seconds

    def latency(self, name: str, kind: Plan, connections: int, bar: Bar | None) -> list[Figure]:
        found = load.run(Order(kind, self._server.port, connections, self._seconds))
        over = f"{connections} connection{'s' if connections > 1 else ''}"
        return [
            Figure(name=f"p50 {name}, {over}", unit="ms", values=[found.p50_ms]),
            Figure(name=f"p99 {name}, {over}", unit="ms", values=[found.p99_ms], bar=bar),
        ]

    def rate(self, kind: Plan) -> tuple[Load, float | None]:
        """The load of many connections, and requests a second of one core: one over the server's processor time for one."""
        before = cpu_s(self._server.pid)
        found = load.run(Order(kind, self._server.port, MANY, self._seconds))
        after = cpu_s(self._server.pid)
        return found, found.requests / (after - before) if before is not None and after is not None and after > before else None

    def rates(self, name: str, found: tuple[Load, float | None], live: tuple[Load, float | None] | None) -> list[Figure]:
        many, one_core = found
        ratios = {"live": [many.rate / live[0].rate]} if live else {}
        made = [Figure(name=f"{name}, {MANY} connections", unit="requests/s", values=[many.rate], ratios=ratios)]
        if one_core is not None:
            made.append(Figure(name=f"{name}, by one core", unit="requests/s", values=[one_core], bar=RATE if live else None))
        return made


def _totals(bench: Bench) -> list[Figure]:
    """What a dashboard asks for first: each name's total, and each name's days for a year, from the store."""
    people = bench.grown.people
    first_day, last_day = SINCE // DAY_S, (SINCE + YEAR_S) // DAY_S
    with contextlib.closing(engines.read_store(bench.half)) as reader:
        totals = _timed(lambda: reader.name_totals(people.workspace))
        days = _timed(lambda: [reader.day_totals(name, first=first_day, last=last_day) for name in people.names])
    return [
        Figure(name=f"totals of all {len(people.names)} names", unit="ms", values=totals),
        Figure(name=f"totals of each day of a year, all {len(people.names)} names", unit="ms", values=days, bar=TOTALS),
    ]


def _timed(work: Callable[[], object]) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took
