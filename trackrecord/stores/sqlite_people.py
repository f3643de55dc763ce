"""Who in events.db is erased, merged and heavy: what the writer remembers between batches."""

import sqlite3


class People:
    """Kept up by whoever changes a table, and by `read`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.erased: dict[int, int] = {}  # contact: the position of its erasure
        self.merged: dict[int, int] = {}  # source: target
        self.heavy: set[int] = set()  # contacts whose summaries are kept
        self._db = db

    def read(self) -> None:
        """Call within a transaction, first of all and when another writer has committed."""
        self.erased = dict(self._db.execute("SELECT contact, position FROM erased").fetchall())
        self.merged = dict(self._db.execute("SELECT source, target FROM merged").fetchall())
        self.heavy = {contact for (contact,) in self._db.execute("SELECT DISTINCT contact FROM summaries")}

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
