"""Metadata as people read it: dates as dates, money as money, links as links."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from ..rules.metadata import KINDS
from . import output

if TYPE_CHECKING:
    from rich.text import Text


def values(metadata: bytes, kinds: str) -> Iterator[tuple[str, str, str | None]]:
    """(key, its value in words, the address it leads to) for each key kept."""
    held: dict[str, Any] = msgspec.json.decode(metadata) if metadata else {}
    for (key, value), letter in zip(held.items(), kinds, strict=False):
        try:
            words, address = _shown(value, KINDS.get(letter, "nested"))
        except (ValueError, OverflowError):  # a number that no date or amount has
            words, address = msgspec.json.encode(value).decode(), None
        yield output.safe(key), output.safe(words), address


def _shown(value: Any, kind: str) -> tuple[str, str | None]:
    if kind == "date":
        return output.moment(int(value)) if abs(value) < 1 << 40 else str(value), None
    if kind == "money":
        return f"{value['amount'] / 100:,.2f} {value['currency'].upper()}", None
    if kind in ("link", "image"):
        return value, value
    if kind == "rich_link":
        return str(value["value"]), value["url"]
    if kind == "boolean":
        return "true" if value else "false", None
    if kind == "nested":
        return msgspec.json.encode(value).decode(), None
    return str(value), None


def plain(metadata: bytes, kinds: str) -> str:
    """All in one line; where an address is not what is shown, it follows in brackets."""
    return ", ".join(
        f"{key}: {words}" + (f" <{output.safe(address)}>" if address is not None and address != words else "")
        for key, words, address in values(metadata, kinds)
    )


def rich(metadata: bytes, kinds: str) -> "Text":
    """For a terminal: keys dim, and what leads somewhere can be clicked."""
    from rich.style import Style
    from rich.text import Text

    text = Text()
    for key, words, address in values(metadata, kinds):
        text.append(" " if text else "")
        text.append(f"{key} ", style="dim")
        safe_link = address if address is not None and address.startswith(("http://", "https://")) else None
        text.append(words, style=Style(link=output.safe(safe_link), underline=True) if safe_link else "")
        text.append(" ·", style="dim")
    text.right_crop(2)
    return text
