"""Trends, funnels and retention against plain models of what their pages promise."""

from collections import defaultdict
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.analysis.funnel import Step, funnel
from trackrecord.analysis.records import Records
from trackrecord.analysis.retention import Cohort, retention
from trackrecord.analysis.timeline import happened
from trackrecord.analysis.trend import Trend, trend
from trackrecord.stores.memory import MemoryStore


class Event(NamedTuple):
    contact: int
    name: int
    at: int


def records_of(*parts: list[Event]) -> Records:
    """Records to which events were added in several goes, looked at in between, so that what is kept of them is brought up to date."""
    records = Records(MemoryStore(), None)
    columns = records.columns
    position = 1
    for part in parts:
        columns.add(
            {
                "position": np.arange(position, position + len(part)),
                "contact": np.array([event.contact for event in part], np.int64),
                "name": np.array([event.name for event in part], np.int64),
                "created_at": np.array([event.at for event in part], np.int64),
            }
        )
        position += len(part)
        for names in ([1], [2], [1, 2, 3]):
            happened(columns, names, until=100)
    return records


BIG = 70_000  # contacts whose numbers take more than 16 bits
EVENTS = st.lists(
    st.builds(Event, st.sampled_from([1, 2, 3, BIG, BIG + 1, 1 << 17]), st.integers(1, 4), st.integers(0, 60)), min_size=0, max_size=60
)
EDGES = st.sets(st.integers(0, 70), min_size=2, max_size=8).map(sorted)
SEVERAL = st.lists(st.lists(st.integers(1, 4), unique=True, max_size=3), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(first=EVENTS, then=EVENTS, series=SEVERAL, edges=EDGES)
def test_a_trend_counts_what_a_plain_count_does(first: list[Event], then: list[Event], series: list[list[int]], edges: list[int]):
    records, events = records_of(first, then), first + then
    for measure in ("events", "contacts"):
        expected = []
        for names in series:
            of_each = [
                [event.contact for event in events if event.name in names and start <= event.at < end] for start, end in pairwise(edges)
            ]
            values = [len(each if measure == "events" else set(each)) for each in of_each]
            expected.append(Trend(values, sum(map(len, of_each)), len({contact for each in of_each for contact in each})))
        assert trend(records, series=series, edges=edges, measure=measure) == expected


def plain_funnel(events: list[Event], steps: list[int], since: int, until: int, within_s: int) -> list[Step]:
    """Every chain of every contact is tried."""
    reached: list[dict[int, tuple[int, int]]] = [{} for _ in steps]  # of each contact: how long the first event took
    by_contact = defaultdict(list)
    for row, event in enumerate(events):
        by_contact[event.contact].append((event.at, row, event.name))
    for contact, mine in by_contact.items():
        mine.sort()
        # Of each event at the step before: when the chains that lead there began.
        chains = {number: {at} for number, (at, _, name) in enumerate(mine) if name == steps[0] and since <= at < until}
        if chains:
            reached[0][contact] = (0, 0)
        for step in range(1, len(steps)):
            following: dict[int, set[int]] = {}
            for number, (at, _, name) in enumerate(mine):
                before = {b: {start for start in starts if at - start <= within_s} for b, starts in chains.items() if b < number}
                before = {b: starts for b, starts in before.items() if starts}
                if name == steps[step] and before:
                    following[number] = set().union(*before.values())
                    if contact not in reached[step]:
                        reached[step][contact] = (at - mine[max(chains.keys() & set(range(number)))][0], at - max(following[number]))
            chains = following
    return [
        Step(
            len(found),
            median(since_last for since_last, _ in found.values()) if found and step else None,
            median(in_all for _, in_all in found.values()) if found and step else None,
        )
        for step, found in enumerate(reached)
    ]


@settings(max_examples=250, deadline=None)
@given(
    first=EVENTS,
    then=EVENTS,
    steps=st.lists(st.integers(1, 4), min_size=2, max_size=5),
    since=st.integers(0, 40),
    long=st.integers(1, 60),
    within_s=st.integers(1, 60),
)
def test_a_funnel_finds_who_has_a_chain_when_every_chain_is_tried(
    first: list[Event], then: list[Event], steps: list[int], since: int, long: int, within_s: int
):
    found = funnel(records_of(first, then), steps=steps, since=since, until=since + long, within_s=within_s)
    assert found == plain_funnel(first + then, steps, since, since + long, within_s)


@pytest.mark.parametrize(
    ("events", "reached"),
    [
        ("a0 b5 c9", [1, 1, 1]),
        ("a0 c5 b9", [1, 1, 0]),  # in the wrong order
        ("a0 b5 c11", [1, 1, 0]),  # too late after the first
        ("a0 b5 a6 c11", [1, 1, 0]),  # the later beginning has no b behind it
        ("a0 a6 b7 c11", [1, 1, 1]),  # the later beginning leaves time enough
        ("a0 b10 c10", [1, 1, 1]),  # ten seconds are within ten; of one second the journal's order decides
        ("a0 c10 b10", [1, 1, 0]),
    ],
)
def test_a_chain_may_begin_with_any_event_of_the_first_step(events: str, reached: list[int]):
    sent = [Event(1, "abc".index(each[0]) + 1, int(each[1:])) for each in events.split()]
    assert [step.contacts for step in funnel(records_of(sent), steps=[1, 2, 3], since=0, until=10, within_s=10)] == reached


def test_many_events_of_one_second_are_told_apart_by_the_journal():
    same = [Event(1, name, 5) for name in [2] * 500 + [1] * 500 + [2] * 500]
    steps = funnel(records_of(same), steps=[1] * 5 + [2] * 5, since=0, until=10, within_s=10)
    assert [step.contacts for step in steps] == [1] * 10
    assert [step.contacts for step in funnel(records_of(same), steps=[2, 1, 2, 1], since=0, until=10, within_s=10)] == [1, 1, 1, 0]


@settings(max_examples=150, deadline=None)
@given(first=EVENTS, then=EVENTS, began=st.integers(1, 4), returns=st.lists(st.integers(1, 4), unique=True, max_size=4), edges=EDGES)
def test_retention_counts_what_a_plain_count_does(first: list[Event], then: list[Event], began: int, returns: list[int], edges: list[int]):
    events = first + then
    starts = {
        event.contact: min(e.at for e in events if e.name == began and e.contact == event.contact)
        for event in events
        if event.name == began
    }
    periods = list(pairwise(edges))
    expected = []
    for number, (start, end) in enumerate(periods):
        cohort = {contact for contact, at in starts.items() if start <= at < end}
        back = [
            {e.contact for e in events if e.contact in cohort and e.name in returns and since <= e.at < until and e.at > starts[e.contact]}
            for since, until in periods[number:]
        ]
        expected.append(Cohort(len(cohort), [len(each) for each in back]))
    assert retention(records_of(first, then), first=began, returns=returns, edges=edges) == expected


def test_of_no_events_every_report_is_empty():
    records = records_of()
    assert trend(records, series=[[1], []], edges=[0, 5, 9], measure="contacts") == [Trend([0, 0], 0, 0)] * 2
    assert funnel(records, steps=[1, 2], since=0, until=9, within_s=1) == [Step(0, None, None)] * 2
    assert retention(records, first=1, returns=[1], edges=[0, 5, 9]) == [Cohort(0, [0, 0]), Cohort(0, [0])]


def test_a_timeline_outlives_rows_that_go_and_contacts_that_are_merged():
    first = [Event(contact, name, at) for contact, name, at in [(1, 1, 9), (2, 1, 3), (3, 2, 5), (1, 1, 1), (2, 1, 9)]]
    columns = records_of(first).columns
    columns.rows(1)
    columns.add({"position": np.array([8]), "contact": np.array([1]), "name": np.array([1]), "created_at": np.array([9])})
    columns.drop([2, 3])
    columns.move({2: 3})
    line = happened(columns, [1], until=100)
    assert [(at, columns.contact[row], columns.position[row]) for at, row in zip(line.at, line.row, strict=True)] == [
        (1, 1, 4), (9, 1, 1), (9, 3, 5), (9, 1, 8),
    ]  # fmt: skip
    assert columns.position[columns.rows(1)].tolist() == [1, 4, 5, 8]
    assert columns.position[happened(columns, [1, 2], until=100).row].tolist() == [4, 1, 5, 8]
    assert columns.position[happened(columns, [], until=100).row].tolist() == []


@settings(max_examples=150, deadline=None)
@given(first=EVENTS, then=EVENTS, members=st.sets(st.sampled_from([1, 2, 3, BIG, 1 << 18])), edges=EDGES)
def test_among_some_contacts_a_report_is_as_if_there_were_no_others(
    first: list[Event], then: list[Event], members: set[int], edges: list[int]
):
    among = bytearray(max(members, default=-1) + 1)
    for member in members:
        among[member] = 1
    everybody, few = records_of(first, then), records_of([event for event in first + then if event.contact in members])
    of_trend = {"series": [[1], [2, 3]], "edges": edges, "measure": "contacts"}
    of_funnel = {"steps": [1, 2, 3], "since": edges[0], "until": edges[-1], "within_s": 20}
    of_retention = {"first": 1, "returns": [1, 2], "edges": edges}
    for report, arguments in ((trend, of_trend), (funnel, of_funnel), (retention, of_retention)):
        assert report(everybody, among=bytes(among), **arguments) == report(few, **arguments)


@settings(max_examples=150, deadline=None)
@given(
    first=EVENTS,
    then=EVENTS,
    gone=st.sets(st.integers(1, 60), max_size=10),
    merged=st.dictionaries(st.sampled_from([1, 2, BIG]), st.sampled_from([3, BIG + 1]), max_size=2),
    edges=EDGES,
)
def test_after_deletions_and_merges_a_report_is_as_if_all_had_been_so_from_the_start(
    first: list[Event], then: list[Event], gone: set[int], merged: dict[int, int], edges: list[int]
):
    of_trend = {"series": [[1], [2, 3]], "edges": edges, "measure": "contacts"}
    of_funnel = {"steps": [1, 2, 3], "since": edges[0], "until": edges[-1], "within_s": 20}
    of_retention = {"first": 1, "returns": [1, 2], "edges": edges}

    def reports(records: Records) -> tuple[object, ...]:
        return trend(records, **of_trend), funnel(records, **of_funnel), retention(records, **of_retention)

    records = records_of(first)
    reports(records)  # so that there is something kept, which must follow
    records.columns.drop(sorted(gone))
    records.columns.move(merged)
    left = [event for position, event in enumerate(first, 1) if position not in gone]
    left = [event._replace(contact=merged.get(event.contact, event.contact)) for event in left]
    position = len(first) + 1
    for event in then:
        records.columns.add(
            {
                "position": np.array([position]),
                "contact": np.array([event.contact]),
                "name": np.array([event.name]),
                "created_at": np.array([event.at]),
            }
        )
        position += 1
    assert reports(records) == reports(records_of(left + then))
