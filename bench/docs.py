"""Writes the figures of a run into docs/performance.md, between its two marks."""

from pathlib import Path

from .figures import DASH, Report, ratios_shown, shown, spread

BEGIN = "<!-- figures: written by python -m bench --write-docs -->"
END = "<!-- end of figures -->"


def block(report: Report) -> str:
    """The machine in a sentence, a Markdown table a measure, and its notes."""
    lines = [f"Taken on {report.at[:10]} in {report.took_s:.0f} s. {'; '.join(f'{name} {fact}' for name, fact in report.machine.items())}."]
    if report.quick:
        lines += ["", "**A quick run: the sizes are too small to quote.**"]
    for result in report.results:
        lines += ["", f"### {result.measure}", "", "| figure | median | min … max | against |", "| --- | ---: | ---: | --- |"]
        for figure in result.figures:
            cells = (figure.name, f"{shown(figure.median)} {figure.unit}", spread(figure.values), ratios_shown(figure) or DASH)
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", *(f"{note}  " for note in result.notes)]
    return "\n".join(line for line in lines).rstrip() + "\n"


def rewritten(text: str, report: Report) -> str:
    """`text` with a new block. Raises ValueError when it lacks the marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there must be two lines, {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{block(report)}\n{END}{after}"


def write(path: Path, report: Report) -> None:
    path.write_text(rewritten(path.read_text("utf-8"), report), "utf-8")
