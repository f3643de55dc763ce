"""Writes the figures of a run into docs/performance.md, between its two marks, and the plot of its growth beside it."""

from . import plot
from .figures import COLUMNS, SMALLER, Report, cells
from .processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "growth.svg"
BEGIN = "<!-- figures: written by python -m bench --write-docs -->"
END = "<!-- end of figures -->"


def block(report: Report) -> str:
    """The machine in a sentence, a Markdown table a measure, and its notes."""
    facts = "; ".join(f"{name} {fact}" for name, fact in report.machine.items())
    lines = [f"Taken on {report.at[:10]} in {report.took_s / 60:.0f} minutes. {facts}."]
    if report.smaller:
        lines += ["", f"**In this run {SMALLER}.**"]
    for result in report.results:
        lines += ["", f"### {result.measure}", "", f"| {' | '.join(COLUMNS)} |", "| --- | ---: | --- | ---: | --- |"]
        lines += [f"| {' | '.join(cells(figure))} |" for figure in result.figures]
        lines += ["", *(f"{note}  " for note in result.notes)]
    return "\n".join(lines).rstrip() + "\n"


def rewritten(text: str, report: Report) -> str:
    """`text` with a new block. Raises ValueError when it lacks the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there must be two lines, {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{block(report)}\n{END}{after}"


def write(report: Report) -> None:
    """Raises ValueError where the page lacks its marks. A report without growth leaves the plot as it is."""
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), report), "utf-8")
    for result in report.results:
        if result.points:
            PLOT.write_text(plot.svg(result.points), "utf-8")
