"""Reports on the wire: trends, funnels and retention. Ours: the original has them on its own pages only."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from io import StringIO
from typing import Any

import msgspec

from ..errors import ParameterInvalid, ParameterNotFound
from ..rules.events import clean_name
from ..rules.periods import KINDS, Period, Range
from ..rules.values import moment
from .params import Query, flag, last, refuse_empty, word

SERIES_MAX = 10  # event names in one trend
STEPS_MIN, STEPS_MAX = 2, 10
COHORTS_MAX = 100
WITHIN_S, WITHIN_MAX_S = 30 * 86_400, 366 * 86_400  # of a funnel's chain: without the parameter, and at most
MEASURES = ("events", "contacts")
FORMATS = ("json", "csv")
DAY = "day"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What all reports are asked for. Times are whole Unix seconds; None is the default."""

    since: int | None
    until: int | None
    timezone: str | None
    segment_id: str | None
    format: str


class AskedTrend(Span, frozen=True, kw_only=True):
    names: dict[str, str]  # by what an event name folds to, how it was asked for; empty for all events together
    period: str
    measure: str
    compare: bool


class AskedFunnel(Span, frozen=True, kw_only=True):
    steps: list[tuple[str, str]]  # what each event name folds to, and how it was asked for
    within_s: int


class AskedRetention(Span, frozen=True, kw_only=True):
    first: tuple[str, str]
    returns: tuple[str, str] | None  # None for any event
    period: str


def parse_trend(query: Query) -> AskedTrend:
    """Raises ParameterInvalid, TypeMismatch or DataInvalid by field."""
    names = dict(_names(query, "event_name"))
    if len(names) > SERIES_MAX:
        raise ParameterInvalid(f"event_name may name at most {SERIES_MAX}, got {len(names)}", field="event_name")
    return AskedTrend(
        **_span(query),
        names=names,
        period=word(query, "period", KINDS) or DAY,
        measure=word(query, "measure", MEASURES) or MEASURES[0],
        compare=flag(query, "compare"),
    )


def parse_funnel(query: Query) -> AskedFunnel:
    """Raises ParameterInvalid, TypeMismatch or DataInvalid by field."""
    steps = _names(query, "step")
    if not STEPS_MIN <= len(steps) <= STEPS_MAX:
        raise ParameterInvalid(
            f"step must stand {STEPS_MIN} to {STEPS_MAX} times, an event name each in the order of the steps, got {len(steps)}",
            field="step",
        )
    return AskedFunnel(**_span(query), steps=steps, within_s=_within(query))


def parse_retention(query: Query) -> AskedRetention:
    """Raises ParameterInvalid, ParameterNotFound, TypeMismatch or DataInvalid by field."""
    refuse_empty(query, "return_event")
    first, returns = _names(query, "first_event")[-1:], _names(query, "return_event")[-1:]
    if not first:
        raise ParameterNotFound("first_event is required: the event name that a contact begins with", field="first_event")
    kinds = tuple(kind for kind in KINDS if kind != "hour")
    return AskedRetention(
        **_span(query), first=first[0], returns=returns[0] if returns else None, period=word(query, "period", kinds) or DAY
    )


def _span(query: Query) -> dict[str, Any]:
    refuse_empty(query, "since", "until", "timezone", "segment_id")
    return {
        "since": moment(last(query, "since"), "since"),
        "until": moment(last(query, "until"), "until"),
        "timezone": last(query, "timezone"),
        "segment_id": last(query, "segment_id"),
        "format": word(query, "format", FORMATS) or FORMATS[0],
    }


def _names(query: Query, param: str) -> list[tuple[str, str]]:
    return [(clean_name(value, param)[1], value) for key, value in query if key == param]


def _within(query: Query) -> int:
    text = (last(query, "within_s") or str(WITHIN_S)).strip()
    found = int(text[:20]) if text.isascii() and text.isdigit() else 0
    if not 1 <= found <= WITHIN_MAX_S:
        raise ParameterInvalid(
            f"within_s must be a whole number of seconds from 1 to {WITHIN_MAX_S} (366 days), got {text[:40]!r}", field="within_s"
        )
    return found


# --- Answers -------------------------------------------------------------------------------------------------------------


class PeriodBody(msgspec.Struct, frozen=True, kw_only=True):
    """Whole Unix seconds; `end` is exclusive."""

    start: int
    end: int
    complete: bool  # false for one that is not over, or that since or until cuts


class SeriesBody(msgspec.Struct, frozen=True, kw_only=True):
    event_name: str | None  # null for all events of the workspace together
    values: list[int]  # of each period, what is measured
    events: int  # in all periods
    contacts: int  # different ones, in all periods: not the sum of the values


class PreviousBody(msgspec.Struct, frozen=True, kw_only=True):
    """As many periods before, of which the last is as far on as the last one asked for."""

    since: int
    until: int
    periods: list[PeriodBody]
    series: list[SeriesBody]


class TrendBody(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "trend"
    timezone: str  # that decides where periods begin
    segment_id: str | None  # whose members alone are counted
    period: str  # hour, day, week or month
    measure: str  # events or contacts
    since: int
    until: int
    periods: list[PeriodBody]
    series: list[SeriesBody]  # in the order asked for
    previous: PreviousBody | None  # null unless compare is true


class StepBody(msgspec.Struct, frozen=True, kw_only=True):
    event_name: str
    contacts: int  # that got here
    share_of_first: float | None  # of those who began; null where nobody did
    share_of_previous: float | None  # of those at the step before; null for the first step, and where nobody was
    median_s: float | None  # seconds since the step before; null for the first step, and where nobody got here
    median_total_s: float | None  # seconds since the first step


class FunnelBody(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "funnel"
    timezone: str
    segment_id: str | None  # whose members alone are counted
    since: int
    until: int
    within_s: int
    steps: list[StepBody]


class CohortBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who did the first event for the first time in the period of the same number."""

    contacts: int
    returned: list[int]  # how many of them came back in that period, and in each after it


class RetentionBody(msgspec.Struct, frozen=True, kw_only=True):
    type: str = "retention"
    timezone: str
    segment_id: str | None  # whose members alone are counted
    period: str
    first_event: str
    return_event: str | None  # null for any event
    since: int
    until: int
    periods: list[PeriodBody]
    cohorts: list[CohortBody]  # one for each period


def periods_of(asked: Range) -> list[PeriodBody]:
    return [PeriodBody(start=each.start, end=each.end, complete=each.complete) for each in asked.periods]


def series_of(names: Sequence[str | None], found: Sequence[Mapping[str, Any]]) -> list[SeriesBody]:
    """`found`: what analysis/trend.py answers, in the order of the names."""
    return [SeriesBody(event_name=name, **each) for name, each in zip(names, found, strict=True)]


def steps_of(names: Sequence[str], found: Sequence[Mapping[str, Any]]) -> list[StepBody]:
    """`found`: what analysis/funnel.py answers, in the order of the names."""
    counts = [each["contacts"] for each in found]
    return [
        StepBody(
            event_name=name,
            share_of_first=_share(each["contacts"], counts[0]),
            share_of_previous=_share(each["contacts"], counts[number - 1]) if number else None,
            **each,
        )
        for number, (name, each) in enumerate(zip(names, found, strict=True))
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# --- The same as CSV -----------------------------------------------------------------------------------------------------


def trend_csv(body: TrendBody, zone: tzinfo) -> bytes:
    """A line for each period of each series."""
    before = body.previous.series if body.previous else None
    rows = [
        (
            series.event_name,
            *_period(period, zone),
            series.values[number],
            before[place].values[number] if before else None,
        )
        for place, series in enumerate(body.series)
        for number, period in enumerate(body.periods)
    ]
    return as_csv(("event_name", *PERIOD_COLUMNS, body.measure, "previous"), rows)


def funnel_csv(body: FunnelBody) -> bytes:
    """A line for each step."""
    columns = StepBody.__struct_fields__
    return as_csv(("step", *columns), [(number, *msgspec.structs.astuple(each)) for number, each in enumerate(body.steps, 1)])


def retention_csv(body: RetentionBody, zone: tzinfo) -> bytes:
    """A line for each period of each cohort; `later` counts periods from the cohort's own, 0."""
    rows = [
        (body.periods[number].start, cohort.contacts, later, *_period(body.periods[number + later], zone), returned)
        for number, cohort in enumerate(body.cohorts)
        for later, returned in enumerate(cohort.returned)
    ]
    return as_csv(("cohort", "contacts", "later", *PERIOD_COLUMNS, "returned"), rows)


PERIOD_COLUMNS = ("start", "end", "local_start", "complete")


def _period(period: PeriodBody | Period, zone: tzinfo) -> tuple[int, int, str, bool]:
    return period.start, period.end, datetime.fromtimestamp(period.start, zone).isoformat(), period.complete


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A header, then a line a row. Empty for null."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    return text.getvalue().encode()
