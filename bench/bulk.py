"""Many events a request, at the first mark of the growth: POST /bulk/events and imports, each on stable storage before its answer.

All events are distinct and of as many contacts as those of `ingest`; a body of bulk has a thousand of them, one of an import two
thousand: the most that each takes.
*Acknowledged* ends with the last answer, *through* when reads see the last event. An import is answered when the store has
what it brought, as the answer says how many were new: there both are the same but for the last body. `trackrecord import` is
timed as a person waits for it: the whole command, with start, reading, checks, and the count at the end. The yardstick is
what one would write by hand: each line decoded and inserted into one SQLite table that has one unique index and was empty.
"""

import sys
from pathlib import Path

from . import bodies, by_hand, processes
from .context import Bench
from .dataset import Stream
from .figures import Bar, Figure, Result, over
from .grown import WHOLE
from .keeping import caught_up, check
from .processes import HOST, TOKEN, Served

ITEMS, LINES = 1_000, 2_000
COMMAND_S = 240.0


def measure(bench: Bench) -> Result:
    sizes, grown = bench.sizes, bench.grown
    grown.to(sizes.events * sizes.marks[0] // WHOLE)
    data, stream = grown.copy("bulk")
    began, count, contacts = grown.events, sizes.window, sizes.contacts
    rates: dict[str, list[float]] = {}

    def keep(what: str, seconds: float) -> None:
        rates.setdefault(what, []).append(count / seconds)

    with processes.serving(data) as server:
        _both(server, bodies.bulk(ITEMS, stream.take(contacts, contacts)))  # who they are is in memory from here on
        for number in range(sizes.rounds):
            bench.say(f"round {number + 1} of {sizes.rounds}")
            acknowledged_s, through_s = _both(server, bodies.bulk(ITEMS, stream.take(count, contacts)))
            keep("bulk, acknowledged", acknowledged_s)
            keep("bulk, through", through_s)
            acknowledged_s, through_s = _both(server, bodies.imported(LINES, stream.take(count, contacts)))
            keep("import, acknowledged", acknowledged_s)
            keep("import, through", through_s)
        bench.say("the command, over HTTP")
        file = _write(bench.folder / "events.ndjson", stream, count)
        by_hand_rate = by_hand.rate(file, bench.folder / "by-hand.db")
        keep("trackrecord import, over HTTP", _import(file, "--url", f"http://{HOST}:{server.port}", "--token", TOKEN))
    bench.say("the command, into the directory")
    keep("trackrecord import, into a directory", _import(_write(file, stream, count), "--data", str(data)))
    checked = check(data, stream.taken, exactly=True)
    bench.drop(data)
    bars = {"acknowledged": Bar(least=100_000), "through": Bar(least=40_000)}
    figures = [
        Figure(
            name=what,
            unit="events/s",
            values=values,
            ratios={"by hand": over(values, [by_hand_rate])},
            bar=bars.get(what.partition(", ")[2]),
        )
        for what, values in rates.items()
    ]
    return Result(
        measure="bulk",
        figures=[*figures, Figure(name="by hand: a line into one SQLite table", unit="events/s", values=[by_hand_rate])],
        notes=[f"{began:,} events were stored before. {checked}"],
    )


def _both(server: Served, made: list[bodies.Body]) -> tuple[float, float]:
    """Seconds until the last answer, and until reads see the last event."""
    acknowledged_s = bodies.send(server, made)
    return acknowledged_s, acknowledged_s + caught_up(server)


def _write(path: Path, stream: Stream, count: int) -> Path:
    with path.open("wb") as file:
        file.writelines(each.line + b"\n" for each in stream.take(count))
    return path


def _import(file: Path, *where: str) -> float:
    """Seconds of the whole command."""
    return processes.run(
        [sys.executable, "-m", "trackrecord", "import", "events", str(file), *where], timeout_s=COMMAND_S, cwd=file.parent
    )[0]
