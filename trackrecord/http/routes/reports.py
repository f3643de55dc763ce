"""Routes of reports."""

from ...rules.periods import DEFAULT_PERIODS, KINDS, PERIODS_MAX
from ...wire import reports as wire
from ..api import reports
from .route import Param, Route

FORMATS, TABLES = ("json", "csv"), ("text/csv",)
_FORMAT = Param("format", "csv for a table; json without it", among=FORMATS)
_SPAN = (
    Param("until", "Unix seconds or ISO 8601, exclusive; the end of the current period without it"),
    Param("timezone", "an IANA name that decides where periods begin; the workspace's without it"),
    Param("segment_id", "a segment, to count what its members did and nothing else; the token needs read_contacts too"),
    _FORMAT,
)
_SINCE = Param(
    "since",
    f"Unix seconds or ISO 8601; {', '.join(f'{count} {kind}s' for kind, count in DEFAULT_PERIODS.items())} before until, as the period is",
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/reports/trend",
        reports.trend,
        "Count events, or the contacts they are of, by hour, day, week or month",
        "Reports",
        need="read_events",
        response=wire.TrendBody,
        tables=TABLES,
        params=(
            Param("event_name", f"up to {wire.SERIES_MAX} times; all events together without it", many=True),
            Param("period", f"{', '.join(KINDS)}; day without it; at most {PERIODS_MAX:,} of them", among=KINDS),
            Param("measure", "events, or contacts for different contacts; events without it", among=wire.MEASURES),
            Param("compare", "true for the same number of periods before, too", "boolean"),
            _SINCE,
            *_SPAN,
        ),
    ),
    Route(
        "GET",
        "/-/api/reports/funnel",
        reports.funnel,
        "Count the contacts that did one thing, then another after it, and so on",
        "Reports",
        need="read_events",
        response=wire.FunnelBody,
        tables=TABLES,
        params=(
            Param(
                "step", f"an event name, {wire.STEPS_MIN} to {wire.STEPS_MAX} times, in the order of the steps", required=True, many=True
            ),
            Param(
                "within_s",
                f"seconds from the first step to the last, 1 to {wire.WITHIN_MAX_S:,}; {wire.WITHIN_S:,} (30 days) without it",
                "integer",
            ),
            Param("since", "Unix seconds or ISO 8601: when the first step happened; 30 days before until without it"),
            *_SPAN,
        ),
    ),
    Route(
        "GET",
        "/-/api/reports/retention",
        reports.retention,
        "Count how many contacts came back in each period after the one in which they began",
        "Reports",
        need="read_events",
        response=wire.RetentionBody,
        tables=TABLES,
        params=(
            Param("first_event", "the event name that a contact begins with", required=True),
            Param("return_event", "the event name that a contact comes back with; any event without it"),
            Param("period", f"day, week or month; day without it; at most {wire.COHORTS_MAX} of them"),
            _SINCE,
            *_SPAN,
        ),
    ),
)
