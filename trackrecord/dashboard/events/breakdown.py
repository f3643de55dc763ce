"""The events of one name by the values of a metadata key: a piece of the name's page, which is asked for when it is wanted."""

from typing import Any, NamedTuple

from markupsafe import Markup

from ...errors import Unavailable
from ...http.call import Answer
from ..api import Reply
from ..metadata import KINDS
from ..reports.spans import Span
from ..visit import Visit

SHOWN = 12  # values
FORM = ("range", "from", "to", "period", "compare")  # what else the page's address holds
WORDS = {"string", "boolean"}  # kinds of values that are few, mostly

Name = dict[str, Any]


class Row(NamedTuple):
    value: Markup
    kind: str  # in words
    events: int
    contacts: int


class Broken(NamedTuple):
    """What a key's values are; `waiting` says why there is nothing yet."""

    key: str
    reply: Reply | None
    rows: list[Row]
    waiting: str | None = None


def within(span: Span, trend: Reply | None) -> dict[str, Any]:
    """The time that the trend is of, as the reports take it."""
    return {"since": span.since, "until": trend.data["until"] if trend else span.until}


def form_of(visit: Visit) -> dict[str, Any]:
    """The page's form, as its address has it."""
    return {name: visit.param(name) for name in FORM}


async def piece(visit: Visit) -> Answer:
    """GET events/name/breakdown?name=&key=&since=&until=, with what the page's form holds.

    With a key the page's address has it from then on.
    """
    from .name import known, show

    if not visit.partial:
        return await show(visit)
    name = await known(visit)
    key = visit.param("key") or default_key(name["metadata"])
    bounds = {"since": visit.param("since") or None, "until": visit.param("until") or None}
    broken = await ask(visit, name, key, bounds) if key else None
    form = form_of(visit)
    address = visit.url("events/name", name=name["name"], key=key, **form)
    return visit.html(
        "events/_breakdown.html",
        headers=((b"hx-replace-url", address.encode()),) if visit.param("key") else (),
        name=name,
        keys=name["metadata"],
        key=key,
        broken=broken,
        within=bounds,
        form=form,
    )


def default_key(metadata: list[dict[str, Any]]) -> str:
    """The key that most events have, of those with words for values where there are any: numbers and times rarely are few."""
    by_words = [each for each in metadata if each["key"] and {kind["kind"] for kind in each["kinds"]} & WORDS]
    return next((str(each["key"]) for each in by_words or metadata), "")


async def ask(visit: Visit, name: Name, key: str, bounds: dict[str, Any]) -> Broken:
    query = {"event_name": name["name"], "key": key, "limit": SHOWN, **bounds}
    try:
        reply = await visit.api.get("/-/api/reports/breakdown", query)
    except Unavailable as error:
        return Broken(key, None, [], error.message)
    return Broken(key, reply, [_row(visit, each) for each in reply.data["data"]])


def _row(visit: Visit, row: dict[str, Any]) -> Row:
    words, show = KINDS[row["kind"]]
    if row["kind"] == "rich_link":  # what it shows, and no address: many may show the same
        words, show = KINDS["string" if isinstance(row["value"], str) else "nested"]
    return Row(show(row["value"], visit.timezone), words, row["events"], row["contacts"])
