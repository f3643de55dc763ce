"""python -m bench [--quick] [NAME ...] [--json FILE]: measure, print one table, and write the figures as JSON beside it."""

import argparse
import datetime
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console

from . import analysis, bulk, disk, docs, growth, ingest, load, machine, pages, reads, startup, steady
from .context import FULL, QUICK, Bench, Sizes
from .figures import Report, Result, from_json, table, to_json
from .processes import ROOT, Trouble

# To add a measure, write its file and add a row. They run in this order: bulk, disk, reads and startup each look at the directory
# that grows when it has the size they want, and the last two add events to a copy that disk must have seen before.
MEASURES: dict[str, tuple[Callable[[Bench], Result], str]] = {
    "ingest": (ingest.measure, "POST /events, one by one, beside a handler that does nothing"),
    "steady": (steady.measure, "the same for ten minutes"),
    "bulk": (bulk.measure, "POST /bulk/events and imports, at a million events"),
    "disk": (disk.measure, "bytes an event, at ten million"),
    "reads": (reads.measure, "pages, summaries and totals at ten million events, also while events come in; memory meanwhile"),
    "pages": (pages.measure, "pages of the dashboard at ten million events"),
    "startup": (startup.measure, "time to the first 202, with nothing and with ten million events after a crash; memory then"),
    "analysis": (analysis.measure, "questions about all of ten million events; the columns made, and read from files"),
    "growth": (growth.measure, "the store's rate from one to twenty million events"),
}
RESULTS = ROOT / "bench" / "results"
PAGE_COLUMNS = 170  # of the table, where no terminal says how wide it is
LIMIT_S = 3 * 3600  # past it the run ends, whatever it was at


def arguments() -> argparse.Namespace:
    rows = "\n".join(f"  {name:9} {meaning}" for name, (_, meaning) in MEASURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Measure Trackrecord on this machine: all of these, or those named.\n\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="measures to take; all without any")
    parser.add_argument("--quick", action="store_true", help="small sizes, under a minute: shows that it works, not how fast")
    parser.add_argument("--events", type=int, help=f"to grow to, {FULL.events:,}; what is said of ten million is measured at half")
    parser.add_argument("--minutes", type=float, help=f"of the long load, {FULL.minutes:g}")
    parser.add_argument("--json", type=Path, default=RESULTS / "latest.json", metavar="FILE", help="where the figures go")
    parser.add_argument("--write-docs", type=Path, metavar="FILE", help="measure nothing: write FILE's figures into docs/")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measure {unknown[0]}: there is {', '.join(MEASURES)}")
    return asked


def sizes(asked: argparse.Namespace) -> Sizes:
    """Those of the flags. With fewer events also contacts and windows are smaller, in proportion."""
    found = QUICK if asked.quick else FULL
    if asked.events:
        by = asked.events / found.events
        found = msgspec.structs.replace(
            found,
            events=asked.events,
            many_contacts=min(FULL.many_contacts, max(1, int(found.many_contacts * by))),
            window=min(FULL.window, max(1, int(found.window * by))),
        )
    return msgspec.structs.replace(found, minutes=asked.minutes or found.minutes)


def measure_all(names: list[str], wanted: Sizes, console: Console) -> tuple[Report, list[str]]:
    """Take measures one after the other; one that fails keeps none of the others from being taken. Also returns who failed."""
    began, at = time.monotonic(), datetime.datetime.now(datetime.UTC)
    RESULTS.mkdir(exist_ok=True)
    # Here and not in the system's temporary directory, which may be kept in memory, where a sync costs nothing.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=RESULTS))
    results: list[Result] = []
    failed: list[str] = []
    try:
        facts = machine.facts(folder)
        if load.wrk() is None:
            console.print("wrk is not installed: a slower generator in Python makes the load, and server and generator share the cores.")
        bench = Bench(wanted, folder, console, growing="growth" in names)
        for name in names:
            console.print(f"[bold]{name}[/bold]: {MEASURES[name][1]}", highlight=False)
            try:
                started = time.monotonic()
                result = MEASURES[name][0](bench)
                results.append(msgspec.structs.replace(result, took_s=round(time.monotonic() - started, 1)))
            except Trouble as trouble:
                failed.append(name)
                console.print(f"{name} failed: {trouble}", style="red", markup=False)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = time.monotonic() - began
    smaller = wanted.events < FULL.events or wanted.minutes < FULL.minutes
    return Report(at=at.isoformat(timespec="seconds"), took_s=round(took, 1), smaller=smaller, machine=facts, results=results), failed


def main() -> int:
    asked = arguments()
    if asked.write_docs is not None:
        docs.write(from_json(asked.write_docs))
        return 0
    console = Console(stderr=True)
    signal.signal(signal.SIGALRM, _too_long)
    signal.signal(signal.SIGTERM, _too_long)
    signal.alarm(LIMIT_S)
    report, failed = measure_all([name for name in MEASURES if name in asked.names] or list(MEASURES), sizes(asked), console)
    signal.alarm(0)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_bytes(to_json(report))
    out = Console() if sys.stdout.isatty() else Console(width=PAGE_COLUMNS)
    out.print(table(report))
    for result in report.results:
        for note in result.notes:
            out.print(f"{result.measure}: {note}", highlight=False)
    out.print("; ".join(f"{name} {fact}" for name, fact in report.machine.items()), highlight=False)
    out.print(f"Took {report.took_s:.0f} s. Figures as JSON: {asked.json}", highlight=False)
    return 1 if failed else 0


def _too_long(number: int, frame: FrameType | None) -> None:
    """Ends the run as Ctrl-C would, so that every process and folder of it goes."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: ended before its time")
