"""The page of retention: who comes back, cohort by cohort."""

import math
from typing import Any

from ...http.call import Answer
from ...wire.reports import COHORTS_MAX
from ..visit import Visit
from .asking import Query, page, shown
from .spans import Span

KINDS = ("day", "week", "month")
SHADES = 10  # of app.css


async def show(visit: Visit) -> Answer:
    """GET reports/retention?first_event=&return_event=&range=&from=&to=&period=&format=. Without return_event any event is coming back."""
    first, returns = visit.param("first_event"), visit.param("return_event")

    def query(span: Span) -> Query | None:
        if not first:
            return None
        return {"first_event": first, "return_event": returns or None, "period": span.period, **span.query}

    return await page(visit, "retention", KINDS, query, _shown, most=COHORTS_MAX, form={"first": first, "returns": returns})


def _shown(visit: Visit, data: dict[str, Any]) -> dict[str, Any]:
    periods = shown(data["periods"], data["period"], visit.timezone)
    cohorts = [
        {"period": period, "contacts": cohort["contacts"], "cells": [
            _cell(came, cohort["contacts"], periods[number + later].running) for later, came in enumerate(cohort["returned"])
        ]}
        for number, (period, cohort) in enumerate(zip(periods, data["cohorts"], strict=True))
    ]  # fmt: skip
    return {"cohorts": cohorts, "contacts": sum(cohort["contacts"] for cohort in cohorts), "first_event": data["first_event"]}


def _cell(came: int, of: int, running: bool) -> dict[str, Any]:
    """`shade` is 0 to SHADES."""
    return {"came": came, "of": of, "shade": math.ceil(SHADES * came / of) if of else 0, "running": running}
