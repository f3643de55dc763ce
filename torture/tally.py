"""What a run has done so far and what it found, as a table that grows while it runs."""

from collections import Counter
from typing import NamedTuple

from rich.table import Table

from .oracle import KINDS, Finding

PROMISED = ("missing", "twice", "refused")  # have a column each; the other kinds share one


class Row:
    """One kind of round."""

    def __init__(self) -> None:
        self.rounds = self.faults = self.acknowledged = self.unanswered = self.refusals = self.compared = 0
        self.took_s = 0.0
        self.kinds: Counter[str] = Counter()
        self.skipped: str | None = None


class Found(NamedTuple):
    round: int
    name: str
    finding: Finding


class Tally:
    def __init__(self, seed: int, names: list[str]) -> None:
        self.seed = seed
        self.rows = {name: Row() for name in names}
        self.found: list[Found] = []
        self.done = 0
        self.unnoticed = 0  # damages of a store that nothing told of

    def table(self, now: str = "") -> Table:
        table = Table(title=f"torture --seed {self.seed}, round {self.done + 1}{': ' + now if now else ''}", title_justify="left")
        table.add_column("round", no_wrap=True)
        for title in ("rounds", "faults", "acknowledged", "no answer", "503", "compared", *(KINDS[kind] for kind in PROMISED), "other"):
            table.add_column(title, justify="right")
        for name, row in self.rows.items():
            if row.skipped is not None and not row.rounds:
                table.add_row(name, "skipped", style="dim")
            elif row.rounds:
                table.add_row(name, *self._cells(row))
        table.add_section()
        table.add_row("all", *self._cells(self.total()), style="bold red" if self.found else "bold")
        return table

    def total(self) -> Row:
        total = Row()
        for row in self.rows.values():
            for field in ("rounds", "faults", "acknowledged", "unanswered", "refusals", "compared", "took_s"):
                setattr(total, field, getattr(total, field) + getattr(row, field))
            total.kinds += row.kinds
        return total

    def markdown(self) -> str:
        """The table of docs/reliability.md."""
        promised = [KINDS[kind] for kind in PROMISED]
        head = ("round", "rounds", "faults", "events acknowledged", "requests without an answer", "refused with 503", "compared", *promised)
        rows = [(f"`{name}`", *self._cells(row)[:-1]) for name, row in self.rows.items() if row.rounds]
        rows.append(("**all**", *self._cells(self.total())[:-1]))
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ("---", *["---:"] * (len(head) - 1)), *rows)]
        return "\n".join(lines)

    @staticmethod
    def _cells(row: Row) -> list[str]:
        other = row.kinds.total() - sum(row.kinds[kind] for kind in PROMISED)
        numbers = [row.rounds, row.faults, row.acknowledged, row.unanswered, row.refusals, row.compared]
        return [f"{number:,}" for number in (*numbers, *(row.kinds[kind] for kind in PROMISED), other)]
