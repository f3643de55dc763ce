"""Which state of the tables a file is in, and how it is brought to ours.

Alembic is imported only where there is something to change: a server that starts on a file that is new or up to date never loads it,
which takes a fifth of a second. A new file gets the tables as tables.py has them; the steps of older ones lead to the same.
"""

import sqlalchemy as sa

from ..errors import DataDirectoryUnusable, Unavailable
from ..faults import reach
from .engine import Database
from .tables import metadata

# Every revision there is, oldest first; migrations/versions has one file for each. A file on any of them can be upgraded.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
HEAD = REVISIONS[-1]

# As Alembic makes it and looks for it.
_version = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(db: Database) -> None:
    """Make the file's tables ours: new in an empty file, step by step in an older one, all or nothing.

    Raises DataDirectoryUnusable for a file that a newer version made, that is no directory, or that cannot be used at all.
    """
    try:
        db.make()
        with db.reading() as connection:
            if _revision(connection, db) == HEAD:
                return
        with db.writing() as connection:  # two processes may open a new file at once; the second finds it done
            revision = _revision(connection, db)
            if revision != HEAD:
                (_make if revision is None else _migrate)(connection)
                reach("directory.mid-migration")
    except Unavailable as error:
        raise DataDirectoryUnusable(f"{db.path} cannot be opened: {error.message}") from error


def _revision(connection: sa.Connection, db: Database) -> str | None:
    """None for an empty file."""
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    found = connection.scalar(sa.select(_version)) if "alembic_version" in tables else None
    if found is None:
        raise DataDirectoryUnusable(f"{db.path} holds other tables than ours: give Trackrecord a data directory of its own")
    if found not in REVISIONS:
        raise DataDirectoryUnusable(
            f"{db.path} was made by a newer version of Trackrecord (its tables are at {found}, this version knows up to {HEAD}): "
            "start that version or a later one, or choose another data directory"
        )
    return str(found)


def _make(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(sa.insert(_version).values(version_num=HEAD))


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "trackrecord.directory:migrations")
    command.upgrade(config, HEAD)
