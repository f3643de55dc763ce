"""A file of lines as an import reads it: NDJSON or CSV, plain or gzip, or standard input.

Whatever form it has, what comes out is one JSON object a record, numbered by its first line in the file.
"""

import csv
import gzip
import hashlib
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import msgspec

from ..errors import ParameterInvalid, TrackrecordError

BLOCK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16  # what tells one file from another, together with its size
DELIMITERS = ",;\t"

# Cells that are numbers beyond doubt. 007, +49 30 1234 and 1e5 are not: they are ids, phones and hashes as often.
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,17}")
_TRUTHS = {"true": True, "false": False}


class InputUnusable(TrackrecordError):
    """The file cannot be read (further), or is no file of lines."""


class Record(NamedTuple):
    """`text` is a JSON object, or what should be one; or the error for which it cannot be read."""

    line: int
    text: bytes | TrackrecordError


class Input:
    """A file, or standard input for `-`. Raises InputUnusable, and OSError for a file that cannot be opened."""

    def __init__(self, name: str, *, form: str | None = None) -> None:
        self.name = name
        self._raw: IO[bytes] = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115 - closed by close()
        self._size = os.fstat(self._raw.fileno()).st_size if name != "-" else 0
        start = self._peek(self._raw)
        self._packed = start[:2] == b"\x1f\x8b"
        self._file: IO[bytes] = self._raw
        if self._packed:
            self._file = io.BufferedReader(gzip.GzipFile(fileobj=self._raw, mode="rb"), BLOCK_BYTES)
            start = self._peek(self._file)
        if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise InputUnusable(f"{name} is in UTF-16: save it as UTF-8")
        self.form = form or self._guess(start)

    @property
    def size(self) -> int | None:
        """Bytes of the file as it lies on disk; None for standard input."""
        return self._size if self.name != "-" else None

    def read_bytes(self) -> int:
        """How many of them were read so far."""
        return self._raw.tell() if self.name != "-" else 0

    def identity(self) -> str:
        """What tells this file from others: its size and how it begins."""
        with open(self.name, "rb") as file:
            return hashlib.sha256(b"%d " % self._size + file.read(HEAD_BYTES)).hexdigest()

    def records(self, *, longest: int) -> Iterator[Record]:
        """Every record that is not blank; one of more than `longest` bytes comes as its error, and the file goes on after it.

        Raises InputUnusable where the file is damaged; what came before is good.
        """
        try:
            yield from (_csv(self._file, longest) if self.form == "csv" else _ndjson(self._file, longest))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputUnusable(f"{self.name} is damaged, or ends too early: {error}. All that came before this place is in") from None

    def close(self) -> None:
        if self.name != "-":
            self._raw.close()

    def _peek(self, file: Any) -> bytes:
        try:
            return bytes(file.peek(BLOCK_BYTES))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputUnusable(f"{self.name} is damaged: {error}") from None

    def _guess(self, start: bytes) -> str:
        name = self.name.lower().removesuffix(".gz")
        if name.endswith((".csv", ".tsv")):
            return "csv"
        first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if first == b"[":
            raise InputUnusable(f"{self.name} holds a JSON list: an import wants one object a line, as jq -c '.[]' makes of it")
        if name.endswith((".ndjson", ".jsonl", ".json")):
            return "ndjson"
        return "ndjson" if first in (b"{", b"") else "csv"


def _too_long(longest: int) -> ParameterInvalid:
    return ParameterInvalid(f"the line is longer than {longest} bytes")


def _ndjson(file: IO[bytes], longest: int) -> Iterator[Record]:
    line, rest, skipping = 0, b"", False
    while block := file.read(BLOCK_BYTES):
        if not line and not rest:
            block = block.removeprefix(b"\xef\xbb\xbf")
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for text in parts:
            line += 1
            if skipping or len(text) > longest:
                yield Record(line, _too_long(longest))
                skipping = False
            elif text and not text.isspace():
                yield Record(line, text)
        if len(rest) > longest:
            skipping, rest = True, b""
    if skipping or len(rest) > longest:
        yield Record(line + 1, _too_long(longest))
    elif rest and not rest.isspace():
        yield Record(line + 1, rest)


# --- CSV -----------------------------------------------------------------------------------------------------------------


def _csv(file: IO[bytes], longest: int) -> Iterator[Record]:
    # Bytes that are no UTF-8 come through as lone surrogates, so that only their own row is refused.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        header = text.readline(longest)
        delimiter = max(DELIMITERS, key=header.count)
        csv.field_size_limit(longest)
        try:
            names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
        except csv.Error as error:
            raise InputUnusable(f"the header cannot be read: {error}") from None
        _check_header(names)
        rows = csv.reader(text, delimiter=delimiter)
        while True:
            line = rows.line_num + 2
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield Record(line, ParameterInvalid(f"the row cannot be read: {error}"))
                continue
            if any(cell.strip() for cell in row):
                yield Record(line, _object(names, row, longest))
    finally:
        text.detach()


def _check_header(names: list[str]) -> None:
    if not any(names):
        raise InputUnusable("a CSV file begins with a header that names its columns, such as user_id,event_name,created_at")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise InputUnusable(f"the header names {', '.join(sorted(twice))} twice")


def _object(names: list[str], row: list[str], longest: int) -> bytes | TrackrecordError:
    try:
        text = msgspec.json.encode(_fields(names, row))
    except UnicodeEncodeError:
        return ParameterInvalid("the row is not valid UTF-8")
    except TrackrecordError as error:
        return error
    return text if len(text) <= longest else _too_long(longest)


def _fields(names: list[str], row: list[str]) -> dict[str, Any]:
    """One row as the API's object. Raises ParameterInvalid for more cells than columns and for JSON that is none."""
    if len(row) > len(names):
        raise ParameterInvalid(f"the row has {len(row)} cells and the header {len(names)}: is a comma or a quote missing?")
    found: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=False):
        if not cell or not name:
            continue
        inside, dot, key = name.partition(".")
        if dot and inside in ("metadata", "custom_attributes"):
            held = found.setdefault(inside, {})
            if isinstance(held, dict):
                held[key] = _value(cell)
        elif name in ("metadata", "custom_attributes"):
            held = _json(name, cell)
            found[name] = held | found.get(name, {}) if isinstance(held, dict) else held
        elif name == "unsubscribed_from_emails":
            found[name] = _TRUTHS.get(cell.lower(), cell)
        else:
            found[name] = cell
    return found


def _json(name: str, cell: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ParameterInvalid(f"{name} must be a JSON object in one cell, got {cell[:40]!r}", field=name) from None


def _value(cell: str) -> Any:
    """A cell of metadata or custom attributes: a number, true or false, a JSON object, or the text as it stands."""
    if _WHOLE.fullmatch(cell):
        return int(cell)
    if _DECIMAL.fullmatch(cell):
        return float(cell)
    if cell.lower() in _TRUTHS:
        return _TRUTHS[cell.lower()]
    if cell[0] == "{":
        try:
            return msgspec.json.decode(cell, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return cell
    return cell
