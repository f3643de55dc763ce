"""Which metadata an event keeps, and what kind each value is. To add a kind, add a row to KINDS and a case to its test.

Source: API reference, "Metadata Object" and "Metadata behaviour"; the contract, 2.1.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from ..errors import DataInvalid, TypeMismatch

NESTING_MAX = 16  # levels of lists and objects inside one value; ours, so that keeping and showing it stays cheap
DROPPED_NAMED_MAX = 100  # dropped keys named in a receipt; of the rest the number, by reason
KEY_SHOWN_MAX = 255  # characters of a dropped key's name in a receipt

# Help centre, article 175: characters a key may not have. They become "-", as in event names.
_FORBIDDEN = re.compile(r"""[.$~`!@#%^&*'{}|\\"\x00]""")
# Looks no further than the mark behind the ending: what follows is the sender's, and long.
_IMAGE = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|avif|bmp)(?:[?#]|$)", re.IGNORECASE)
_STRIPE = frozenset({"stripe_invoice", "stripe_customer", "stripe_charge"})

# What a stored letter means. Letters are on disk: never change one.
KINDS = {
    "s": "string",
    "n": "number",
    "b": "boolean",
    "d": "date",  # Unix seconds under a key that ends in _date
    "l": "link",
    "i": "image",
    "r": "rich_link",
    "m": "money",
    "t": "stripe",
    "x": "nested",  # any other object or list: kept as it came, shown, never compared
}

_COMPOUND = frozenset({dict, list})


class Kept(NamedTuple):
    """What is left of the metadata sent. `kinds` has one letter of KINDS a key, in order; `dropped` is (key, reason)."""

    values: dict[str, Any]
    kinds: str
    dropped: list[tuple[str, str]]


def _text(key: str, value: str) -> str:
    if value.startswith(("http://", "https://")):
        return "i" if _IMAGE.search(value) else "l"
    return "t" if key.lower() in _STRIPE else "s"


def _number(key: str, value: float) -> str:
    return "d" if key[-5:].lower() == "_date" else "n"


def _object(key: str, value: dict[str, Any]) -> str:
    if not _COMPOUND.isdisjoint(map(type, value.values())):
        return "x"
    if "url" in value and "value" in value and isinstance(value["url"], str):
        return "r"
    amount = value.get("amount")
    # Amounts come as floats and currencies in capitals from real senders, so neither is checked further.
    if isinstance(amount, (int, float)) and not isinstance(amount, bool) and isinstance(value.get("currency"), str):
        return "m"
    return "x"


# By the type JSON gave the value, the function that names its letter.
_LETTERS: dict[type, Callable[[str, Any], str]] = {
    str: _text,
    int: _number,
    float: _number,
    bool: lambda key, value: "b",
    dict: _object,
    list: lambda key, value: "x",
}


def kind_of(key: str, value: object) -> str:
    """Name the kind of a value: one of KINDS' words. Raises TypeMismatch for what JSON cannot carry."""
    letter = _LETTERS.get(type(value))
    if letter is None:
        raise TypeMismatch(f"metadata.{key} cannot be a {type(value).__name__}", field=f"metadata.{key}")
    return KINDS[letter(key, value)]


def letters_of(kept: dict[str, Any]) -> str:
    """The letters of metadata that was kept, as they were when it was: one a key, in order."""
    return "".join([_LETTERS[type(value)](key, value) for key, value in kept.items()])


def clean_key(key: str) -> str:
    """A key as it is kept: what it may not have is a dash."""
    return _FORBIDDEN.sub("-", key)


def _letter(key: str, value: Any, nested: bool, sent_key: str | None = None) -> str:
    """The letter of a value. Raises DataInvalid for a list, or an object that is neither rich link nor amount, as `keep` tells."""
    letter = _LETTERS[type(value)](key, value)
    if letter == "x":
        field = f"metadata.{(sent_key or key)[:KEY_SHOWN_MAX]}"
        if not nested:
            raise DataInvalid(f"{field} must be a string, number, boolean, rich link or amount", field=field)
        if _depth(value) > NESTING_MAX:
            raise DataInvalid(f"{field} nests deeper than {NESTING_MAX} levels", field=field)
    return letter


def _depth(value: object) -> int:
    """Levels of lists and objects, counted without recursion and no further than one past NESTING_MAX."""
    level: list[Any] = [value]
    depth = 0
    while depth <= NESTING_MAX:
        level = [item for item in level if isinstance(item, (dict, list))]
        if not level:
            break
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def keep(sent: dict[str, Any], *, limit: int, nested: bool) -> Kept:
    """Choose what is kept of the metadata sent, in the order sent.

    The first `limit` keys are kept (0 keeps all); the rest is dropped without an error, as the wire does. null is dropped
    but counts as a key. Keys that differ only in case or forbidden characters are one key: the last value, at the first
    place; those before it are named as dropped. Raises DataInvalid for an object or list that is neither rich link nor amount
    when `nested` is false, or that nests deeper than NESTING_MAX.
    """
    # Nearly always all keys stay as they are: none has a forbidden character, and no two are one.
    if not 0 < limit < len(sent) and all(map(str.isidentifier, sent)) and len({*map(str.casefold, sent)}) == len(sent):
        letters = "".join([_letter(key, value, nested) for key, value in sent.items() if value is not None])
        if len(letters) == len(sent):
            return Kept(sent, letters, [])
    values: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    dropped: list[tuple[str, str]] = []
    spelled: dict[str, str] = {}
    emptied = False
    came_as: dict[str, str] = {}  # how a kept key's value was sent, where that was not as it is kept
    for sent_key, value in sent.items():
        # An identifier has none of the forbidden characters, and most keys are identifiers.
        if sent_key.isidentifier():
            key = sent_key
        else:
            key = _FORBIDDEN.sub("-", sent_key)
            if key is not sent_key and key not in values:
                came_as[key] = sent_key
        first = spelled.setdefault(key.casefold(), key)
        if first != key or first in values:
            key = first
            if values.get(key) is not None:
                dropped.append((came_as.get(key, key)[:KEY_SHOWN_MAX], "same_key"))
            came_as[key] = sent_key
        elif limit and len(spelled) > limit:
            dropped.append((sent_key[:KEY_SHOWN_MAX], "past_limit"))
            del spelled[key.casefold()]
            continue
        if value is None:
            dropped.append((sent_key[:KEY_SHOWN_MAX], "null_value"))
            values[key], kinds[key] = None, ""  # keeps the place for another spelling that may come
            came_as.pop(key, None)
            emptied = True
            continue
        kinds[key] = _letter(key, value, nested, sent_key)
        values[key] = value
    if len(dropped) > DROPPED_NAMED_MAX:
        reasons = [reason for _, reason in dropped[DROPPED_NAMED_MAX:]]
        dropped[DROPPED_NAMED_MAX:] = [(f"and {reasons.count(reason)} more", reason) for reason in dict.fromkeys(reasons)]
    if emptied:
        values = {key: value for key, value in values.items() if value is not None}
    return Kept(values, "".join(kinds.values()), dropped)
