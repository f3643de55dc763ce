"""Who may sign in to the dashboard, what each may do there, and what a password must be. Pure."""

import re
from collections.abc import Iterable

import msgspec

from ..errors import DataInvalid, ParameterInvalid
from .contacts import address, fold_email
from .directory import SCOPES, Token, Workspace

# What each role may do, as scopes: a page asks the API with them, as whoever has a token of these scopes would.
ROLES: dict[str, frozenset[str]] = {
    "admin": frozenset(SCOPES),
    "viewer": frozenset({"read_events", "read_contacts", "read_tags", "read_requests"}),
}

EMAIL_MAX = 254  # characters. Source: RFC 5321, 4.5.3.1.3
NAME_MAX = 255  # characters. Ours
PASSWORD_MIN = 10  # characters. Ours
PASSWORD_MAX_BYTES = 256  # in UTF-8. Ours: hashing is made slow on purpose, and nobody types more
PASSWORD_LETTERS_MIN = 4  # different ones
# Long enough, and what everybody tries first.
WORST = frozenset(
    {
        *("0123456789", "1234567890", "0987654321", "12345678910", "1234567891", "123456789a", "1q2w3e4r5t", "1q2w3e4r5t6y"),
        *("qwertyuiop", "qwerty12345", "qwerty123456", "qwertzuiop", "asdfghjkl;", "abcdefghij", "abcd123456", "a123456789"),
        *("password12", "password123", "password1234", "password12345", "passw0rd123", "passwordpassword", "mypassword"),
        *("administrator", "admin12345", "admin123456", "changeme123", "changemenow", "letmein123", "welcome123", "iloveyou123"),
        *("trackrecord", "trackrecord1", "trackrecord123", "correcthorsebatterystaple"),
    }
)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in. Not an admin of the wire: those come with a workspace, and stand for what tokens do."""

    number: int
    email: str
    name: str
    created_at: int  # whole Unix seconds
    disabled_at: int | None = None
    has_password: bool = True  # False until the first one-time link was used

    @property
    def able(self) -> bool:
        """Whether it could sign in now."""
        return self.disabled_at is None and self.has_password


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is in one workspace."""

    workspace: Workspace
    role: str  # a key of ROLES

    @property
    def changes(self) -> bool:
        """Whether it may change settings."""
        return self.role == "admin"


def token_of(account: Account, membership: Membership) -> Token:
    """What a page asks the API with. It is kept nowhere, and its id, the account's number below zero, is no other token's."""
    return Token(
        id=-account.number,
        workspace=membership.workspace.number,
        name=account.email,
        digest=b"",
        hint="",
        scopes=ROLES[membership.role],
        created_at=account.created_at,
    )


def check_role(role: str) -> str:
    """Raises ParameterInvalid for what is none."""
    if role not in ROLES:
        raise ParameterInvalid(f"role must be {' or '.join(ROLES)}, got {role[:40]!r}", field="role")
    return role


def read_email(text: str) -> str:
    """The address without blanks around it. Raises ParameterInvalid for what is no address."""
    email = address(text, "email")
    if email is None:
        raise ParameterInvalid("email is missing: an address such as joe@example.com", field="email")
    if len(email) > EMAIL_MAX:
        raise ParameterInvalid(f"email may have {EMAIL_MAX} characters, got {len(email)}", field="email")
    return str(email)


def read_name(text: str, *, email: str) -> str:
    """The name without blanks around it; what stands before the @ for an empty one. Raises ParameterInvalid."""
    name = text.strip() or email.partition("@")[0]
    if len(name) > NAME_MAX or _CONTROL.search(name):
        raise ParameterInvalid(f"name must have 1 to {NAME_MAX} characters, all of which can be seen", field="name")
    return name


def check_password(password: str, *, email: str, name: str) -> None:
    """Raises DataInvalid for one that is too short, too long, or among what would be tried first."""
    said = None
    plain = password.strip().casefold()
    own = {fold_email(email), fold_email(email).partition("@")[0], name.strip().casefold()}
    if len(password) < PASSWORD_MIN:
        said = f"a password has at least {PASSWORD_MIN} characters, this one has {len(password)}; a few words in a row do well"
    elif len(password.encode("utf-8", "replace")) > PASSWORD_MAX_BYTES:
        said = f"a password has at most {PASSWORD_MAX_BYTES} bytes, which is as many plain letters"
    elif plain in WORST or len(set(plain)) < PASSWORD_LETTERS_MIN:
        said = "this password is among the first that anybody would try; a few words in a row do well"
    elif plain in own:
        said = "a password must not be the account's own email or name"
    elif any("\ud800" <= letter <= "\udfff" for letter in password):
        said = "a password is made of whole letters: this text holds halves of some"
    if said is not None:
        raise DataInvalid(said, field="password")


def manages(mine: Iterable[Membership], theirs: Iterable[Membership]) -> bool:
    """Whether who has these memberships may do to the other account what counts everywhere: a new password, shutting it out.

    An admin of every workspace that it is in may; else an admin of one could open another by it.
    """
    admin = {each.workspace.number for each in mine if each.changes}
    return all(each.workspace.number in admin for each in theirs)


def admins_able(accounts: Iterable[tuple[Account, str]]) -> int:
    """How many of a workspace's accounts, given with their roles, could sign in as its admin now."""
    return sum(role == "admin" and account.able for account, role in accounts)
