"""Who is in a segment is found by its query alone: what was written down of it goes."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_table("segment_members")
