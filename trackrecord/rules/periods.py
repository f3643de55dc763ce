"""Hours, days, weeks and months of a time zone, as ranges of whole Unix seconds. Pure: the zone is an argument.

A day begins with the first second that has its date, so days of 23 and 25 hours come out by themselves, and a date that a zone
skipped is no day. A week begins on Monday. Hours are those of the clock on the wall, counted from the beginning of their day; where
clocks are put forward or back by half an hour, one hour of that day is half as long.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from ..errors import ParameterInvalid

HOUR_S, DAY_S = 3_600, 86_400
PERIODS_MAX = 1_000  # in one report. Ours
UNTIL_MAX = 253_370_764_800  # seconds: the beginning of the year 9999, behind which calendars end

# How many periods a report has that does not say since when.
DEFAULT_PERIODS = {"hour": 48, "day": 30, "week": 12, "month": 12}
KINDS = tuple(DEFAULT_PERIODS)
# No period is longer; no clock since 1970 was put back by more than three hours.
_LONGEST_S = {"hour": HOUR_S, "day": DAY_S + 3 * HOUR_S, "week": 7 * DAY_S + 3 * HOUR_S, "month": 31 * DAY_S + 3 * HOUR_S}


class Period(NamedTuple):
    start: int
    end: int  # exclusive
    complete: bool  # it is over, and the report has all of it


class Range(NamedTuple):
    """From when until when, and the periods that are cut out of it: the first and the last may be parts of theirs."""

    since: int
    until: int  # exclusive
    periods: Sequence[Period]

    @property
    def edges(self) -> list[int]:
        """Where the periods begin, and where the last one ends."""
        return [*(period.start for period in self.periods), self.until]


def bounds(kind: str, since: int | None, until: int | None, *, zone: tzinfo, now: int) -> tuple[int, int]:
    """From when until when, exclusive.

    Without `until` it is the end of the period that `now` lies in, and without `since` as long before as DEFAULT_PERIODS says.
    Raises ParameterInvalid where that is no time at all.
    """
    if until is None:
        until = _end_of(kind, now, zone)
        if since is not None and since >= until:
            raise ParameterInvalid(f"since must lie in the past where there is no until, got {since}", field="since")
    if not 0 < until <= UNTIL_MAX:
        raise ParameterInvalid(f"until must be from 1 to {UNTIL_MAX}, the beginning of the year 9999, got {until}", field="until")
    if since is None:
        since = back(kind, DEFAULT_PERIODS[kind], until - 1, zone)
    if since >= until:
        raise ParameterInvalid(f"until must be after since, got {until} and {since}", field="until")
    return since, until


def within(kind: str, since: int | None, until: int | None, *, zone: tzinfo, now: int, most: int = PERIODS_MAX) -> Range:
    """The periods between these bounds. Raises what bounds raises, and ParameterInvalid where they are more than `most`."""
    since, until = bounds(kind, since, until, zone=zone, now=now)
    found: list[Period] = []
    start, whole = since, True
    for edge in _edges(kind, since, zone):
        if edge <= since:
            whole = edge == since
            continue
        found.append(Period(start, min(edge, until), whole and edge <= until and edge <= now))
        start, whole = edge, True
        if edge >= until:
            return Range(since, until, found)
        if len(found) == most:
            break
    raise ParameterInvalid(
        f"from since to until there are more than {most:,} {kind}s; choose a longer period, or less time between them", field="period"
    )


def before(kind: str, asked: Range, *, zone: tzinfo, now: int) -> Range:
    """As many periods before those: what they are compared with.

    The first is cut as the first of those is, and the last so that it is as far on as the last of those is, or was at `now`: today
    until noon is compared with a day until noon.
    """
    first, last = start_of(kind, asked.since, zone), start_of(kind, asked.until - 1, zone)
    edges = [*_before(kind, first, len(asked.periods), zone), first]
    since = min(edges[0] + asked.since - first, edges[1] - 1)
    reached = now if last < now < asked.until else asked.until
    until = first if reached == _end_of(kind, last, zone) else min(edges[-2] + reached - last, first)
    until = max(until, since + 1)
    starts = [since, *edges[1:-1]]
    return Range(since, until, [Period(*pair, pair[1] <= now) for pair in zip(starts, [*starts[1:], until], strict=True)])


def _edges(kind: str, at: int, zone: tzinfo) -> Iterator[int]:
    """Where the period that `at` lies in begins, and then where each after it does, without end."""
    edges = _hours(at, zone) if kind == "hour" else _dates(kind, at, zone)
    last = next(edges)
    for edge in edges:
        if edge > at:
            yield last
        last = edge


def _dates(kind: str, at: int, zone: tzinfo) -> Iterator[int]:
    """The edges from the one of the date that the clocks show at `at` on; that may be before the period that it lies in."""
    number = _number(kind, datetime.fromtimestamp(at, zone).date())
    last = None
    while True:
        edge = begins(_first(kind, number), zone)
        if last is None or edge > last:  # else the zone skipped the date
            yield edge
            last = edge
        number += 1


def _hours(at: int, zone: tzinfo) -> Iterator[int]:
    for day in _edges("day", at, zone):
        end = _end_of("day", day, zone)
        hour = day
        while hour < end:
            yield hour
            shown = datetime.fromtimestamp(hour, zone)
            hour += HOUR_S - shown.minute * 60 - shown.second


def _number(kind: str, day: date) -> int:
    """Which day, week or month a date lies in, counted from the year 1, whose first day was a Monday."""
    if kind == "month":
        return day.year * 12 + day.month - 1
    return (day.toordinal() - 1) // (7 if kind == "week" else 1)


def _first(kind: str, number: int) -> date:
    """The first date of a day, week or month."""
    if kind == "month":
        return date(number // 12, number % 12 + 1, 1)
    return date.fromordinal(number * (7 if kind == "week" else 1) + 1)


def begins(day: date, zone: tzinfo) -> int:
    """The first second of a date: where midnight is skipped that is after it, where it comes twice, the first."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def start_of(kind: str, at: int, zone: tzinfo) -> int:
    """Where the period begins that a moment lies in."""
    return next(_edges(kind, at, zone))


def _end_of(kind: str, at: int, zone: tzinfo) -> int:
    edges = _edges(kind, at, zone)
    next(edges)
    return next(edges)


def back(kind: str, count: int, at: int, zone: tzinfo) -> int:
    """Where the first of `count` periods begins, the last of which a moment lies in; never before 1970."""
    last = start_of(kind, at, zone)
    return max(0, last if count == 1 else _before(kind, last, count - 1, zone)[0])


def _before(kind: str, edge: int, count: int, zone: tzinfo) -> list[int]:
    """Where the `count` periods before an edge begin."""
    found: list[int] = []
    for each in _edges(kind, edge - count * _LONGEST_S[kind], zone):
        if each >= edge:
            return found[-count:]
        found.append(each)
    raise AssertionError("edges have no end")
