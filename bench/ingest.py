"""POST /events, one event a request, each on stable storage before its answer: what a client of the API feels.

64 connections that send as soon as they are answered, all events distinct, contacts spread wide. The load generator and the
store's writer run on the same cores as the server. Rounds alternate with two yardsticks on the same web server: a handler
that does nothing (what HTTP alone costs), and our own GET /-/health?check=live (what our routes cost without an event).
"""

import time
from pathlib import Path

from trackrecord import engines

from . import load, processes
from .context import Bench
from .dataset import LATER, NAMES, external_id
from .figures import Figure, Result, over
from .load import Load, Order, Plan
from .processes import Served, Trouble, cpu_s, memory_mb

CONNECTIONS, FEW = 64, 8
AHEAD = 1_000  # numbers left out between loads: sent and answered after the generator stopped counting
CAUGHT_UP_S = 120.0
BODY = '{"event_name":"event-%02d","user_id":"user-%06d","created_at":%010d,"metadata":{"plan":"team","seats":12,"path":"/settings"}}'


def plan(contacts: int) -> Plan:
    """Distinct events of all contacts. Content-Length is that of the body with its places filled."""
    length = len(BODY % (0, 0, LATER))
    head = processes.request("POST", "/events", "x" * length).decode().removesuffix("x" * length)
    return Plan(head + BODY, ("name", "contact", "second"), contacts, NAMES, LATER)


LIVE = Plan(processes.request("GET", "/-/health?check=live").decode())


class Sender:
    """Sends events from where the last load ended, and counts those acknowledged."""

    def __init__(self, server: Served, contacts: int) -> None:
        self._server = server
        self._plan = plan(contacts)
        self._next = 0
        self.acknowledged = 0

    def send(self, seconds: float, *, connections: int = CONNECTIONS, rate: float | None = None) -> Load:
        found = load.run(Order(self._plan, self._server.port, connections, seconds, self._next, rate))
        self._next += found.requests + AHEAD
        self.acknowledged += found.requests
        return found


def measure(bench: Bench) -> Result:
    sizes = bench.sizes
    data = bench.fresh("ingest")
    cold: list[Load] = []
    events: list[Load] = []
    nothing: list[Load] = []
    live: list[Load] = []
    catch_up: list[float] = []
    server_cpu: list[float] = []
    store_cpu: list[float] = []
    with processes.serving(data) as server, processes.null_serving(bench.folder) as null:
        store = server.store_pid()
        memory_before = memory_mb(server.pid), memory_mb(store)
        sender = Sender(server, sizes.contacts)
        bench.say("the first event of every contact")
        until = time.monotonic() + sizes.cold_s
        while sender.acknowledged < sizes.contacts and time.monotonic() < until:
            cold.append(sender.send(min(sizes.round_s, 2.0)))
        caught_up(server)
        for number in range(sizes.rounds):
            bench.say(f"round {number + 1} of {sizes.rounds}")
            nothing.append(load.run(Order(plan(sizes.contacts), null.port, CONNECTIONS, sizes.round_s)))
            before = cpu_s(server.pid), cpu_s(store)
            events.append(sender.send(sizes.round_s))
            catch_up.append(caught_up(server))
            after = cpu_s(server.pid), cpu_s(store)
            for used, start, end in zip((server_cpu, store_cpu), before, after, strict=True):
                if start is not None and end is not None:
                    used.append((end - start) * 1000 / events[-1].requests * 1000)
            live.append(load.run(Order(LIVE, server.port, CONNECTIONS, sizes.round_s)))
        bench.say("fewer connections, and half the rate")
        few = sender.send(sizes.round_s, connections=FEW)
        caught_up(server)
        half = sender.send(sizes.round_s, rate=sum(each.rate for each in events) / len(events) / 2)
        caught_up(server)
        memory_after = memory_mb(server.pid), memory_mb(store)
    checked = check(data, sender.acknowledged)
    bench.drop(data)

    rates, nothings, lives = ([each.rate for each in loads] for loads in (events, nothing, live))
    against = {"null": over(rates, nothings), "live": over(rates, lives)}
    figures = [
        Figure(name="POST /events, 64 connections", unit="requests/s", values=rates, ratios=against),
        Figure(name="null: a handler that does nothing, 64 connections", unit="requests/s", values=nothings),
        Figure(name="live: GET /-/health?check=live, 64 connections", unit="requests/s", values=lives),
        Figure(name="POST /events, contacts not in memory yet", unit="requests/s", values=[each.rate for each in cold]),
        Figure(name="POST /events, 8 connections", unit="requests/s", values=[few.rate]),
        *_latencies("at full load, 64 connections", events),
        *_latencies("8 connections", [few]),
        Figure(name="POST /events, half of the full load, on time", unit="requests/s", values=[half.rate]),
        *_latencies("at half load", [half]),
        Figure(name="until a read sees the last event, after full load", unit="s", values=catch_up),
    ]
    for name, values in (("server", server_cpu), ("store writer", store_cpu)):
        if values:
            figures.append(Figure(name=f"processor time for 1,000 events, {name}", unit="ms", values=values))
    for name, before_mb, after_mb in zip(("server", "store writer"), memory_before, memory_after, strict=True):
        if before_mb and after_mb:
            figures.append(Figure(name=f"memory after the start, {name}", unit="MB", values=[before_mb]))
            figures.append(Figure(name=f"memory after the load, {name}", unit="MB", values=[after_mb]))
    return Result(
        measure="ingest",
        figures=figures,
        notes=[checked, f"The load came from {events[0].generator}; at half load from {half.generator}, which sends on time."],
    )


def _latencies(when: str, loads: list[Load]) -> list[Figure]:
    return [
        Figure(name=f"p50 {when}", unit="ms", values=[each.p50_ms for each in loads]),
        Figure(name=f"p99 {when}", unit="ms", values=[each.p99_ms for each in loads]),
    ]


def caught_up(server: Served) -> float:
    """Seconds until the store has all that was acknowledged: reads wait for it, or answer 503 to be asked again."""
    began = time.monotonic()
    while processes.status(server.port, f"/events?type=user&user_id={external_id(0)}&per_page=1") != 200:
        if time.monotonic() - began > CAUGHT_UP_S:
            raise Trouble(f"the store did not catch up within {CAUGHT_UP_S:.0f} s")
        time.sleep(0.01)
    return time.monotonic() - began


def check(data: Path, acknowledged: int) -> str:
    """A fast server that loses events is no use: compare what was acknowledged with what is kept."""
    reader = engines.read_store(data)
    try:
        totals = reader.name_totals(1)
    finally:
        reader.close()
    kept, copies = sum(total.count for total in totals), sum(total.duplicates for total in totals)
    if kept < acknowledged or copies:
        raise Trouble(f"{acknowledged:,} events were acknowledged, {kept:,} are kept, and {copies:,} came twice")
    return f"Acknowledged to the load generator: {acknowledged:,} events; kept: {kept:,}; none twice."
