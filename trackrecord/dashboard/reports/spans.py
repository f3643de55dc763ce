"""From when until when a report is, and by which periods: what the form says, and what the API is asked for."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from ...errors import ParameterInvalid
from ...rules import periods
from ..visit import Visit

DATES = "dates"  # the range that two dates bound
ALL = "all"  # the range that begins with the first event


class Range(NamedTuple):
    key: str
    words: str
    kind: str  # of the periods it is counted in, and by which it is shown unless another kind is chosen
    length: int


DEFAULT = "30d"
RANGES = (
    Range("48h", "Last 48 hours", "hour", 48),
    Range("7d", "Last 7 days", "day", 7),
    Range("30d", "Last 30 days", "day", 30),
    Range("90d", "Last 90 days", "day", 90),
    Range("12w", "Last 12 weeks", "week", 12),
    Range("12m", "Last 12 months", "month", 12),
    Range("5y", "Last 5 years", "month", 60),
)
_BY_KEY = {each.key: each for each in RANGES}
# Between dates, and from the first event on: up to so many days, these periods.
_FITTING = ((2, "hour"), (92, "day"), (730, "week"))


class Span(NamedTuple):
    """What the form shows (`key`, `first`, `last`, `chosen`), and what it means (`period`, `since`, `until`: as the API takes them)."""

    key: str
    first: str  # dates, as they were typed
    last: str
    chosen: str  # the period somebody chose, or empty
    period: str
    since: int
    until: int | None
    words: str

    @property
    def query(self) -> dict[str, Any]:
        return {"since": self.since, "until": self.until}


def span_of(visit: Visit, kinds: Sequence[str] = periods.KINDS, *, first: int | None = None, most: int = periods.PERIODS_MAX) -> Span:
    """What `range`, `from`, `to` and `period` of the address say.

    For the range of all time `first` is when the first event was, and `most` how many periods the report may have: it begins later
    where there would be more.

    Raises ParameterInvalid by field: range, from, to or period.
    """
    key, chosen, zone = visit.param("range") or DEFAULT, visit.param("period"), visit.timezone
    if chosen and chosen not in kinds:
        raise ParameterInvalid(f"By must be {' or '.join(kinds)}, got {chosen[:40]!r}", field="period")
    if key == DATES:
        return _between(visit, kinds, chosen)
    if key == ALL:
        return _from_the_first(visit, kinds, chosen, first, most)
    if key not in _BY_KEY:
        raise ParameterInvalid(f"There is no range called {key[:40]!r}", field="range")
    wanted = _BY_KEY[key]
    period = chosen or (wanted.kind if wanted.kind in kinds else kinds[0])
    since = periods.back(wanted.kind, wanted.length, visit.now(), zone)
    whole = max(0, periods.start_of(period, since, zone))  # so that the first period is whole
    words = wanted.words.lower()
    if whole < since:
        words += f" and the rest of the {period} before, from {datetime.fromtimestamp(whole, zone):%Y-%m-%d}"
    return Span(key, "", "", chosen, period, whole, None, words)


def _between(visit: Visit, kinds: Sequence[str], chosen: str) -> Span:
    today = datetime.fromtimestamp(visit.now(), visit.timezone).date()
    first = _read(visit, "from", today - timedelta(days=29))
    last = _read(visit, "to", today)
    if last < first:
        raise ParameterInvalid(f"To must not be before from, got {last} and {first}", field="to")
    fitting = _fitting((last - first).days + 1, kinds)
    since = max(0, periods.begins(first, visit.timezone))
    until = periods.begins(last + timedelta(days=1), visit.timezone)
    return Span(DATES, first.isoformat(), last.isoformat(), chosen, chosen or fitting, since, until, f"from {first} to {last}")


def _from_the_first(visit: Visit, kinds: Sequence[str], chosen: str, first: int | None, most: int) -> Span:
    now, zone = visit.now(), visit.timezone
    first = now if first is None else min(max(0, first), now)
    period = chosen or _fitting((now - first) // periods.DAY_S + 1, kinds)
    since = max(0, periods.start_of(period, first, zone))
    longest = periods.back(period, most, now, zone)
    words = "all time" if since >= longest else f"the last {most:,} {period}s, as a report has no more"
    return Span(ALL, "", "", chosen, period, max(since, longest), None, words)


def _fitting(days: int, kinds: Sequence[str]) -> str:
    return next((kind for most, kind in _FITTING if days <= most and kind in kinds), "month")


def _read(visit: Visit, field: str, default: date) -> date:
    text = visit.param(field)
    try:
        found = date.fromisoformat(text) if text else default
    except ValueError:
        found = date.min
    if not 1970 <= found.year < 9999:
        raise ParameterInvalid(f"{field.capitalize()} must be a date such as {default}, got {text[:40]!r}", field=field)
    return found
