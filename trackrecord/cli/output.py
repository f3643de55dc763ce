"""What is printed: tables for people at a terminal, the same in plain columns for pipes, JSON for programs."""

import re
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")  # and what turns the direction of writing


def console(file: "IO[str] | None" = None) -> "Console":
    """Where a person reads. Nothing is guessed from words: no colours for numbers, no markup in customers' data."""
    from rich.console import Console

    return Console(file=file or sys.stdout, highlight=False, markup=False, emoji=False)


def json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def safe(text: str) -> str:
    """Without control characters: what a customer sent must not steer the terminal of who looks at it."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def moment(seconds: int | None) -> str:
    """Whole Unix seconds as people read them, UTC; empty for None."""
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: frozenset[str] = frozenset()) -> None:
    """Rows of str or rich Text. At a terminal the last column wraps within its width; in a pipe a row is a line."""
    if sys.stdout.isatty():
        _rich_table(columns, rows, right)
        return
    plain = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(columns, *plain, strict=True)]
    for row in (list(columns), *plain):
        cells = [
            " " * (width - _width(cell)) + cell if name in right else cell + " " * (width - _width(cell))
            for name, cell, width in zip(columns, row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], right: frozenset[str]) -> None:
    from rich import box
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        shown.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name != columns[-1])
    for row in rows:
        shown.add_row(*row)
    console().print(shown)


def _width(text: str) -> int:
    """Columns a text takes at a terminal."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def size(count: int) -> str:
    """Bytes as people read them."""
    if count < 1000:
        return f"{count} B"
    value, unit = count / 1000, "kB"
    for larger in ("MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.{0 if value >= 99.5 else 1}f} {unit}"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 event`, `2,000 events`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
