"""What an event costs on disk. Everything is kept for ever, so bytes matter."""

import contextlib

from trackrecord import engines

from .context import Bench
from .dataset import Stream, size
from .figures import Bar, Figure, Result, over

SAMPLE = 10_000


def measure(bench: Bench) -> Result:
    data, grown = bench.half, bench.grown
    with contextlib.closing(engines.read_store(data)) as reader:
        count = sum(total.count for total in reader.name_totals(grown.people.workspace))
    sample = list(Stream(grown.people, count).take(SAMPLE))
    line = sum(len(each.line) + 1 for each in sample) / SAMPLE
    metadata = sum(len(each.metadata) for each in sample) / SAMPLE
    store = size(data / engines.STORE_FILE) / count
    return Result(
        measure="disk",
        figures=[
            Figure(
                name=f"store, an event of {count:,}",
                unit="B",
                values=[store],
                ratios={"its line of JSON": over([store], [line])},
                bar=Bar(most=160),
            ),
            Figure(name="an event as a line of JSON", unit="B", values=[line]),
            Figure(name="directory, a contact", unit="B", values=[size(data / engines.DIRECTORY_FILE) / len(grown.people.contacts)]),
        ],
        notes=[
            f"Each event has {metadata:.0f} bytes of metadata. The store is kept for ever;"
            " the journal, which holds each event once more, for a day or a gigabyte."
        ],
    )
