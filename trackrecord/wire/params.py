"""Single query parameters, read alike for every noun."""

from collections.abc import Sequence

from ..errors import ParameterInvalid

Query = Sequence[tuple[str, str]]

FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


def last(query: Query, name: str) -> str | None:
    """The last value of a parameter; None when it is absent or empty."""
    return next((value for key, value in reversed(query) if key == name), None) or None


def refuse_empty(query: Query, *names: str) -> None:
    """Raises ParameterInvalid for one of these parameters that came without a value: what was looked for is by no means everything."""
    for name in names:
        if last(query, name) is None and any(key == name for key, _ in query):
            raise ParameterInvalid(f"{name} must not be empty", field=name)


def flag(query: Query, name: str) -> bool:
    """A yes or no, in any case; no when it is absent. Raises ParameterInvalid."""
    text = (last(query, name) or "").strip()
    found = FLAGS.get(text.lower())
    if found is None:
        raise ParameterInvalid(f"{name} must be true or false, got {text[:40]!r}", field=name)
    return found


def whole(query: Query, name: str, *, default: int, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most`; one out of range is taken as the nearest within it. Raises ParameterInvalid."""
    text = (last(query, name) or "").strip()
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise ParameterInvalid(f"{name} must be a whole number from {least} to {most}, got {text[:40]!r}", field=name)
    return max(least, min(most, int(text[:20])))


def word(query: Query, name: str, words: Sequence[str]) -> str | None:
    """One of some words, in any case; None when it is absent. Raises ParameterInvalid."""
    text = (last(query, name) or "").strip()
    if text and text.lower() not in words:
        raise ParameterInvalid(f"{name} must be {' or '.join(words)}, got {text[:40]!r}", field=name)
    return text.lower() or None
