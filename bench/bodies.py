"""Many events in a body: requests made beforehand, sent over a few connections, each as soon as the one before was answered.

A thousand events are one write of a connection and a few lines of an answer, so a sender in Python takes next to nothing of
the processor that the server needs, and sees each answer.
"""

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import processes
from .dataset import Sent
from .processes import HOST, Served, Trouble

SENDERS = 4
ANSWER_S = 60.0


class Body(NamedTuple):
    """One request, and how many events it has."""

    events: int
    request: bytes


def bulk(items: int, events: Iterator[Sent]) -> list[Body]:
    """POST /bulk/events, so many items each."""
    return _cut(
        items, events, lambda group: processes.request("POST", "/bulk/events", _ITEMS % b",".join(_ITEM % each.line for each in group))
    )


def imported(lines: int, events: Iterator[Sent]) -> list[Body]:
    """POST /-/api/import/events, so many lines each."""
    return _cut(lines, events, lambda group: processes.request("POST", "/-/api/import/events", b"\n".join(each.line for each in group)))


_ITEMS = b'{"items":[%s]}'
_ITEM = b'{"method":"post","data_type":"event","data":%s}'


def _cut(size: int, events: Iterator[Sent], made: Callable[[list[Sent]], bytes]) -> list[Body]:
    groups = iter(lambda: list(itertools.islice(events, size)), [])
    return [Body(len(group), made(group)) for group in groups]


def send(server: Served, bodies: list[Body]) -> float:
    """Seconds until the last one was answered. Raises Trouble for any answer that is no success."""
    left, lock = list(reversed(bodies)), threading.Lock()
    troubles: list[str] = []

    def run() -> None:
        try:
            with socket.create_connection((HOST, server.port), timeout=ANSWER_S) as connection, connection.makefile("rb") as answers:
                while not troubles:
                    with lock:
                        if not left:
                            return
                        body = left.pop()
                    connection.sendall(body.request)
                    status = answers.readline()
                    length = 0
                    while (line := answers.readline()) not in (b"\r\n", b""):
                        if line.lower().startswith(b"content-length:"):
                            length = int(line[15:])
                    answer = answers.read(length)
                    if not status.startswith(b"HTTP/1.1 20") or b'"refused":[{' in answer:
                        raise Trouble(f"{status!r} {answer[:200]!r}")
        except (OSError, Trouble) as trouble:
            troubles.append(str(trouble))

    threads = [threading.Thread(target=run) for _ in range(SENDERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles:
        raise Trouble(f"a body was not taken: {troubles[0]}")
    return time.perf_counter() - began
