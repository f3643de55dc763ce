"""What a measure returns, and how it is shown: as a table on the terminal and as JSON beside it."""

import statistics
from pathlib import Path

import msgspec
from rich.table import Table

DASH = "–"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity, once a round. `ratios` holds, by the name of a yardstick, our value over the yardstick's, round by round."""

    name: str
    unit: str
    values: list[float]
    ratios: dict[str, list[float]] = {}

    @property
    def median(self) -> float:
        return statistics.median(self.values)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All of one measure. `notes` are plain sentences: what was checked, what stood in for what."""

    measure: str
    figures: list[Figure]
    notes: list[str] = []
    took_s: float = 0.0  # with everything that had to be made first


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    at: str  # ISO 8601, UTC
    took_s: float
    quick: bool
    machine: dict[str, str]
    results: list[Result]


def over(values: list[float], yardstick: list[float]) -> list[float]:
    """Round by round; one value of a yardstick serves for all rounds."""
    if len(yardstick) == 1:
        yardstick = yardstick * len(values)
    return [value / by for value, by in zip(values, yardstick, strict=True)]


def shown(value: float) -> str:
    """Three figures that count, thousands in groups."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def spread(values: list[float]) -> str:
    """The least and the greatest; a dash when there is only one."""
    return DASH if len(values) < 2 else f"{shown(min(values))} … {shown(max(values))}"


def ratios_shown(figure: Figure) -> str:
    """`0.36 × null handler (0.34 … 0.37)`, one a yardstick."""
    found = []
    for yardstick, ratios in figure.ratios.items():
        around = f" ({spread(ratios)})" if len(ratios) > 1 else ""
        found.append(f"{shown(statistics.median(ratios))} × {yardstick}{around}")
    return ", ".join(found)


def table(report: Report) -> Table:
    """Everything of a run, a section a measure."""
    made = Table(title="Trackrecord bench, quick: the sizes are too small to quote" if report.quick else "Trackrecord bench")
    made.add_column("figure", overflow="fold")
    for heading in ("median", "min … max"):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("unit", no_wrap=True)
    made.add_column("against", overflow="fold")
    for result in report.results:
        made.add_row(result.measure, style="bold")
        for figure in result.figures:
            made.add_row(figure.name, shown(figure.median), spread(figure.values), figure.unit, ratios_shown(figure))
        made.add_section()
    return made


def to_json(report: Report) -> bytes:
    """The report with the median, minimum and maximum of each figure written out for whoever reads it by machine."""
    plain = msgspec.to_builtins(report)
    for result, written in zip(report.results, plain["results"], strict=True):
        for figure, row in zip(result.figures, written["figures"], strict=True):
            row |= {"median": figure.median, "min": min(figure.values), "max": max(figure.values)}
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"


def from_json(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report)
