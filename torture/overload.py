"""Rounds with more load than the server can take. It may be slow and it may refuse; it may not lie, hang, grow or fall over.

Memory is the most that the server and its store's process ever had resident, as the system tells it, and must stay under what
`bound_mb` adds up. docs/reliability.md, "Overload", explains its parts.
"""

import os
import resource
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from trackrecord import engines
from trackrecord.journal.commit import WAITING_BYTES_MAX

from .flood import Flooded, flood, people
from .kills import stopped
from .load import EPOCH, seen_in
from .oracle import Key, Person
from .server import DEADLINE_S, GONE, Client, RealServer, until
from .shim import Shim
from .world import Skipped, World

FLOOD = 640  # connections
AT_REST_MB = 200  # both processes, with what a round puts into their caches
CONNECTION_KB = 40  # of one that is open, with a request of it at work
BODIES = 2  # times bodies_max_mb: as they came, and what is made of them
WAITING = 5  # times what may wait for the disk: a batch that gathers, one that is written, its row, SQLite's copy, and the store's
LAG_RECORDS = 500
BULK_ITEMS, ITEM_BYTES = 60, 120_000  # of one body
BULKS = 12  # such bodies, more than may wait for the disk
AFTER = "after-a-flood"
SLOW_SYNC_MS = 60_000
READERS = 6


def bound_mb(*, connections: int, bodies_max_mb: int, waiting_mb: int = 0) -> float:
    """`waiting_mb`: how much of the journal's may wait for the disk."""
    return AT_REST_MB + connections * CONNECTION_KB / 1024 + BODIES * bodies_max_mb + WAITING * waiting_mb


def most_mb(server: RealServer) -> float:
    return sum(_high_water_mb(pid) for pid in (server.pid, server.store_pid))


def _high_water_mb(pid: int) -> float:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def descriptors(wanted: int) -> None:
    """Let this process have so many files open. Raises Skipped where it may not."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise Skipped(f"this process may have {hard} files open, and {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _within(world: World, bound: float) -> None:
    if (most := most_mb(world.server)) > bound:
        world.oracle.found("answers", f"the server and its store had {most:.0f} MB resident, more than {bound:.0f}")


def flooded(world: World, *, ahead: int = 100, seconds: float = 3.0) -> Flooded:
    """Far more than can be taken, for some seconds. Every request has its answer; then one more is answered as ever."""
    descriptors(FLOOD + 200)
    server = world.start("bodies_max_mb=64")
    of = people(server.url, world.oracle, FLOOD)
    found = flood(server.url, world.oracle, of, ahead=ahead, seconds=seconds)
    world.fault()
    _within(world, bound_mb(connections=FLOOD, bodies_max_mb=64))
    one_more(world, of[0])
    world.judge()
    return found


def one_more(world: World, person: Person, *, shown: bool = True) -> None:
    """A single event, and a list that shows it at once."""
    with Client(world.server.url) as client:
        status, headers, answer = _send(client, person, key := Key(AFTER, EPOCH), 1)
        if status != 202:
            world.oracle.found("answers", f"after a flood an event is answered {status} {answer}")
            return
        person.acknowledged(key, 1)
        world.oracle.told(1, int(headers["trackrecord-receipt"]))
        if shown and key not in seen_in(client.pages(person.who)):
            world.oracle.found("missing", f"a list does not show what was just acknowledged to {person.who}")


def _send(client: Client, person: Person, key: Key, copy: int) -> tuple[int, dict[str, str], Any]:
    body = {"user_id": person.external_id, "event_name": key.name, "created_at": key.created_at, "metadata": {"n": copy}}
    return client.ask("POST", "/events", body)


def stopped_ahead(world: World, *, lanes: Sequence[str] = ("yes", "no")) -> None:
    """SIGTERM while hundreds send ahead, on either way of POST /events: what is kept was answered."""
    for lane in lanes:
        server = world.start(f"fast_lane={lane}")
        first = 1_000 if lane == "yes" else 2_000
        of = people(server.url, world.oracle, 100, first=first)
        before = set(world.oracle.lost)
        sending = threading.Thread(
            target=flood, args=(server.url, world.oracle, of), kwargs={"ahead": 40, "seconds": DEADLINE_S, "first": first}
        )
        sending.start()
        acknowledged = world.oracle.acknowledged + 300
        until(lambda wanted=acknowledged: world.oracle.acknowledged > wanted)
        stopped(world, before, partial(sending.join, 2 * DEADLINE_S))


def store_stopped(world: World) -> None:
    """The store's process is stopped: the journal takes what it may lag, then 503; the store goes on where it was."""
    server = world.start(f"lag_max_records={LAG_RECORDS}", "read_wait_s=0.3")
    world.load.start(server.url)
    world.load.for_events(50)
    os.kill(server.store_pid, signal.SIGSTOP)
    world.fault()
    before = world.oracle.refusals
    world.load.while_(lambda: world.oracle.refusals < before + 20)
    with Client(server.url) as client:
        until(lambda: client.ask("GET", "/-/health")[0] == 503)
        _, headers, answer = client.ask("POST", "/events", {"user_id": "user-0-1", "event_name": "late", "created_at": EPOCH})
        if "records behind the journal" not in str(answer) or headers.get("retry-after") != "2":
            world.oracle.found("answers", f"a store that is far behind is told by {headers} {answer}")
    os.kill(server.store_pid, signal.SIGCONT)
    world.load.stop()
    with Client(server.url) as client:
        until(lambda: client.ask("GET", "/-/health")[0] == 200)
    acknowledged = world.oracle.acknowledged
    world.load.start(server.url)
    world.load.for_events(100)
    if world.oracle.acknowledged < acknowledged + 100:
        world.oracle.found("answers", "the server does not take events again although its store follows")
    world.judge()


def slow_disk(world: World) -> None:
    """A disk that takes its time for every flush: what waits for it has a bound, and past that is refused and not kept."""
    shim = Shim(world.folder, world.data)
    server = world.start("bodies_max_mb=128", environ=shim.environ)
    of = people(server.url, world.oracle, BULKS)
    one_more(world, of[0])
    if not shim.sees:
        raise Skipped("SQLite makes its calls where they cannot be caught here")
    shim.slow(SLOW_SYNC_MS, only=engines.JOURNAL_FILE)
    world.fault()
    clients = [Client(server.url) for _ in of]
    answers: Counter[int] = Counter()
    try:
        for number, (client, person) in enumerate(zip(clients, of, strict=True)):
            client.send("POST", "/bulk/events", {"items": [_item(person, copy) for copy in _copies(number)]})
        # More is sent than may wait, so somebody is refused while the disk still sleeps.
        until(lambda: any(client.readable for client in clients), within_s=2 * DEADLINE_S)
        shim.slow(0)
        for number, (client, person) in enumerate(zip(clients, of, strict=True)):
            status, headers, answer = client.answer()
            answers[status] += 1
            if status == 202:
                world.oracle.count(acknowledged=BULK_ITEMS)
                for copy in _copies(number):
                    person.acknowledged(Key(AFTER, EPOCH + copy), copy)
            else:
                world.oracle.count(refusals=1)
                world.oracle.refused.update(_copies(number))
                if status != 503 or not headers.get("retry-after", "").isdigit():
                    world.oracle.found("answers", f"what the disk has no time for is answered {status} {headers} {answer}")
    finally:
        for client in clients:
            client.__exit__()
    if not (answers[202] and answers[503]):
        world.oracle.found("answers", f"of {BULKS} large requests to a slow disk some are taken and some refused, not {answers}")
    _within(world, bound_mb(connections=BULKS, bodies_max_mb=128, waiting_mb=WAITING_BYTES_MAX >> 20))
    world.judge()


def _copies(number: int) -> range:
    return range(10 + number * BULK_ITEMS, 10 + (number + 1) * BULK_ITEMS)


def _item(person: Person, copy: int) -> dict[str, Any]:
    data = {
        "user_id": person.external_id,
        "event_name": AFTER,
        "created_at": EPOCH + copy,
        "metadata": {"n": copy, "text": "x" * ITEM_BYTES},
    }
    return {"method": "post", "data_type": "event", "data": data}


def heavy_readers(world: World, *, events: int = 600) -> None:
    """Exports, queries and long lists without pause, more than have turns: senders go on."""
    world.load.start(world.server.url)
    world.load.for_events(200)
    ending = threading.Event()
    statuses: Counter[int] = Counter()
    readers = [threading.Thread(target=_read, args=(world, ending, statuses, number)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    before = world.oracle.acknowledged
    world.load.for_events(events)
    ending.set()
    for reader in readers:
        reader.join(2 * DEADLINE_S)
    world.fault()
    if world.oracle.acknowledged < before + events:
        world.oracle.found("answers", f"beside heavy readers {world.oracle.acknowledged - before} events were taken, not {events}")
    if not statuses[200]:
        world.oracle.found("answers", f"heavy readers were answered {statuses}")
    world.judge()


READS: Sequence[tuple[str, str, Any]] = (
    ("GET", "/-/api/export/events", None),
    ("POST", "/-/api/events/search", {"pagination": {"per_page": 150}}),
    ("POST", "/contacts/search", {"query": {"field": "external_id", "operator": "~", "value": "user"}}),
    ("GET", "/contacts?per_page=150", None),
)


def _read(world: World, ending: threading.Event, statuses: "Counter[int]", number: int) -> None:
    with Client(world.server.url) as client:
        while not ending.is_set():
            method, target, body = READS[number % len(READS)]
            number += 1
            try:
                if "export" in target:
                    client.lines(target)
                    status = 200
                else:
                    status, headers, answer = client.ask(method, target, body)
                    if status not in (200, 503) or (status == 503 and "retry-after" not in headers):
                        world.oracle.found("answers", f"{method} {target} is answered {status} {answer}")
            except (AssertionError, *GONE):  # an export that has no turn
                status = 503
                time.sleep(0.05)
            statuses[status] += 1
