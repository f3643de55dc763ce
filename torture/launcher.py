"""python -m torture.launcher OPTIONS: `trackrecord serve OPTIONS` by a clock that is moved while it runs.

The environment's TORTURE_CLOCK names a file with the seconds to add. The clock is moved before anything of ours is imported, so
the journal's own goes along; the store's process keeps no time but that of its pauses, which no clock can move.
"""

import os
import sys
import time
from pathlib import Path

FILE = "TORTURE_CLOCK"


def set_offset(path: Path, seconds: float) -> None:
    """Move the clock of a server that reads this file. It never finds half a number."""
    beside = path.with_suffix(".new")
    beside.write_text(str(seconds))
    beside.rename(path)


def main() -> int:
    path = Path(os.environ[FILE])
    real = time.time_ns

    def moved_ns() -> int:
        return real() + int(float(path.read_text()) * 1_000_000_000)

    time.time_ns = moved_ns
    time.time = lambda: moved_ns() / 1_000_000_000

    from trackrecord.cli import run

    return run(["serve", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
