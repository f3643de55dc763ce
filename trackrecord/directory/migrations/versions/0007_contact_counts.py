"""How many contacts each workspace lists is kept beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

LISTED = "{0}.archived_at IS NULL AND {0}.blocked_at IS NULL AND {0}.merged_into IS NULL AND {0}.role != 'visitor'"
ADD = f"""INSERT INTO contact_counts (workspace, role, count) SELECT NEW.workspace, NEW.role, 1 WHERE {LISTED.format("NEW")}
    ON CONFLICT (workspace, role) DO UPDATE SET count = count + 1;"""
MINE = "workspace = OLD.workspace AND role = OLD.role"
TAKE = f"UPDATE contact_counts SET count = count - 1 WHERE {MINE} AND {LISTED.format('OLD')};"  # noqa: S608 - our own words
CHANGED = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in ("role", "archived_at", "blocked_at", "merged_into"))


def upgrade() -> None:
    op.create_table(
        "contact_counts",
        sa.Column("workspace", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "role"),
    )
    listed = LISTED.format("contacts")
    found = f"SELECT workspace, role, count(*) FROM contacts WHERE {listed} GROUP BY workspace, role"  # noqa: S608 - our own words
    op.execute(f"INSERT INTO contact_counts {found}")
    op.execute(f"CREATE TRIGGER contacts_counted_in AFTER INSERT ON contacts BEGIN {ADD} END")
    op.execute(f"CREATE TRIGGER contacts_counted_out AFTER DELETE ON contacts BEGIN {TAKE} END")
    op.execute(f"CREATE TRIGGER contacts_counted_on AFTER UPDATE ON contacts WHEN {CHANGED} BEGIN {TAKE} {ADD} END")
