"""The side of a consumer that runs in a process of its own: it hears from its parent on stdin and answers on stdout.

In:   any line means: look now, as the journal has grown while this was idle, or somebody waits. The end of the stream means that
      the parent has ended, so this ends too.
Out:  `at CURSOR SAFE` after each batch, `idle CURSOR` when there was nothing more and it waits to be asked, `trouble MESSAGE` when a
      batch must be tried again.
"""

import os
import select
import signal
import sys

from ..errors import TrackrecordError
from .runner import Consumer, Source, run

SAID_MAX = 2_000  # characters of a message; the parent reads by lines of bounded length


class PipeProgress:
    """Progress over two file descriptors. Reading never blocks longer than asked, so the parent's end is noticed at once."""

    def __init__(self, hears: int, says: int) -> None:
        self._hears = hears
        self._says = says

    def reached(self, cursor: int, safe: int) -> None:
        self._say(f"at {cursor} {safe}\n")

    def idle(self, cursor: int) -> None:
        self._say(f"idle {cursor}\n")

    def failed(self, error: TrackrecordError) -> None:
        self._say(f"trouble {' '.join(str(error).split())[:SAID_MAX]}\n")

    def wait(self, timeout_s: float | None) -> bool:
        ready, _, _ = select.select([self._hears], [], [], timeout_s)
        return not ready or bool(os.read(self._hears, 65536))

    def _say(self, line: str) -> None:
        try:
            os.write(self._says, line.encode())
        except BrokenPipeError:
            os._exit(0)  # the parent is gone; everything handled is committed


def serve(consumer: Consumer, source: Source) -> None:
    """Run a consumer until the parent ends: that is the end of its input, whatever other signals reach the whole of a group."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run(consumer, source, PipeProgress(sys.stdin.fileno(), sys.stdout.fileno()))
