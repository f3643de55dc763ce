"""The page of a funnel: how many contacts get from one step to the next."""

from itertools import pairwise
from typing import Any

from ...errors import ParameterInvalid
from ...http.call import Answer
from ...wire.reports import STEPS_MAX, STEPS_MIN
from ..visit import Visit
from .asking import Query, page
from .spans import Span

KINDS = ("day", "week", "month")  # of which its range is made; a funnel itself has no periods
UNITS = {"min": 60, "h": 3_600, "d": 86_400}
WITHIN, UNIT = "30", "d"
DIGITS_MAX = 9
FIELDS_MIN = 3  # for steps


async def show(visit: Visit) -> Answer:
    """GET reports/funnel?step=&step=&within=&unit=&range=&from=&to=&format=. Steps stand in their order; empty ones are left out."""
    steps = [step.strip() for step in visit.params("step") if step.strip()]
    within, unit = visit.param("within") or WITHIN, visit.param("unit") or UNIT

    def query(span: Span) -> Query | None:
        if len(steps) < STEPS_MIN:
            return None
        return {"step": steps, "within_s": _seconds(within, unit), **span.query}

    form = {"steps": steps, "fields": min(STEPS_MAX, max(FIELDS_MIN, len(steps) + 1)), "within": within, "unit": unit}
    return await page(visit, "funnel", KINDS, query, _shown, form=form)


def _seconds(within: str, unit: str) -> int:
    """Raises ParameterInvalid; how long it may be is the API's to say."""
    if not (within.isascii() and within.isdigit() and len(within) <= DIGITS_MAX):
        raise ParameterInvalid(f"Within must be a whole number such as {WITHIN}, got {within[:40]!r}", field="within")
    if unit not in UNITS:
        raise ParameterInvalid(f"Within must be counted in {' or '.join(UNITS)}, got {unit[:40]!r}", field="within")
    return int(within) * UNITS[unit]


def _shown(visit: Visit, data: dict[str, Any]) -> dict[str, Any]:
    steps = data["steps"]
    lost = [None, *(one["contacts"] - other["contacts"] for one, other in pairwise(steps))]
    return {
        "steps": [
            {**step, "lost": gone, "bar": round(1_000 * (step["share_of_first"] or 0))} for step, gone in zip(steps, lost, strict=True)
        ],
        "within_s": data["within_s"],
    }
