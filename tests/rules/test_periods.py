"""Periods: where hours, days, weeks and months begin in a time zone, and which of them a report is of."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.errors import ParameterInvalid
from trackrecord.rules.periods import DEFAULT_PERIODS, KINDS, PERIODS_MAX, UNTIL_MAX, Period, before, within

BERLIN, KOLKATA, ST_JOHNS = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("America/St_Johns")
HOUR, DAY = 3_600, 86_400
NEVER = 1 << 37  # a now that everything lies before


def at(text: str, zone: ZoneInfo = BERLIN) -> int:
    """A local time as Unix seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def starts(kind: str, since: str, until: str, zone: ZoneInfo) -> list[str]:
    """The local beginnings of the periods between two local times."""
    found = within(kind, at(since, zone), at(until, zone), zone=zone, now=NEVER)
    return [datetime.fromtimestamp(period.start, zone).isoformat() for period in found.periods]


def lengths(kind: str, since: str, until: str, zone: ZoneInfo) -> list[int]:
    """How long those are, in minutes."""
    found = within(kind, at(since, zone), at(until, zone), zone=zone, now=NEVER)
    return [(period.end - period.start) // 60 for period in found.periods]


@pytest.mark.parametrize(
    ("zone", "since", "until", "minutes"),
    [
        (BERLIN, "2026-03-28", "2026-03-31", [1440, 1380, 1440]),  # clocks are put forward on the 29th
        (BERLIN, "2026-10-24", "2026-10-27", [1440, 1500, 1440]),  # and back on the 25th
        (KOLKATA, "2026-03-28", "2026-03-31", [1440, 1440, 1440]),
        (ST_JOHNS, "2026-03-07", "2026-03-10", [1440, 1380, 1440]),
        (ST_JOHNS, "2010-11-06", "2010-11-09", [1440, 1500, 1440]),  # at one minute past midnight, so that the 7th began twice
        (ZoneInfo("Australia/Lord_Howe"), "2026-04-04", "2026-04-07", [1440, 1470, 1440]),  # by half an hour
        (ZoneInfo("America/Sao_Paulo"), "2017-10-14", "2017-10-17", [1440, 1380, 1440]),  # at midnight, which the 15th had not
        (ZoneInfo("Pacific/Apia"), "2011-12-29", "2012-01-01", [1440, 1440]),  # the 30th was left out
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(zone: ZoneInfo, since: str, until: str, minutes: list[int]):
    assert lengths("day", since, until, zone) == minutes


def test_hours_begin_where_the_clocks_show_them():
    assert starts("hour", "2026-03-29T00:00", "2026-03-29T04:00", BERLIN) == [
        "2026-03-29T00:00:00+01:00",
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]
    assert starts("hour", "2026-10-25T01:00", "2026-10-25T04:00", BERLIN) == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]
    assert starts("hour", "2026-06-01T00:00", "2026-06-01T02:00", KOLKATA) == ["2026-06-01T00:00:00+05:30", "2026-06-01T01:00:00+05:30"]
    assert at("2026-06-01T01:00", KOLKATA) % HOUR == 1800  # half past by the world's clock


def test_where_clocks_change_by_half_an_hour_one_hour_is_half_as_long():
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert lengths("hour", "2026-10-04T01:00", "2026-10-04T04:00", lord_howe) == [60, 30, 60]
    assert lengths("hour", "2026-04-05T00:00", "2026-04-05T03:00", lord_howe) == [60, 60, 30, 60]


def test_weeks_begin_on_monday_and_months_on_the_first():
    assert starts("week", "2026-03-23", "2026-04-06", BERLIN) == ["2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]
    assert starts("month", "2025-12-01", "2026-04-01", ST_JOHNS) == [
        "2025-12-01T00:00:00-03:30",
        "2026-01-01T00:00:00-03:30",
        "2026-02-01T00:00:00-03:30",
        "2026-03-01T00:00:00-03:30",
    ]


def test_what_since_and_until_cut_is_not_complete_and_nor_is_what_is_not_over():
    found = within("day", at("2026-03-01T12:00"), at("2026-03-05T06:00"), zone=BERLIN, now=at("2026-03-04T10:00"))
    assert found.periods == [
        Period(at("2026-03-01T12:00"), at("2026-03-02"), False),
        Period(at("2026-03-02"), at("2026-03-03"), True),
        Period(at("2026-03-03"), at("2026-03-04"), True),
        Period(at("2026-03-04"), at("2026-03-05"), False),
        Period(at("2026-03-05"), at("2026-03-05T06:00"), False),
    ]


@pytest.mark.parametrize(
    ("kind", "since", "until"),
    [
        ("hour", "2026-11-27T15:00", "2026-11-29T15:00"),
        ("day", "2026-10-31", "2026-11-30"),
        ("week", "2026-09-07", "2026-11-30"),
        ("month", "2025-12-01", "2026-12-01"),
    ],
)
def test_without_bounds_a_report_ends_with_the_current_period(kind: str, since: str, until: str):
    found = within(kind, None, None, zone=BERLIN, now=at("2026-11-29T14:20:11"))
    assert (found.since, found.until, len(found.periods)) == (at(since), at(until), DEFAULT_PERIODS[kind])
    assert [period.complete for period in found.periods[-2:]] == [True, False]


@pytest.mark.parametrize(
    ("kind", "since", "until", "now", "prior_since", "prior_until"),
    [
        ("day", "2026-03-10", "2026-03-12", "2026-04-01", "2026-03-08", "2026-03-10"),
        ("day", "2026-03-10", "2026-03-12", "2026-03-11T12:30", "2026-03-08", "2026-03-09T12:30"),  # today until now
        ("day", "2026-03-10", "2026-03-11T06:00", "2026-04-01", "2026-03-08", "2026-03-09T06:00"),  # cut by until
        ("day", "2026-03-10T08:00", "2026-03-12", "2026-04-01", "2026-03-08T08:00", "2026-03-10"),  # cut by since
        ("day", "2026-03-10", "2026-03-12", "2026-03-01", "2026-03-08", "2026-03-10"),  # all to come
        ("month", "2026-03-01", "2026-04-01", "2026-03-31T01:00", "2026-02-01", "2026-03-01"),  # February has no 31st
        ("month", "2026-01-01", "2026-04-01", "2026-05-01", "2025-10-01", "2026-01-01"),
        ("week", "2026-03-30", "2026-04-06", "2026-05-01", "2026-03-23", "2026-03-30"),
        ("hour", "2026-03-29T03:00", "2026-03-29T05:00", "2026-05-01", "2026-03-29T00:00", "2026-03-29T03:00"),  # no hour from 2 on
    ],
)
def test_it_is_compared_with_as_many_periods_before(kind: str, since: str, until: str, now: str, prior_since: str, prior_until: str):
    asked = within(kind, at(since), at(until), zone=BERLIN, now=at(now))
    prior = before(kind, asked, zone=BERLIN, now=at(now))
    assert (prior.since, prior.until, len(prior.periods)) == (at(prior_since), at(prior_until), len(asked.periods))


@pytest.mark.parametrize(
    ("kind", "since", "until", "field", "says"),
    [
        ("day", 5, 5, "until", "until must be after since, got 5 and 5"),
        ("day", 9, None, None, None),
        ("day", UNTIL_MAX, None, "since", "since must lie in the past"),
        ("day", 0, UNTIL_MAX + 1, "until", "the beginning of the year 9999"),
        ("month", 0, UNTIL_MAX, "period", "more than 1,000 months"),
        ("hour", 0, PERIODS_MAX * HOUR, None, None),
        ("hour", 0, PERIODS_MAX * HOUR + 1, "period", "more than 1,000 hours; choose a longer period"),
    ],
)
def test_bounds_that_cannot_be_are_refused_by_field(kind: str, since: int, until: int | None, field: str | None, says: str | None):
    def found() -> int:
        return len(within(kind, since, until, zone=UTC, now=20 * DAY).periods)

    if field is None:
        assert found() <= PERIODS_MAX
        return
    with pytest.raises(ParameterInvalid, match=says) as caught:
        found()
    assert caught.value.field == field


ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Africa/Monrovia",
]


def label(kind: str, moment: int, zone: ZoneInfo) -> object:
    """What the calendar calls the period that a moment lies in."""
    local = datetime.fromtimestamp(moment, zone)
    return {
        "hour": (local.date(), local.hour, local.utcoffset()),
        "day": local.date(),
        "week": local.date() - timedelta(days=local.weekday()),
        "month": (local.year, local.month),
    }[kind]


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    since=st.integers(0, 2_200_000_000),
    share=st.floats(0.0001, 1),
    now=st.integers(0, 2_400_000_000),
)
def test_periods_fit_together_and_are_the_calendars(kind: str, zone: ZoneInfo, since: int, share: float, now: int):
    until = since + 1 + int(share * 90 * {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 28 * DAY}[kind])
    found = within(kind, since, until, zone=zone, now=now)
    assert (found.since, found.until) == (since, until) == (found.edges[0], found.edges[-1])
    assert all(one.end == other.start for one, other in pairwise(found.periods))
    assert all(period.start < period.end for period in found.periods)
    for period in found.periods[1:]:  # at every edge the calendar's own name of the period changes
        assert label(kind, period.start, zone) != label(kind, period.start - 1, zone)
    if kind != "hour":  # and within one there is one name, but where a date began twice
        for period in found.periods:
            assert label(kind, period.start, zone) >= label(kind, period.end - 1, zone)  # type: ignore[operator]
    assert all(period.end <= now for period in found.periods if period.complete)
    prior = before(kind, found, zone=zone, now=now)
    assert (len(prior.periods), prior.until <= found.since or prior.since < found.since) == (len(found.periods), True)
    assert prior.edges == sorted(set(prior.edges))
