"""The directory: everything of a server that is transactional and is not an event."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from ..rules.belongings import Belongings
from ..rules.contacts import Contact
from . import schema
from .accounts import Accounts
from .admins import Admins
from .archiving import Archiving
from .attributes import Attributes
from .audits import Audits
from .belongings import belongings
from .companies import Companies
from .contacts import Contacts
from .engine import Database
from .jobs import Jobs
from .merging import Merging
from .messenger import MessengerAccess
from .names import Names
from .queries import called
from .scrolls import Scrolls
from .search import Searches
from .segments import Segments
from .sessions import Links, Sessions
from .tables import facts
from .tags import Tags
from .tokens import Tokens
from .users import Users
from .visitors import Visitors
from .workspaces import Workspaces

SALT_BYTES = 16


class Directory:
    """What is known of workspaces, their people, tokens, event names and contacts; one file.

    Every method blocks, and may be called from any thread. Reads run beside each other and beside a write; writes wait for
    their turn. When a method that writes returns, what it wrote survives a crash. Other processes may write the same file:
    nothing read from it is held in memory here. All methods raise Unavailable where the file cannot be used now.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self.workspaces = Workspaces(db)
        self.admins = Admins(db)
        self.tokens = Tokens(db)
        self.names = Names(db)
        self.audits = Audits(db)
        self.attributes = Attributes(db)
        self.contacts = Contacts(db)
        self.archiving = Archiving(db, self.contacts)
        self.merging = Merging(db, self.contacts)
        self.visitors = Visitors(db, self.contacts)
        self.messenger = MessengerAccess(db)
        self.jobs = Jobs(db)
        self.scrolls = Scrolls(db)
        self.users = Users(db, self.contacts)
        self.searches = Searches(db)
        self.tags = Tags(db)
        self.companies = Companies(db)
        self.segments = Segments(db)
        self.accounts = Accounts(db)
        self.sessions = Sessions(db)
        self.links = Links(db)
        self.contacts.on_change.append(self._cut_after)
        self.salt: bytes = _salt(db)  # made with the file and never changed; tells this server's made-up ids from others'

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, make it if there is none, upgrade it if an older version made it.

        Raises DataDirectoryUnusable for a file of a newer version, one that is damaged or not ours, and one that cannot be
        made or read at all.
        """
        db = Database(path)
        try:
            schema.bring_up_to_date(db)
            return cls(db)
        except BaseException:
            db.close()
            raise

    def belongings(self, contacts: Iterable[int]) -> dict[int, Belongings]:
        """What hangs on contacts, by their numbers; those that have nothing are left out."""
        return belongings(self._db, contacts)

    def called(self, workspace: int, wanted: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], frozenset[int]]:
        """The numbers of all contacts that identifiers lead to, archived and blocked ones too, by (kind, value)."""
        return called(self._db, workspace, wanted)

    def cut_log(self) -> None:
        """Have what was deleted from the file taken from its log as well, soon: for after a start, as a crash may have left it there."""
        self._db.cut_log()

    def _cut_after(self, before: Contact | None, after: Contact | None) -> None:
        if after is None or after.merged_into is not None:
            self._db.cut_log()

    def close(self) -> None:
        """Call once no other thread uses it."""
        self._db.close()


def _salt(db: Database) -> bytes:
    wanted = sa.select(facts.c.value).where(facts.c.name == "salt")
    with db.reading() as connection:
        found = connection.scalar(wanted)
    if found is None:
        with db.writing() as connection:
            found = connection.scalar(wanted)
            if found is None:
                found = secrets.token_bytes(SALT_BYTES)
                connection.execute(sa.insert(facts).values(name="salt", value=found))
    return bytes(found)
