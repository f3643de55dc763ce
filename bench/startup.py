"""How long a start takes, until the first event is answered 202, and how much memory a server has then.

A server that starts in well under a second can be started in tests, and is back before clients give up after a crash. Starts
are of a directory that is not there yet, and of one with many events whose server was killed under load, which leaves its
files with their logs. The yardstick is an interpreter that does nothing: less than that no program in Python takes.
"""

import sys
import time

from . import load, plans, processes, watch
from .context import Bench
from .dataset import LATER, external_id
from .figures import Bar, Figure, Result, over
from .ingest import Sender

COMMAND_S = 30.0
FIRST = processes.request(
    "POST", "/events", b'{"event_name":"started","user_id":"%s","created_at":%d}' % (external_id(0).encode(), LATER), close=True
)


def measure(bench: Bench) -> Result:
    rounds = range(bench.sizes.starts)
    nothing = [processes.run([sys.executable, "-c", "pass"], timeout_s=COMMAND_S)[0] for _ in rounds]
    empty: list[float] = []
    memory: list[float] = []
    for number in rounds:
        data = bench.folder / f"start-{number}"
        with processes.serving(data, "create_contacts=true", first=FIRST) as server:
            empty.append(server.ready_s)
            with watch.memory(server.pid) as seen:
                time.sleep(bench.sizes.settle_s)
        memory += seen.most()
        bench.drop(data)

    data = bench.half
    unclean: list[float] = []
    memory_full: list[float] = []
    logs_mb: list[float] = []
    for number in range(bench.sizes.starts + 1):
        bench.say(f"kill {number + 1} of {bench.sizes.starts + 1}")
        with processes.serving(data, first=FIRST) as server:
            if number:  # before the first there was no kill
                unclean.append(server.ready_s)
            with watch.memory(server.pid) as seen:
                time.sleep(bench.sizes.settle_s)
            sender = Sender(server, plans.events(bench.sizes.many_contacts, LATER + 1 + number))
            with load.beside(sender.order(bench.sizes.crash_s * 2)):
                time.sleep(bench.sizes.crash_s)
                server.kill()
        logs_mb.append(sum(log.stat().st_size for log in data.glob("*-wal")) / 2**20)
        memory_full += seen.most()
    against = "python -c pass"
    many = f"{bench.grown.events:,}"
    figures = [
        Figure(
            name="to the first 202, no directory yet", unit="s", values=empty, ratios={against: over(empty, nothing)}, bar=Bar(most=0.7)
        ),
        Figure(
            name=f"to the first 202, {many} events, killed before",
            unit="s",
            values=unclean,
            ratios={against: over(unclean, nothing)},
            bar=Bar(most=1.5),
        ),
        Figure(name=against, unit="s", values=nothing),
    ]
    if memory:
        figures.append(Figure(name="memory after the start", unit="MB", values=memory, bar=Bar(most=120)))
        figures.append(Figure(name=f"memory after the start, {many} events", unit="MB", values=memory_full))
    notes = [
        f"Memory is that of all processes (PSS), the most in {bench.sizes.settle_s:g} s after the start.",
        f"The killed servers left logs of {min(logs_mb):.0f} to {max(logs_mb):.0f} MB beside their files.",
    ]
    return Result(measure="startup", figures=figures, notes=notes)
