"""POST /bulk/events: many events a request, all on stable storage before its answer, beside single POSTs to the same server.

Four connections, each sending its next body as soon as it was answered; bodies are made beforehand. All events are distinct,
each body has one of each of many contacts. The sender is Python and runs on the same cores as server and store. Times end
with the last answer; the store catches up between rounds.
"""

import socket
import threading
import time
from collections.abc import Iterator

from . import processes
from .context import Bench
from .dataset import LATER, NAMES, external_id
from .figures import Figure, Result, over
from .ingest import CONNECTIONS, Sender, caught_up, check
from .load import STRIDE
from .processes import HOST, Served, Trouble

SIZES = (100, 1_000)  # items a body
SENDERS = 4
AWAY = 100_000_000  # seconds between the events of this measure and those of single POSTs
ANSWER_S = 60.0
ITEM = (
    '{"method":"post","data_type":"event","data":{"event_name":"event-%02d","user_id":"%s","created_at":%d,'
    '"metadata":{"plan":"team","seats":12,"path":"/settings"}}}'
)


def measure(bench: Bench) -> Result:
    sizes = bench.sizes
    data = bench.fresh("bulk")
    rates: dict[int, list[float]] = {items: [] for items in SIZES}
    single: list[float] = []
    numbers = _numbers(sizes.contacts)
    acknowledged = 0
    with processes.serving(data) as server:
        sender = Sender(server, sizes.contacts)
        bench.say("the first event of every contact")
        acknowledged += _send(server, _bodies(1_000, sizes.contacts, numbers))[0]
        caught_up(server)
        for number in range(sizes.rounds):
            bench.say(f"round {number + 1} of {sizes.rounds}")
            single.append(sender.send(sizes.round_s).rate)
            caught_up(server)
            for items in SIZES:
                count, took = _send(server, _bodies(items, sizes.imported // 2, numbers))
                acknowledged += count
                rates[items].append(count / took)
                caught_up(server)
    checked = check(data, acknowledged + sender.acknowledged)
    bench.drop(data)
    figures = [Figure(name=f"POST /events, {CONNECTIONS} connections", unit="events/s", values=single)]
    figures += [
        Figure(
            name=f"POST /bulk/events, {items:,} items a body, {SENDERS} connections",
            unit="events/s",
            values=values,
            ratios={"single": over(values, single)},
        )
        for items, values in rates.items()
    ]
    return Result(measure="bulk", figures=figures, notes=[checked])


def _numbers(contacts: int) -> Iterator[tuple[str, int, int]]:
    """Distinct (contact, name, second) without end, as load.Plan walks through them."""
    n = 0
    while True:
        yield external_id(n * STRIDE % contacts), n % NAMES, LATER - AWAY + n // contacts
        n += 1


def _bodies(items: int, events: int, numbers: Iterator[tuple[str, int, int]]) -> list[tuple[int, bytes]]:
    """Requests that hold so many events together, at least one; each with the number of its items."""
    made = []
    for _ in range(max(1, events // items)):
        rows = [ITEM % (name, user_id, second) for user_id, name, second in (next(numbers) for _ in range(items))]
        made.append((items, processes.request("POST", "/bulk/events", f'{{"items":[{",".join(rows)}]}}')))
    return made


def _send(server: Served, bodies: list[tuple[int, bytes]]) -> tuple[int, float]:
    """(events acknowledged, seconds). Raises Trouble for any answer that is not 202."""
    left, lock = list(reversed(bodies)), threading.Lock()
    counts: list[int] = []
    troubles: list[str] = []

    def run() -> None:
        with socket.create_connection((HOST, server.port), timeout=ANSWER_S) as connection:
            answers = connection.makefile("rb")
            while not troubles:
                with lock:
                    if not left:
                        return
                    items, request = left.pop()
                connection.sendall(request)
                status = answers.readline()
                length = 0
                while (line := answers.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                answer = answers.read(length)
                if not status.startswith(b"HTTP/1.1 202"):
                    troubles.append(f"{status!r} {answer[:200]!r}")
                    return
                counts.append(items)

    threads = [threading.Thread(target=run) for _ in range(SENDERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if troubles or sum(counts) != sum(items for items, _ in bodies):
        raise Trouble(f"a bulk was not answered 202: {troubles[:1]}")
    return sum(counts), took
