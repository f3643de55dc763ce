"""Targets of what stands on the disk, and of how work grows with its input."""

import time
import zlib
from collections.abc import Callable
from contextlib import suppress

from trackrecord.errors import RequestError
from trackrecord.journal.codec import Damaged, decode_records, encode_records

from . import bodies, heads

SHORT, LONG = 1 << 15, 1 << 17  # bytes of the two inputs that are compared
QUICK_S = 0.1  # of the longer one: below this nothing is told
STEEPER = 3.0  # times what four times the input may take more than four times as long


def journal(data: bytes) -> None:
    """A row is what was written, or Damaged: by its checksum, or because no record stands there."""
    for crc in (zlib.crc32(data), zlib.crc32(data) ^ 1):
        try:
            records = decode_records(1, crc, data)
        except Damaged:
            continue
        assert crc == zlib.crc32(data)
        assert decode_records(1, *encode_records(records)) == records


# Where a piece, again and again, makes a long input: what stands before and behind it, and the target that reads it.
PLACES: tuple[tuple[bytes, bytes, Callable[[bytes], None]], ...] = (
    (b'{"user_id":"u","event_name":"e","metadata":{"a":"https://', b'"}}', bodies.event),
    (b'{"user_id":"u","event_name":"e","metadata":{"', b'":1}}', bodies.event),
    (b'{"user_id":"u","event_name":"e","metadata":{"a":[', b"]}}", bodies.event),
    (b'{"user_id":"u","event_name":"', b'"}', bodies.event),
    (b'{"user_id":"u","event_name":"e","created_at":"', b'"}', bodies.event),
    (b'{"items":[{"method":"post","data":{"email":"', b'"}}]}', bodies.bulk),
    (b'{"email":"', b'"}', bodies.people),
    (b'{"id":"', b'","custom_attributes":{"a":"b"}}', bodies.people),
    (b'{"query":{"field":"email","operator":"~","value":"', b'"}}', bodies.search),
    (b'{"query":{"operator":"AND","value":[', b"]}}", bodies.search),
    (b"", b"", heads.headers),
    (b"Basic ", b"", heads.headers),
    (b"", b"", heads.query),
    (b"filter=", b"", heads.query),
    (b"1-", b"", heads.cursor),
)


def growth(data: bytes) -> None:
    """The first byte chooses the place, the rest is the piece. Time is the process's own, and what is quick is not looked at."""
    if len(data) < 2:
        return
    before, behind, read = PLACES[data[0] % len(PLACES)]
    piece = data[1:65]
    spent = []
    for size in (SHORT, LONG):
        sent = before + piece * (size // len(piece)) + behind
        began = time.process_time()
        with suppress(RequestError):
            read(sent)
        spent.append(time.process_time() - began)
        if size == SHORT and spent[0] > 10 * QUICK_S:
            raise AssertionError(f"{size} bytes took {spent[0]:.1f} s")
    assert spent[1] < QUICK_S or spent[1] < spent[0] * (LONG // SHORT) * STEEPER, (
        f"{SHORT} bytes took {spent[0]:.3f} s, {LONG} {spent[1]:.3f} s"
    )
