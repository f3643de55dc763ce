"""The load of `ingest` without a pause, for minutes: whether it slows down, and whether memory grows.

What was acknowledged is read from the journal's end at each edge of a tenth of the time, which for ten minutes is a minute. Memory is that
of all the server's processes; its caches are warm when the load begins.
"""

import contextlib
import itertools
import time
from pathlib import Path

from trackrecord import engines

from . import load, plans, processes, watch
from .context import Bench
from .figures import Bar, Figure, Result, over
from .ingest import Sender
from .keeping import caught_up, check

SHARES = 10  # of the time; the first and the last are compared


def measure(bench: Bench) -> Result:
    sizes = bench.sizes
    data = bench.fresh("steady")
    seconds = sizes.minutes * 60
    with processes.serving(data) as server:
        sender = Sender(server, plans.events(sizes.contacts))
        bench.say("the first event of every contact")
        sender.warm(sizes.contacts, at_most_s=sizes.cold_s)
        caught_up(server)
        bench.say(f"{sizes.minutes:g} minutes of load")
        before = _acknowledged(data)
        with load.beside(sender.order(seconds)) as generator, watch.memory(server.pid) as memory:
            while _acknowledged(data) == before and generator.process.poll() is None:
                time.sleep(processes.POLL_S)
            edges = [(time.monotonic(), before)]
            for _ in range(SHARES):
                time.sleep(max(0.0, edges[0][0] + len(edges) * seconds / SHARES - time.monotonic()))
                edges.append((time.monotonic(), _acknowledged(data)))
            found = sender.sent(generator.result())
        catch_up = caught_up(server)
    checked = check(data, sender.acknowledged)
    bench.drop(data)
    rates = [(count - earlier) / (at - before) for (before, earlier), (at, count) in itertools.pairwise(edges)]
    share_s = seconds / SHARES
    used = [mb for number in range(SHARES) if (mb := memory.between(number * share_s, (number + 1) * share_s)) is not None]
    figures = [
        *_each(f"POST /events, 64 connections, each {share_s:g} s", "requests/s", rates, Bar(least=0.9, of="the first")),
        Figure(name="p99 of all", unit="ms", values=[found.p99_ms]),
        Figure(name="the longest of all", unit="ms", values=[found.longest_ms]),
        Figure(name="until the store has caught up after it", unit="s", values=[catch_up], bar=Bar(most=1)),
    ]
    if len(used) == SHARES:
        figures += _each(f"memory, each {share_s:g} s", "MB", used, Bar(most=1.1, of="the first"))
        figures.append(Figure(name="the most memory", unit="MB", values=memory.most()))
    return Result(measure="steady", figures=figures, notes=[checked])


def _each(name: str, unit: str, values: list[float], bar: Bar) -> list[Figure]:
    """All, and the last of them against the first."""
    last = Figure(name=f"{name}: the last", unit=unit, values=values[-1:], ratios={"the first": over(values[-1:], values[:1])}, bar=bar)
    return [Figure(name=name, unit=unit, values=values), last]


def _acknowledged(data: Path) -> int:
    """The journal's end: as many events have been acknowledged, or are about to be."""
    with contextlib.closing(engines.read_journal(data)) as journal:
        return journal.span()[1]
