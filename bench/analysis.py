"""What questions about all events cost at ten million: the process that has their columns, asked as the server asks it.

Each question is asked over the pipe, one after the other, on columns that are up to date; its first answer stands apart where
something is made for it that is kept. The yardstick is a question about a name that nobody uses: what the way itself costs.
"""

import asyncio
import contextlib
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

from trackrecord import engines
from trackrecord.analysis.asking import Analysis
from trackrecord.sqlite import connect

from .context import Bench
from .dataset import NAMES, SINCE, YEAR_S, People, Stream
from .figures import Bar, Figure, Result
from .grown import HALF, WHOLE
from .watch import memory

TIMES = 15
TOGETHER = 50_000  # events written at once
DAY_S = 86_400
DAYS = 30
ANSWER_S = 600.0
MOST = Bar(most=100)  # ms

Question = tuple[str, str, dict[str, Any]]


def questions(names: list[int]) -> list[Question]:
    """What is measured: a name for it, the question, and its arguments."""
    end = SINCE + YEAR_S
    month = {"since": end - DAYS * DAY_S, "until": end}
    edges = [end - day * DAY_S for day in range(DAYS, -1, -1)]
    one, two, three = names[:3]
    weeks = [end - week * 7 * DAY_S for week in range(12, -1, -1)]
    months = [end - month * DAYS * DAY_S for month in range(12, -1, -1)]
    return [
        ("a question about nothing", "activity", {"names": [], "edges": []}),
        (f"all {len(names)} names: events, distinct contacts, {DAYS} days", "activity", {"names": names, "edges": edges}),
        ("top 50 contacts of a name, all time", "top_contacts", {"name": one, "limit": 50}),
        (f"top 50 contacts of a name, {DAYS} days", "top_contacts", {"name": one, "limit": 50, **month}),
        ("a name by a key with 4 values", "breakdown", {"name": one, "key": "plan", "limit": 50}),
        ("a name by a key with as many values as events", "breakdown", {"name": one, "key": "invited_by", "limit": 50}),
        (f"a name by a key, {DAYS} days", "breakdown", {"name": one, "key": "price", "limit": 50, **month}),
        (f"trend of a name, {DAYS} days", "trend", {"series": [[one]], "edges": edges, "measure": "events"}),
        (f"trend of all names together, {DAYS} days", "trend", {"series": [names], "edges": edges, "measure": "contacts"}),
        ("trend of all names together, 12 months", "trend", {"series": [names], "edges": months, "measure": "contacts"}),
        (f"funnel of 3 steps, {DAYS} days", "funnel", {"steps": [one, two, three], "within_s": 7 * DAY_S, **month}),
        ("funnel of 3 steps, a year", "funnel", {"steps": [one, two, three], "within_s": 7 * DAY_S, "since": SINCE, "until": end}),
        ("retention, 12 weeks", "retention", {"first": one, "returns": [two], "edges": weeks}),
        ("retention by any event, 12 months", "retention", {"first": one, "returns": names, "edges": months}),
    ]


def measure(bench: Bench) -> Result:
    path, events, people = bench.folder / "columns-of", bench.sizes.events * HALF // WHOLE, bench.sizes.many_contacts
    path.mkdir()
    bench.say(f"making {events:,} events of {people:,} contacts")
    names = fill(path, events, people)
    return Result(
        measure="analysis",
        figures=asyncio.run(_figures(bench, path, names)),
        notes=[f"The store had {events:,} events of {people:,} contacts and {len(names)} names, over a year."],
    )


def fill(path: Path, events: int, contacts: int) -> list[int]:
    """Put events straight into the tables that the analysis reads, as the others would take much longer; return their names."""
    people = People(1, list(range(1, contacts + 1)), list(range(1, NAMES + 1)))
    engines.open_store(path).close()
    stream, counted = Stream(people, events), Counter[int]()
    with contextlib.closing(connect(path / engines.STORE_FILE)) as db:
        for start in range(0, events, TOGETHER):
            rows = []
            for position, sent in enumerate(stream.take(min(TOGETHER, events - start)), start + 1):
                name = people.names[sent.name]
                counted[name] += 1
                rows.append((position, people.contacts[sent.contact], name, sent.created_at, sent.metadata))
            db.execute("BEGIN")
            db.executemany("INSERT INTO events VALUES (?, 1, ?, ?, ?, 0, ?, 'snssm', x'', '', 0)", rows)
            db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        totals = [(name, 1, count, SINCE, SINCE + YEAR_S, 0, 0) for name, count in counted.items()]
        db.executemany("INSERT INTO name_totals VALUES (?, ?, ?, ?, ?, ?, ?)", totals)
        db.execute("UPDATE progress SET cursor = ?", (events,))
    return people.names


async def _figures(bench: Bench, path: Path, names: list[int]) -> list[Figure]:
    asked = questions(names)
    figures = []
    with contextlib.closing(engines.read_store(path)) as reader:
        cursor = reader.cursor()
    for what in ("the columns are made from the store, and a question answered", "the same of a start that finds them in files"):
        bench.say(what)
        analysis = _analysis(path, cursor)
        took = await _timed(analysis, asked[0])
        figures.append(Figure(name=what, unit="s", values=[took / 1000]))
        if len(figures) == 1:
            await analysis.close()
    assert analysis.pid is not None
    with memory(analysis.pid) as watched:
        for question in asked:
            bench.say(question[0])
            first, *rest = [await _timed(analysis, question) for _ in range(TIMES)]
            figures.append(Figure(name=f"{question[0]}, asked first", unit="ms", values=[first]))
            figures.append(Figure(name=question[0], unit="ms", values=rest, bar=MOST))
            bench.say(f"{first:,.1f} ms, then {statistics.median(rest):,.1f} ms")
    await analysis.close()
    if watched.seen:
        figures.append(Figure(name="the most memory of the process", unit="MB", values=watched.most()))
    return figures


def _analysis(path: Path, cursor: int) -> Analysis:
    async def caught_up() -> int:
        return cursor

    return Analysis(engines.analysis_command(path), caught_up=caught_up, answer_s=ANSWER_S)


async def _timed(analysis: Analysis, question: Question) -> float:
    """Milliseconds until the answer."""
    began = time.perf_counter()
    await analysis.ask(question[1], **question[2])
    return (time.perf_counter() - began) * 1000
