"""What questions about all events cost at ten million: the process that has their columns, asked as the server asks it.

Each question is asked over the pipe, one after the other, on columns that are up to date; its first answer stands apart where
something is made for it that is kept. The yardstick is a question about a name that nobody uses: what the way itself costs.
"""

import asyncio
import contextlib
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from trackrecord import engines
from trackrecord.analysis.asking import Analysis

from .context import Bench
from .dataset import SINCE, YEAR_S
from .figures import Bar, Figure, Result
from .watch import memory

TIMES = 15
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
    one = names[0]
    return [
        ("a question about nothing", "activity", {"names": [], "edges": []}),
        (f"all {len(names)} names: events, distinct contacts, {DAYS} days", "activity", {"names": names, "edges": edges}),
        ("top 50 contacts of a name, all time", "top_contacts", {"name": one, "limit": 50}),
        (f"top 50 contacts of a name, {DAYS} days", "top_contacts", {"name": one, "limit": 50, **month}),
        ("a name by a key with 4 values", "breakdown", {"name": one, "key": "plan", "limit": 50}),
        ("a name by a key with as many values as events", "breakdown", {"name": one, "key": "invited_by", "limit": 50}),
        (f"a name by a key, {DAYS} days", "breakdown", {"name": one, "key": "price", "limit": 50, **month}),
    ]


def measure(bench: Bench) -> Result:
    path, people = bench.half, bench.grown.people
    shutil.rmtree(path / engines.COLUMNS_FOLDER, ignore_errors=True)
    return Result(
        measure="analysis",
        figures=asyncio.run(_figures(bench, path, people.names)),
        notes=[f"The store had {bench.grown.events:,} events of {bench.sizes.many_contacts:,} contacts and {len(people.names)} names."],
    )


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
