"""Trends, funnels and retention. Scopes: read_events, and read_contacts for those of a segment. What they count is counted in analysis/."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from ...directory.workspaces import zone_of
from ...errors import NotFound, ParameterInvalid
from ...rules import periods
from ...rules.directory import EventName
from ...wire import reports as wire
from ...wire.exports import file_name
from ...wire.reports import Span
from ..auth import allow
from ..call import Answer, Call


async def trend(call: Call) -> Answer:
    """GET /-/api/reports/trend. Of each event name, or of all together, how many events or contacts in each period."""
    asked = wire.parse_trend(call.query)
    zone, now = _zone(call, asked), call.now()
    span = periods.within(asked.period, asked.since, asked.until, zone=zone, now=now)
    entries = await named(call, asked.names.items(), "event_name")
    entries = list(dict.fromkeys(entries))  # what was asked for twice, under two of its names, is one series
    names: list[str | None] = [entry.name for entry in entries] or [None]
    numbers = [[entry.number] for entry in entries] or [await _all_numbers(call)]

    among = await _members(call, asked)

    async def series(of: periods.Range) -> list[wire.SeriesBody]:
        found = await call.services.analysis.ask("trend", series=numbers, edges=of.edges, measure=asked.measure, among=among)
        return wire.series_of(names, found)

    previous = None
    if asked.compare:
        before = periods.before(asked.period, span, zone=zone, now=now)
        previous = wire.PreviousBody(since=before.since, until=before.until, periods=wire.periods_of(before), series=await series(before))
    body = wire.TrendBody(
        timezone=zone.key,
        segment_id=asked.segment_id,
        period=asked.period,
        measure=asked.measure,
        since=span.since,
        until=span.until,
        periods=wire.periods_of(span),
        series=await series(span),
        previous=previous,
    )
    return as_csv(call, body.type, wire.trend_csv(body, zone)) if asked.format == "csv" else Answer(body)


async def funnel(call: Call) -> Answer:
    """GET /-/api/reports/funnel. How many contacts did the first step, and then the second after it, and so on."""
    asked = wire.parse_funnel(call.query)
    zone = _zone(call, asked)
    since, until = periods.bounds("day", asked.since, asked.until, zone=zone, now=call.now())
    entries = await named(call, asked.steps, "step")
    found = await call.services.analysis.ask(
        "funnel",
        steps=[entry.number for entry in entries],
        since=since,
        until=until,
        within_s=asked.within_s,
        among=await _members(call, asked),
    )
    body = wire.FunnelBody(
        timezone=zone.key,
        segment_id=asked.segment_id,
        since=since,
        until=until,
        within_s=asked.within_s,
        steps=wire.steps_of([entry.name for entry in entries], found),
    )
    return as_csv(call, body.type, wire.funnel_csv(body)) if asked.format == "csv" else Answer(body)


async def retention(call: Call) -> Answer:
    """GET /-/api/reports/retention. Of who did something for the first time in a period, how many came back in each later one."""
    asked = wire.parse_retention(call.query)
    zone = _zone(call, asked)
    span = periods.within(asked.period, asked.since, asked.until, zone=zone, now=call.now(), most=wire.COHORTS_MAX)
    (first,) = await named(call, [asked.first], "first_event")
    returns = await named(call, [asked.returns], "return_event") if asked.returns else []
    found = await call.services.analysis.ask(
        "retention",
        first=first.number,
        returns=[entry.number for entry in returns] or await _all_numbers(call),
        edges=span.edges,
        among=await _members(call, asked),
    )
    body = wire.RetentionBody(
        timezone=zone.key,
        segment_id=asked.segment_id,
        period=asked.period,
        first_event=first.name,
        return_event=returns[0].name if returns else None,
        since=span.since,
        until=span.until,
        periods=wire.periods_of(span),
        cohorts=[wire.CohortBody(**each) for each in found],
    )
    return as_csv(call, body.type, wire.retention_csv(body, zone)) if asked.format == "csv" else Answer(body)


def _zone(call: Call, asked: Span) -> ZoneInfo:
    """The zone asked for, or the workspace's. Raises ParameterInvalid."""
    name = asked.timezone
    if name is None:
        return ZoneInfo(call.workspace.timezone)
    zone = zone_of(name)
    if zone is None:
        raise ParameterInvalid(f"timezone must be an IANA name such as Europe/Dublin, got {name[:80]!r}", field="timezone")
    return zone


async def _members(call: Call, asked: Span) -> bytes | None:
    """Who is in the segment asked for, as Segments.marks says; None where everybody is meant.

    Raises ParameterInvalid for a segment there is not, and TokenUnauthorized where the token may not read contacts.
    """
    if asked.segment_id is None:
        return None
    allow(call.token, "read_contacts")
    try:
        return await call.services.segments.marks(call.workspace, asked.segment_id)
    except NotFound:
        raise ParameterInvalid(
            f"there is no segment {asked.segment_id[:80]!r}; /segments lists those there are", field="segment_id"
        ) from None


async def named(call: Call, asked: Iterable[tuple[str, str]], field: str) -> list[EventName]:
    """The names asked for, each folded and as it was written. Raises ParameterInvalid for one that nobody has sent."""
    asked = list(asked)
    there = await call.services.in_thread(call.services.directory.names.find, call.workspace.number, [folded for folded, _ in asked])
    for folded, name in asked:
        if folded not in there:
            raise ParameterInvalid(f"no event is called {name[:80]!r}; /-/api/event-names lists the names there are", field=field)
    return [there[folded] for folded, _ in asked]


async def _all_numbers(call: Call) -> list[int]:
    """Of all names of the workspace."""
    return [entry.number for entry in await call.services.in_thread(call.services.directory.names.all, call.workspace.number)]


def as_csv(call: Call, noun: str, content: bytes) -> Answer:
    name = file_name(call.workspace, noun, "csv")
    return Answer(
        content,
        headers=((b"content-type", b"text/csv; charset=utf-8"), (b"content-disposition", f'attachment; filename="{name}"'.encode())),
    )
