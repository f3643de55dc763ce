"""A row of the journal, between records and bytes."""

import zlib
from collections.abc import Sequence

import msgspec

from ..rules.records import Record

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Record]).decode


class Damaged(Exception):
    """A row is not what was written."""


def encode_records(records: Sequence[Record]) -> tuple[int, bytes]:
    """The checksum of a row, and its bytes."""
    blob = _encode(records)
    return zlib.crc32(blob), blob


def decode_records(first: int, crc: int, blob: bytes) -> list[Record]:
    """The records of a row. Raises Damaged, naming its position."""
    if zlib.crc32(blob) != crc:
        raise Damaged(f"the row at position {first} is damaged: its checksum differs")
    try:
        return _decode(blob)
    except (msgspec.DecodeError, ValueError) as error:
        raise Damaged(f"the row at position {first} cannot be read: {error}") from None
