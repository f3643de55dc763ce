"""A text in an e-mail address or a name is looked for in an index of these."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index(
        "contacts_called",
        "contacts",
        ["workspace", "email_folded", "name", "archived_at", "blocked_at", "merged_into", "role"],
        sqlite_where=sa.text("archived_at IS NULL AND blocked_at IS NULL AND merged_into IS NULL AND role != 'visitor'"),
    )
