"""Records for store tests: everything has a value, and a test names only what it is about."""

from trackrecord.rules.records import Baseline, Erasure, Event, Gone, Merge, Removal
from trackrecord.stores.base import Selection

NOW_MS = 1_700_000_500_123


def event(contact=1, name=1, created_at=100, workspace=1, received_at_ms=NOW_MS, **other):
    return Event(workspace=workspace, contact=contact, name=name, created_at=created_at, received_at_ms=received_at_ms, **other)


def baseline(contact=1, name=1, count=1, first=None, last=None, workspace=1):
    return Baseline(workspace=workspace, contact=contact, name=name, received_at_ms=NOW_MS, count=count, first=first, last=last)


def erasure(contact=1, workspace=1):
    return Erasure(workspace=workspace, contact=contact, received_at_ms=NOW_MS)


def merge(source=1, target=2, workspace=1):
    return Merge(workspace=workspace, source=source, target=target, received_at_ms=NOW_MS)


def removal(*positions, workspace=1):
    return Removal(workspace=workspace, positions=positions, received_at_ms=NOW_MS)


def cleansed(store, journal):
    """The records of a journal (positions from 1 on) as they stand once everything erased was taken from it."""
    taken = {position for by in range(len(journal) + 1) for position in store.erased_by(by, after=0, limit=len(journal))}
    return [
        Gone(record.workspace, record.received_at_ms, isinstance(record, Event)) if position in taken else record
        for position, record in enumerate(journal, 1)
    ]


def found(store, selection, *, limit, look_max, wanted=None):
    """All that a search finds, call after call; and how many events the longest answer held."""
    events, before, most = [], None, 0
    while True:
        some = store.search(selection, limit=limit, look_max=look_max, before=before, wanted=wanted)
        events += some.events
        most = max(most, len(some.events))
        if some.next is None:
            return events, most
        assert before is None or some.next < before
        before = some.next


def pages(store, contact, limit, **bounds):
    """Every page in turn, each asked for from the end of the one before."""
    page = store.page(contact, limit=limit, **bounds)
    yield page
    while page.more:
        page = store.page(contact, limit=limit, **bounds | {"before": page.at[-1]})
        yield page


def told(changes):
    """Changes, to be compared: what is gone has no order."""
    return changes._replace(rows=list(changes.rows), gone=sorted(changes.gone))


class Copy:
    """The columns that a store has, kept up by what it tells of changes. Rows by position: (contact, name, created_at)."""

    def __init__(self):
        self.rows = {}
        self.cursor = self.seen = self.merges = 0

    def take(self, store, limit):
        """One step; whether the copy is exact now."""
        changes = store.changes(self.cursor, self.seen, limit=limit)
        for position in changes.gone:
            self.rows.pop(position, None)
        finals = {moved.source: moved.final for moved in changes.moved}
        self.rows = {position: (finals.get(row[0], row[0]), *row[1:]) for position, row in self.rows.items()}
        numbers = iter(changes.rows)
        self.rows |= {position: row for position, *row in zip(*[numbers] * 4, strict=True) for row in [tuple(row)]}
        self.cursor, self.seen = changes.cursor, changes.head
        self.merges += len(changes.moved)
        if self.cursor < self.seen:
            return False
        assert (len(self.rows), self.merges) == (changes.standing, changes.merges)
        return True


def columns(store, end):
    """What a copy must be."""
    stored = (store.receipt(position) for position in range(1, end + 1))
    return {
        receipt.position: (receipt.event.event.contact, receipt.event.event.name, receipt.event.event.created_at)
        for receipt in stored
        if receipt and receipt.outcome == "stored"
    }


def everything(store, contacts, names, workspaces=(1, 2)):
    """All a store tells of these, for comparing whole."""
    end = store.cursor()
    selections = [Selection(workspace) for workspace in workspaces]
    selections += [Selection(1, names=[name]) for name in names]
    selections += [Selection(1, contacts=[contact, 99]) for contact in contacts]
    selections += [Selection(1, names=list(names)[:2], contacts=list(contacts)[1:], since=-1, until=86400)]
    return {
        "cursor": end,
        "pages": {contact: list(pages(store, contact, 3)) for contact in contacts},
        "summaries": {contact: store.summary(contact) for contact in contacts},
        "receipts": [store.receipt(position) for position in range(end + 2)],
        "duplicates": store.duplicates(0, end),
        "receipts of workspaces": [store.receipts(workspaces, after=0, upto=end, limit=end, newest=newest) for newest in (False, True)],
        "name_totals": {workspace: store.name_totals(workspace) for workspace in workspaces},
        "day_totals": {name: store.day_totals(name, first=-100, last=100) for name in names},
        "scans": [list(store.scan(selection, after=after)) for selection in selections for after in (0, end // 2)],
        "searches": [found(store, selection, limit=3, look_max=7)[0] for selection in selections],
        "name_keys": {workspace: store.name_keys(workspace) for workspace in workspaces},
        "keys_of_one": {workspace: store.name_keys(workspace, [1, 9]) for workspace in workspaces},
        "merged": store.merged(),
        "erased": store.erased(),
        "values": {key: store.values(key, range(1, end + 1)) for key in ("n", "s", "", "nobody's")},
        "changes": [told(store.changes(after, seen, limit=limit)) for after, seen, limit in ((0, 0, end + 1), (0, 0, 3), (end, end, 1))],
        "erased_by": {position: store.erased_by(position, after=0, limit=100) for position in range(end + 1)},
    }
