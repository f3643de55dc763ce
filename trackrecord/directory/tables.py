"""The tables of the directory as they are now. How a file gets there from any earlier state: migrations/versions.

Every number is given once and never again, also after its row has gone: journal and stores hold on to it.
"""

from collections.abc import Iterator
from typing import Any

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
    sa.Column("identity_enforced", sa.Boolean, nullable=False, server_default=sa.false()),
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
    sa.Column("last_used_at", Moment),
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
    sa.Column("label", sa.Text),
    sa.Column("description", sa.Text),
    sa.Column("options", sa.JSON),  # a list of strings; null where any value of the type will do
    sa.Column("messenger_writable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("admin", Number),
    sa.Column("updated_at", Moment),
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
    sa.Column("came_by", sa.JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)

LIVE = sa.and_(contacts.c.archived_at.is_(None), contacts.c.blocked_at.is_(None), contacts.c.merged_into.is_(None))
LISTED = sa.and_(LIVE, contacts.c.role != sa.literal_column("'visitor'"))  # visitors are in no list until they are leads or users


# Each leaves out the rows it could never find. The other databases' words for that are added with them: naming one here
# loads all of its dialect at every start. Without them the indexes are larger and no less right, as null equals no null.
def _where(name: str, condition: sa.ColumnElement[bool], *columns: sa.Column[object], unique: bool = False) -> sa.Index:
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition)


_where("contacts_external_id", contacts.c.external_id.is_not(None), contacts.c.workspace, contacts.c.external_id, unique=True)
_where("contacts_email", contacts.c.email_folded.is_not(None), contacts.c.workspace, contacts.c.email_folded)
_where("contacts_anonymous_id", contacts.c.anonymous_id.is_not(None), contacts.c.workspace, contacts.c.anonymous_id)
_where(  # the last four are as good as fixed in it, and stand there so that a count reads nothing else
    "contacts_listed",
    LISTED,
    *(contacts.c[name] for name in ("workspace", "created_at", "id", "archived_at", "blocked_at", "merged_into", "role")),
)
_where(  # a text is looked for in the first two among all who are listed, and nothing else of them is read
    "contacts_called",
    LISTED,
    *(contacts.c[name] for name in ("workspace", "email_folded", "name", "archived_at", "blocked_at", "merged_into", "role")),
)
_where("contacts_merged_into", contacts.c.merged_into.is_not(None), contacts.c.merged_into)
_where("contacts_visitors", contacts.c.role == sa.text("'visitor'"), contacts.c.workspace, contacts.c.number)
_where("contacts_archived", contacts.c.archived_at.is_not(None), contacts.c.workspace, contacts.c.archived_at, contacts.c.id)

contact_counts = sa.Table(  # of those who are LISTED
    "contact_counts",
    metadata,
    sa.Column("workspace", Number, primary_key=True, autoincrement=False),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)


def _counted() -> Iterator[str]:
    """What keeps contact_counts, whoever writes contacts. SQLite's own words: another database has others for the same."""
    listed = str(LISTED.compile())
    new, old = (listed.replace("contacts.", f"{row}.") for row in ("NEW", "OLD"))
    add = f"""INSERT INTO contact_counts (workspace, role, count) SELECT NEW.workspace, NEW.role, 1 WHERE {new}
    ON CONFLICT (workspace, role) DO UPDATE SET count = count + 1;"""
    mine = "workspace = OLD.workspace AND role = OLD.role"
    take = f"UPDATE contact_counts SET count = count - 1 WHERE {mine} AND {old};"  # noqa: S608 - our own words
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in ("role", "archived_at", "blocked_at", "merged_into"))
    yield f"CREATE TRIGGER contacts_counted_in AFTER INSERT ON contacts BEGIN {add} END"
    yield f"CREATE TRIGGER contacts_counted_out AFTER DELETE ON contacts BEGIN {take} END"
    yield f"CREATE TRIGGER contacts_counted_on AFTER UPDATE ON contacts WHEN {changed} BEGIN {take} {add} END"


for trigger in _counted():
    sa.event.listen(metadata, "after_create", sa.DDL(trigger))  # type: ignore[no-untyped-call]

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("contact", Number, primary_key=True, autoincrement=False),
    _workspace(),
    sa.Column("at", Moment, nullable=False),
)

event_name_aliases = sa.Table(  # other writings that lead to a name since it was renamed
    "event_name_aliases",
    metadata,
    sa.Column("workspace", Number, sa.ForeignKey("workspaces.number"), primary_key=True, autoincrement=False),
    sa.Column("folded", sa.Text, primary_key=True),
    sa.Column("name", Number, nullable=False),
)


def _pair(name: str, first: str, second: str, *more: sa.Column[Any]) -> sa.Table:
    """A table of which belongs to which, found from both ends."""
    return sa.Table(
        name,
        metadata,
        sa.Column(first, Number, primary_key=True, autoincrement=False),
        sa.Column(second, Number, primary_key=True, autoincrement=False),
        *more,
        sa.Index(f"{name}_{second}", second, first),
        sqlite_with_rowid=False,
    )


tags = sa.Table(
    "tags",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("tags_folded", "workspace", "folded", unique=True),
    sqlite_autoincrement=True,
)
contact_tags = _pair("contact_tags", "contact", "tag", sa.Column("applied_at", Moment, nullable=False), sa.Column("applied_by", Number))

segments = sa.Table(
    "segments",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _workspace(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("person_type", sa.Text, nullable=False),  # "user" or "contact"
    sa.Column("query", sa.JSON),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("segments_workspace", "workspace"),
    sqlite_autoincrement=True,
)

companies = sa.Table(
    "companies",
    metadata,
    _number(),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    _workspace(),
    sa.Column("company_id", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("plan", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.Column("website", sa.Text),
    sa.Column("industry", sa.Text),
    sa.Column("monthly_spend", sa.Float),
    sa.Column("remote_created_at", Moment),
    sa.Column("custom_attributes", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("companies_listed", "workspace", "created_at", "id"),
    sa.Index("companies_made", "workspace", "number"),
    sqlite_autoincrement=True,
)
_where("companies_name", companies.c.name.is_not(None), companies.c.workspace, companies.c.name)
_where("companies_company_id", companies.c.company_id.is_not(None), companies.c.workspace, companies.c.company_id, unique=True)
company_contacts = _pair("company_contacts", "company", "contact", sa.Column("attached_at", Moment, nullable=False))
company_tags = _pair("company_tags", "company", "tag", sa.Column("applied_at", Moment, nullable=False), sa.Column("applied_by", Number))

merges = sa.Table(  # by the numbers of contacts; the source's row in contacts stays, and says merged_into
    "merges",
    metadata,
    sa.Column("source", Number, primary_key=True, autoincrement=False),
    _workspace(),
    sa.Column("target", Number, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("source_role", sa.Text, nullable=False),
    sa.Column("merged_at", Moment, nullable=False),
    sa.Index("merges_target", "target", "merged_at"),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _workspace(),
    sa.Column("data_type", sa.Text, nullable=False),  # "event" or "user"
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("closing_at", Moment, nullable=False),
)
job_tasks = sa.Table(  # what one request added to a job
    "job_tasks",
    metadata,
    _number("id"),
    sa.Column("job", sa.Text, sa.ForeignKey("jobs.id"), nullable=False),
    sa.Column("item_count", sa.BigInteger, nullable=False),
    sa.Column("first_position", sa.BigInteger),  # in the journal, of the first item that was kept; the others follow it
    sa.Column("kept", sa.BigInteger, nullable=False),
    sa.Column("refused_bytes", sa.BigInteger, nullable=False),  # about what its failures take up
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("completed_at", Moment, nullable=False),
    sa.Index("job_tasks_job", "job", "id"),
    sqlite_autoincrement=True,
)
# Written so in every statement that is to use the index: of many tasks few have any.
REFUSED = job_tasks.c.refused_bytes > sa.literal_column("0")
job_failures = sa.Table(
    "job_failures",
    metadata,
    sa.Column("task", Number, sa.ForeignKey("job_tasks.id"), primary_key=True, autoincrement=False),
    sa.Column("item", sa.BigInteger, primary_key=True, autoincrement=False),  # its place in the request, from 0
    sa.Column("sent", sa.JSON, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("at", Moment, nullable=False),
)

job_people = sa.Table(  # whom the refused items of a task name, so that a deletion reads those alone; jobs.PACKED says how it is written
    "job_people",
    metadata,
    sa.Column("task", Number, sa.ForeignKey("job_tasks.id"), primary_key=True, autoincrement=False),
    _workspace(),
    sa.Column("named", sa.LargeBinary, nullable=False),
    sa.Index("job_people_workspace", "workspace"),
)

_where("job_tasks_refused", job_tasks.c.refused_bytes > sa.text("0"), job_tasks.c.id)

scrolls = sa.Table(  # the one walk over a noun that a workspace may have open
    "scrolls",
    metadata,
    sa.Column("workspace", Number, sa.ForeignKey("workspaces.number"), primary_key=True, autoincrement=False),
    sa.Column("noun", sa.Text, primary_key=True),
    sa.Column("param", sa.Text, nullable=False),
    sa.Column("after", sa.Text),
    sa.Column("expires_at", Moment, nullable=False),
)

audits = sa.Table(  # who had what deleted
    "audits",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("token", Number),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.JSON, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("completed_at", Moment),  # null where it was begun and nobody saw it end
    sa.Index("audits_workspace", "workspace", "id"),
    sqlite_autoincrement=True,
)

# What browsers need: trackrecord/messenger.

identity_secrets = sa.Table(
    "identity_secrets",
    metadata,
    _number("id"),
    _workspace(),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("retired_at", Moment),
    sa.Index("identity_secrets_workspace", "workspace"),
    sqlite_autoincrement=True,
)
messenger_origins = sa.Table(  # pages that may deliver; without a row any page may
    "messenger_origins",
    metadata,
    _workspace(),
    sa.Column("origin", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "origin"),
)
messenger_moments = sa.Table(  # when an event happened whose browser could not say, by the id that the script gave it
    "messenger_moments",
    metadata,
    _workspace(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("second", Moment, nullable=False),
    sa.Column("noted_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "id"),
    sa.Index("messenger_moments_noted", "noted_at"),
)
messenger_dropped = sa.Table(  # what scripts gave up, as they told, by day (days since 1970)
    "messenger_dropped",
    metadata,
    _workspace(),
    sa.Column("day", Number, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("count", Number, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "day", "reason"),
)

# What the dashboard needs.

accounts = sa.Table(  # who may sign in
    "accounts",
    metadata,
    _number(),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_folded", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password", sa.Text),  # its Argon2 hash; null until one was chosen
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("disabled_at", Moment),
    sqlite_autoincrement=True,
)
memberships = sa.Table(
    "memberships",
    metadata,
    sa.Column("account", Number, sa.ForeignKey("accounts.number"), nullable=False),
    _workspace(),
    sa.Column("role", sa.Text, nullable=False),  # "admin" or "viewer"
    sa.PrimaryKeyConstraint("account", "workspace"),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of the cookie
    sa.Column("account", Number, sa.ForeignKey("accounts.number"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("client", sa.Text),
    sa.Column("user_agent", sa.Text),
    sa.Index("sessions_account", "account"),
)
sign_in_links = sa.Table(  # each opens once
    "sign_in_links",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("account", Number, sa.ForeignKey("accounts.number")),  # null for the one that makes the first account
    sa.Column("expires_at", Moment, nullable=False),
)
segment_sizes = sa.Table(  # by day (days since 1970, UTC): how many were in it when it was last counted then
    "segment_sizes",
    metadata,
    sa.Column("segment", Number, nullable=False),
    sa.Column("day", Number, nullable=False),
    sa.Column("count", Number, nullable=False),
    sa.PrimaryKeyConstraint("segment", "day"),
)
