"""How a query compares values: each with its own kind and no other, texts without regard to case. Pure."""

from collections.abc import Callable, Collection
from typing import Any


def _kind(value: object) -> type | None:
    """What a value is compared as; None for what is compared with nothing."""
    if isinstance(value, bool):  # in Python, True is an int
        return bool
    if isinstance(value, (int, float)):
        return float
    return str if isinstance(value, str) else None


def _same(value: object, wanted: object) -> bool:
    """Whether two values are one. `wanted` is folded if it is a text; null is the same as no value."""
    if wanted is None or value is None:
        return value is wanted
    if _kind(value) is not _kind(wanted) or _kind(value) is None:
        return False
    return (value.casefold() if isinstance(value, str) else value) == wanted


def _text(compare: Callable[[str, str], bool]) -> Callable[[object, Any], bool]:
    return lambda value, wanted: isinstance(value, str) and compare(value.casefold(), wanted)


def _number(compare: Callable[[Any, Any], bool]) -> Callable[[object, Any], bool]:
    return lambda value, wanted: _kind(value) is float and compare(value, wanted)


# By operator, whether a value holds against the one asked for. The opposites of some are in OPPOSITE.
HOLDS: dict[str, Callable[[object, Any], bool]] = {
    "=": _same,
    "IN": lambda value, wanted: any(_same(value, one) for one in wanted),
    "<": _number(lambda value, wanted: value < wanted),
    ">": _number(lambda value, wanted: value > wanted),
    "<=": _number(lambda value, wanted: value <= wanted),
    ">=": _number(lambda value, wanted: value >= wanted),
    "~": _text(lambda value, wanted: wanted in value),
    "^": _text(str.startswith),
    "$": _text(str.endswith),
}
OPPOSITE = {"!=": "=", "NIN": "IN", "!~": "~"}


def matcher(operator: str, wanted: object) -> Callable[[Collection[object]], bool]:
    """Whether any of some values holds; for the opposites, whether none does the contrary."""
    holds = HOLDS[OPPOSITE.get(operator, operator)]
    if operator in OPPOSITE:
        return lambda values: not any(holds(value, wanted) for value in values)
    return lambda values: any(holds(value, wanted) for value in values)
