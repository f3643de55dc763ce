"""POST /events, one event a request, each on stable storage before its answer: what a client of the API feels.

64 connections that send as soon as they are answered, all events distinct, contacts spread wide. The load generator and the
store's writer run on the same cores as the server. Rounds alternate with the yardstick on the same web server: a handler that
does nothing, which is what HTTP alone costs. After each round at full load comes one at half of its rate, on time.
"""

import time

from . import load, plans, processes
from .context import Bench
from .figures import Bar, Figure, Result, over
from .keeping import caught_up, check
from .load import Load, Order, Plan
from .processes import Served, cpu_s

CONNECTIONS = 64
AHEAD = 1_000  # numbers left out between loads: sent and answered after the generator stopped counting
COLD_S = 2.0
NULL = Bar(least=0.5, of="null")


class Sender:
    """Sends events from where the last load ended, and counts those acknowledged."""

    def __init__(self, server: Served, plan: Plan) -> None:
        self._server = server
        self._plan = plan
        self._next = 0
        self.acknowledged = 0

    def order(self, seconds: float, *, rate: float | None = None) -> Order:
        return Order(self._plan, self._server.port, CONNECTIONS, seconds, self._next, rate)

    def sent(self, found: Load) -> Load:
        self._next += found.requests + AHEAD
        self.acknowledged += found.requests
        return found

    def send(self, seconds: float, *, rate: float | None = None) -> Load:
        return self.sent(load.run(self.order(seconds, rate=rate)))

    def warm(self, contacts: int, *, at_most_s: float) -> list[Load]:
        """Send until each contact has had an event, or time is up."""
        found: list[Load] = []
        until = time.monotonic() + at_most_s
        while sum(each.requests for each in found) < contacts and time.monotonic() < until:
            found.append(self.send(min(at_most_s, COLD_S)))
        return found


def measure(bench: Bench) -> Result:
    sizes = bench.sizes
    data = bench.fresh("ingest")
    full: list[Load] = []
    half: list[Load] = []
    nothing: list[Load] = []
    catch_up: list[float] = []
    used: dict[str, list[float]] = {"server": [], "store writer": []}
    with processes.serving(data) as server, processes.null_serving(bench.folder) as null:
        pids = {"server": server.pid, "store writer": server.store_pid()}
        sender = Sender(server, plans.events(sizes.contacts))
        bench.say("the first event of every contact")
        cold = sender.warm(sizes.contacts, at_most_s=sizes.cold_s)
        caught_up(server)
        for number in range(sizes.rounds):
            bench.say(f"round {number + 1} of {sizes.rounds}")
            nothing.append(load.run(Order(plans.events(sizes.contacts), null.port, CONNECTIONS, sizes.round_s)))
            before = {who: cpu_s(pid) for who, pid in pids.items()}
            full.append(sender.send(sizes.round_s))
            catch_up.append(caught_up(server))
            for who, pid in pids.items():
                if (start := before[who]) is not None and (end := cpu_s(pid)) is not None:
                    used[who].append((end - start) / full[-1].requests * 1e6)
            half.append(sender.send(sizes.round_s, rate=full[-1].rate / 2))
            caught_up(server)
    checked = check(data, sender.acknowledged)
    bench.drop(data)
    rates, nothings = ([each.rate for each in loads] for loads in (full, nothing))
    return Result(
        measure="ingest",
        figures=[
            Figure(name="POST /events, 64 connections", unit="requests/s", values=rates, ratios={"null": over(rates, nothings)}, bar=NULL),
            Figure(name="p50 at its peak", unit="ms", values=[each.p50_ms for each in full]),
            Figure(name="p99 at its peak", unit="ms", values=[each.p99_ms for each in full], bar=Bar(most=40)),
            Figure(name="until the store has caught up after it", unit="s", values=catch_up, bar=Bar(most=1)),
            Figure(name="the same at half of the rate, on time", unit="requests/s", values=[each.rate for each in half]),
            Figure(name="p50 at half of it", unit="ms", values=[each.p50_ms for each in half]),
            Figure(name="p99 at half of it", unit="ms", values=[each.p99_ms for each in half], bar=Bar(most=10)),
            Figure(name="null: a handler that does nothing", unit="requests/s", values=nothings),
            Figure(name="p99 of null", unit="ms", values=[each.p99_ms for each in nothing]),
            Figure(name="POST /events, contacts not in memory yet", unit="requests/s", values=[each.rate for each in cold]),
            *(Figure(name=f"processor time an event, {who}", unit="µs", values=values) for who, values in used.items() if values),
        ],
        notes=[checked, f"The load came from {full[0].generator}."],
    )
