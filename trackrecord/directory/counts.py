"""How many contacts a workspace lists: kept as they come and go (the triggers of tables.py), so that no list goes through them to count."""

import sqlalchemy as sa

from .tables import contact_counts


def listed(connection: sa.Connection, workspace: int, role: str | None = None) -> int:
    """The listed contacts of a workspace; with `role` those of it alone."""
    wanted = [contact_counts.c.workspace == workspace, *([] if role is None else [contact_counts.c.role == role])]
    counted: int = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(contact_counts.c.count), 0)).where(*wanted)).scalar_one()
    return counted


def by_role(connection: sa.Connection, workspace: int) -> dict[str, int]:
    wanted = sa.select(contact_counts.c.role, contact_counts.c.count).where(contact_counts.c.workspace == workspace)
    return dict(tuple(row) for row in connection.execute(wanted))
