"""The page of a trend: how often events happen, by hour, day, week or month."""

from typing import Any

from ...http.call import Answer
from ...rules.periods import KINDS
from ...wire.reports import MEASURES, SERIES_MAX
from .. import formats
from ..visit import Visit
from .asking import Query, page, shown
from .spans import ALL, Span


async def show(visit: Visit) -> Answer:
    """GET reports, and reports/trend?event_name=&range=&from=&to=&period=&measure=&compare=&format=.

    Event names may be several, or none for all.
    """
    chosen = list(dict.fromkeys(name.strip() for name in visit.params("event_name") if name.strip()))
    measure, compare = visit.param("measure") or MEASURES[0], visit.param("compare") == "true" and visit.param("range") != ALL

    def query(span: Span) -> Query:
        of = {"event_name": chosen or None, "period": span.period, "measure": measure, "compare": "true" if compare else None}
        return {**of, **span.query}

    form = {"chosen": chosen, "measure": measure, "compare": compare}
    return await page(visit, "trend", KINDS, query, _shown, form=form, measures=MEASURES, names_max=SERIES_MAX)


def _shown(visit: Visit, data: dict[str, Any]) -> dict[str, Any]:
    """What the page's table has: a column for each series, with the one before beside it."""
    before = data["previous"]["series"] if data["previous"] else [None] * len(data["series"])
    hues = _hues([series["event_name"] or "" for series in data["series"]])
    columns = [
        {
            "name": series["event_name"],
            "hue": hue,
            "values": series["values"],
            "total": series[data["measure"]],
            "events": series["events"],
            "contacts": series["contacts"],
            "before": earlier,
            "change": _change(series[data["measure"]], earlier[data["measure"]]) if earlier else None,
        }
        for series, earlier, hue in zip(data["series"], before, hues, strict=True)
    ]
    return {"periods": shown(data["periods"], data["period"], visit.timezone), "columns": columns}


def _hues(names: list[str]) -> list[int]:
    """The colour of each name; one that another has here moves on to the next that is free."""
    found: list[int] = []
    for name in names:
        own = formats.hue(name)
        found.append(next((each for step in range(formats.HUES) if (each := (own + step) % formats.HUES) not in found), own))
    return found


def _change(now: int, before: int) -> str:
    """In percent of what was before."""
    if not before:
        return "none before" if now else "none before either"
    return "as many as before" if now == before else f"{formats.change(now, before)} to before"
