"""The first tables.

Written out rather than taken from tables.py: a step stays what it was when files were made by it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = "archived_at IS NULL AND blocked_at IS NULL AND merged_into IS NULL"


def number(name: str = "number") -> sa.Column[int]:
    return sa.Column(name, NUMBER, primary_key=True, autoincrement=True)


def workspace() -> sa.Column[int]:
    return sa.Column("workspace", NUMBER, sa.ForeignKey("workspaces.number"), nullable=False)


def index_where(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    op.create_index(name, "contacts", columns, unique=unique, sqlite_where=sa.text(condition))


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "workspaces",
        number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "admins",
        number("id"),
        workspace(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("admins_workspace", "admins", ["workspace"])
    op.create_table(
        "tokens",
        number("id"),
        workspace(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("tokens_workspace", "tokens", ["workspace"])
    op.create_table(
        "event_names",
        number(),
        workspace(),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("archived_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("event_names_folded", "event_names", ["workspace", "folded"], unique=True)
    op.create_table(
        "attributes",
        number("id"),
        workspace(),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("data_type", sa.Text, nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("attributes_name", "attributes", ["workspace", "model", "name"], unique=True)
    op.create_table(
        "contacts",
        number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        workspace(),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("anonymous_id", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("phone", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("avatar", sa.Text),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("signed_up_at", sa.BigInteger),
        sa.Column("last_seen_at", sa.BigInteger),
        sa.Column("unsubscribed_from_emails", sa.Boolean, nullable=False),
        sa.Column("language_override", sa.Text),
        sa.Column("custom_attributes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("archived_at", sa.BigInteger),
        sa.Column("blocked_at", sa.BigInteger),
        sa.Column("merged_into", NUMBER),
        sa.Column("email_folded", sa.Text),
        sqlite_autoincrement=True,
    )
    index_where("contacts_external_id", ["workspace", "external_id"], "external_id IS NOT NULL", unique=True)
    index_where("contacts_email", ["workspace", "email_folded"], "email_folded IS NOT NULL")
    index_where("contacts_anonymous_id", ["workspace", "anonymous_id"], "anonymous_id IS NOT NULL")
    index_where("contacts_listed", ["workspace", "created_at", "id", "archived_at", "blocked_at", "merged_into"], LIVE)
    op.create_table(
        "erasures",
        sa.Column("contact", NUMBER, primary_key=True, autoincrement=False),
        workspace(),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
