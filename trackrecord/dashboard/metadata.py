"""Metadata of events as pages show it: each value by its kind. Everything that comes out of here is safe to stand in a page."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup, escape

from ..rules.metadata import kind_of
from . import formats

BRIEF_KEYS = 4  # shown in one line
BRIEF_CHARACTERS = 80  # of each of them


class Shown(NamedTuple):
    key: str
    value: Markup
    kind: str  # in words


def _text(value: Any, zone: ZoneInfo) -> Markup:
    return Markup("<bdi>{}</bdi>").format(value)


def _code(value: Any, zone: ZoneInfo) -> Markup:
    return Markup("<code>{}</code>").format(msgspec.json.encode(value).decode())


def _link(value: Any, zone: ZoneInfo) -> Markup:
    return formats.link(value)


# How a value of each kind of rules/metadata.py is shown, and what the kind is called.
KINDS: dict[str, tuple[str, Callable[[Any, ZoneInfo], Markup]]] = {
    "string": ("text", _text),
    "number": ("number", lambda value, zone: escape(f"{value:,}")),
    "boolean": ("yes or no", lambda value, zone: escape("yes" if value else "no")),
    "date": ("date", formats.date),
    "link": ("link", _link),
    "image": ("image", _link),
    "rich_link": ("link", lambda value, zone: formats.link(value["url"], _words(value["value"]))),
    "money": ("money", lambda value, zone: escape(formats.money(value["amount"], value["currency"]))),
    "stripe": ("Stripe", _text),
    "nested": ("nested", _code),
}


def _words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def by_kind(metadata: Mapping[str, Any], zone: ZoneInfo) -> list[Shown]:
    """In the order sent."""
    found = []
    for key, value in metadata.items():
        words, show = KINDS[kind_of(key, value)]
        found.append(Shown(key, show(value, zone), words))
    return found


def brief(metadata: Mapping[str, Any], zone: ZoneInfo) -> Markup:
    """The first values in one line, each kept to itself, whichever way it is written."""
    first = by_kind(dict(list(metadata.items())[:BRIEF_KEYS]), zone)
    parts = [Markup("<bdi>{}</bdi> <bdi>{}</bdi>").format(_short(each.key), _short(each.value.striptags())) for each in first]
    return Markup(" · ").join(parts) + (" …" if len(metadata) > BRIEF_KEYS else "")


def _short(text: str) -> str:
    return text if len(text) <= BRIEF_CHARACTERS else text[: BRIEF_CHARACTERS - 1] + "…"
