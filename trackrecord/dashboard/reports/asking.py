"""A report asked for by a form: the answer, or what is wrong at which field of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ...errors import RequestError
from ...http.call import Answer
from ...rules.periods import PERIODS_MAX
from .. import tables
from ..visit import Visit
from .names import first_names, first_seen
from .spans import ALL, RANGES, Span, span_of

# The form's own name of what the API calls otherwise.
FIELDS = {"since": "from", "until": "to", "within_s": "within"}
LONG_S = 300 * 86_400  # a report from which on its days need a year


class Wrong(NamedTuple):
    field: str
    message: str
    status: int
    no_name: bool  # an event name that nobody has sent


Query = dict[str, Any]


async def page(
    visit: Visit,
    report: str,
    kinds: Sequence[str],
    query_of: Callable[[Span], Query | None],
    shown_of: Callable[[Visit, Any], dict[str, Any]],
    most: int = PERIODS_MAX,
    **context: Any,
) -> Answer:
    """The page of a report; with format=csv its table as a file.

    `most`: periods that the report may have. `query_of` says what the API is asked (None: not enough is chosen yet), and raises
    ParameterInvalid by field of the form; `shown_of` makes what the template shows of the answer.
    """
    names, total = await first_names(visit)
    segments = (await visit.api.get("/segments")).data["segments"]
    span, reply, wrong = None, None, None
    try:
        first = await first_seen(visit) if visit.param("range") == ALL else None
        span = span_of(visit, kinds, first=first, most=most)
        query = query_of(span) if total else None
        if query is not None:
            query["segment_id"] = visit.param("segment_id") or None
            reply = await visit.api.get(f"/-/api/reports/{report}", query)
            if visit.param("format") == "csv":
                return await tables.report(visit, report, query, name=report)
            context |= shown_of(visit, reply.data)
    except RequestError as error:
        if error.status != 400:
            raise
        words, _, where = error.message.partition("; /")  # where the API lists what there is
        wrong = Wrong(FIELDS.get(error.field or "", error.field or ""), words[:1].upper() + words[1:], error.status, "event-names" in where)
    context |= {
        "names": names,
        "total": total,
        "segments": segments,
        "kinds": kinds,
        "ranges": RANGES,
        "span": span,
        "reply": reply,
        "wrong": wrong,
    }
    return visit.html(f"reports/{report}.html", status=wrong.status if wrong else 200, **context)


class Shown(NamedTuple):
    """A period, as a table has it."""

    start: int
    words: str
    title: str
    running: bool  # not complete


def shown(found: Sequence[Mapping[str, Any]], period: str, zone: ZoneInfo) -> list[Shown]:
    long = bool(found) and found[-1]["end"] - found[0]["start"] > LONG_S
    return [_shown(each, period, zone, long) for each in found]


def _shown(each: Mapping[str, Any], period: str, zone: ZoneInfo, long: bool) -> Shown:
    start, end = (datetime.fromtimestamp(each[key], zone) for key in ("start", "end"))
    day = f"{start.day} {start:%b}" + (f" {start.year}" if long else "")
    words = {"hour": f"{day}, {start:%H:%M}", "month": f"{start:%b} {start.year}"}.get(period, day)
    title = f"{start:%A}, {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}, {zone.key}"
    return Shown(each["start"], words, title, not each["complete"])
