"""What the document says of parameters and of answers that are no JSON, so that a generated client can send and read them."""

from typing import Any

import pytest

from trackrecord.http.openapi import document
from trackrecord.http.routes import ROUTES

PATHS: dict[str, Any] = document(ROUTES)["paths"]
REPEATED = [
    ("/-/api/reports/trend", "event_name"),
    ("/-/api/reports/funnel", "step"),
    ("/-/api/live", "event_name"),
    ("/-/api/export/events", "name"),
]


def schema(path: str, name: str) -> Any:
    return next(each["schema"] for each in PATHS[path]["get"]["parameters"] if each["name"] == name)


@pytest.mark.parametrize(("path", "name"), REPEATED)
def test_what_may_be_repeated_is_an_array(path: str, name: str) -> None:
    assert schema(path, name) == {"type": "array", "items": {"type": "string"}}


def test_words_that_a_parameter_may_be_are_listed() -> None:
    assert schema("/-/api/reports/trend", "measure") == {"type": "string", "enum": ["events", "contacts"]}
    assert schema("/-/api/live", "outcome") == {"type": "string", "enum": ["stored", "duplicate", "erased"]}


@pytest.mark.parametrize("report", ["trend", "funnel", "retention", "top-contacts", "breakdown"])
def test_a_report_comes_as_a_table_too(report: str) -> None:
    assert sorted(PATHS[f"/-/api/reports/{report}"]["get"]["responses"]["200"]["content"]) == ["application/json", "text/csv"]
