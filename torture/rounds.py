"""The table of rounds. To add one, write its function beside those like it and add a row.

A round finds a world whose server runs or does not, and leaves it judged. What goes wrong goes to the world's oracle; a round
that cannot be had on this machine raises Skipped.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from trackrecord.faults import POINTS

from . import calls, clocks, crowd, disks, files, kills, old, overload, points
from .world import World


class Round(NamedTuple):
    does: Callable[[World], object]
    what: str  # what it does to the server
    judged: str  # beside the record, which is compared after every round
    own: bool = False  # wants a data directory of its own
    weight: int = 1  # how often it is chosen, against others


ROUNDS: dict[str, Round] = {
    "kill": Round(kills.kill, "kill -9 of the server under load, then a start", "the files as they were left", weight=8),
    "kill-both": Round(kills.kill_both, "kill -9 of the store's process and then of the server", "the same", weight=3),
    "kill-at-start": Round(kills.kill_at_start, "kill -9 under load, then up to three more within the next starts", "the same", weight=3),
    "kill-store": Round(
        kills.kill_store, "kill -9 of the store's process alone, up to four times", "every request has its answer", weight=2
    ),
    "stop": Round(
        kills.stop,
        "SIGTERM under load, then a start",
        "exit code 0, no logs beside the files, and nothing is kept that was not answered",
        weight=3,
    ),
    "two-servers": Round(kills.two_servers, "a second server on the same directory", "it is refused with the reason, the first goes on"),
    "store-lost": Round(files.store_lost, "`events.db` taken away after a kill", "it is made again from the journal, exactly"),
    "store-damaged": Round(
        files.store_damaged, "16 random bytes of `events.db` changed while stopped", "told or harmless; exact once the file is removed"
    ),
    "backup": Round(
        files.backup,
        "`trackrecord backup` under load, more load, then the backup put back",
        "what is there is true; exact once clients send the rest again",
        own=True,
    ),
    "clock": Round(
        clocks.clock,
        "the server's clock jumps by a minute to 400 days, to and fro, and again over a kill",
        "the files as they were left",
        own=True,
    ),
    "disk-full": Round(
        disks.disk_full,
        "the disk is filled to the last byte under load, twice; the second time the server may be killed on it",
        "503 with `Retry-After` and a reason in health; events are taken again without a restart",
        own=True,
    ),
    "kill-at-write": Round(
        calls.kill_at_write,
        "a process kills itself between two writes to one file, in the middle of a commit or of a checkpoint; three times",
        "the files as they were left",
        own=True,
        weight=2,
    ),
    "read-only": Round(
        calls.read_only,
        "every write is refused with EROFS for a while",
        "503, health says so; events are taken again without a restart",
        own=True,
    ),
    "io-errors": Round(
        calls.io_errors,
        "writes and syncs of one file or of all fail with EIO, at random, and once until a kill",
        "503; events are taken again without a restart",
        own=True,
    ),
    "power-loss": Round(
        calls.power_loss,
        "all processes stop at once, and of what was not flushed nothing is left, or sectors by chance; twice",
        "the files as they were left",
        own=True,
        weight=2,
    ),
    "remounted": Round(
        disks.remounted,
        "a start on a file system mounted read-only; then the system makes one read-only under load, and it is mended after a kill",
        "the start is refused with the reason; 503 and health; all that was acknowledged is there",
        own=True,
    ),
    "kill-at-upgrade": Round(
        old.kill_at_upgrade,
        f"kill -9 of {old.STARTS_KILLED} starts over the files of 0.1.0 with thousands of events",
        "nothing lost or twice, totals are recounts, more is taken",
        own=True,
    ),
    "overload": Round(
        overload.flooded,
        f"{overload.FLOOD} connections send on whether they are answered or not",
        "202, or 503 with `Retry-After`, to every request; memory; an event after it is shown at once",
        own=True,
    ),
    "stop-ahead": Round(
        overload.stopped_ahead,
        "SIGTERM while 100 connections send ahead, on either way of `POST /events`",
        "what is kept was answered",
        own=True,
    ),
    "store-stopped": Round(
        overload.store_stopped,
        "SIGSTOP of the store's process until it lags too far, then SIGCONT",
        "503 with `Retry-After` and in health; events are taken again at once",
        own=True,
    ),
    "slow-disk": Round(
        overload.slow_disk,
        "the journal's syncs take a minute, while more is sent than may wait for them",
        "202 or 503 with `Retry-After`; memory",
        own=True,
    ),
    "slow-clients": Round(
        crowd.slow_clients,
        f"{crowd.IDLE:,} idle connections, {3 * crowd.SLOW} that send byte by byte, {crowd.DEAF} that never read",
        "others are served; 408 to the slow, an end to the deaf; memory",
        own=True,
    ),
    "sent-ahead": Round(
        crowd.sent_ahead,
        "200 connections send 100 KB ahead behind a question that waits for the store",
        "every request is answered, or 503 with `Retry-After`; memory",
        own=True,
    ),
    "heavy-readers": Round(overload.heavy_readers, "exports, queries and long lists without pause under load", "events are taken on"),
} | {
    f"at-{point}": Round(
        partial(points.AT[point].does, point=point), f"kill -9 where {what}", points.AT[point].judged, points.AT[point].own
    )
    for point, what in POINTS.items()
}
