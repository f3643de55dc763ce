"""Reports over the wire: their exact answers, as JSON and CSV, and refusals. How they count is in analysis/test_report_answers.py."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"
DAY = 86_400
START = 1_767_225_600  # the first of January 2026, UTC; a Thursday
NOW = START + 3 * DAY + 7_200


@pytest.fixture(scope="module")
def shop() -> Iterator[Api]:
    """What three contacts did in the first days of a year; it is two o'clock of the fourth."""
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        api = Api(server)
        for who in "abc":
            api.contact(external_id=who)
        add(
            api,
            ("signed up", 10, "a"),
            ("signed up", 20, "b"),
            ("visited", 30, "b"),
            ("signed up", DAY + 10, "c"),
            ("visited", DAY + 40, "a"),
            ("visited", DAY + 50, "a"),
            ("bought", 2 * DAY, "a"),
            ("visited", 3 * DAY + 100, "b"),
        )
        yield api


def add(api: Api, *events: tuple[str, int, str]) -> None:
    lines = [json.dumps({"event_name": name, "created_at": START + after, "user_id": who}) for name, after, who in events]
    assert api.post("/-/api/import/events", "\n".join(lines).encode()).json["new"] == len(events)


def asked(report: str, *more: tuple[str, Any], **params: Any) -> str:
    return f"/-/api/reports/{report}?{urlencode([*more, *params.items()])}"


def get(api: Api, report: str, *more: tuple[str, Any], **params: Any) -> Any:
    answer = api.get(asked(report, *more, **params))
    assert answer.status == 200, answer
    return answer.json


def rows(api: Api, report: str, *more: tuple[str, Any], **params: Any) -> list[dict[str, str]]:
    answer = api.get(asked(report, *more, format="csv", **params))
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    assert answer.header("content-disposition") == f'attachment; filename="trackrecord-{report}.csv"'
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def period(start: int, end: int, complete: bool = True) -> dict[str, Any]:
    return {"start": START + start, "end": START + end, "complete": complete}


def test_a_trend_has_its_periods_and_a_series_for_each_name(shop: Api):
    found = get(shop, "trend", ("event_name", "Visited"), ("event_name", "bought"), since=START, compare="true")
    assert found == {
        "type": "trend",
        "timezone": "UTC",
        "segment_id": None,
        "period": "day",
        "measure": "events",
        "since": START,
        "until": START + 4 * DAY,
        "periods": [period(0, DAY), period(DAY, 2 * DAY), period(2 * DAY, 3 * DAY), period(3 * DAY, 4 * DAY, False)],
        "series": [
            {"event_name": "visited", "values": [1, 2, 0, 1], "events": 4, "contacts": 2},
            {"event_name": "bought", "values": [0, 0, 1, 0], "events": 1, "contacts": 1},
        ],
        "previous": {
            "since": START - 4 * DAY,
            "until": START - DAY + 7_200,  # the last day until two o'clock, as it is now
            "periods": [period(-4 * DAY, -3 * DAY), period(-3 * DAY, -2 * DAY), period(-2 * DAY, -DAY), period(-DAY, 7_200 - DAY)],
            "series": [
                {"event_name": "visited", "values": [0, 0, 0, 0], "events": 0, "contacts": 0},
                {"event_name": "bought", "values": [0, 0, 0, 0], "events": 0, "contacts": 0},
            ],
        },
    }


def test_without_names_a_trend_is_of_all_events_together(shop: Api):
    found = get(shop, "trend", since=START, period="week", measure="contacts")
    assert found["series"] == [{"event_name": None, "values": [3], "events": 8, "contacts": 3}]
    assert found["periods"] == [period(0, 4 * DAY, False)]  # from Thursday on, so that the week is cut


def test_without_since_a_trend_ends_with_the_current_period(shop: Api):
    found = get(shop, "trend")
    assert (len(found["periods"]), found["until"], sum(found["series"][0]["values"])) == (30, START + 4 * DAY, 8)
    assert len(get(shop, "trend", period="hour")["periods"]) == 48


def test_the_time_zone_decides_where_days_begin(shop: Api):
    found = get(shop, "trend", ("event_name", "bought"), since=START, timezone="Asia/Kolkata")
    half = 11 * 1800  # midnight comes five and a half hours earlier
    assert found["periods"][:2] == [period(0, DAY - half, False), period(DAY - half, 2 * DAY - half)]
    assert found["series"][0]["values"] == [0, 0, 1, 0]


def test_a_name_asked_for_twice_is_one_series(shop: Api):
    found = get(shop, "trend", ("event_name", "visited"), ("event_name", "VISITED"), since=START)
    assert [series["event_name"] for series in found["series"]] == ["visited"]


def test_a_name_and_the_one_it_had_before_are_one_series():
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        api = Api(server)
        api.contact(external_id="a")
        add(api, ("came by", 10, "a"), ("came by", 20, "a"))
        assert api.put("/-/api/event-names/came%20by", {"name": "visited"}).status == 200
        found = get(api, "trend", ("event_name", "came by"), ("event_name", "visited"), since=START, period="week")
        assert [(series["event_name"], series["values"]) for series in found["series"]] == [("visited", [2])]


def test_a_funnel_counts_the_contacts_of_each_step(shop: Api):
    steps = [("step", "signed up"), ("step", "visited"), ("step", "bought")]
    third = pytest.approx(1 / 3)
    assert get(shop, "funnel", *steps, since=START, until=START + DAY) == {
        "type": "funnel",
        "timezone": "UTC",
        "segment_id": None,
        "since": START,
        "until": START + DAY,
        "within_s": 30 * DAY,
        "steps": [
            {
                "event_name": "signed up",
                "contacts": 2,
                "share_of_first": 1.0,
                "share_of_previous": None,
                "median_s": None,
                "median_total_s": None,
            },
            {
                "event_name": "visited",
                "contacts": 2,
                "share_of_first": 1.0,
                "share_of_previous": 1.0,
                "median_s": (DAY + 30 + 10) / 2,
                "median_total_s": (DAY + 30 + 10) / 2,
            },
            {
                "event_name": "bought",
                "contacts": 1,
                "share_of_first": 0.5,
                "share_of_previous": 0.5,
                "median_s": DAY - 50.0,
                "median_total_s": 2 * DAY - 10.0,
            },
        ],
    }
    found = get(shop, "funnel", *steps, within_s=DAY)
    assert [(step["contacts"], step["share_of_first"]) for step in found["steps"]] == [(3, 1.0), (1, third), (0, 0.0)]
    assert (found["since"], found["until"]) == (START - 26 * DAY, START + 4 * DAY)


def test_retention_has_a_cohort_for_each_period(shop: Api):
    found = get(shop, "retention", first_event="signed up", return_event="visited", since=START)
    assert found == {
        "type": "retention",
        "timezone": "UTC",
        "segment_id": None,
        "period": "day",
        "first_event": "signed up",
        "return_event": "visited",
        "since": START,
        "until": START + 4 * DAY,
        "periods": [period(0, DAY), period(DAY, 2 * DAY), period(2 * DAY, 3 * DAY), period(3 * DAY, 4 * DAY, False)],
        "cohorts": [
            {"contacts": 2, "returned": [1, 1, 0, 1]},
            {"contacts": 1, "returned": [0, 0, 0]},
            {"contacts": 0, "returned": [0, 0]},
            {"contacts": 0, "returned": [0]},
        ],
    }
    anything = get(shop, "retention", first_event="signed up", since=START)
    assert (anything["return_event"], anything["cohorts"][0]["returned"]) == (None, [1, 1, 1, 1])


def test_of_a_segment_its_members_alone_are_counted(shop: Api):
    query = {"operator": "OR", "value": [{"field": "external_id", "operator": "=", "value": who} for who in "ac"]}
    segment = shop.post("/-/api/segments", {"name": "two of three", "query": query}).json["id"]
    found = get(shop, "trend", event_name="signed up", since=START, segment_id=segment)
    assert (found["segment_id"], found["series"][0]["values"], found["series"][0]["contacts"]) == (segment, [1, 1, 0, 0], 2)
    steps = get(shop, "funnel", ("step", "signed up"), ("step", "visited"), segment_id=segment)["steps"]
    assert [step["contacts"] for step in steps] == [2, 1]
    cohorts = get(shop, "retention", first_event="signed up", since=START, segment_id=segment)["cohorts"]
    assert [(cohort["contacts"], cohort["returned"]) for cohort in cohorts[:2]] == [(1, [0, 1, 1, 0]), (1, [0, 0, 0])]
    few = Api(shop.server, shop.server.server.directory.tokens.create(1, "events alone", ("read_events",), now=0)[1])
    assert few.get(asked("trend", segment_id=segment)).error[:2] == (403, "token_unauthorized")


def test_csv_has_the_numbers_of_json(shop: Api):
    query = [("event_name", "visited"), ("event_name", "signed up")]
    of_json = get(shop, "trend", *query, since=START + DAY, compare="true", measure="contacts", timezone="Europe/Berlin")
    assert rows(shop, "trend", *query, since=START + DAY, compare="true", measure="contacts", timezone="Europe/Berlin") == [
        {
            "event_name": series["event_name"],
            "start": str(when["start"]),
            "end": str(when["end"]),
            "local_start": in_berlin(when["start"]),
            "complete": str(when["complete"]).lower(),
            "contacts": str(series["values"][at]),
            "previous": str(of_json["previous"]["series"][place]["values"][at]),
        }
        for place, series in enumerate(of_json["series"])
        for at, when in enumerate(of_json["periods"])
    ]
    steps = [("step", "signed up"), ("step", "visited")]
    assert rows(shop, "funnel", *steps) == [
        {"step": str(number), **{key: "" if value is None else str(value) for key, value in step.items()}}
        for number, step in enumerate(get(shop, "funnel", *steps)["steps"], 1)
    ]
    of_json = get(shop, "retention", first_event="signed up", since=START)
    assert [(row["cohort"], row["contacts"], row["later"], row["start"], row["returned"]) for row in rows(
        shop, "retention", first_event="signed up", since=START
    )] == [
        (str(of_json["periods"][at]["start"]), str(cohort["contacts"]), str(later), str(of_json["periods"][at + later]["start"]), str(came))
        for at, cohort in enumerate(of_json["cohorts"])
        for later, came in enumerate(cohort["returned"])
    ]  # fmt: skip


def in_berlin(moment: int) -> str:
    """A time of January there."""
    return datetime.fromtimestamp(moment + 3_600, UTC).isoformat().replace("+00:00", "+01:00")


INVALID, MISMATCH = "parameter_invalid", "type_mismatch"
NO_ZONE = "timezone must be an IANA name such as Europe/Dublin"
NO_NAME = "no event is called 'never'; /-/api/event-names lists the names there are"


@pytest.mark.parametrize(
    ("report", "query", "error"),
    [
        ("trend", "event_name=never", (INVALID, NO_NAME, "event_name")),
        ("trend", "event_name=", ("parameter_not_found", None, "event_name")),
        ("trend", "&".join(f"event_name={n}" for n in range(11)), (INVALID, "event_name may name at most 10, got 11", "event_name")),
        ("trend", "period=year", (INVALID, "period must be hour or day or week or month, got 'year'", "period")),
        ("trend", "measure=people", (INVALID, "measure must be events or contacts, got 'people'", "measure")),
        ("trend", "compare=perhaps", (INVALID, "compare must be true or false, got 'perhaps'", "compare")),
        ("trend", "format=xml", (INVALID, "format must be json or csv, got 'xml'", "format")),
        ("trend", "since=soon", (MISMATCH, "since must be whole Unix seconds, such as 1671028894, got 'soon'", "since")),
        ("trend", "until=-1", (MISMATCH, None, "until")),
        ("trend", "since=", (INVALID, "since must not be empty", "since")),
        ("trend", "timezone=localtime", (INVALID, f"{NO_ZONE}, got 'localtime'", "timezone")),
        ("trend", "timezone=", (INVALID, "timezone must not be empty", "timezone")),
        ("trend", "since=1767225600&until=1767225600", (INVALID, "until must be after since, got 1767225600 and 1767225600", "until")),
        ("trend", "since=1767225600000", (INVALID, None, "since")),
        ("trend", "until=900000000000", (INVALID, None, "until")),
        ("trend", "since=0", (INVALID, None, "period")),
        ("trend", "timezone=Mars/Olympus", (INVALID, f"{NO_ZONE}, got 'Mars/Olympus'", "timezone")),
        ("trend", "timezone=Europe", (INVALID, None, "timezone")),
        ("trend", "timezone=../../etc/passwd", (INVALID, None, "timezone")),
        ("trend", "timezone=%00", (INVALID, None, "timezone")),
        ("trend", f"timezone={'x' * 5000}", (INVALID, None, "timezone")),
        ("trend", "segment_id=", (INVALID, "segment_id must not be empty", "segment_id")),
        ("trend", "segment_id=none", (INVALID, "there is no segment 'none'; /segments lists those there are", "segment_id")),
        ("funnel", "step=visited&step=bought&segment_id=none", (INVALID, None, "segment_id")),
        ("retention", "first_event=visited&segment_id=none", (INVALID, None, "segment_id")),
        ("funnel", "step=visited", (INVALID, None, "step")),
        ("funnel", "&".join(["step=visited"] * 11), (INVALID, None, "step")),
        ("funnel", "step=visited&step=never", (INVALID, NO_NAME, "step")),
        ("funnel", "step=visited&step=bought&within_s=0", (INVALID, None, "within_s")),
        ("funnel", "step=visited&step=bought&within_s=31622401", (INVALID, None, "within_s")),
        ("funnel", "step=visited&step=bought&within_s=week", (INVALID, None, "within_s")),
        ("retention", "", ("parameter_not_found", "first_event is required: the event name that a contact begins with", "first_event")),
        ("retention", "first_event=never", (INVALID, NO_NAME, "first_event")),
        ("retention", "first_event=visited&return_event=never", (INVALID, NO_NAME, "return_event")),
        ("retention", "first_event=visited&return_event=", (INVALID, "return_event must not be empty", "return_event")),
        ("retention", "first_event=visited&period=hour", (INVALID, "period must be day or week or month, got 'hour'", "period")),
        ("retention", f"first_event=visited&since={START - 98 * DAY}", (INVALID, None, "period")),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_is_refused_by_field(shop: Api, report: str, query: str, error: tuple[str, str | None, str]):
    status, code, text, field = shop.get(f"/-/api/reports/{report}?{query}").error
    assert (status, code, field) == (400, error[0], error[2])
    assert error[1] in (None, text)


def test_of_an_empty_workspace_a_trend_is_of_nothing():
    with TrackrecordServer() as server:
        found = get(Api(server), "trend", measure="contacts")
        assert found["series"] == [{"event_name": None, "values": [0] * 30, "events": 0, "contacts": 0}]


def test_another_workspace_is_in_no_report(shop: Api):
    workspace = shop.server.server.directory.workspaces.create("other", "Other", now=0, timezone="Asia/Kolkata")
    token = shop.server.server.directory.tokens.create(workspace.number, "all", ("read_events", "write_events", "write_contacts"), now=0)[1]
    other = Api(shop.server, token)
    before = get(other, "trend")
    assert (before["timezone"], before["series"][0]["events"]) == ("Asia/Kolkata", 0)
    assert other.get(asked("trend", event_name="visited")).error == (
        400, INVALID, "no event is called 'visited'; /-/api/event-names lists the names there are", "event_name",
    )  # fmt: skip
    contact = other.contact(external_id="a")
    assert other.submit(event_name="visited", created_at=START, id=contact["id"]).status == 202
    assert get(other, "trend")["series"][0]["events"] == 1
    assert get(shop, "trend")["series"][0]["events"] == 8


def test_a_report_shows_what_was_answered_before_it_and_nothing_of_who_was_deleted():
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        api = Api(server)
        one, two = api.contact(external_id="one"), api.contact(role="lead")
        for number in range(5):
            assert api.submit(event_name="visited", created_at=NOW - number, id=one["id"]).status == 202
            assert api.submit(event_name="visited", created_at=NOW - number, id=two["id"]).status == 202
            series = get(api, "trend", event_name="visited")["series"][0]
            assert (series["events"], series["contacts"]) == (2 * number + 2, 2)
        assert api.post("/contacts/merge", {"from": two["id"], "into": one["id"]}).status == 200
        series = get(api, "trend", event_name="visited")["series"][0]
        assert (series["events"], series["contacts"]) == (5, 1)  # events at the same second were the same for both
        assert api.delete(f"/contacts/{one['id']}").status == 200
        assert get(api, "trend", event_name="visited")["series"][0]["events"] == 0


@pytest.mark.skipif(not (DATA / "expected.json").exists(), reason="the real event stream is not beside this checkout")
def test_of_a_real_stream_every_report_has_the_known_figures():
    expected = json.loads((DATA / "expected.json").read_text("utf-8"))
    with TrackrecordServer() as server:
        api = Api(server)
        for noun in ("contacts", "events"):
            lines = gzip.decompress((DATA / f"{noun}.ndjson.gz").read_bytes()).splitlines()
            for start in range(0, len(lines), 2_000):
                assert api.post(f"/-/api/import/{noun}", b"\n".join(lines[start : start + 2_000])).status == 200
        bounds = {"since": "1970-01-01", "until": "2030-01-01", "timezone": "UTC", "period": "month"}
        per_year: dict[str, int] = {}
        found = get(api, "trend", **bounds)
        for when, value in zip(found["periods"], found["series"][0]["values"], strict=True):
            year = str(datetime.fromtimestamp(when["start"], UTC).year)
            per_year[year] = per_year.get(year, 0) + value
        assert {year: count for year, count in per_year.items() if count} == expected["per_year_utc"]
        names = list(expected["per_event_name"])
        found = get(api, "trend", *(("event_name", name) for name in names), **bounds)
        assert {series["event_name"]: series["events"] for series in found["series"]} == expected["per_event_name"]
        everybody = get(api, "trend", measure="contacts", **bounds)["series"][0]
        assert (everybody["events"], everybody["contacts"]) == (expected["distinct_user_name_second"], expected["users"])
