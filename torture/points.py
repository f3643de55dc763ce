"""Rounds that have a process kill itself at a named point of the write path (trackrecord/faults.py)."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from trackrecord.check import check
from trackrecord.faults import VARIABLE

from .kills import under_load
from .old import at_upgrade, dies_at_start
from .server import NotStarted, environment, runs, until
from .world import World

REACHED_S = 25.0  # for a point to be reached under load
TRIMMED = ("journal_keep_hours=0", "read_wait_s=1")
STORE_SETTINGS = ("read_wait_s=0.3",)  # reads beside a store that dies again and again are refused, and soon
REST_S = 1.3  # after which the store has flushed, and the journal may be trimmed
SIGKILLED = -9


class At(NamedTuple):
    does: Callable[..., None]
    judged: str
    own: bool = False


def in_server(world: World, point: str) -> None:
    """Load until the server has killed itself; then a start without the fault."""
    if world.runs:
        world.stop()
    server = world.start(environ={VARIABLE: f"{point}:{world.rng.randint(1, 60)}"})
    _until_it_dies(world, server.ended)


def in_housekeeping(world: World, point: str) -> None:
    """As in_server, for what is reached seldom."""
    if world.runs:
        world.stop()
    server = world.start(environ={VARIABLE: f"{point}:{world.rng.randint(1, 3)}"})
    _until_it_dies(world, server.ended)


def in_trim(world: World, point: str) -> None:
    server = world.start(*TRIMMED, environ={VARIABLE: f"{point}:{world.rng.randint(1, 2)}"})
    for _ in range(8):
        world.load.start(server.url)
        world.load.for_events(60)
        if not world.load.running:
            break
        world.load.stop()
        time.sleep(REST_S)
    _until_it_dies(world, server.ended, *TRIMMED)


def _until_it_dies(world: World, ended: Callable[..., int], *settings: str) -> None:
    if not world.load.running:
        world.load.start(world.server.url)
    world.load.while_(lambda: True, within_s=REACHED_S)  # the senders end when the server does
    if world.load.running:
        world.load.stop()
        world.oracle.found("answers", f"the point was not reached within {REACHED_S:.0f} s")
        world.gone()
        return
    world.load.join()
    if (code := ended()) != SIGKILLED:
        world.oracle.found("answers", f"the server ended with {code} instead of killing itself")
    world.fault()
    world.gone()
    world.files()
    world.start(*settings)
    world.judge()


def in_store(world: World, point: str) -> None:
    """The store's process kills itself each time it gets there, and is started again, while events go on being acknowledged."""
    if world.runs:
        world.stop()
    times = world.rng.randint(1, 12)
    server = world.start(*STORE_SETTINGS, environ={VARIABLE: f"{point}:{times}"})

    def died() -> int:
        return server.said().count("store-writer ended with code -9")

    under_load(world, most=300)
    try:
        until(lambda: died() >= min(times, 2), within_s=REACHED_S)
    except TimeoutError:
        world.oracle.found("answers", f"the point was not reached within {REACHED_S:.0f} s")
    for _ in range(died()):
        world.fault()
    world.load.for_events(30)
    world.kill()
    world.start()
    world.judge()


def in_log(world: World, point: str) -> None:
    """In the server or in the store's process, whichever gets there first: both cut their logs after something was erased."""
    under_load(world, most=200)
    world.load.stop()
    world.stop()
    fault = {VARIABLE: f"{point}:{world.rng.randint(1, 5)}"}
    with world.launched(*STORE_SETTINGS, environ=fault) as server, contextlib.suppress(NotStarted):  # a start cuts logs too
        server.listening()
    world.fault()
    if server.url and runs(server.pid):
        deadline = time.monotonic() + REACHED_S
        world.load.start(server.url)
        while not (reached := "ended with code -9" in server.said() or not world.load.running) and time.monotonic() < deadline:
            time.sleep(0.01)
        if not reached:
            world.oracle.found("answers", f"the point was not reached within {REACHED_S:.0f} s")
        world.kill()
    world.start()
    world.judge()


def in_migration(world: World, point: str) -> None:
    """A start dies with the directory's tables half made, over no files and then over old ones; the next one makes them."""
    dies_at_start(world, point)
    at_upgrade(world, point)


def in_backup(world: World, point: str) -> None:
    """A backup under load dies; the server does not notice, nothing stands where the backup should be, and the next one is good."""
    under_load(world, most=300)
    into = world.folder / f"backup-{world.rng.randrange(1 << 30)}"
    killed = run_backup(world.data, into, {VARIABLE: f"{point}:{world.rng.randint(1, 3) if point.endswith('files') else 1}"})
    world.fault()
    if killed.returncode != SIGKILLED or into.exists():
        world.oracle.found("answers", f"a backup that was killed ended with {killed.returncode}; it is there: {into.exists()}")
    again = run_backup(world.data, into)
    if again.returncode != 0:
        world.oracle.found("answers", f"a backup after one that was killed was refused: {again.stderr}")
    else:
        for problem in check(into).problems:
            world.oracle.found("sums", f"the backup's {problem.file}: {problem.message}")
    world.judge()


def run_backup(data: Path, into: Path, environ: Mapping[str, str] = {}) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "trackrecord", "backup", "--data", str(data), str(into)]
    return subprocess.run(command, env=environment(environ), cwd=os.curdir, capture_output=True, text=True, timeout=60, check=False)


FILES = "the files as they were left"
UPGRADED = "the next start brings the files of 0.1.0 up to date, exactly"
AT: dict[str, At] = {
    "journal.before-commit": At(in_server, FILES),
    "journal.after-commit": At(in_server, FILES),
    "journal.mid-cleansing": At(in_housekeeping, FILES),
    "journal.after-trim": At(in_trim, FILES, own=True),
    "store.mid-fold": At(in_store, "events are acknowledged on; the files as they were left"),
    "store.before-commit": At(in_store, "the same"),
    "store.after-commit": At(in_store, "the same"),
    "log.half-copied": At(in_log, FILES),
    "log.before-cut": At(in_log, FILES),
    "log.after-cut": At(in_log, FILES),
    "journal.mid-migration": At(at_upgrade, UPGRADED, own=True),
    "store.mid-migration": At(in_migration, UPGRADED, own=True),
    "directory.mid-migration": At(in_migration, UPGRADED, own=True),
    "directory.before-journal": At(in_housekeeping, "the deletion or the merge is whole"),
    "backup.between-files": At(in_backup, "nothing stands where the backup should be; the next one is whole by `trackrecord check`"),
    "backup.before-rename": At(in_backup, "the same"),
}
