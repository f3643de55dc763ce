"""A load generator in Python: an Order as JSON in a file, a Load as JSON on stdout. load.py says when it is used.

python -m bench.load_python ORDER
"""

import asyncio
import gc
import sys
import time
from collections import deque
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from .load import Order
from .processes import HOST

TICK_S = 0.001  # how often a paced load looks for requests that are due
PATIENCE_S = 10.0  # for the first answer, and for the last ones


class Sending:
    """The whole load: which numbers are out, what came back when."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.next = order.start
        self.latencies: list[float] = []
        self.failed = 0
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.stopped = False

    def take(self) -> bytes:
        self.next += 1
        return self.order.plan.request(self.next - 1)

    def free(self, connection: "Connection") -> None:
        """A connection has nothing to do: give it what is due, or in an unpaced load the next at once."""
        if self.stopped:
            return
        if self.order.rate is None:
            connection.send(time.perf_counter())
        elif self.due:
            connection.send(self.due.popleft())
        else:
            self.idle.append(connection)

    async def pace(self, rate: float, until: float) -> None:
        began = time.perf_counter()
        made = 0
        while (now := time.perf_counter()) < until:
            while began + made / rate <= now:
                due = began + made / rate
                made += 1
                if self.idle:
                    self.idle.popleft().send(due)
                else:
                    self.due.append(due)
            await asyncio.sleep(TICK_S)


class Connection(asyncio.Protocol):
    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._transport: asyncio.Transport
        self._buffer = b""
        self._since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, since: float) -> None:
        if self._transport.is_closing():
            self._sending.failed += 1
            return
        self._since = since
        self._transport.write(self._sending.take())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0 or self._since is None:
            return
        length = self._buffer.lower().find(b"content-length:", 0, head)
        size = int(self._buffer[length + 15 : self._buffer.find(b"\r\n", length)]) if length >= 0 else 0
        if len(self._buffer) < head + 4 + size:
            return
        self._sending.latencies.append(time.perf_counter() - self._since)
        self._sending.failed += not self._buffer.startswith(b"HTTP/1.1 2")
        self._buffer, self._since = b"", None
        self._sending.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sending.failed += self._since is not None
        self._since = None

    @property
    def waiting(self) -> bool:
        return self._since is not None

    def close(self) -> None:
        self._transport.close()


async def send(order: Order) -> dict[str, float]:
    sending = Sending(order)
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(sending), HOST, order.port) for _ in range(order.connections)]
    connections = [protocol for _, protocol in made]
    began = time.perf_counter()
    for connection in connections:
        sending.free(connection)
    if order.rate is None:
        await asyncio.sleep(order.seconds)
    else:
        await sending.pace(order.rate, began + order.seconds)
    while not sending.latencies and time.perf_counter() < began + PATIENCE_S:  # noqa: ASYNC110 - a short load of a busy machine
        await asyncio.sleep(TICK_S)
    sending.stopped = True
    took = time.perf_counter() - began
    done = len(sending.latencies)  # what is answered later was sent in time, but belongs to no rate
    sending.latencies += [time.perf_counter() - due for due in sending.due]  # never sent: at least as late as this
    while any(connection.waiting for connection in connections) and time.perf_counter() < began + took + PATIENCE_S:  # noqa: ASYNC110
        await asyncio.sleep(TICK_S)
    sending.failed += sum(connection.waiting for connection in connections)
    for connection in connections:
        connection.close()
    times = sorted(sending.latencies) or [0.0]
    return {
        "requests": done,
        "seconds": took,
        "failed": sending.failed,
        "p50_ms": times[len(times) // 2] * 1000,
        "p99_ms": times[len(times) * 99 // 100] * 1000,
        "longest_ms": times[-1] * 1000,
    }


def main() -> None:
    order = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Order)
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(msgspec.json.encode(runner.run(send(order))).decode())


if __name__ == "__main__":
    main()
