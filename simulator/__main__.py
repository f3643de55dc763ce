"""python -m simulator [--count N | --minutes N] [--seed N]: run schedules, or show one step by step."""

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from .broken import BROKEN
from .disk import Disk, Missing
from .oracle import KINDS
from .schedule import Schedule
from .tally import Tally
from .world import WHOLE, Parts

SHOW_EVERY_S = 0.5
FOUND_MOST = 10  # past which a run ends
TABLE_COLUMNS = 110  # where no terminal says how wide it is


def arguments() -> argparse.Namespace:
    rows = "\n".join(f"  {name:18} {what}" for name, (what, _) in BROKEN.items())
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="Run journal, consumer and store on a simulated disk and clock, with faults. One schedule is one seed.\n\n"
        f"Parts that can be broken on purpose, to see that it is found:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=None, help="show this schedule step by step; with --count or --minutes, begin here")
    parser.add_argument("--count", type=int, default=None, help="how many schedules to run")
    parser.add_argument("--minutes", type=float, default=None, help="how long to run schedules; one minute where nothing is asked for")
    parser.add_argument("--broken", choices=BROKEN, default=None, metavar="NAME", help="break this part")
    asked = parser.parse_args()
    if (asked.count is not None and asked.count < 1) or (asked.minutes is not None and asked.minutes <= 0):
        parser.error("--count and --minutes must be more than 0")
    return asked


def show(disk: Disk, seed: int, parts: Parts) -> int:
    """One schedule, step by step."""
    finding = Schedule(disk, seed, parts=parts, say=print).run()
    print(f"seed {seed}: {KINDS[finding.kind]}: {finding.text}" if finding else f"seed {seed}: every promise was kept")
    return finding is not None


def run(disk: Disk, first: int, parts: Parts, goes_on: Callable[[int, float], bool], console: Console) -> tuple[Tally, float]:
    """Schedules from this seed on; and how many seconds they took."""
    tally = Tally()
    began = shown = time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while len(tally.found) < FOUND_MOST and goes_on(tally.schedules, time.monotonic() - began):
            seed = first + tally.schedules
            schedule = Schedule(disk, seed, parts=parts)
            tally.add(seed, schedule, schedule.run())
            if console.is_terminal and time.monotonic() - shown > SHOW_EVERY_S:
                shown = time.monotonic()
                live.update(tally.table(shown - began), refresh=True)
    return tally, time.monotonic() - began


def main() -> int:
    asked = arguments()
    parts = BROKEN[asked.broken][1] if asked.broken else WHOLE
    console = Console() if sys.stdout.isatty() else Console(width=TABLE_COLUMNS)
    try:
        disk = Disk()
    except Missing as missing:
        print(f"simulate: {missing}", file=sys.stderr)
        return 2
    gc.collect()
    gc.freeze()  # what is there by now stays; later collections need not walk it
    with disk:
        if asked.seed is not None and asked.count is None and asked.minutes is None:
            return show(disk, asked.seed, parts)
        first = random.SystemRandom().randrange(1 << 40) if asked.seed is None else asked.seed
        began_s = time.process_time()
        seconds = 60 * (1.0 if asked.minutes is None and asked.count is None else asked.minutes or 0)
        tally, took_s = run(
            disk, first, parts, lambda done, passed_s: done < asked.count if asked.count is not None else passed_s < seconds, console
        )
    console.print(tally.table(took_s))
    broken = f" --broken {asked.broken}" if asked.broken else ""
    each_ms = 1000 * (time.process_time() - began_s) / max(1, tally.schedules)
    print(f"seeds {first} to {first + tally.schedules - 1}, {took_s:.0f} s; {each_ms:.0f} ms of the processor each")
    for found in tally.found:
        print(f"{KINDS[found.finding.kind]}: {found.finding.text}")
        print(f"  again, step by step: {sys.executable} -m simulator --seed {found.seed}{broken}")
    return bool(tally.found)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("simulate: ended before its time")
