"""How long a start takes: from the start of the process to the first answer that everything works.

A server that starts in well under a second can be started in tests, and is back before clients give up after a crash. The
yardstick is an interpreter that does nothing: less than that no program in Python takes.
"""

import sys

from . import processes
from .context import Bench
from .figures import Figure, Result, over


def measure(bench: Bench) -> Result:
    rounds = range(bench.sizes.starts)
    command_s = 30.0
    nothing = [processes.run([sys.executable, "-c", "pass"], timeout_s=command_s)[0] for _ in rounds]
    version = [processes.run([sys.executable, "-m", "trackrecord", "version"], timeout_s=command_s)[0] for _ in rounds]
    first: list[float] = []
    empty: list[float] = []
    full: list[float] = []
    memory: list[float | None] = []
    for number in rounds:
        data = bench.folder / f"start-{number}"
        for found in (first, empty):  # a directory that is not there yet, then the same one again
            with processes.serving(data) as server:
                found.append(server.ready_s)
                memory.append(server.memory_mb())
        bench.drop(data)
    filled = bench.filled
    for _ in rounds:
        with processes.serving(filled.path) as server:
            full.append(server.ready_s)
    against = "python -c pass"
    figures = [
        Figure(name="python -c pass", unit="s", values=nothing),
        Figure(name="trackrecord version", unit="s", values=version, ratios={against: over(version, nothing)}),
        Figure(name="serve, the first time", unit="s", values=first, ratios={against: over(first, nothing)}),
        Figure(name="serve, no events", unit="s", values=empty, ratios={against: over(empty, nothing)}),
        Figure(name=f"serve, {filled.events:,} events", unit="s", values=full, ratios={against: over(full, nothing)}),
    ]
    if all(memory):
        figures.append(Figure(name="memory after the start, both processes", unit="MB", values=[used for used in memory if used]))
    return Result(measure="startup", figures=figures)
