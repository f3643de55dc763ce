"""The directory that grows, and what is measured in it on the way. growth.py says why.

At each mark a window of events is measured in two ways: by the store's `append` alone, in the batches that its writer would
hand over, with nothing else at work; and on the whole way, sent to a server in bodies of a thousand, until reads see the
last. Then pages are read. What lies between two marks is filled in by `append` in larger batches, which is quicker.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from trackrecord import engines
from trackrecord.consumers.runner import BATCH_RECORDS

from . import bodies, load, plans, processes
from .dataset import People, Stream, size
from .figures import Point
from .keeping import caught_up
from .load import Order
from .processes import cpu_s

HALF, WHOLE = 10, 20  # marks are twentieths of the whole growth: the bars are for that to twenty million
FILL_RECORDS = 50_000
PAGE_S = 2.0
ITEMS = 1_000  # a body, the most that bulk takes


class _Served(NamedTuple):
    """What of a Point is measured through a server."""

    acknowledged: float
    through: float
    server_cpu_us: float | None
    writer_cpu_us: float | None
    page_p99_ms: float


class Grown:
    """A data directory that grows; what is measured on the way stands in `points`."""

    def __init__(self, path: Path, people: People, *, events: int, marks: Sequence[int], window: int, say: Callable[[str], None]) -> None:
        """`events` are those at the end; at each of `marks` rates are measured over `window` of them."""
        self.path = path
        self.people = people
        self.points: list[Point] = []
        self._stream = Stream(people, events * HALF // WHOLE)
        self._marks = [events * mark // WHOLE for mark in marks]
        self._window = window
        self._say = say

    @property
    def events(self) -> int:
        return self._stream.taken

    def to(self, count: int) -> None:
        """Grow to so many events, and measure at marks on the way."""
        for mark in self._marks:
            if self.events < mark <= count:
                self._fill(mark - 2 * self._window - self._window // 10)
                self.points.append(self._point(mark))
        self._fill(count)

    def copy(self, name: str) -> tuple[Path, Stream]:
        """The directory as it is now under a name of its own, and the events that come next."""
        return Path(shutil.copytree(self.path, self.path.with_name(name))), self._stream.fork()

    def _fill(self, until: int) -> None:
        if until > self.events:
            self._say(f"filling to {until:,} events")
        with contextlib.closing(engines.open_store(self.path)) as store:
            while self.events < until:
                store.append(store.cursor() + 1, self._stream.records(min(FILL_RECORDS, until - self.events)))
            store.sync()

    def _point(self, mark: int) -> Point:
        append, append_cpu_us = self._append(self._window)
        served = self._through(mark - self.events - self._window, self._window)
        point = Point(
            events=self.events,
            append=append,
            append_cpu_us=append_cpu_us,
            store_bytes=size(self.path / engines.STORE_FILE) / self.events,
            **served._asdict(),
        )
        self._say(
            f"at {point.events:,}: append {append:,.0f}/s and {append_cpu_us:.1f} µs, acknowledged {point.acknowledged:,.0f}/s, "
            f"through {point.through:,.0f}/s, {point.store_bytes:.0f} bytes an event, p99 of a page {point.page_p99_ms:.2f} ms"
        )
        return point

    def _append(self, count: int) -> tuple[float, float]:
        """Events a second, and processor time an event. The batches are made beforehand."""
        batches = [self._stream.records(min(BATCH_RECORDS, count - start)) for start in range(0, count, BATCH_RECORDS)]
        with contextlib.closing(engines.open_store(self.path)) as store:
            began, cpu_began = time.perf_counter(), time.process_time()
            for batch in batches:
                store.append(store.cursor() + 1, batch)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
            store.sync()
        return count / took, cpu / count * 1e6

    def _through(self, warm: int, count: int) -> _Served:
        warming, measured = (bodies.bulk(ITEMS, self._stream.take(each)) for each in (warm, count))
        with processes.serving(self.path) as server:
            pids = server.pid, server.store_pid()
            bodies.send(server, warming)
            caught_up(server)
            before = [cpu_s(pid) for pid in pids]
            acknowledged_s = bodies.send(server, measured)
            through_s = acknowledged_s + caught_up(server)
            after = [cpu_s(pid) for pid in pids]
            page = load.run(Order(plans.page(len(self.people.contacts)), server.port, 1, PAGE_S))
        server_us, writer_us = (
            (end - start) / count * 1e6 if start is not None and end is not None else None for start, end in zip(before, after, strict=True)
        )
        return _Served(count / acknowledged_s, count / through_s, server_us, writer_us, page.p99_ms)
