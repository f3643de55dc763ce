"""What trackrecord/stores/base.py promises, said once and run on every engine."""

import pytest
from store_examples import NOW_MS, baseline, cleansed, erasure, event, everything, found, merge, pages, removal

from trackrecord import outcomes
from trackrecord.rules.records import Gone
from trackrecord.stores.base import (
    PAGE_METADATA_BYTES,
    Changes,
    Copies,
    Moment,
    NameKey,
    NameTotal,
    Page,
    Place,
    Receipt,
    Receipts,
    Selection,
    StoredEvent,
    Summary,
)
from trackrecord.stores.name_keys import NAME_KEYS_MAX


def positions(stored):
    return [one.position for one in stored]


def test_a_new_store_is_empty(store):
    assert everything(store, contacts=[1], names=[1]) == {
        "cursor": 0,
        "pages": {1: [Page([], [], more=False)]},
        "summaries": {1: []},
        "receipts": [None, None],
        "duplicates": [],
        "receipts of workspaces": [Receipts([], more=False)] * 2,
        "name_totals": {1: [], 2: []},
        "day_totals": {1: []},
        "scans": [[]] * 10,
        "searches": [[]] * 5,
        "name_keys": {1: [], 2: []},
        "keys_of_one": {1: [], 2: []},
        "merged": {},
        "erased": frozenset(),
        "values": {"n": [], "s": [], "": [], "nobody's": []},
        "changes": [Changes(0, 0, [], [], [], 0, 0)] * 3,
        "erased_by": {0: []},
    }


def test_an_event_comes_back_as_it_was_sent(store):
    sent = event(
        workspace=2,
        contact=3,
        name=4,
        created_at=5,
        received_at_ms=6,
        metadata='{"née":"é"}'.encode(),
        kinds="s",
        dropped=b'[["x","past_limit"]]',
        distinct="7",
    )
    store.append(1, [sent])
    assert store.page(3, limit=1) == Page([StoredEvent(1, sent)], [Moment(5, 0)], more=False)


def test_appending_records_again_changes_nothing(store):
    records = [event(), event(), event(created_at=101), baseline(count=3), erasure(contact=2), event(contact=2)]
    store.append(1, records)
    before = everything(store, contacts=[1, 2], names=[1])
    store.append(1, records)
    store.append(3, records[2:4])
    assert everything(store, contacts=[1, 2], names=[1]) == before


def test_of_records_partly_appended_before_only_the_rest_is_kept(store):
    store.append(1, [event(created_at=100), event(created_at=101)])
    store.append(2, [event(created_at=101), event(created_at=102), event(created_at=103)])
    assert (store.cursor(), positions(store.scan(Selection(1))), store.duplicates(1, 9)) == (4, [1, 2, 3, 4], [])


def test_a_store_may_begin_in_the_middle_of_a_journal(store):
    store.append(1001, [event()])
    store.append(2001, [event(created_at=101)])
    assert (store.cursor(), positions(store.scan(Selection(1))), store.receipt(1500)) == (2001, [1001, 2001], None)


def test_appending_nothing_changes_nothing(store):
    store.append(1, [])
    assert store.cursor() == 0


# Once, for ever.


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_of_equal_keys_the_first_copy_stands_however_batches_are_cut(store, cut):
    records = [event(metadata=b'{"n":1}'), event(metadata=b'{"n":2}', received_at_ms=NOW_MS + 1), event(metadata=b'{"n":3}')]
    store.append(1, records[:cut])
    store.append(1 + cut, records[cut:])
    first = StoredEvent(1, records[0])
    assert store.page(1, limit=9).events == [first]
    assert store.duplicates(1, 3) == [2, 3]
    assert store.receipt(2) == Receipt(2, outcomes.DUPLICATE, NOW_MS + 1, 1, first)
    assert store.name_totals(1) == [NameTotal(name=1, count=1, first=100, last=100, duplicates=2, keys_dropped=0)]


@pytest.mark.parametrize(
    "other",
    [{"contact": 2}, {"name": 2}, {"created_at": 101}, {"distinct": "0e7c"}],
)
def test_an_event_that_differs_in_its_key_is_another_event(store, other):
    store.append(1, [event(), event(**other)])
    assert (positions(store.scan(Selection(1))), store.duplicates(1, 2)) == ([1, 2], [])


def test_duplicates_are_told_for_the_positions_asked_for(store):
    store.append(1, [event()] * 6)
    assert store.duplicates(3, 5) == [3, 4, 5]


def test_receipts_are_told_for_a_span_and_for_workspaces(store):
    records = [event(), event(), event(workspace=2, contact=2), baseline(), event(created_at=101), event(contact=3), erasure(contact=3)]
    store.append(1, records)
    first = Receipt(1, outcomes.STORED, NOW_MS, 1, StoredEvent(1, records[0]))
    copy = Receipt(2, outcomes.DUPLICATE, NOW_MS, 1, StoredEvent(1, records[0]))
    other = Receipt(3, outcomes.STORED, NOW_MS, 2, StoredEvent(3, records[2]))
    second = Receipt(5, outcomes.STORED, NOW_MS, 1, StoredEvent(5, records[4]))
    erased = Receipt(6, outcomes.ERASED, NOW_MS, 1, None)
    assert store.receipts([1, 2], after=0, upto=7, limit=9) == Receipts([first, copy, other, second, erased], more=False)
    assert store.receipts([1], after=1, upto=5, limit=9) == Receipts([copy, second], more=False)
    assert store.receipts([1], after=0, upto=7, limit=2) == Receipts([first, copy], more=True)
    assert store.receipts([1], after=0, upto=7, limit=3, newest=True) == Receipts([erased, second, copy], more=True)
    assert store.receipts([3], after=0, upto=7, limit=3) == Receipts([], more=False)


def test_receipts_are_chosen_by_name_contact_and_outcome(store):
    records = [event(), event(name=2), event(contact=2), event(), event(contact=3, name=2), erasure(contact=3), merge(source=2, target=1)]
    store.append(1, records)

    def chosen(**by):
        found = store.receipts([1], after=0, upto=7, limit=9, **by).found
        return [(each.position, each.outcome) for each in found]

    assert chosen() == [(1, "stored"), (2, "stored"), (3, "duplicate"), (4, "duplicate"), (5, "erased")]
    assert chosen(names=[2]) == [(2, "stored")]
    assert chosen(contacts=[1]) == [(1, "stored"), (2, "stored"), (3, "duplicate"), (4, "duplicate")]
    assert chosen(contacts=[1], names=[1], outcome="stored") == [(1, "stored")]
    assert chosen(contacts=[2, 3]) == []
    assert chosen(outcome="duplicate") == [(3, "duplicate"), (4, "duplicate")]
    assert chosen(outcome="erased") == [(5, "erased")]


def test_receipts_end_early_where_metadata_is_long(store):
    long = [event(created_at=number, metadata=b'{"n":"' + b"x" * PAGE_METADATA_BYTES + b'"}', kinds="s") for number in range(3)]
    store.append(1, long)
    answers = [store.receipts([1], after=after, upto=3, limit=9) for after in range(3)]
    assert [([each.position for each in answer.found], answer.more) for answer in answers] == [([1], True), ([2], True), ([3], False)]


def test_the_copies_of_an_event_are_counted_and_the_first_told(store):
    store.append(1, [event(), *(event(received_at_ms=NOW_MS + number) for number in range(1, 5)), event(created_at=101)])
    assert store.copies(1, limit=3) == Copies(4, [(2, NOW_MS + 1), (3, NOW_MS + 2), (4, NOW_MS + 3)])
    assert store.copies(6, limit=3) == Copies(0, [])


# A contact's timeline.


def test_a_page_shows_the_newest_first_and_within_a_second_the_last_received(store):
    store.append(1, [event(created_at=100), event(created_at=102), event(created_at=100, name=2), event(created_at=101, contact=2)])
    page = store.page(1, limit=9)
    assert (positions(page.events), page.at, page.more) == ([2, 3, 1], [Moment(102, 0), Moment(100, 1), Moment(100, 0)], False)


def test_paging_through_five_hundred_events_of_one_second_loses_and_repeats_none(store):
    around = [event(created_at=99, name=7), event(created_at=101, name=8)]
    store.append(1, around + [event(distinct=f"{number * 7919 % 500:03}") for number in range(500)])
    shown = list(pages(store, 1, 7))
    assert [at for page in shown for at in page.at] == [Moment(101, 0), *(Moment(100, rank) for rank in range(499, -1, -1)), Moment(99, 0)]
    assert [stored.position for page in shown for stored in page.events] == [2, *range(502, 2, -1), 1]


@pytest.mark.parametrize(
    ("bounds", "shown", "more"),
    [
        ({"before": Moment(101, 0)}, [(100, 2), (100, 1), (100, 0)], True),
        ({"before": Moment(100, 2)}, [(100, 1), (100, 0), (99, 0)], False),
        ({"before": Moment(100, 9)}, [(100, 2), (100, 1), (100, 0)], True),
        ({"before": Moment(100, 0)}, [(99, 0)], False),
        ({"before": Moment(100, -1)}, [(99, 0)], False),
        ({"before": Moment(99, 0)}, [], False),
        ({"since": Moment(100, 1)}, [(101, 0), (100, 2), (100, 1)], False),
        ({"since": Moment(100, 0)}, [(101, 0), (100, 2), (100, 1)], True),
        ({"since": Moment(100, 3)}, [(101, 0)], False),
        ({"since": Moment(101, 1)}, [], False),
        ({"before": Moment(101, 0), "since": Moment(100, 1)}, [(100, 2), (100, 1)], False),
        ({"before": Moment(100, 2), "since": Moment(100, 1)}, [(100, 1)], False),
        ({"before": Moment(100, 1), "since": Moment(100, 1)}, [], False),
        ({"oldest": 101}, [(101, 0)], False),
        ({"oldest": 100, "before": Moment(100, 2)}, [(100, 1), (100, 0)], False),
        ({"oldest": 100, "since": Moment(99, 0), "before": Moment(100, 1)}, [(100, 0)], False),
        ({"oldest": 99, "since": Moment(100, 2)}, [(101, 0), (100, 2)], False),
    ],
)
def test_a_page_keeps_within_its_bounds(store, bounds, shown, more):
    store.append(1, [event(created_at=99), event(), event(name=2), event(name=3), event(created_at=101)])
    page = store.page(1, limit=3, **bounds)
    assert (page.at, page.more) == ([Moment(*at) for at in shown], more)


def test_a_late_event_keeps_the_ranks_of_its_second(store):
    store.append(1, [event(name=2), event(created_at=101)])
    store.append(3, [event(name=1)])
    assert dict(zip(store.page(1, limit=9).at, positions(store.page(1, limit=9).events), strict=True)) == {
        Moment(101, 0): 2,
        Moment(100, 1): 3,
        Moment(100, 0): 1,
    }


# Summaries.


def test_a_summary_counts_each_name_newest_first(store):
    store.append(1, [event(name=1, created_at=5), event(name=2, created_at=9), event(name=1, created_at=3), event(name=3, created_at=9)])
    assert store.summary(1) == [
        Summary(name=2, count=1, first=9, last=9),
        Summary(name=3, count=1, first=9, last=9),
        Summary(name=1, count=2, first=3, last=5),
    ]


@pytest.mark.parametrize(
    ("given", "summary"),
    [
        ({"count": 7, "first": 1, "last": 50}, Summary(name=1, count=9, first=1, last=101)),
        ({"count": 7, "first": 110, "last": 150}, Summary(name=1, count=9, first=100, last=150)),
        ({"count": 7}, Summary(name=1, count=9, first=100, last=101)),
        ({"count": 0, "first": 0}, Summary(name=1, count=2, first=0, last=101)),
    ],
)
def test_a_baseline_is_added_to_what_is_recorded(store, given, summary):
    store.append(1, [event(created_at=100), baseline(**given), event(created_at=101)])
    assert store.summary(1) == [summary]


def test_a_newer_baseline_replaces_the_older_of_its_name(store):
    store.append(1, [baseline(name=1, count=4, first=1, last=2), baseline(name=2, count=5)])
    store.append(3, [baseline(name=1, count=6)])
    assert store.summary(1) == [Summary(name=1, count=6, first=None, last=None), Summary(name=2, count=5, first=None, last=None)]


def test_rows_without_a_time_stand_at_the_end(store):
    store.append(1, [baseline(name=1, count=1), baseline(name=3, count=1, last=0), event(name=2)])
    assert [row.name for row in store.summary(1)] == [2, 3, 1]


def test_a_baseline_is_in_no_total_and_has_no_receipt(store):
    store.append(1, [baseline(count=4, first=1, last=2)])
    assert (store.cursor(), store.name_totals(1), store.day_totals(1, first=0, last=9), store.receipt(1)) == (1, [], [], None)


# Totals.


def test_name_totals_are_of_one_workspace_most_frequent_first(store):
    dropped = b'[["a","past_limit"],["b","null_value"]]'
    store.append(
        1,
        [
            event(name=1, contact=1, created_at=30, dropped=dropped),
            event(name=2, contact=1, created_at=31),
            event(name=3, contact=2, created_at=10),
            event(name=3, contact=1, created_at=20, dropped=b'[["a","past_limit"]]'),
            event(name=1, contact=1, created_at=30, dropped=dropped),
            event(name=4, contact=3, workspace=2),
        ],
    )
    assert store.name_totals(1) == [
        NameTotal(name=3, count=2, first=10, last=20, duplicates=0, keys_dropped=1),
        NameTotal(name=1, count=1, first=30, last=30, duplicates=1, keys_dropped=2),
        NameTotal(name=2, count=1, first=31, last=31, duplicates=0, keys_dropped=0),
    ]
    assert store.name_totals(2) == [NameTotal(name=4, count=1, first=100, last=100, duplicates=0, keys_dropped=0)]


def test_day_totals_are_counted_by_day_in_utc(store):
    store.append(1, [event(created_at=second) for second in (-1, 0, 86399, 86400, 86401, 5 * 86400)])
    assert store.day_totals(1, first=-1, last=4) == [(-1, 1), (0, 2), (1, 2)]


# Erasure.


def test_an_erased_contact_leaves_receipts_and_nothing_else(store):
    others = event(contact=2, name=1, created_at=200)
    kept = [StoredEvent(1, others)]
    store.append(1, [others, event(), event(), event(name=2), baseline(count=3)])
    store.append(6, [event(created_at=300), erasure(), event(created_at=400), baseline(count=9), event()])
    receipts = {1: Receipt(1, outcomes.STORED, NOW_MS, 1, StoredEvent(1, others))}
    receipts |= {position: Receipt(position, outcomes.ERASED, NOW_MS, 1, None) for position in (2, 3, 4, 6, 8, 10)}
    told = list(receipts.values())
    assert everything(store, contacts=[1], names=[1, 2], workspaces=[1]) == {
        "cursor": 10,
        "pages": {1: [Page([], [], more=False)]},
        "summaries": {1: []},
        "receipts": [receipts.get(position) for position in range(12)],
        "duplicates": [],
        "receipts of workspaces": [Receipts(told, more=False), Receipts(told[::-1], more=False)],
        "name_totals": {1: [NameTotal(name=1, count=1, first=200, last=200, duplicates=0, keys_dropped=0)]},
        "day_totals": {1: [(0, 1)], 2: []},
        "scans": [kept, [], kept, [], [], [], [], [], kept, []],
        "searches": [kept, kept, [], [], kept],
        "name_keys": {1: []},
        "keys_of_one": {1: []},
        "merged": {},
        "erased": frozenset({1}),
        "values": {"n": [], "s": [], "": [], "nobody's": []},
        "changes": [Changes(10, 10, row, [], [], 1, 0) for row in ([1, 2, 1, 200], [1, 2, 1, 200], [])],
        "erased_by": {position: [2, 3, 4, 5, 6, 8, 9, 10] if position == 7 else [] for position in range(11)},
    }


def test_totals_find_their_next_first_and_last_when_those_are_erased(store):
    times = {1: (10, 500_000), 2: (300_000, 20), 3: (90_000, 499_999), 4: (86_400, 86_401)}
    store.append(1, [event(contact=contact, created_at=second) for contact, seconds in times.items() for second in seconds])
    store.append(9, [erasure(contact=1), event(contact=4, created_at=86_399)])
    assert store.name_totals(1) == [NameTotal(name=1, count=7, first=20, last=499_999, duplicates=0, keys_dropped=0)]
    store.append(11, [erasure(contact=2), erasure(contact=3)])
    assert store.name_totals(1) == [NameTotal(name=1, count=3, first=86_399, last=86_401, duplicates=0, keys_dropped=0)]


def test_a_contact_may_be_erased_before_it_did_anything(store):
    store.append(1, [erasure(), erasure(), event()])
    assert (store.erased(), store.receipt(3)) == (frozenset({1}), Receipt(3, outcomes.ERASED, NOW_MS, 1, None))


# Merges.


def test_a_merged_contacts_events_and_baselines_are_its_targets_before_and_after(store):
    store.append(1, [event(contact=1, created_at=100), event(contact=2, created_at=101), baseline(contact=1, name=3, count=4)])
    store.append(4, [merge(1, 2), event(contact=1, created_at=102), baseline(contact=1, name=5, count=2)])
    assert store.page(1, limit=9).events == []
    assert store.page(2, limit=9).events == [
        StoredEvent(at, event(contact=2, created_at=second)) for at, second in ((5, 102), (2, 101), (1, 100))
    ]
    assert (store.summary(1), [(row.name, row.count) for row in store.summary(2)]) == ([], [(1, 3), (3, 4), (5, 2)])
    assert store.receipt(1).event == StoredEvent(1, event(contact=2, created_at=100))
    assert store.merged() == {1: 2}


@pytest.mark.parametrize("target_first", [True, False])
def test_of_what_both_did_the_targets_stands_and_the_sources_is_a_duplicate_of_it(store, target_first):
    source = event(contact=1, metadata=b'{"whose":"source"}', kinds="s", dropped=b'[["a","past_limit"]]', received_at_ms=NOW_MS + 1)
    target = event(contact=2, metadata=b'{"whose":"target","n":1}', kinds="sn")
    store.append(1, [target, source, source] if target_first else [source, source, target])
    store.append(4, [merge(1, 2)])
    standing, others = (1, [2, 3]) if target_first else (3, [1, 2])
    assert store.page(2, limit=9) == Page([StoredEvent(standing, target)], [Moment(100, 0)], more=False)
    assert store.duplicates(1, 4) == others
    assert [store.receipt(at) for at in others] == [
        Receipt(at, outcomes.DUPLICATE, NOW_MS + 1, 1, StoredEvent(standing, target)) for at in others
    ]
    assert store.name_totals(1) == [NameTotal(name=1, count=1, first=100, last=100, duplicates=2, keys_dropped=0)]
    assert store.day_totals(1, first=0, last=9) == [(0, 1)]
    assert store.name_keys(1) == [NameKey(1, "n", "n", 1), NameKey(1, "whose", "s", 1)]


def test_of_two_baselines_of_a_name_the_targets_stands_until_a_newer_one_comes(store):
    store.append(1, [baseline(contact=2, count=2), baseline(contact=1, count=1), baseline(contact=1, name=2, count=8), merge(1, 2)])
    assert [(row.name, row.count) for row in store.summary(2)] == [(1, 2), (2, 8)]
    store.append(5, [baseline(contact=1, count=5)])
    assert [(row.name, row.count) for row in store.summary(2)] == [(1, 5), (2, 8)]


def test_merges_may_follow_each_other_in_any_order(store):
    store.append(1, [event(contact=contact, created_at=contact) for contact in (1, 2, 3, 4)])
    store.append(5, [merge(2, 3), merge(1, 2), merge(3, 4), event(contact=1, created_at=9)])
    assert (positions(store.page(4, limit=9).events), store.merged()) == ([8, 4, 3, 2, 1], {2: 3, 1: 2, 3: 4})


@pytest.mark.parametrize(
    "records",
    [
        [merge(1, 1)],
        [merge(1, 2), merge(2, 1)],
        [merge(1, 2), merge(1, 3)],
        [merge(1, 2), merge(2, 3), merge(3, 1)],
        [erasure(1), merge(1, 2)],
    ],
)
def test_a_merge_that_cannot_be_changes_nothing(store, records):
    store.append(1, [event(contact=contact, created_at=contact) for contact in (1, 2, 3)])
    store.append(4, records[:-1])

    def told():
        people = [(store.page(contact, limit=9), store.summary(contact)) for contact in (1, 2, 3)]
        return people, store.name_totals(1), store.duplicates(0, 99), store.merged(), store.erased()

    before = told()
    store.append(3 + len(records), records[-1:])
    assert told() == before


@pytest.mark.parametrize("erased", [1, 2])
def test_erasing_either_of_two_merged_contacts_erases_both(store, erased):
    store.append(1, [event(contact=1, created_at=1), event(contact=2, created_at=2), baseline(contact=1), merge(1, 2), erasure(erased)])
    store.append(6, [event(contact=1, created_at=3), event(contact=2, created_at=4), baseline(contact=1)])
    assert [(store.page(contact, limit=9).events, store.summary(contact)) for contact in (1, 2)] == [([], [])] * 2
    assert (list(store.scan(Selection(1))), store.name_totals(1), 2 in store.erased()) == ([], [], True)
    assert [store.receipt(at).outcome for at in (1, 2, 6, 7)] == [outcomes.ERASED] * 4
    assert store.erased_by(5, after=0, limit=99) == [1, 2, 3, 6, 7, 8]


def test_merging_into_an_erased_contact_erases(store):
    store.append(1, [event(contact=1), baseline(contact=1), erasure(2), merge(1, 2), event(contact=1, created_at=5)])
    assert (store.page(1, limit=9).events, store.summary(1), store.summary(2), store.name_totals(1)) == ([], [], [], [])
    assert (store.erased_by(4, after=0, limit=9), store.erased_by(3, after=0, limit=9)) == ([1, 2], [5])


# Removals.


def test_a_removed_event_leaves_its_receipt_and_its_key_is_free_again(store):
    kept = event(created_at=200, metadata=b'{"a":1}', kinds="n")
    taken = event(metadata=b'{"a":1,"b":"x"}', kinds="ns", dropped=b'[["k","past_limit"]]')
    store.append(1, [taken, kept, taken, removal(1), event(metadata=b'{"c":true}', kinds="b")])
    assert positions(store.page(1, limit=9).events) == [2, 5]
    assert [store.receipt(at).outcome for at in (1, 2, 3, 5)] == [outcomes.ERASED, outcomes.STORED, outcomes.ERASED, outcomes.STORED]
    assert store.name_totals(1) == [NameTotal(name=1, count=2, first=100, last=200, duplicates=0, keys_dropped=0)]
    assert store.name_keys(1) == [NameKey(1, "a", "n", 1), NameKey(1, "c", "b", 1)]
    assert (store.summary(1), store.erased_by(4, after=0, limit=9)) == ([Summary(name=1, count=2, first=100, last=200)], [1, 3])


def test_a_removal_passes_over_what_is_no_stored_event_of_its_workspace(store):
    records = [event(), event(), baseline(), event(contact=2, workspace=2, name=2)]
    store.append(1, [*records, removal(2, 3, 4, 5, 99, workspace=1)])
    assert [(store.receipt(at) or store.receipt(1)).outcome for at in range(1, 6)] == [
        outcomes.STORED,
        outcomes.DUPLICATE,
        outcomes.STORED,
        outcomes.STORED,
        outcomes.STORED,
    ]
    assert (store.summary(1)[0].count, store.erased_by(5, after=0, limit=9)) == (2, [])


def test_removing_the_last_event_of_a_name_leaves_no_total_of_it(store):
    store.append(1, [event(), event(contact=2, created_at=90_000), removal(2, 1)])
    assert (store.name_totals(1), store.day_totals(1, first=0, last=9), store.summary(1), store.summary(2)) == ([], [], [], [])


# What is gone.


def test_a_gone_event_leaves_an_erased_receipt_and_a_gone_baseline_nothing(store):
    store.append(1, [Gone(1, NOW_MS, event=True), Gone(2, NOW_MS, event=False), event()])
    assert store.receipt(1) == Receipt(1, outcomes.ERASED, NOW_MS, 1, None)
    assert (store.receipt(2), positions(store.scan(Selection(1))), store.cursor()) == (None, [3], 3)


def test_a_store_made_anew_from_a_cleansed_journal_answers_the_same(store, request):
    journal = [
        *(event(contact=contact, created_at=second) for contact in (1, 2, 3) for second in (1, 2)),
        *(event(contact=1, created_at=1), baseline(contact=1), event(contact=2, created_at=2)),
        *(merge(2, 3), removal(6, 1), event(contact=2, created_at=2), event(contact=1, created_at=1), erasure(1), event(contact=1)),
    ]
    store.append(1, journal)
    rest = cleansed(store, journal)
    assert [at for at, record in enumerate(rest, 1) if isinstance(record, Gone)] == [1, 2, 4, 6, 7, 8, 9, 13, 15]
    anew = type(store)(*([request.getfixturevalue("tmp_path") / "anew.db"] if hasattr(store, "_path") else []))
    anew.append(1, rest)

    def told(one):
        return {**everything(one, contacts=[1, 2, 3], names=[1]), "erased_by": None}

    assert told(anew) == told(store)
    anew.close()


# Searches.

SEARCHED = [
    event(contact=2, name=1, created_at=10),
    event(contact=1, name=2, created_at=20),
    event(contact=1, name=1, created_at=30),
    event(contact=3, name=2, created_at=30),
    event(contact=4, name=3, created_at=30, workspace=2),
    event(contact=1, name=4, created_at=5),
]


@pytest.mark.parametrize(("limit", "look_max"), [(1, 1), (2, 100), (9, 2)])
@pytest.mark.parametrize(
    ("selection", "at"),
    [
        (Selection(1), [4, 3, 2, 1, 6]),
        (Selection(2), [5]),
        (Selection(3), []),
        (Selection(1, names=[2, 9, 2]), [4, 2]),
        (Selection(1, names=[3]), []),
        (Selection(1, contacts=[2, 1, 2]), [3, 2, 1, 6]),
        (Selection(1, contacts=[4]), []),
        (Selection(1, contacts=[1, 3], names=[2, 4]), [4, 2, 6]),
        (Selection(1, since=20), [4, 3, 2]),
        (Selection(1, until=30), [2, 1, 6]),
        (Selection(1, since=10, until=30, contacts=[1, 2]), [2, 1]),
        (Selection(1, contacts=range(1, 2_000)), [4, 3, 2, 1, 6]),
        (Selection(1, contacts=range(2, 2_000), names=[1, 2]), [4, 1]),
    ],
)
def test_a_search_finds_what_is_selected_newest_first_in_pieces_of_any_size(store, selection, at, limit, look_max):
    store.append(1, SEARCHED)
    events, most = found(store, selection, limit=limit, look_max=look_max)
    assert ([stored.position for stored in events], most <= limit) == (at, True)


def test_a_search_finds_only_what_is_wanted_and_says_where_to_go_on(store):
    store.append(1, [event(created_at=second, name=1 + second % 3) for second in range(100)])
    looked = []

    def even(candidate):
        looked.append(candidate.created_at)
        return candidate.created_at % 2 == 0

    some = store.search(Selection(1), limit=10, look_max=7, wanted=even)
    assert ([stored.event.created_at for stored in some.events], some.next) == ([98, 96, 94], Place(93, 94))
    assert looked == [99, 98, 97, 96, 95, 94, 93]
    events, _ = found(store, Selection(1), limit=10, look_max=7, wanted=even)
    assert [stored.event.created_at for stored in events] == list(range(98, -1, -2))


def test_a_search_that_has_looked_at_everything_says_so(store):
    store.append(1, [event(created_at=second) for second in range(3)])
    assert store.search(Selection(1), limit=3, look_max=3).next is None
    assert store.search(Selection(1), limit=3, look_max=2).next == Place(1, 2)
    assert store.search(Selection(1), limit=2, look_max=9).next == Place(1, 2)
    assert store.search(Selection(1), limit=2, look_max=9, before=Place(0, 1)) == ([], None)


def test_a_search_ends_where_it_has_found_much_metadata(store):
    store.append(1, [event(created_at=second, metadata=bytes(1_500_000)) for second in range(6)])
    some = store.search(Selection(1), limit=100, look_max=100)
    assert ([stored.position for stored in some.events], some.next) == ([6, 5, 4], Place(3, 4))


def test_a_search_through_thousands_of_one_second_loses_and_repeats_none(store):
    store.append(1, [event(distinct=str(number), name=1 + number % 2) for number in range(5_000)])
    events, _ = found(store, Selection(1), limit=300, look_max=333)
    assert [stored.position for stored in events] == list(range(5_000, 0, -1))


# Metadata keys.


def test_metadata_keys_are_counted_by_name_and_kind_most_first(store):
    store.append(
        1, [event(created_at=1, metadata=b'{"plan":"x","seats":1}', kinds="sn"), event(created_at=2, metadata=b'{"plan":1}', kinds="n")]
    )
    store.append(3, [event(created_at=3, metadata=b'{"plan":"y"}', kinds="s"), event(created_at=3, metadata=b'{"plan":"y"}', kinds="s")])
    store.append(5, [event(name=2, metadata=b'{"plan":{"deep":["x"]},"":true}', kinds="xb"), event(workspace=2, name=3, contact=9)])
    assert store.name_keys(1) == [
        NameKey(1, "plan", "s", 2),
        NameKey(1, "plan", "n", 1),
        NameKey(1, "seats", "n", 1),
        NameKey(2, "", "b", 1),
        NameKey(2, "plan", "x", 1),
    ]
    assert store.name_keys(2) == []


@pytest.mark.parametrize("cut", [1, 7, 2_000])
def test_keys_without_end_are_counted_together_and_leave_again(store, cut):
    count = NAME_KEYS_MAX + 20
    records = [event(contact=1 + number % 2, created_at=number, metadata=b'{"id-%d":1}' % number, kinds="n") for number in range(count)]
    for start in range(0, count, cut):
        store.append(start + 1, records[start : start + cut])
    rows = store.name_keys(1)
    assert (len(rows), rows[0], sum(row.times for row in rows)) == (NAME_KEYS_MAX + 1, NameKey(1, "", "", 20), count)
    store.append(count + 1, [erasure(2)])
    rows = store.name_keys(1)
    assert (len(rows), rows[0], sum(row.times for row in rows)) == (NAME_KEYS_MAX // 2 + 1, NameKey(1, "", "", 10), count // 2)
    store.append(count + 2, [removal(*range(NAME_KEYS_MAX + 1, count + 1)), event(created_at=-1, metadata=b'{"new":"x"}', kinds="s")])
    rows = store.name_keys(1)
    assert (len(rows), NameKey(1, "new", "s", 1) in rows, "" in {row.key for row in rows}) == (NAME_KEYS_MAX // 2 + 1, True, False)


# Scans.


@pytest.mark.parametrize(
    ("selection", "after", "found"),
    [
        (Selection(1), 0, [1, 2, 3, 4]),
        (Selection(2), 0, [5]),
        (Selection(3), 0, []),
        (Selection(1), 2, [3, 4]),
        (Selection(1), 9, []),
        (Selection(1, names=[2, 9]), 0, [2, 4]),
        (Selection(1, contacts=[2, 1, 2]), 0, [1, 2, 3]),
        (Selection(1, contacts=[4]), 0, []),
        (Selection(1, contacts=[1, 3], names=[2]), 1, [2, 4]),
        (Selection(1, since=20, until=40), 0, [2, 3]),
        (Selection(1, contacts=[1, 2], since=20), 0, [2, 3]),
        (Selection(1, contacts=[1, 2], until=20), 0, [1]),
    ],
)
def test_a_scan_gives_what_is_selected_in_order_of_position(store, selection, after, found):
    store.append(
        1,
        [
            event(contact=2, name=1, created_at=10),
            event(contact=1, name=2, created_at=20),
            event(contact=1, name=1, created_at=30),
            event(contact=3, name=2, created_at=40),
            event(contact=4, name=3, created_at=30, workspace=2),
        ],
    )
    assert positions(store.scan(selection, after=after)) == found


@pytest.mark.parametrize("selection", [Selection(1), Selection(1, contacts=[1])])
def test_a_scan_is_of_the_moment_of_the_call(store, selection):
    store.append(1, [event(created_at=second) for second in range(3)])
    scan = store.scan(selection)
    store.append(4, [event(created_at=3)])
    assert positions(scan) == [1, 2, 3]


def test_a_long_scan_with_gaps_misses_nothing(store):
    kept = [*range(1, 9_001), *range(50_000, 50_010), *range(10_000_000, 10_000_003)]
    store.append(1, [event(created_at=second) for second in range(9_000)])
    store.append(50_000, [event(contact=2, created_at=second) for second in range(10)])
    store.append(10_000_000, [event(contact=3, created_at=second) for second in range(3)])
    assert positions(store.scan(Selection(1))) == kept
    assert positions(store.scan(Selection(1, contacts=[1, 3]), after=4_000)) == kept[4_000:9_000] + kept[-3:]


def test_everything_appended_is_safe_after_sync(store):
    assert store.sync() == 0
    store.append(1, [event(), baseline()])
    assert [store.sync(), store.sync(), store.cursor()] == [2, 2, 2]
