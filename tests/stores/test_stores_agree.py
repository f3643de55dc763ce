"""Whatever is appended, in whatever batches, by whichever writer: the SQLite store says what the memory store says."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from store_examples import baseline, erasure, event, everything

from trackrecord.stores.memory import MemoryStore
from trackrecord.stores.sqlite import SqliteStore

CONTACTS, NAMES = range(1, 5), range(1, 4)

contacts = st.sampled_from(CONTACTS)
names = st.sampled_from(NAMES)
seconds = st.sampled_from([-1, 0, 1, 86399, 86400, 200_000])
events = st.builds(
    event,
    contact=contacts,
    name=names,
    created_at=seconds,
    distinct=st.sampled_from(["", "", "a"]),
    dropped=st.sampled_from([b"", b'[["a","past_limit"],["b","null_value"]]']),
    metadata=st.sampled_from([b"", b'{"n":1}']),
)
baselines = st.builds(baseline, contact=contacts, name=names, count=st.integers(0, 9), first=st.none() | seconds, last=st.none() | seconds)
batches = st.lists(st.one_of(events, events, events, events, baselines), max_size=12)


class Stores(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "events.db"
        self.memory = MemoryStore()
        self.writers = [self.opened(), self.opened()]
        self.journal = []

    def opened(self):
        return SqliteStore(self.path, heavy_keys=2, probe_one_in=2)

    @rule(records=batches, writer=st.sampled_from([0, 1]))
    def append(self, records, writer):
        first = len(self.journal) + 1
        self.journal += records
        for store in (self.memory, self.writers[writer]):
            store.append(first, records)

    @rule(before=batches, contact=contacts, after=batches, writer=st.sampled_from([0, 1]))
    def erase(self, before, contact, after, writer):
        self.append([*before, erasure(contact), *after], writer)

    @rule(start=st.integers(0, 100), writer=st.sampled_from([0, 1]))
    def append_again(self, start, writer):
        start %= len(self.journal) + 1
        for store in (self.memory, self.writers[writer]):
            store.append(start + 1, self.journal[start:])

    @rule(writer=st.sampled_from([0, 1]))
    def reopen(self, writer):
        self.writers[writer].close()
        self.writers[writer] = self.opened()

    @invariant()
    def they_agree(self):
        assert everything(self.writers[0], CONTACTS, NAMES) == everything(self.memory, CONTACTS, NAMES)
        assert list(self.writers[1].problems()) == []

    def teardown(self):
        for store in self.writers:
            store.close()
        self.folder.cleanup()


TestStoresAgree = Stores.TestCase
TestStoresAgree.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
