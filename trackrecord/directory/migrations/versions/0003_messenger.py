"""What browsers need: secrets that prove who somebody is, origins, moments, and what scripts gave up."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def workspace() -> sa.Column[int]:
    return sa.Column("workspace", NUMBER, sa.ForeignKey("workspaces.number"), nullable=False)


def upgrade() -> None:
    op.add_column("contacts", sa.Column("came_by", sa.JSON))
    op.add_column("workspaces", sa.Column("identity_enforced", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "identity_secrets",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        workspace(),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("identity_secrets_workspace", "identity_secrets", ["workspace"])
    op.create_table(
        "messenger_origins",
        workspace(),
        sa.Column("origin", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "origin"),
    )
    op.create_table(
        "messenger_moments",
        workspace(),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("second", sa.BigInteger, nullable=False),
        sa.Column("noted_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id"),
    )
    op.create_index("messenger_moments_noted", "messenger_moments", ["noted_at"])
    op.create_table(
        "messenger_dropped",
        workspace(),
        sa.Column("day", NUMBER, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "day", "reason"),
    )
