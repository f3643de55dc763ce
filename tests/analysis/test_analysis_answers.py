"""Whatever is appended, erased, removed and merged, and however often the columns are read: answers are those of loops over the events."""

import base64
import json
import logging
import tempfile
from pathlib import Path

import msgspec
import plainly
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from store_examples import baseline, erasure, event, merge, removal

from trackrecord.analysis.questions import QUESTIONS
from trackrecord.analysis.records import Records
from trackrecord.stores.memory import MemoryStore
from trackrecord.stores.sqlite import SqliteStore

CONTACTS, NAMES, ELSEWHERE = range(1, 6), (1, 2), 3  # the last name is another workspace's
SECONDS = (0, 1, 86_399, 86_400, 200_000)
EDGES = [1, 86_400, 86_401, 200_000]
METADATA = [
    (b"", ""),
    (b'{"v":1}', "n"),
    (b'{"v":1.0,"w":2}', "nn"),
    (b'{"v":"1"}', "s"),
    (b'{"v":true}', "b"),
    (b'{"v":"\\u0078"}', "s"),
    (b'{"w":0,"v":"x"}', "ns"),
    (b'{"v":{"amount":5,"currency":"EUR"}}', "m"),
    (b'{"v":{"currency":"eur","amount":5}}', "m"),
    (b'{"v":{"url":"https://a.example","value":"x"}}', "r"),
    (b'{"v":{"url":"https://b.example","value":"x"}}', "r"),
    (b'{"v":[1,{"a":2}]}', "x"),
]

contacts = st.sampled_from(CONTACTS)
seconds = st.sampled_from(SECONDS)


def made(contact, name, second, distinct, metadata):
    return event(
        contact=contact,
        name=name,
        created_at=second,
        distinct=distinct,
        metadata=metadata[0],
        kinds=metadata[1],
        workspace=1 + (name == ELSEWHERE),
    )


events = st.builds(
    made, contacts, st.sampled_from([*NAMES, ELSEWHERE]), seconds, st.sampled_from(["", "a", "b"]), st.sampled_from(METADATA)
)
others = st.builds(baseline, contact=contacts)
batches = st.lists(st.one_of(events, events, events, events, others), max_size=14)


def answered(records, question, **arguments):
    """As it comes over the pipe."""

    def plain(value):
        return value.tolist()

    return msgspec.json.decode(msgspec.json.encode(QUESTIONS[question](records, **arguments), enc_hook=plain))


class Analysed(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.memory = MemoryStore()
        self.sqlite = SqliteStore(self.path / "events.db", keys_a_table=8, shape_after=2)
        self.cursor = 0
        self.warnings = []
        self.handler = logging.Handler(logging.WARNING)
        self.handler.emit = self.warnings.append
        logging.getLogger("trackrecord.analysis").addHandler(self.handler)
        self.in_files = Records(self.sqlite, self.path / "columns")
        self.in_memory = Records(self.memory, None)

    def append(self, records):
        for store in (self.memory, self.sqlite):
            store.append(self.cursor + 1, records)
        self.cursor += len(records)

    @rule(records=batches)
    def add(self, records):
        self.append(records)

    @rule(contact=contacts, after=batches)
    def erase(self, contact, after):
        self.append([erasure(contact), *after])

    @rule(source=contacts, into=contacts, after=batches)
    def merge(self, source, into, after):
        self.append([merge(source, into), *after])

    @rule(positions=st.lists(st.integers(0, 60), max_size=5), after=batches)
    def remove(self, positions, after):
        self.append([removal(*positions), removal(*positions, workspace=2), *after])

    @rule(saved=st.booleans())
    def restart(self, saved):
        if saved:
            self.in_files.save()
        self.in_files = Records(self.sqlite, self.path / "columns")

    def both(self):
        for records in (self.in_files, self.in_memory):
            records.catch_up(self.cursor)
            yield records

    @invariant()
    def columns_are_the_events_that_stand(self):
        for records in self.both():
            columns = records.columns
            arrays = (columns.position, columns.contact, columns.name, columns.created_at)
            assert list(zip(*(array.tolist() for array in arrays), strict=True)) == plainly.rows(self.memory)

    @invariant()
    def answers_are_what_loops_find(self):
        names = [*NAMES, 9]
        assert self.ask("activity", names=names, edges=EDGES) == plainly.activity(self.memory, names, EDGES)
        for since, until in ((None, None), (1, 200_000)):
            asked = {"name": 1, "limit": 2, "since": since, "until": until}
            assert self.ask("top_contacts", **asked) == plainly.top_contacts(self.memory, **asked)
            for key, limit in (("v", 3), ("w", 9), ("nobody's", 1)):
                self.check_breakdown(asked | {"key": key, "limit": limit})

    def ask(self, question, **arguments):
        found, other = (answered(records, question, **arguments) for records in self.both())
        assert found == other
        return found

    def check_breakdown(self, asked):
        found, wanted = self.ask("breakdown", **asked), plainly.breakdown(self.memory, **asked)
        values, counts, rows = wanted.pop("values"), wanted.pop("counts"), found.pop("rows")
        assert found == wanted
        assert [row["events"] for row in rows] == counts
        for row in rows:
            kind, value = row["value"]["kind"], json.loads(base64.b64decode(row["value"]["json"]))
            shown = kind, json.dumps(float(value) if kind in "nd" else value, sort_keys=True)
            assert (row["events"], row["contacts"]) == values[shown]

    @invariant()
    def nothing_was_made_anew(self):
        assert self.warnings == []

    def teardown(self):
        logging.getLogger("trackrecord.analysis").removeHandler(self.handler)
        self.sqlite.close()
        self.folder.cleanup()


TestAnalysed = Analysed.TestCase
TestAnalysed.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
