"""A flood: hundreds of connections that send on whether they are answered or not, each for a person of its own.

What was answered goes to the oracle as from any sender. Every answer is looked at: 202, or 429 or 503 with a Retry-After in whole
seconds. A connection that is closed after such a refusal is made anew; what it had sent and got no answer to may be kept or not.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import uvloop

from .load import COPIES_A_SENDER, EPOCH
from .oracle import Key, Oracle, Person
from .server import DEADLINE_S, TOKEN, Client

TICK_S = 0.05
TICKS_AHEAD = 4  # in so many ticks a connection sends as much as it ever has unanswered
HONEST = (429, 503)
PEOPLE_A_REQUEST = 200
FIRST_SENDER = 1_000  # numbers of copies and of people below are those of other loads


class Flooded:
    """What came of a flood."""

    def __init__(self) -> None:
        self.sent = 0
        self.answers: Counter[int] = Counter()
        self.waited_s: list[float] = []  # of each that was acknowledged, from its being written to its answer

    def waited_ms(self, share: float) -> float:
        """The time within which this share of the acknowledged had their answers."""
        ordered = sorted(self.waited_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else 0.0


class _Connection(asyncio.Protocol):
    def __init__(self, person: Person, copies: "Copies", oracle: Oracle, flooded: Flooded) -> None:
        self._person, self._copies, self._oracle, self._flooded = person, copies, oracle, flooded
        self._waiting: deque[tuple[Key, int, float]] = deque()
        self._read = b""
        self._transport: Any
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @property
    def waits(self) -> int:
        return len(self._waiting)

    def send(self, many: int) -> None:
        if self._transport.is_closing():
            return
        requests = []
        for _ in range(many):
            copy = self._copies.next()
            key = Key("flooded", EPOCH + copy % COPIES_A_SENDER)
            self._waiting.append((key, copy, time.monotonic()))
            body = b'{"user_id":"%b","event_name":"%b","created_at":%d,"metadata":{"n":%d}}' % (
                str(self._person.external_id).encode(), key.name.encode(), key.created_at, copy,
            )  # fmt: skip
            requests.append(HEAD % len(body) + body)
        self._flooded.sent += len(requests)
        self._transport.write(b"".join(requests))

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            status, headers = _head(self._read[:end])
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            self._answered(status, headers)

    def _answered(self, status: int, headers: dict[str, str]) -> None:
        self._flooded.answers[status] += 1
        if not self._waiting:
            self._oracle.found("answers", f"an answer {status} to nothing that was sent")
            return
        key, copy, sent_at = self._waiting.popleft()
        if status == 202:
            self._flooded.waited_s.append(time.monotonic() - sent_at)
            self._person.acknowledged(key, copy)
            self._oracle.told(copy, int(headers["trackrecord-receipt"]))
            return
        self._oracle.refused.add(copy)
        self._oracle.count(refusals=1)
        if status not in HONEST or not headers.get("retry-after", "").isdigit():
            self._oracle.found("answers", f"a flood was answered {status} {headers}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._oracle.count(unanswered=len(self._waiting))
        self._oracle.lost.update(copy for _, copy, _ in self._waiting)
        for key, copy, _ in self._waiting:
            self._person.unanswered(key, copy)
        self._waiting.clear()
        self.lost.set_result(None)

    def close(self) -> None:
        self._transport.close()


class Copies:
    """Numbers for copies, as those of other senders; they last over connections."""

    def __init__(self, sender: int) -> None:
        self._last = sender * COPIES_A_SENDER

    def next(self) -> int:
        self._last += 1
        return self._last


HEAD = (
    b"POST /events HTTP/1.1\r\nHost: flood\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\nContent-Length: %%d\r\n\r\n"
    % TOKEN.encode()
)


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ", 2)[1]), {name.lower(): value.strip() for name, _, value in pairs}


def people(url: str, oracle: Oracle, count: int, *, first: int = FIRST_SENDER) -> list[Person]:
    """Make so many users that nobody else speaks of, known to the oracle."""
    made = [Person(f"flood-{number}", f"{number:024x}") for number in range(first, first + count)]
    with Client(url) as client:
        for start in range(0, count, PEOPLE_A_REQUEST):
            lines = [
                {"id": person.id, "role": "user", "external_id": person.external_id, "created_at": EPOCH, "updated_at": EPOCH}
                for person in made[start : start + PEOPLE_A_REQUEST]
            ]
            status, _, answer = client.ask("POST", "/-/api/import/contacts", lines="\n".join(map(json.dumps, lines)))
            if status != 200 or answer["new"] != len(lines):
                raise AssertionError(f"people could not be made: {status} {answer}")
    return [oracle.add(person) for person in made]


def flood(url: str, oracle: Oracle, of: Sequence[Person], *, ahead: int, seconds: float, first: int = FIRST_SENDER) -> Flooded:
    """Send for some seconds, each up to `ahead` requests before their answers; then wait for the answers to all of them.

    `first` is the number of the first sender: no other of this oracle may have it, as copies are told apart by it.
    """
    return uvloop.run(_flood(url, oracle, of, ahead=ahead, seconds=seconds, first=first))


async def _flood(url: str, oracle: Oracle, of: Sequence[Person], *, ahead: int, seconds: float, first: int) -> Flooded:
    flooded, loop, address = Flooded(), asyncio.get_running_loop(), urlsplit(url)
    open_now: dict[int, _Connection] = {}
    ending = asyncio.Event()

    async def keep(number: int, person: Person) -> None:
        copies = Copies(first + number)
        while not ending.is_set():
            connection = _Connection(person, copies, oracle, flooded)
            try:
                await loop.create_connection(lambda connection=connection: connection, address.hostname, address.port)
            except OSError:  # the server has ended
                return
            open_now[number] = connection
            await connection.lost

    tasks = [asyncio.create_task(keep(number, person)) for number, person in enumerate(of)]
    until = time.monotonic() + seconds
    while time.monotonic() < until and not all(task.done() for task in tasks):
        for connection in list(open_now.values()):
            connection.send(min(max(1, ahead // TICKS_AHEAD), ahead - connection.waits))
        await asyncio.sleep(TICK_S)
    ending.set()
    deadline = time.monotonic() + DEADLINE_S
    answered = sum(flooded.answers.values())
    while any(connection.waits for connection in open_now.values()) and time.monotonic() < deadline:
        await asyncio.sleep(TICK_S)
        if sum(flooded.answers.values()) > answered:  # hanging is where no answer comes at all
            answered, deadline = sum(flooded.answers.values()), time.monotonic() + DEADLINE_S
    if hanging := sum(connection.waits for connection in open_now.values()):
        oracle.found("answers", f"{hanging} requests of a flood have no answer although nothing more is sent")
    for connection in open_now.values():
        connection.close()
    await asyncio.gather(*tasks)
    return flooded
