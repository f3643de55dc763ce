"""One event name: how often it happens, by whom, with which values, and what came last."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ...errors import NotFound, RequestError, Unavailable
from ...http.call import Answer
from ...rules.periods import KINDS
from .. import formats, tables
from ..api import Reply
from ..reports.asking import shown
from ..reports.spans import ALL, RANGES, Span, span_of
from ..visit import Visit
from . import breakdown

LATEST = 20  # events a page
TOP = 10  # contacts
SHOWN_DAYS = 30  # of a name that has nothing in the time asked for
COLUMNS = 1  # of a row of an event

Name = dict[str, Any]


async def known(visit: Visit, *, activity: bool = False) -> Name:
    """The name of the page's address, as the API has it. Raises NotFound."""
    name = visit.asked.param("name") or ""  # with the blanks around it that it may have
    path = f"/-/api/event-names/{quote(name, safe='')}"
    try:
        found: Name = (await visit.api.get(path, {"include_activity": "true" if activity else None})).data
    except (NotFound, RequestError) as error:
        raise NotFound(f"No event is called {name[:255]!r} in this workspace", field="name") from error
    return found


async def show(visit: Visit) -> Answer:
    """GET events/name?name=&range=&from=&to=&period=&compare=&key=&format=&table=.

    `compare` is on unless it is no, or there is no time before.
    """
    name = await known(visit)
    compare, key = visit.param("compare", "yes") != "no" and visit.param("range") != ALL, visit.param("key")
    span = trend = top = wrong = waiting = contacts = None
    within: dict[str, Any] = {}
    try:
        span = span_of(visit, KINDS, first=name["first_seen_at"])
        if visit.param("format") == "csv":
            return await _table(visit, name, span, compare)
        if name["count"]:
            contacts = (await known(visit, activity=True))["contacts"]
            trend = await visit.api.get("/-/api/reports/trend", _trend_query(name, span, compare))
            within = breakdown.within(span, trend)
            top = await visit.api.get("/-/api/reports/top-contacts", {"event_name": name["name"], "limit": TOP, **within})
    except Unavailable as error:
        waiting = error.message
    except RequestError as error:
        if error.status != 400:
            raise
        wrong = error.message
    broken = await breakdown.ask(visit, name, key, within) if key and trend else None
    return visit.html(
        "events/name.html",
        status=400 if wrong else 200,
        name=name,
        contacts=contacts,
        wrong=wrong,
        span=span,
        kinds=KINDS,
        ranges=RANGES,
        compare=compare,
        trend=trend,
        waiting=waiting,
        periods=shown(trend.data["periods"], trend.data["period"], visit.timezone) if trend else (),
        change=_change(trend) if trend else None,
        top=top,
        within=within,
        keys=name["metadata"],
        key=key,
        broken=broken,
        there=_where_it_happened(visit, name) if trend and not trend.data["series"][0]["events"] else None,
        form=breakdown.form_of(visit),
        lazily=visit.url("events/name/breakdown", name=name["name"], **within, **breakdown.form_of(visit)),
        **await _latest(visit, name),
    )


def _where_it_happened(visit: Visit, name: Name) -> str | None:
    """The address of this page with the month that ends with the newest event; None where the calendar has no such day."""
    try:
        last = datetime.fromtimestamp(name["last_seen_at"], visit.timezone).date()
        days = {"from": (last - timedelta(days=SHOWN_DAYS - 1)).isoformat(), "to": last.isoformat()}
    except (OverflowError, ValueError, OSError):
        return None
    return visit.here(range="dates", period="day", **days)


async def latest(visit: Visit) -> Answer:
    """GET events/name/latest?name=&starting_after=: the rows of a page."""
    name = await known(visit)
    if not visit.partial:
        return await show(visit)
    return visit.html("events/_latest.html", **await _latest(visit, name))


async def _latest(visit: Visit, name: Name) -> dict[str, Any]:
    after = visit.param("starting_after")
    pagination: dict[str, Any] = {"per_page": LATEST} | ({"starting_after": after} if after else {})
    query = {"field": "event_name", "operator": "=", "value": name["name"]}
    reply = await visit.api.post("/-/api/events/search", {"query": query, "pagination": pagination})
    following = reply.following
    return {
        "events": reply.data["data"],
        "columns": COLUMNS,
        "more": following and visit.url("events/name/latest", name=name["name"], starting_after=following),
        "latest_call": reply.call,
    }


def _trend_query(name: Name, span: Span, compare: bool) -> dict[str, Any]:
    return {"event_name": name["name"], "period": span.period, "compare": "true" if compare else None, **span.query}


async def _table(visit: Visit, name: Name, span: Span, compare: bool) -> Answer:
    """With `table` top-contacts, breakdown or events those, else the trend: the API's own table."""
    if visit.param("table") == "events":
        return await tables.events(visit, {"name": name["name"]}, name=f"events of {name['name']}")
    report, query = "trend", _trend_query(name, span, compare)
    if visit.param("table") in ("top-contacts", "breakdown"):
        report = visit.param("table")
        trend = await visit.api.get("/-/api/reports/trend", query)
        query = {"event_name": name["name"], "limit": 150, **breakdown.within(span, trend)}
        if report == "breakdown":
            query["key"] = visit.param("key")
    return await tables.report(visit, report, query, name=f"{report} of {name['name']}")


def _change(trend: Reply) -> str | None:
    """Against the period before, in words."""
    if trend.data["previous"] is None:
        return None
    now, before = (each["series"][0]["events"] for each in (trend.data, trend.data["previous"]))
    if not before:
        return "none in the time before" if now else None
    return f"{formats.change(now, before)} to the {formats.number(before)} before"
