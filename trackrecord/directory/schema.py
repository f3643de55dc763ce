"""Which state of the tables a file is in, and how it is brought to ours.

Alembic is imported only where there is something to change: a server that starts on an up-to-date file never loads it.
"""

import sqlalchemy as sa

from ..errors import DataDirectoryUnusable, Unavailable
from ..faults import reach
from .engine import Database

# Every revision there is, oldest first; migrations/versions has one file for each. A file on any of them can be upgraded.
REVISIONS = ("0001", "0002")
HEAD = REVISIONS[-1]

_version = sa.table("alembic_version", sa.column("version_num", sa.Text))


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
            if _revision(connection, db) != HEAD:
                _migrate(connection)
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


def _migrate(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "trackrecord.directory:migrations")
    command.upgrade(config, HEAD)
