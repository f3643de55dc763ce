"""Who in events.db is erased, merged and heavy: what the writer remembers between batches."""

import sqlite3


class People:
    """Read again whenever another writer has committed, or a transaction was rolled back; else kept up by whoever changes a table."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.erased: dict[int, int] = {}  # contact: the position of its erasure
        self.merged: dict[int, int] = {}  # source: target
        self.heavy: set[int] = set()  # contacts whose summaries are kept
        self._db = db
        self._as_of: int | None = None  # the data_version these were read at; None: not known to be right

    def forget(self) -> None:
        """Call when a transaction was rolled back."""
        self._as_of = None

    def remember(self) -> None:
        """Call within a transaction, before the others are used."""
        as_of: int = self._db.execute("PRAGMA data_version").fetchone()[0]  # changes when another connection commits
        if as_of != self._as_of:
            self.erased = dict(self._db.execute("SELECT contact, position FROM erased").fetchall())
            self.merged = dict(self._db.execute("SELECT source, target FROM merged").fetchall())
            self.heavy = {contact for (contact,) in self._db.execute("SELECT DISTINCT contact FROM summaries")}
            self._as_of = as_of

    def final(self, contact: int) -> int:
        """Who a contact is, after all merges."""
        while contact in self.merged:
            contact = self.merged[contact]
        return contact

    def summarise(self, contact: int) -> None:
        """Make a heavy contact's summary anew from its events."""
        self._db.execute("DELETE FROM summaries WHERE contact = ?", (contact,))
        self._db.execute(
            """INSERT INTO summaries
            SELECT contact, name, count(*), min(created_at), max(created_at) FROM event_keys WHERE contact = ? GROUP BY name""",
            (contact,),
        )
        self.heavy.add(contact)
