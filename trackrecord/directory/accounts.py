"""Accounts: who may sign in to the dashboard, and what each is in which workspace."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..errors import Conflict, DataInvalid, NotFound
from ..rules.accounts import Account, Membership, admins_able, check_password, check_role, read_email, read_name
from ..rules.contacts import fold_email
from ..rules.directory import Workspace
from . import passwords
from .engine import Database
from .tables import accounts, memberships, sessions, sign_in_links, workspaces

LAST_ADMIN = "this is the last admin of the workspace {id} who can sign in: make somebody else one first"


class Verified(NamedTuple):
    """Who has given the right password, and the hash that it was held against."""

    account: Account
    kept: str


class Accounts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def any(self) -> bool:
        with self._db.reading() as connection:
            return _any(connection)

    def list(self) -> list[Account]:
        """All of the server, the first made first."""
        with self._db.reading() as connection:
            return [account_of(row) for row in connection.execute(sa.select(accounts).order_by(accounts.c.number)).mappings()]

    def by_email(self, email: str) -> Account | None:
        """In whatever case it is written."""
        return self._one(accounts.c.email_folded == _folded(email))

    def by_number(self, number: int) -> Account | None:
        return self._one(accounts.c.number == number)

    def create(
        self,
        email: str,
        name: str,
        *,
        now: int,
        role: str = "admin",
        workspaces: Iterable[int] = (),
        password: str | None = None,
    ) -> Account:
        """Make an account at `now` (whole Unix seconds) with a role in some workspaces, by their numbers. Without a password it has to
        be given a one-time link. The server's first account becomes admin of every workspace.

        Raises ParameterInvalid for an address or name that is none, DataInvalid for a password that will not do, Conflict for an
        address that has an account already.
        """
        email = read_email(email)
        name = read_name(name, email=email)
        kept = _hashed(password, email=email, name=name) if password is not None else None
        with self._db.writing() as connection:
            if _any(connection):
                return _insert(connection, email, name, kept, {number: check_role(role) for number in workspaces}, now=now)
            return insert_first(connection, email, name, kept, now=now)

    def verify(self, email: str, password: str) -> Account | None:
        """The account alone, as `verified` has it."""
        found = self.verified(email, password)
        return found.account if found is not None else None

    def verified(self, email: str, password: str) -> Verified | None:
        """The account of who has this address and password; None for a wrong one, an unknown address, an account that is disabled or
        has no password yet, each in the same time. Takes some hundredths of a second and 64 MB.
        """
        with self._db.reading() as connection:
            row = connection.execute(sa.select(accounts).where(accounts.c.email_folded == _folded(email))).mappings().one_or_none()
        right = passwords.matches(row["password"] if row is not None else None, password)
        if row is None or not right or row["disabled_at"] is not None:
            return None
        kept = row["password"]
        if passwords.outdated(kept):
            fresh = passwords.hashed(password)
            same = sa.and_(accounts.c.number == row["number"], accounts.c.password == kept)
            with self._db.writing() as connection:
                if connection.execute(sa.update(accounts).where(same).values(password=fresh)).rowcount:
                    kept = fresh
        return Verified(account_of(row), kept)

    def set_password(self, account: Account, password: str) -> None:
        """From now on this password alone opens the account: its sessions end, and its links. Raises DataInvalid, and NotFound."""
        kept = _hashed(password, email=account.email, name=account.name)
        with self._db.writing() as connection:
            keep_password(connection, account.number, kept)

    def disable(self, number: int, *, now: int) -> Account:
        """At `now` its sessions end, and nobody can sign in to it. Raises DataInvalid for a workspace's last admin, and NotFound."""
        with self._db.writing() as connection:
            _get(connection, number)
            for workspace in _admin_in(connection, number):
                _check_others(connection, workspace, number)
            fresh = sa.and_(accounts.c.number == number, accounts.c.disabled_at.is_(None))
            connection.execute(sa.update(accounts).where(fresh).values(disabled_at=now))
            _shut(connection, number)
            return _get(connection, number)

    def enable(self, number: int) -> Account:
        """Raises NotFound."""
        with self._db.writing() as connection:
            connection.execute(sa.update(accounts).where(accounts.c.number == number).values(disabled_at=None))
            return _get(connection, number)

    def set_role(self, number: int, workspace: int, role: str | None) -> None:
        """Give an account a role in a workspace; None takes it out of it.

        Raises ParameterInvalid for a role that is none, DataInvalid where that would leave the workspace without an admin who can sign
        in, and NotFound.
        """
        if role is not None:
            check_role(role)
        mine = sa.and_(memberships.c.account == number, memberships.c.workspace == workspace)
        with self._db.writing() as connection:
            _get(connection, number)
            if connection.scalar(sa.select(workspaces.c.number).where(workspaces.c.number == workspace)) is None:
                raise NotFound("there is no such workspace", field="workspace")
            if role != "admin" and workspace in _admin_in(connection, number):
                _check_others(connection, workspace, number)
            gone = connection.execute(sa.delete(memberships).where(mine)).rowcount
            if role is not None:
                connection.execute(sa.insert(memberships).values(account=number, workspace=workspace, role=role))
            elif not gone:
                raise NotFound("this account is not in the workspace", field="account")

    def memberships(self, number: int) -> Sequence[Membership]:
        """What an account is, workspace by workspace, oldest first."""
        with self._db.reading() as connection:
            return memberships_of(connection, number)

    def members(self, workspace: int) -> Sequence[tuple[Account, str]]:
        """The accounts of a workspace with their roles, the first made first; disabled ones too."""
        with self._db.reading() as connection:
            return _members(connection, workspace)

    def _one(self, condition: sa.ColumnElement[bool]) -> Account | None:
        with self._db.reading() as connection:
            row = connection.execute(sa.select(accounts).where(condition)).mappings().one_or_none()
        return None if row is None else account_of(row)


# What the other files of accounts use, inside a read or a write of theirs.


def account_of(row: "sa.RowMapping") -> Account:
    return Account(
        number=row["number"],
        email=row["email"],
        name=row["name"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
        has_password=row["password"] is not None,
    )


def memberships_of(connection: sa.Connection, number: int) -> list[Membership]:
    joined = memberships.join(workspaces, workspaces.c.number == memberships.c.workspace)
    wanted = sa.select(workspaces, memberships.c.role).select_from(joined).where(memberships.c.account == number)
    found = []
    for row in connection.execute(wanted.order_by(workspaces.c.number)).mappings():
        columns = dict(row)
        found.append(Membership(role=columns.pop("role"), workspace=Workspace(**columns)))
    return found


def insert_first(connection: sa.Connection, email: str, name: str, kept: str | None, *, now: int) -> Account:
    """The server's first account, admin of every workspace. Raises Conflict where there is one."""
    if _any(connection):
        raise Conflict("this server has an account already: sign in, or ask one of its admins for a link")
    connection.execute(sa.delete(sign_in_links).where(sign_in_links.c.account.is_(None)))
    every = connection.scalars(sa.select(workspaces.c.number)).all()
    return _insert(connection, email, name, kept, dict.fromkeys(every, "admin"), now=now)


def keep_password(connection: sa.Connection, number: int, kept: str) -> Account:
    """Raises NotFound."""
    connection.execute(sa.update(accounts).where(accounts.c.number == number).values(password=kept))
    _shut(connection, number)
    return _get(connection, number)


def _insert(connection: sa.Connection, email: str, name: str, kept: str | None, roles: dict[int, str], *, now: int) -> Account:
    folded = _folded(email)
    if connection.scalar(sa.select(accounts.c.number).where(accounts.c.email_folded == folded)) is not None:
        raise Conflict(f"{email} has an account already", field="email")
    made: dict[str, Any] = {"email": email, "email_folded": folded, "name": name, "password": kept, "created_at": now}
    row = connection.execute(sa.insert(accounts).values(made).returning(accounts)).mappings().one()
    for workspace, role in roles.items():
        connection.execute(sa.insert(memberships).values(account=row["number"], workspace=workspace, role=role))
    return account_of(row)


def _folded(email: str) -> str:
    return fold_email(email).encode("utf-8", "replace").decode()  # halves of letters cannot be looked up


def _any(connection: sa.Connection) -> bool:
    return connection.scalar(sa.select(sa.exists().select_from(accounts))) is True


def _get(connection: sa.Connection, number: int) -> Account:
    row = connection.execute(sa.select(accounts).where(accounts.c.number == number)).mappings().one_or_none()
    if row is None:
        raise NotFound("there is no such account", field="account")
    return account_of(row)


def _members(connection: sa.Connection, workspace: int) -> list[tuple[Account, str]]:
    joined = accounts.join(memberships, memberships.c.account == accounts.c.number)
    wanted = sa.select(accounts, memberships.c.role).select_from(joined).where(memberships.c.workspace == workspace)
    return [(account_of(row), row["role"]) for row in connection.execute(wanted.order_by(accounts.c.number)).mappings()]


def _admin_in(connection: sa.Connection, number: int) -> list[int]:
    mine = sa.and_(memberships.c.account == number, memberships.c.role == "admin")
    return list(connection.scalars(sa.select(memberships.c.workspace).where(mine)))


def _check_others(connection: sa.Connection, workspace: int, number: int) -> None:
    """Raises DataInvalid where nobody but this account could sign in as admin of the workspace, and it can."""
    there = _members(connection, workspace)
    if admins_able(there) and not admins_able(each for each in there if each[0].number != number):
        id = connection.scalar(sa.select(workspaces.c.id).where(workspaces.c.number == workspace))
        raise DataInvalid(LAST_ADMIN.format(id=id), field="account")


def _shut(connection: sa.Connection, number: int) -> None:
    for table in (sessions, sign_in_links):
        connection.execute(sa.delete(table).where(table.c.account == number))


def _hashed(password: str, *, email: str, name: str) -> str:
    check_password(password, email=email, name=name)
    return passwords.hashed(password)
