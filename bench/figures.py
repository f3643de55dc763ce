"""What a measure returns, and how it is shown: as a table on the terminal and as JSON beside it."""

import statistics
from pathlib import Path

import msgspec
from rich.table import Table

DASH = "–"


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is held to: its median, or where `of` names a yardstick its ratio to that."""

    least: float | None = None
    most: float | None = None
    of: str = ""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity, once a round. `ratios` holds, by the name of a yardstick, our value over the yardstick's, round by round."""

    name: str
    unit: str
    values: list[float]
    ratios: dict[str, list[float]] = {}
    bar: Bar | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without one."""
        if self.bar is None:
            return None
        value = statistics.median(self.ratios[self.bar.of]) if self.bar.of else self.median
        return (self.bar.least is None or value >= self.bar.least) and (self.bar.most is None or value <= self.bar.most)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured at a mark of the growth. Rates are events a second, processor times microseconds an event."""

    events: int
    append: float
    append_cpu_us: float
    acknowledged: float
    through: float
    server_cpu_us: float | None
    writer_cpu_us: float | None
    store_bytes: float  # an event
    page_p99_ms: float  # of a page of 50 of anybody, over one connection, nothing else at work


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All of one measure. `notes` are plain sentences: what was checked, what stood in for what."""

    measure: str
    figures: list[Figure]
    notes: list[str] = []
    points: list[Point] = []
    took_s: float = 0.0  # with everything that had to be made first


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    at: str  # ISO 8601, UTC
    took_s: float
    smaller: bool  # than what the bars are for
    machine: dict[str, str]
    results: list[Result]


SMALLER = "the sizes are smaller than those that the bars are for, so nothing here is to be quoted"
COLUMNS = ("measure", "figure", "against", "bar", "verdict")


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
    """The least and the greatest, in brackets; nothing when there is only one."""
    return "" if len(values) < 2 else f" ({shown(min(values))} … {shown(max(values))})"


def cells(figure: Figure) -> tuple[str, str, str, str, str]:
    """A figure under COLUMNS: name, median and spread, ratios, bar, and whether it is met."""
    against = [f"{shown(statistics.median(ratios))} × {yardstick}{spread(ratios)}" for yardstick, ratios in figure.ratios.items()]
    return (
        figure.name,
        f"{shown(figure.median)} {figure.unit}{spread(figure.values)}",
        ", ".join(against) or DASH,
        bar_shown(figure) or DASH,
        {None: DASH, True: "met", False: "missed"}[figure.met],
    )


def bar_shown(figure: Figure) -> str:
    """`≥ 0.50 × null`, `≤ 40.0 ms`."""
    if figure.bar is None:
        return ""
    unit = f"× {figure.bar.of}" if figure.bar.of else figure.unit
    bounds = (("≥", figure.bar.least), ("≤", figure.bar.most))
    return ", ".join(f"{sign} {bound:,g} {unit}" for sign, bound in bounds if bound is not None)


def table(report: Report) -> Table:
    """Everything of a run, a section a measure."""
    made = Table(title=f"Trackrecord bench: {SMALLER}" if report.smaller else "Trackrecord bench")
    for heading in COLUMNS:
        made.add_column(heading, justify="right" if heading in ("figure", "bar") else "left", overflow="fold")
    for result in report.results:
        made.add_row(result.measure, style="bold")
        for figure in result.figures:
            made.add_row(*cells(figure), style={None: "", True: "green", False: "red"}[figure.met])
        made.add_section()
    return made


def to_json(report: Report) -> bytes:
    """The report with the median, minimum, maximum and verdict of each figure written out for whoever reads it by machine."""
    plain = msgspec.to_builtins(report)
    for result, written in zip(report.results, plain["results"], strict=True):
        for figure, row in zip(result.figures, written["figures"], strict=True):
            row |= {"median": figure.median, "min": min(figure.values), "max": max(figure.values), "met": figure.met}
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"


def from_json(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report)
