"""Passwords as they are kept: Argon2id with the library's parameters. Slow and large on purpose, so never on the event loop."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher


@cache
def _hasher() -> "PasswordHasher":
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash("a password that nobody has")


def hashed(password: str) -> str:
    return _hasher().hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether a password is the one kept. Without one it takes as long, and is not."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        right = _hasher().verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # the last: halves of letters, which no password has
        return False
    return right and kept is not None


def outdated(kept: str) -> bool:
    """Whether it was kept with other parameters than are used now."""
    return _hasher().check_needs_rehash(kept)
