"""Tags, segments, companies, merges, jobs, and what else the whole contract needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LISTED = "archived_at IS NULL AND blocked_at IS NULL AND merged_into IS NULL AND role != 'visitor'"
SCOPES_THEN = "read_contacts read_events write_contacts write_events"
SCOPES_NOW = "delete_events read_contacts read_events read_requests read_tags write_contacts write_events write_tags"


def number(name: str = "number") -> sa.Column[int]:
    return sa.Column(name, NUMBER, primary_key=True, autoincrement=True)


def workspace() -> sa.Column[int]:
    return sa.Column("workspace", NUMBER, sa.ForeignKey("workspaces.number"), nullable=False)


def pair(name: str, first: str, second: str, *more: sa.Column[object]) -> None:
    """A table of which belongs to which, found from both ends."""
    op.create_table(
        name,
        sa.Column(first, NUMBER, primary_key=True, autoincrement=False),
        sa.Column(second, NUMBER, primary_key=True, autoincrement=False),
        *more,
        sqlite_with_rowid=False,
    )
    op.create_index(f"{name}_{second}", name, [second, first])


def upgrade() -> None:
    op.drop_index("contacts_listed", "contacts")
    op.create_index(
        "contacts_listed",
        "contacts",
        ["workspace", "created_at", "id", "archived_at", "blocked_at", "merged_into", "role"],
        sqlite_where=sa.text(LISTED),
    )
    op.create_index("contacts_merged_into", "contacts", ["merged_into"], sqlite_where=sa.text("merged_into IS NOT NULL"))
    op.create_index("contacts_visitors", "contacts", ["workspace", "number"], sqlite_where=sa.text("role = 'visitor'"))
    op.create_index(
        "contacts_archived",
        "contacts",
        ["workspace", "archived_at", "id"],
        sqlite_where=sa.text("archived_at IS NOT NULL"),
    )
    for column in (
        sa.Column("label", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("options", sa.JSON),
        sa.Column("messenger_writable", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("admin", NUMBER),
        sa.Column("updated_at", sa.BigInteger),
    ):
        op.add_column("attributes", column)
    op.create_table(
        "event_name_aliases",
        workspace(),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("name", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "folded"),
    )
    op.create_table(
        "tags",
        number("id"),
        workspace(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("tags_folded", "tags", ["workspace", "folded"], unique=True)
    pair("contact_tags", "contact", "tag", sa.Column("applied_at", sa.BigInteger, nullable=False), sa.Column("applied_by", NUMBER))
    op.create_table(
        "segments",
        number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        workspace(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("person_type", sa.Text, nullable=False),
        sa.Column("query", sa.JSON),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("segments_workspace", "segments", ["workspace"])
    pair("segment_members", "segment", "contact", sa.Column("since", sa.BigInteger, nullable=False))
    op.create_table(
        "companies",
        number(),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        workspace(),
        sa.Column("company_id", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("plan", sa.Text),
        sa.Column("size", sa.BigInteger),
        sa.Column("website", sa.Text),
        sa.Column("industry", sa.Text),
        sa.Column("monthly_spend", sa.Float),
        sa.Column("remote_created_at", sa.BigInteger),
        sa.Column("custom_attributes", sa.JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "companies_company_id", "companies", ["workspace", "company_id"], unique=True, sqlite_where=sa.text("company_id IS NOT NULL")
    )
    op.create_index("companies_made", "companies", ["workspace", "number"])
    op.create_index("companies_name", "companies", ["workspace", "name"], sqlite_where=sa.text("name IS NOT NULL"))
    op.create_index("companies_listed", "companies", ["workspace", "created_at", "id"])
    pair("company_contacts", "company", "contact", sa.Column("attached_at", sa.BigInteger, nullable=False))
    pair("company_tags", "company", "tag", sa.Column("applied_at", sa.BigInteger, nullable=False), sa.Column("applied_by", NUMBER))
    op.create_table(
        "merges",
        sa.Column("source", NUMBER, primary_key=True, autoincrement=False),
        workspace(),
        sa.Column("target", NUMBER, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("source_role", sa.Text, nullable=False),
        sa.Column("merged_at", sa.BigInteger, nullable=False),
    )
    op.create_index("merges_target", "merges", ["target", "merged_at"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True),
        workspace(),
        sa.Column("data_type", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("closing_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "job_tasks",
        number("id"),
        sa.Column("job", sa.Text, sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("item_count", sa.BigInteger, nullable=False),
        sa.Column("first_position", sa.BigInteger),
        sa.Column("kept", sa.BigInteger, nullable=False),
        sa.Column("refused_bytes", sa.BigInteger, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("job_tasks_job", "job_tasks", ["job", "id"])
    op.create_index("job_tasks_refused", "job_tasks", ["id"], sqlite_where=sa.text("refused_bytes > 0"))
    op.create_table(
        "job_failures",
        sa.Column("task", NUMBER, sa.ForeignKey("job_tasks.id"), nullable=False),
        sa.Column("item", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.JSON, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("field", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("task", "item"),
    )
    op.create_table(
        "job_people",
        sa.Column("task", NUMBER, sa.ForeignKey("job_tasks.id"), primary_key=True, autoincrement=False),
        workspace(),
        sa.Column("named", sa.LargeBinary, nullable=False),
    )
    op.create_index("job_people_workspace", "job_people", ["workspace"])
    op.create_table(
        "scrolls",
        workspace(),
        sa.Column("noun", sa.Text, nullable=False),
        sa.Column("param", sa.Text, nullable=False),
        sa.Column("after", sa.Text),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "noun"),
    )
    op.create_table(
        "audits",
        number("id"),
        workspace(),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("token", NUMBER),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("completed_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("audits_workspace", "audits", ["workspace", "id"])
    # Tokens that could do everything still can.
    tokens = sa.table("tokens", sa.column("scopes", sa.Text))
    op.execute(sa.update(tokens).where(tokens.c.scopes == SCOPES_THEN).values(scopes=SCOPES_NOW))
