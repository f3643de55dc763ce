"""Intercom-Version: which is served, what each has, and what is said where it lacks something. The contract, 1.3 and 12."""

import re
from pathlib import Path
from typing import Any

import pytest

import trackrecord
from trackrecord.http.routes import ROUTES, Route
from trackrecord.rules.versions import DELTAS, KNOWN, NEWEST, has, served, span
from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

WHEN = 1_671_028_894
NOT_THERE = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
UNKNOWN = (400, "intercom_version_invalid", "The requested version could not be found", "Intercom-Version")


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (None, "2.14"),
        ("", "2.14"),
        *((f"{major}.{minor}", f"{major}.{minor}") for major, minor in sorted(KNOWN)),
        ("Unstable", "Unstable"),
        ("Preview", "Preview"),
        ("unstable", "Unstable"),
        ("PREVIEW", "Preview"),
        (" 2.11 ", "2.11"),
        ("2.17", "2.16"),
        ("3.0", "2.16"),
        ("2.007", "2.7"),
        ("02.14", "2.14"),
        ("2.014", "2.14"),
        ("1000.1", "2.16"),
        ("99999999999999999999.1", "2.16"),
        ("9" * 5000 + ".1", "2.16"),
        ("2." + "9" * 5000, "2.16"),
        ("0" * 5000 + "2.16", "2.16"),
    ],
)
def test_the_version_served_is_told(api: Api, asked: str | None, answered: str):
    headers = [] if asked is None else [f"Intercom-Version: {asked}"]
    contact = api.contact()
    answers = [
        api.get("/me", *headers),
        api.get("/nothing", *headers),
        api.post("/events", {"event_name": "clicked", "id": contact["id"]}, *headers),
        api.get(f"/events?intercom_user_id={contact['id']}", *headers),
    ]
    assert [(answer.status, answer.header("intercom-version")) for answer in answers] == [
        (200, answered),
        (404, answered),
        (202, answered),
        (200, answered),
    ]


def test_every_version_of_the_contract_is_known():
    assert sorted(KNOWN) == [*((1, minor) for minor in range(5)), *((2, minor) for minor in range(17))]
    assert NEWEST == (2, 16)


@pytest.mark.parametrize(
    "version", ["latest", "2", "2.", ".14", "2.14.1", "v2.14", "2,14", "-1.0", "1.5", "0.9", "2.1e1", "٢.٤", "x" * 5000]
)
def test_a_version_that_cannot_be_is_refused_and_the_default_is_told(api: Api, version: str):
    header = f"Intercom-Version: {version}".encode().decode("latin-1")
    answers = [api.get("/me", header), api.post("/events", {}, header), api.post("/contacts", {}, header)]
    assert [(answer.error, answer.header("intercom-version")) for answer in answers] == [(UNKNOWN, "2.14")] * 3


@pytest.mark.parametrize("version", ["2.17", "3.0", "99999999999999999999.1", "02.14", "2.014", "2.00", "latest", "2.14.1"])
def test_strict_serves_no_version_it_does_not_know(strict: Api, version: str):
    answers = [strict.get("/me", f"Intercom-Version: {version}"), strict.post("/events", {}, f"Intercom-Version: {version}")]
    assert [(answer.error, answer.header("intercom-version")) for answer in answers] == [(UNKNOWN, "2.14")] * 2


def test_the_version_for_clients_that_name_none_can_be_set():
    with TrackrecordServer(default_version="2.11") as server:
        assert Api(server).get("/me").header("intercom-version") == "2.11"


def test_who_has_no_token_is_told_so_before_anything_about_versions(api: Api):
    nobody = Api(api.server, None)
    answers = [nobody.get("/me", "Intercom-Version: latest"), nobody.get("/contacts", "Intercom-Version: 1.0")]
    assert [answer.status for answer in answers] == [401, 401]


# --- what a version has --------------------------------------------------------------------------------------------------

RANGED = [route for route in ROUTES if route.first is not None or route.last is not None]
ALL = [f"{major}.{minor}" for major, minor in sorted(KNOWN)] + ["Preview"]


def found_under(api: Api, route: Route, *headers: str) -> bool:
    """Whether a version has a path with this method, whatever it answers to nonsense. A row beside it may be what answers."""
    target = re.sub(r":\w+}|[{}]", "", route.path)
    answer = api.send(route.method, target, *headers, body=None if route.method in ("GET", "DELETE") else b"no JSON")
    if answer.status == 400 and answer.json["errors"][0]["code"] == "intercom_version_invalid":
        assert answer.error == NOT_THERE
        return False
    return True


@pytest.mark.parametrize("route", RANGED, ids=lambda route: f"{route.method} {route.path} {span(route.first, route.last)}")
def test_a_path_is_there_in_the_versions_that_have_it_and_in_no_other(api: Api, route: Route):
    beside = [each for each in ROUTES if (each.method, each.path) == (route.method, route.path)]
    expected = {}
    for version in ALL:
        number = served(version, default="2.14", newer=False).number
        expected[version] = any((each.first or number) <= number <= (each.last or number) for each in beside)
    assert {version: found_under(api, route, f"Intercom-Version: {version}") for version in ALL} == expected
    assert expected.values() != {True}


@pytest.mark.parametrize("route", [route for route in RANGED if route.unversioned], ids=lambda route: f"{route.method} {route.path}")
def test_what_older_clients_call_is_there_for_those_who_name_no_version(api: Api, route: Route):
    assert found_under(api, route)
    assert found_under(api, route, "Intercom-Version:")


def test_our_own_paths_are_the_same_in_every_version(api: Api):
    assert [route.path for route in RANGED if route.path.startswith("/-/")] == []
    contact = api.contact()
    receipt = api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).header("trackrecord-receipt")
    targets = ("/-/health?check=live", "/-/docs", "/-/openapi.json", f"/-/api/receipts/{receipt}", "/-/api/requests")
    for target in targets:
        statuses = [api.get(target, f"Intercom-Version: {version}").status for version in ("1.0", "2.16", "Preview", "latest")]
        assert (target, statuses) == (target, [200] * 4)


def test_of_two_rows_for_one_path_the_version_chooses(api: Api):
    twice = {
        (route.method, route.path) for route in ROUTES if sum((each.method, each.path) == (route.method, route.path) for each in ROUTES) > 1
    }
    assert twice  # GET /contacts is leads before 2.0, and contacts from then on
    assert api.get("/contacts", "Intercom-Version: 1.4").json["type"] == "contact.list"
    assert api.get("/contacts", "Intercom-Version: 2.0").json["type"] == "list"


# --- differences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delta", DELTAS, ids=lambda delta: delta.name)
def test_a_difference_holds_in_its_versions_alone(delta: Any):
    number = {version: served(version, default="2.14", newer=False).number for version in ALL}
    holds = {version for version in ALL if has(served(version, default="2.14", newer=False), delta.name)}
    assert holds == {version for version in ALL if delta.first <= number[version] <= (delta.last or number[version])}
    assert "Preview" in holds or delta.last is not None


def test_every_difference_of_the_table_is_asked_for_somewhere():
    package = Path(trackrecord.__file__).parent
    sources = [path.read_text("utf-8") for path in package.rglob("*.py") if path.name != "versions.py"]
    unused = [delta.name for delta in DELTAS if not any(f'"{delta.name}"' in source for source in sources)]
    assert unused == []


def test_an_admin_is_shown_as_its_version_has_it(api: Api):
    keys = {version: set(api.get("/admins/1", f"Intercom-Version: {version}").json) for version in ("2.13", "2.14", "2.16")}
    assert (keys["2.14"] - keys["2.13"], keys["2.16"] - keys["2.14"]) == ({"away_status_reason_id"}, {"role"})


@pytest.mark.parametrize(("version", "absent"), [("2.10", None), ("2.11", ""), ("2.14", None)])
def test_a_summary_of_2_11_has_texts_for_what_is_absent(api: Api, version: str, absent: str | None):
    contact = api.contact(role="lead")
    summary = api.get(f"/events?intercom_user_id={contact['id']}&type=user&summary=true", f"Intercom-Version: {version}").json
    assert summary["email"] == absent


def test_an_owner_is_a_number_before_2_16_and_a_text_from_then_on(api: Api):
    contact = api.contact(role="lead", owner_id=1)
    shown = [api.get(f"/contacts/{contact['id']}", f"Intercom-Version: {version}").json["owner_id"] for version in ("2.15", "2.16")]
    assert shown == [1, "1"]


def test_a_formatted_phone_is_shown_in_2_11_and_in_preview(api: Api):
    contact = api.contact(role="lead", phone="+353 (87) 1")
    shown = {
        version: api.get(f"/contacts/{contact['id']}", f"Intercom-Version: {version}").json.get("formatted_phone", "no such key")
        for version in ("2.10", "2.11", "2.12", "2.14", "2.16", "Preview")
    }
    assert {version: phone for version, phone in shown.items() if phone != "no such key"} == dict.fromkeys(
        ("2.11", "Preview"), "+353 (87) 1"
    )


def test_paths_of_ours_have_no_version_and_pass_over_the_header(api: Api):
    found = []
    for version in ("1.4", "2.16", "Preview", "abc", ""):
        sent = {"external_id": fresh("user-"), "email_verified": True, "owner_id": 1}
        answer = api.put("/-/api/contacts", sent, f"Intercom-Version: {version}")
        found.append((answer.status, answer.header("intercom-version"), b'"owner_id":1,' in answer.body))
    assert found == [(200, "2.14", True)] * 5
