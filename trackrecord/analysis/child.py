"""The process that has the columns: hears questions on stdin, answers on stdout (frames.py), one after the other."""

import logging
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..errors import TrackrecordError
from ..stores.base import EventReader
from . import frames
from .questions import QUESTIONS
from .records import Records

log = logging.getLogger("trackrecord.analysis")

IDLE_S = 900.0  # without a question, after which the process ends; the next question starts another
NICE = 5  # behind the server and the store's writer, where all of them want the processor
PROGRESS_S = 0.2  # between words about how far the columns are


class Ended(Exception):
    """The server has ended, or wants this to."""


class Pipes:
    """Frames over two file descriptors."""

    def __init__(self, hears: int, says: int) -> None:
        self._hears = hears
        self._says = says
        self._got = bytearray()

    def hear(self, timeout_s: float) -> Any:
        """The next message; None when none has come in time. Raises Ended."""
        while True:
            head = self._got[: frames.LENGTH_BYTES]
            end = frames.LENGTH_BYTES + frames.length(bytes(head))
            if len(head) == frames.LENGTH_BYTES and len(self._got) >= end:
                body = bytes(self._got[frames.LENGTH_BYTES : end])
                del self._got[:end]
                return frames.decode(body, _as_numbers)
            if not self.more(timeout_s):
                return None

    def more(self, timeout_s: float) -> bool:
        """Take what there is to hear; False when nothing has come in time. Raises Ended."""
        if not select.select([self._hears], [], [], timeout_s)[0]:
            return False
        some = os.read(self._hears, 1 << 20)
        if not some:
            raise Ended
        self._got += some
        return True

    def say(self, message: Any) -> None:
        left = memoryview(frames.frame(message, _plain))
        try:
            while left:
                left = left[os.write(self._says, left) :]
        except BrokenPipeError:
            raise Ended from None


def serve(reader: EventReader, folder: Path, *, idle_s: float = IDLE_S) -> None:
    """Answer until the server ends, or asks nothing for so long. What was read from the store is saved on the way out."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICE)
    pipes = Pipes(sys.stdin.fileno(), sys.stdout.fileno())
    said_at = 0.0

    def told(text: str) -> None:
        nonlocal said_at
        pipes.more(0)  # notices when the server has ended
        if time.monotonic() - said_at > PROGRESS_S:
            said_at = time.monotonic()
            pipes.say(["progress", text])

    records = Records(reader, folder, told=told)
    try:
        while (asked := pipes.hear(idle_s)) is not None:
            pipes.say(_answer(records, *asked))
    except Ended:
        pass
    records.save()


def _answer(records: Records, number: int, question: str, arguments: dict[str, Any], cursor: int) -> list[Any]:
    try:
        records.catch_up(cursor)
        return ["answer", number, QUESTIONS[question](records, **arguments)]
    except TrackrecordError as error:
        return ["failed", number, error.message]
    except Ended:
        raise
    except Exception:
        log.exception("%s could not be answered", question)
        return ["failed", number, f"{question} could not be answered; the server's log says why"]


def _plain(value: Any) -> Any:
    """What numpy's values go as."""
    if isinstance(value, np.ndarray):
        code, dtype = (frames.WHOLE, np.int64) if value.dtype.kind in "iub" else (frames.FRACTIONS, np.float64)
        return msgspec.msgpack.Ext(code, np.ascontiguousarray(value, dtype).tobytes())
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is no answer")


def _as_numbers(code: int, data: memoryview) -> Any:
    return np.frombuffer(bytes(data), np.int64 if code == frames.WHOLE else np.float64)
