"""What the dashboard needs: who may sign in, and where; how large segments were; when tokens were last used."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("tokens", sa.Column("last_used_at", sa.BigInteger))
    op.create_table(
        "accounts",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_folded", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("disabled_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "memberships",
        sa.Column("account", NUMBER, sa.ForeignKey("accounts.number"), nullable=False),
        sa.Column("workspace", NUMBER, sa.ForeignKey("workspaces.number"), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "workspace"),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("account", NUMBER, sa.ForeignKey("accounts.number"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("user_agent", sa.Text),
    )
    op.create_index("sessions_account", "sessions", ["account"])
    op.create_table(
        "sign_in_links",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("account", NUMBER, sa.ForeignKey("accounts.number")),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "segment_sizes",
        sa.Column("segment", NUMBER, nullable=False),
        sa.Column("day", NUMBER, nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("segment", "day"),
    )
