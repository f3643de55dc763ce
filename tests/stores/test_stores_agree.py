"""Whatever is appended, in whatever batches, by whichever writer: the SQLite store says what the memory store says."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from store_examples import Copy, baseline, cleansed, columns, erasure, event, everything, merge, removal

from trackrecord.rules.records import Gone
from trackrecord.stores.memory import MemoryStore
from trackrecord.stores.sqlite import SqliteStore

CONTACTS, NAMES = range(1, 5), range(1, 4)

contacts = st.sampled_from(CONTACTS)
names = st.sampled_from(NAMES)
seconds = st.sampled_from([-1, 0, 1, 86399, 86400, 200_000])


def with_metadata(data, **fields):
    return event(metadata=data[0], kinds=data[1], **fields)


events = st.builds(
    with_metadata,
    contact=contacts,
    name=names,
    created_at=seconds,
    distinct=st.sampled_from(["", "", "a"]),
    dropped=st.sampled_from([b"", b'[["a","past_limit"],["b","null_value"]]']),
    data=st.sampled_from(
        [
            (b"", ""),
            (b'{"n":1}', "n"),
            (b'{"n":"x","s":true}', "sb"),
            (b'{"":1,"s":"y"}', "ns"),
            (b'{"a":1}', "n"),
            (b'{"A":1,"S":"z","s":2}', "nsn"),
        ]
    ),
)
baselines = st.builds(baseline, contact=contacts, name=names, count=st.integers(0, 9), first=st.none() | seconds, last=st.none() | seconds)
gone = st.builds(Gone, workspace=st.just(1), received_at_ms=st.integers(0, 9), event=st.booleans())
batches = st.lists(st.one_of(events, events, events, events, baselines, gone), max_size=12)
NAME_KEYS_MAX = 3


class Stores(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "events.db"
        self.memory = MemoryStore(name_keys_max=NAME_KEYS_MAX)
        self.writers = [self.opened(), self.opened()]
        self.journal = []
        self.copies = {"memory": Copy(), "sqlite": Copy()}

    def opened(self):
        return SqliteStore(self.path, heavy_keys=2, probe_one_in=2, name_keys_max=NAME_KEYS_MAX, keys_a_table=4, shape_after=2)

    @rule(records=batches, writer=st.sampled_from([0, 1]))
    def append(self, records, writer):
        first = len(self.journal) + 1
        self.journal += records
        for store in (self.memory, self.writers[writer]):
            store.append(first, records)

    @rule(before=batches, contact=contacts, after=batches, writer=st.sampled_from([0, 1]))
    def erase(self, before, contact, after, writer):
        self.append([*before, erasure(contact), *after], writer)

    @rule(before=batches, source=contacts, into=contacts, after=batches, writer=st.sampled_from([0, 1]))
    def merge(self, before, source, into, after, writer):
        self.append([*before, merge(source, into), *after], writer)

    @rule(before=batches, chosen=st.lists(st.integers(0, 60), max_size=6), after=batches, writer=st.sampled_from([0, 1]))
    def remove(self, before, chosen, after, writer):
        self.append([*before, removal(*chosen), *after], writer)

    @rule(start=st.integers(0, 100), writer=st.sampled_from([0, 1]))
    def append_again(self, start, writer):
        start %= len(self.journal) + 1
        for store in (self.memory, self.writers[writer]):
            store.append(start + 1, self.journal[start:])

    @rule(writer=st.sampled_from([0, 1]))
    def reopen(self, writer):
        self.writers[writer].close()
        self.writers[writer] = self.opened()

    @rule(engine=st.sampled_from(["memory", "sqlite"]), limit=st.integers(1, 9), steps=st.integers(1, 9))
    def copy(self, engine, limit, steps):
        """A copy of the columns that takes what changed, a piece at a time, is exact whenever it is told so."""
        store, copy = {"memory": self.memory, "sqlite": self.writers[0]}[engine], self.copies[engine]
        for _ in range(steps):
            if copy.take(store, limit):
                assert copy.rows == columns(self.memory, len(self.journal))

    @invariant()
    def they_agree(self):
        assert everything(self.writers[0], CONTACTS, NAMES) == everything(self.memory, CONTACTS, NAMES)
        assert list(self.writers[1].problems()) == []

    @invariant()
    def a_store_made_anew_from_a_cleansed_journal_agrees_too(self):
        def told(store):
            told = everything(store, CONTACTS, NAMES)
            keys = [(each.name, each.times) for each in told.pop("name_keys")[1]]
            del told["keys_of_one"]  # which keys found room before others depends on what was erased since, as in name_keys
            changes = [each._replace(gone=None) for each in told["changes"]]
            return {
                **told,
                "changes": changes,
                "erased_by": None,
                "keys": {name: sum(times for of, times in keys if of == name) for name, _ in keys},
            }

        anew = MemoryStore(name_keys_max=NAME_KEYS_MAX)
        anew.append(1, cleansed(self.memory, self.journal))
        assert told(anew) == told(self.memory)

    def teardown(self):
        for store in self.writers:
            store.close()
        self.folder.cleanup()


TestStoresAgree = Stores.TestCase
TestStoresAgree.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
