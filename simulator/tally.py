"""What a run has done so far and what it found, as a table that grows while it runs."""

from collections import Counter
from typing import NamedTuple

from rich.table import Table

from .oracle import KINDS, Finding
from .schedule import Schedule

PROMISED = ("missing", "twice", "refused", "store", "sums", "cursor", "trimmed", "undone")  # shown even where nothing was found


class Found(NamedTuple):
    seed: int
    finding: Finding


class Tally:
    def __init__(self) -> None:
        self.schedules = self.steps = self.acknowledged = self.compared = 0
        self.faults: Counter[str] = Counter()
        self.found: list[Found] = []

    def add(self, seed: int, schedule: Schedule, finding: Finding | None) -> None:
        self.schedules += 1
        self.steps += schedule.steps
        self.acknowledged += schedule.world.oracle.acknowledged
        self.compared += schedule.world.oracle.compared
        self.faults += schedule.faults
        if finding is not None:
            self.found.append(Found(seed, finding))

    def table(self, took_s: float) -> Table:
        table = Table(title=f"simulate: {self.schedules:,} schedules, {self.a_minute(took_s):,} a minute", title_justify="left")
        table.add_column("what was done")
        table.add_column("times", justify="right")
        table.add_column("what was found")
        table.add_column("times", justify="right")
        done = [("steps", self.steps), ("records acknowledged", self.acknowledged), ("records compared", self.compared)]
        done += sorted(self.faults.items())
        kinds = Counter(each.finding.kind for each in self.found)
        found = [(text, kinds[kind]) for kind, text in KINDS.items() if kind in PROMISED or kinds[kind]]
        for place in range(max(len(done), len(found))):
            left, right = (rows[place] if place < len(rows) else ("", None) for rows in (done, found))
            style = "bold red" if right[1] else None
            table.add_row(left[0], _number(left[1]), right[0], _number(right[1]), style=style)
        return table

    def a_minute(self, took_s: float) -> int:
        return int(self.schedules / took_s * 60) if took_s else 0


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"
