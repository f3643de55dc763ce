"""How far an import is, for whoever watches: a bar at a terminal, a line now and then elsewhere. On stderr."""

import sys
import time
from types import TracebackType
from typing import Any, Self

LINE_EVERY_S = 10.0  # between lines where there is no terminal


class Watched:
    """`size` is the file's, in bytes; None where it is not known."""

    def __init__(self, name: str, size: int | None) -> None:
        self._name = name
        self._size = size
        self._bar: Any = None
        self._task: Any = None
        self._started = self._told = time.monotonic()
        self._first = 0  # lines before this run
        if sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            from .output import console

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=None),
                TaskProgressColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(compact=True),
                console=console(sys.stderr),
                transient=True,
            )
            self._task = self._bar.add_task(name, total=size, rate="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, lines: int) -> None:
        """`lines` were done before: they say nothing of how fast this run is."""
        self._started, self._first = time.monotonic(), lines

    def reached(self, lines: int, read_bytes: int) -> None:
        now = time.monotonic()
        rate = (lines - self._first) / max(now - self._started, 0.001)
        if self._bar is not None:
            self._bar.update(self._task, completed=read_bytes, rate=f"{lines:,} lines, {rate:,.0f}/s")
        elif now - self._told > LINE_EVERY_S:
            self._told = now
            part = f" ({100 * read_bytes // self._size} %)" if self._size else ""
            print(f"{self._name}: {lines:,} lines{part}, {rate:,.0f} a second", file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        """Something that the person who waits should know."""
        if self._bar is not None:
            self._bar.console.print(text, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)
