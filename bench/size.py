"""What an event costs on disk, and whether keeping one costs more the more there are.

Bytes matter because everything is kept for ever. The growth curve matters because an index over random contacts touches a
page a row: what is quick at a thousand events may crawl at ten million. A flat line is the goal. Rates are those of
`append` alone, in one process: no journal is read, nobody reads the store.
"""

from .context import Bench
from .dataset import COMMIT_RECORDS
from .figures import Figure, Result, over


def measure(bench: Bench) -> Result:
    filled = bench.filled
    in_store, in_journal, sent = (size / filled.events for size in (filled.store_bytes, filled.journal_bytes, filled.sent_bytes))
    figures = [
        Figure(name="store, bytes an event", unit="B", values=[in_store], ratios={"the event as JSON": [in_store / sent]}),
        Figure(name="journal, bytes an event", unit="B", values=[in_journal], ratios={"the event as JSON": [in_journal / sent]}),
        Figure(name=f"journal append, {COMMIT_RECORDS} records a sync", unit="records/s", values=[filled.journal_rate]),
    ]
    for number, rate in enumerate(filled.append_rates):
        until = min((number + 1) * filled.step, filled.events)
        ratios = {"the first step": over([rate], filled.append_rates[:1])} if number else {}
        figures.append(Figure(name=f"store append, up to {until:,} events", unit="rows/s", values=[rate], ratios=ratios))
    return Result(measure="size", figures=figures, notes=["The journal is kept for a day or a gigabyte; the store for ever."])
