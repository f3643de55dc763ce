"""python -m torture [--minutes N] [--seed N] [--only NAME ...]: kill, fill and damage a server under load, and judge its record."""

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live

from .oracle import KINDS
from .rounds import ROUNDS
from .run import Run

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "torture" / "results"
TABLE_COLUMNS = 150  # where no terminal says how wide it is
LONGEST_ROUND_S = 180.0  # past the time asked for; then the run ends whatever it is at


def arguments() -> argparse.Namespace:
    rows = "\n".join(f"  {name:15} {each.what}" for name, each in ROUNDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m torture",
        description=f"Do harm to a server under load, and compare its record with what it answered.\n\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to choose rounds; the last one is not cut short")
    parser.add_argument("--seed", type=int, default=None, help="makes the same choices as an earlier run; a random one without it")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this round alone; may be repeated")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/reliability.md has it")
    asked = parser.parse_args()
    if unknown := [name for name in asked.only if name not in ROUNDS]:
        parser.error(f"there is no round {unknown[0]}: there is {', '.join(ROUNDS)}")
    if asked.minutes <= 0:
        parser.error("--minutes must be more than 0")
    return asked


def main() -> int:
    asked = arguments()
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _too_long)
    signal.alarm(int(asked.minutes * 60 + LONGEST_ROUND_S))
    seed = random.SystemRandom().randrange(1_000_000) if asked.seed is None else asked.seed
    console = Console() if sys.stdout.isatty() else Console(width=TABLE_COLUMNS)
    RESULTS.mkdir(exist_ok=True)
    # Here and not in the system's temporary directory, which may be kept in memory.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=RESULTS))
    began = time.monotonic()
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def say(what: str) -> None:
            if console.is_terminal:
                live.update(run.tally.table(what), refresh=True)
            else:
                print(f"{time.monotonic() - began:6.0f} s  round {run.tally.done + 1}: {what}", file=sys.stderr, flush=True)

        run = Run(folder, seed=seed, names=asked.only or list(ROUNDS), say=say)
        try:
            run.for_time(asked.minutes * 60)
        finally:
            signal.alarm(0)
            run.abandon()
    console.print(run.tally.table())
    for name, row in run.tally.rows.items():
        if row.skipped is not None:
            console.print(f"{name} was skipped: {row.skipped}", highlight=False)
    if run.tally.unnoticed:
        damaged = run.tally.rows["store-damaged"].rounds
        console.print(f"{run.tally.unnoticed} of {damaged} damages of events.db were noticed by nothing", highlight=False)
    for found in run.tally.found:
        console.print(f"round {found.round}, {found.name}: {KINDS[found.finding.kind]}: {found.finding.text}", style="red", markup=False)
    if asked.markdown:
        print(run.tally.markdown())
    if run.tally.found:
        console.print(f"The data directories and the servers' logs are in {folder}; the same choices again: --seed {seed}", highlight=False)
        return 1
    run.clean()
    return 0


def _too_long(number: int, frame: FrameType | None) -> None:
    """Ends the run as Ctrl-C would, so that every process of it goes."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("torture: ended before its time")
