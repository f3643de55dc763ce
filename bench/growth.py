"""What keeping an event costs the more there are: the rate at marks up to twenty million events of a million contacts.

An index over random contacts touches a page a row: what is quick at a thousand events may crawl at ten million. A flat line
is the goal. grown.py says what is measured at a mark; each is compared with the first one.
"""

from .context import Bench
from .figures import Bar, Figure, Result, over
from .grown import HALF, WHOLE
from .keeping import check

SHOWN = (1, HALF, WHOLE)  # of the marks: those whose processor times are shown; the JSON has all
BARS = {HALF: 0.5, WHOLE: 0.45}  # of the rate at the first mark


def measure(bench: Bench) -> Result:
    grown = bench.grown
    grown.to(bench.sizes.events)
    marks, points, first = bench.sizes.marks, grown.points, grown.points[0]
    figures: list[Figure] = []
    for what, values in (
        ("store append alone", [point.append for point in points]),
        ("through to the store, whole way", [point.through for point in points]),
        ("acknowledged", [point.acknowledged for point in points]),
    ):
        for mark, point, value in zip(marks, points, values, strict=True):
            ratios = {"the first mark": over([value], values[:1])} if point is not first else {}
            bar = Bar(least=BARS[mark], of="the first mark") if mark in BARS and what != "acknowledged" else None
            figures.append(Figure(name=f"{what} at {point.events:,}", unit="events/s", values=[value], ratios=ratios, bar=bar))
    for point in (point for mark, point in zip(marks, points, strict=True) if mark in SHOWN):
        for what, used in (("append", point.append_cpu_us), ("server", point.server_cpu_us), ("store writer", point.writer_cpu_us)):
            if used is not None:
                figures.append(Figure(name=f"processor time an event at {point.events:,}, {what}", unit="µs", values=[used]))
    check(grown.path, grown.events, exactly=True)
    note = f"{grown.events:,} events of {len(grown.people.contacts):,} contacts went in, and each was kept once."
    return Result(measure="growth", figures=figures, points=points, notes=[note])
