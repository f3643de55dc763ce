"""Rounds in which the system's calls fail, and in which what was not flushed is gone (shim.py)."""

import contextlib
import errno
import os
import signal
import time

from trackrecord import engines

from .kills import under_load
from .server import Client, until
from .shim import Shim
from .world import Skipped, World

TROUBLE_S = (0.5, 2.0)
KILLED_S = 2.0
# The files, and among how many writes to each one is chosen. A checkpoint of a short log writes a few pages.
WRITES = (
    (engines.JOURNAL_FILE, 20),
    (f"{engines.JOURNAL_FILE}-wal", 300),
    (engines.STORE_FILE, 30),
    (f"{engines.STORE_FILE}-wal", 600),
    (engines.DIRECTORY_FILE, 20),
    (f"{engines.DIRECTORY_FILE}-wal", 60),
)
READ_ONLY_REFUSED = 30
PERMILLE = 1_000


def kill_at_write(world: World) -> None:
    """A process dies between two writes to one file: of a commit where it is a log, of a checkpoint where it is the file itself."""
    shim = Shim(world.folder, world.data)
    for file, writes in world.rng.sample(WRITES, 3):
        world.start(environ=shim.environ)
        world.load.start(world.server.url)
        world.load.for_events(world.rng.randint(20, 100))
        _seen(shim)
        shim.kill_at(file, world.rng.randint(1, writes))
        world.load.while_(lambda: shim.waits, within_s=KILLED_S)
        if shim.waits:  # a server that is asked to stop copies its logs back
            with contextlib.suppress(ProcessLookupError):
                world.server.terminate()
        world.server.kill()
        world.load.join()
        world.gone()
        if shim.waits:
            shim.kill_at("", 0)
        else:
            world.fault()
        world.files()
        world.start()
        world.judge()


def io_errors(world: World) -> None:
    """Writes and syncs of one file, or of all, fail at random for a while; then the disk works again."""
    shim = Shim(world.folder, world.data)
    world.start(environ=shim.environ)
    for _ in range(2):
        under_load(world, most=200)
        _seen(shim)
        only = world.rng.choice((engines.JOURNAL_FILE, engines.JOURNAL_FILE, engines.STORE_FILE, engines.DIRECTORY_FILE, ""))
        writes, syncs = world.rng.choice(((0, 300), (100, 0), (50, 100), (PERMILLE, PERMILLE)))
        before = shim.failed
        world.oracle.disk_fails = True
        shim.fail(errno.EIO, writes_permille=writes, syncs_permille=syncs, only=only)
        world.load.while_(lambda: True, within_s=world.rng.uniform(*TROUBLE_S))
        shim.works()
        for _ in range(shim.failed - before):
            world.fault()
        _recovered(world)
        world.judge()
    world.load.start(world.server.url)
    world.oracle.disk_fails = True
    shim.fail(errno.EIO, writes_permille=20, syncs_permille=100, only=engines.JOURNAL_FILE)
    world.load.for_events(60, within_s=5)
    shim.works()
    world.kill()
    world.start()
    world.judge()


def read_only(world: World) -> None:
    """Every write is refused with EROFS, as on a file system that the system has made read-only, and then works again."""
    shim = Shim(world.folder, world.data)
    world.start(environ=shim.environ)
    under_load(world, most=200)
    _seen(shim)
    before = world.oracle.refusals
    world.oracle.disk_fails = True
    shim.fail(errno.EROFS, writes_permille=PERMILLE, syncs_permille=0)
    world.fault()
    world.load.while_(lambda: world.oracle.refusals < before + READ_ONLY_REFUSED)
    if world.oracle.refusals < before + READ_ONLY_REFUSED:
        world.oracle.found("answers", f"a read-only disk refused {world.oracle.refusals - before} requests")
    with Client(world.server.url) as client:
        until(lambda: client.ask("GET", "/-/health")[0] == 503)
    shim.works()
    _recovered(world)
    world.judge()


def power_loss(world: World) -> None:
    """All processes stop at one moment, and what was not flushed is gone, whole or in pieces; twice in a row."""
    shim = Shim(world.folder, world.data, forgets=True)
    for _ in range(2):
        world.start(environ=shim.environ)
        under_load(world, most=500)
        _seen(shim)
        time.sleep(world.rng.random() * 0.3)
        for pid in (world.server.store_pid, world.server.pid):
            os.kill(pid, signal.SIGSTOP)
        world.server.kill()
        world.load.join()
        world.gone()
        world.fault()
        shim.lose_power(world.rng)
        world.files()
        world.start(environ=shim.environ)
        world.judge()


def _seen(shim: Shim) -> None:
    if not shim.sees:
        raise Skipped("SQLite makes its calls where they cannot be caught here")


def _recovered(world: World) -> None:
    before = world.oracle.acknowledged
    world.load.for_events(40)
    if world.oracle.acknowledged < before + 40:
        world.oracle.found("answers", "the server does not take events again although its disk works")
