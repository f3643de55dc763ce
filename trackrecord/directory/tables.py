"""The tables of the directory as they are now. How a file gets there from any earlier state: migrations/versions.

Every number is given once and never again, also after its row has gone: journal and stores hold on to it.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

# SQLite makes numbers by itself only for a column that is called INTEGER; elsewhere they have 64 bits.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.BigInteger  # whole Unix seconds, UTC


def _number(name: str = "number") -> sa.Column[int]:
    return sa.Column(name, Number, primary_key=True, autoincrement=True)


def _workspace() -> sa.Column[int]:
    return sa.Column("workspace", Number, sa.ForeignKey("workspaces.number"), nullable=False)


facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

workspaces = sa.Table(
    "workspaces",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("timezone", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

admins = sa.Table(
    "admins",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("admins_workspace", "workspace"),
    sqlite_autoincrement=True,
)

tokens = sa.Table(
    "tokens",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("hint", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # sorted, with blanks between them
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Index("tokens_workspace", "workspace"),
    sqlite_autoincrement=True,
)

event_names = sa.Table(
    "event_names",
    metadata,
    _number(),
    _workspace(),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("archived_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("event_names_folded", "workspace", "folded", unique=True),
    sqlite_autoincrement=True,
)

attributes = sa.Table(
    "attributes",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("data_type", sa.Text, nullable=False),
    sa.Column("declared", sa.Boolean, nullable=False),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("attributes_name", "workspace", "model", "name", unique=True),
    sqlite_autoincrement=True,
)

contacts = sa.Table(
    "contacts",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _workspace(),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text),
    sa.Column("anonymous_id", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("phone", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("avatar", sa.Text),
    sa.Column("owner_id", sa.BigInteger),
    sa.Column("signed_up_at", Moment),
    sa.Column("last_seen_at", Moment),
    sa.Column("unsubscribed_from_emails", sa.Boolean, nullable=False),
    sa.Column("language_override", sa.Text),
    sa.Column("custom_attributes", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("archived_at", Moment),
    sa.Column("blocked_at", Moment),
    sa.Column("merged_into", Number),
    sa.Column("email_folded", sa.Text),  # rules.contacts.fold_email; not part of a Contact
    sqlite_autoincrement=True,
)

LIVE = sa.and_(contacts.c.archived_at.is_(None), contacts.c.blocked_at.is_(None), contacts.c.merged_into.is_(None))


# Each leaves out the rows it could never find. The other databases' words for that are added with them: naming one here
# loads all of its dialect at every start. Without them the indexes are larger and no less right, as null equals no null.
def _where(name: str, condition: sa.ColumnElement[bool], *columns: sa.Column[object], unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition)


_where("contacts_external_id", contacts.c.external_id.is_not(None), contacts.c.workspace, contacts.c.external_id, unique=True)
_where("contacts_email", contacts.c.email_folded.is_not(None), contacts.c.workspace, contacts.c.email_folded)
_where("contacts_anonymous_id", contacts.c.anonymous_id.is_not(None), contacts.c.workspace, contacts.c.anonymous_id)
_where(  # the last three are null in it, and stand there so that a count reads nothing else
    "contacts_listed",
    LIVE,
    *(contacts.c[name] for name in ("workspace", "created_at", "id", "archived_at", "blocked_at", "merged_into")),
)

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("contact", Number, primary_key=True, autoincrement=False),
    _workspace(),
    sa.Column("at", Moment, nullable=False),
)
