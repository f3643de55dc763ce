"""Companies: made, changed, found, listed, scrolled, and attached to contacts. The contract, 7."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh
from .world import of_companies

NOW = 1_734_537_334
NO_COMPANY = (404, "company_not_found", "Company Not Found", "company_id")
SCROLL_S = 60
UNKNOWN = "000000000000000000000000"


@pytest.fixture
def alone() -> Iterator[Api]:
    """A server of this test's own, whose clock stands still."""
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        yield Api(server)


def make(api: Api, **fields: Any) -> Any:
    answer = api.post("/companies", fields or {"company_id": fresh("co-")})
    assert answer.status == 200, answer
    return answer.json


def test_a_company_is_shown_as_the_reference_shows_it(alone: Api):
    answer = alone.post("/companies", {"company_id": "company_remote_id", "name": "my company", "remote_created_at": 1374138000})
    expected = {
        "type": "company",
        "company_id": "company_remote_id",
        "id": answer.json["id"],
        "app_id": "trackrecord",
        "name": "my company",
        "remote_created_at": 1374138000,
        "created_at": NOW,
        "updated_at": NOW,
        "monthly_spend": 0,
        "session_count": 0,
        "user_count": 0,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "plan": {},
        "custom_attributes": {},
    }
    assert answer.status == 200
    assert list(answer.json.items()) == list(expected.items())
    assert alone.get(f"/companies/{answer.json['id']}").json == expected


def test_a_company_has_these_fields(api: Api):
    fields = {"name": "Blue Sun", "website": "https://blue.example", "industry": "Software", "remote_created_at": 1374138000}
    more = {"plan": "Pro", "size": 85, "monthly_spend": 155.5, "custom_attributes": {"tier": "gold"}}
    company = make(api, company_id=6, **fields, **more)
    shown = {**fields, **more, "company_id": "6", "plan": {"type": "plan", "name": "Pro"}}
    assert {name: company[name] for name in shown} == shown
    attributes = api.get("/data_attributes?model=company").json["data"]
    assert [each["data_type"] for each in attributes if each["full_name"] == "custom_attributes.tier"] == ["string"]


def test_posting_again_changes_the_company_with_that_company_id_or_name(alone: Api):
    by_id, by_name = make(alone, company_id="a", name="A", size=1), make(alone, name="B", custom_attributes={"tier": "gold"})
    alone.server.clock.advance(60)
    assert make(alone, company_id="a", size="2") == {**by_id, "size": 2, "updated_at": NOW + 60}
    assert make(alone, name="B", custom_attributes={"seats": 3}) == {
        **by_name,
        "custom_attributes": {"tier": "gold", "seats": 3},
        "updated_at": NOW + 60,
    }
    other = make(alone, company_id="b", name="A")
    assert other["id"] != by_id["id"]
    assert make(alone, name="A")["id"] == by_id["id"]  # the first made of several
    assert alone.get("/companies").json["total_count"] == 3


def test_a_change_changes_what_is_sent_and_nothing_else(alone: Api):
    company = make(alone, company_id="a", name="A", size=1, website="https://a.example", plan="Pro")
    alone.server.clock.advance(60)
    answer = alone.put(f"/companies/{company['id']}", {"name": "B", "website": None, "plan": None, "company_id": "a"})
    expected = {**company, "name": "B", "plan": {}, "updated_at": NOW + 60}
    del expected["website"]
    assert (answer.status, answer.json) == (200, expected)
    alone.server.clock.advance(60)
    assert [alone.put(f"/companies/{company['id']}", body).json for body in ({}, b"", {"name": "B"})] == [expected] * 3
    error = (400, "parameter_invalid", "company_id is set when a company is made, and stays", "company_id")
    assert alone.put(f"/companies/{company['id']}", {"company_id": "b"}).error == error


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, (400, "parameter_not_found", "a company needs a company_id or a name", "company_id")),
        ({"test": "invalid"}, (400, "parameter_not_found", "a company needs a company_id or a name", "company_id")),
        ({"company_id": "", "name": None}, (400, "parameter_not_found", "a company needs a company_id or a name", "company_id")),
        ({"name": 5}, (400, "type_mismatch", "name must be a string, got a whole number", "name")),
        ({"name": "a" * 256}, (400, "parameter_invalid", "name must have at most 255 characters, got 256", "name")),
        ({"name": "a", "size": "many"}, (400, "type_mismatch", "size must be a number, got a string", "size")),
        ({"name": "a", "size": 1.5}, (400, "parameter_invalid", "size must be a whole number from 0 to 1000000000000, got 1.5", "size")),
        (
            {"name": "a", "size": 2**63 - 1},
            (400, "parameter_invalid", f"size must be a whole number from 0 to 1000000000000, got {2**63 - 1}", "size"),
        ),
        ({"name": "a", "size": -1}, (400, "parameter_invalid", "size must be a whole number from 0 to 1000000000000, got -1", "size")),
        (
            {"name": "a", "monthly_spend": "nan"},
            (400, "parameter_invalid", "monthly_spend must be a number of at most 64 bits, got nan", "monthly_spend"),
        ),
        (
            {"name": "a", "monthly_spend": 1e300},
            (400, "parameter_invalid", "monthly_spend must be a number of at most 64 bits, got 1e+300", "monthly_spend"),
        ),
        ({"name": "a", "plan": {"name": 5}}, (400, "type_mismatch", "plan must be a string, got a whole number", "plan")),
        (
            {"name": "a", "remote_created_at": "soon"},
            (
                400,
                "type_mismatch",
                "remote_created_at must be whole Unix seconds, such as 1671028894, got 'soon'",
                "remote_created_at",
            ),
        ),
        (
            {"name": "a", "custom_attributes": {"list": []}},
            (
                400,
                "type_mismatch",
                "custom_attributes.list must be a string, a number, true, false or null, got a list",
                "custom_attributes.list",
            ),
        ),
    ],
)
def test_a_company_that_cannot_be_is_refused_by_field(api: Api, body: Any, error: Any):
    before = api.get("/companies").json["total_count"]
    assert api.post("/companies", body).error == error
    assert api.get("/companies").json["total_count"] == before


def test_a_company_is_found_by_its_company_id_or_name(api: Api):
    company = make(api, company_id=fresh("a+b/c "), name=fresh("Blue & Sun "))
    quoted = {name: company[name].replace("+", "%2B").replace("&", "%26").replace(" ", "%20") for name in ("company_id", "name")}
    for name, value in quoted.items():
        assert api.get(f"/companies?{name}={value}").json == company
        assert api.get(f"/companies?{name}=nobody").error == (404, "company_not_found", "Company Not Found", name)


@pytest.mark.parametrize("id", [UNKNOWN, "1", "x" * 3000])
def test_an_unknown_company_is_not_found(api: Api, id: str):
    answers = [
        api.get(f"/companies/{id}"),
        api.put(f"/companies/{id}", {"name": "a"}),
        api.delete(f"/companies/{id}"),
        api.get(f"/companies/{id}/contacts"),
        api.get(f"/companies/{id}/segments"),
    ]
    assert [answer.error for answer in answers] == [NO_COMPANY] * 5


def test_companies_are_listed_by_pages_whose_next_is_an_address(alone: Api):
    made = []
    for number in range(5):
        made.append(make(alone, company_id=f"{number}"))
        alone.server.clock.advance(1)
    for method, path in (("GET", "/companies"), ("POST", "/companies/list")):
        found, target, pages = [], f"{path}?per_page=2", []
        while target:
            body = alone.send(method, target, body=None if method == "GET" else b"").json
            assert list(body) == ["type", "data", "pages", "total_count"]
            found += body["data"]
            pages.append(body["pages"])
            target = body["pages"]["next"] and urlsplit(body["pages"]["next"])._replace(scheme="", netloc="").geturl()
            method = "GET"
        assert found == made[::-1]
        assert pages[0] == {
            "type": "pages",
            "next": "http://wire.test/companies?page=2&per_page=2",
            "page": 1,
            "per_page": 2,
            "total_pages": 3,
        }
        assert pages[-1] == {"type": "pages", "next": None, "page": 3, "per_page": 2, "total_pages": 3}
    assert alone.post("/companies/list?order=asc", b"").json["data"] == made
    assert alone.get("/companies?page=4&per_page=2").json["data"] == []
    assert alone.get("/companies").json["pages"] == {"type": "pages", "next": None, "page": 1, "per_page": 15, "total_pages": 1}
    old = alone.get("/companies", "Intercom-Version: 1.4").json
    assert (old["type"], old["companies"]) == ("company.list", made[::-1])


def test_a_filter_is_kept_from_page_to_page(api: Api):
    names = [{"company_id": fresh("co-")} for _ in range(3)]
    for name in names:
        make(api, **name)
    tag = api.post("/tags", {"name": fresh("tag "), "companies": names}).json
    body = api.get(f"/companies?tag_id={tag['id']}&per_page=2").json
    assert (body["total_count"], body["pages"]["next"]) == (3, f"http://wire.test/companies?tag_id={tag['id']}&page=2&per_page=2")
    assert api.get("/companies?tag_id=x").json["data"] == []
    assert api.get(f"/companies?segment_id={UNKNOWN}").json["data"] == []


@pytest.mark.parametrize(
    ("query", "message", "field"),
    [
        ("page=x", "page must be a whole number from 1 to 10000000, got 'x'", "page"),
        ("per_page=1.5", "per_page must be a whole number from 1 to 150, got '1.5'", "per_page"),
        ("order=up", "order must be asc or desc, got 'up'", "order"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_field(api: Api, query: str, message: str, field: str):
    assert api.get(f"/companies?{query}").error == (400, "parameter_invalid", message, field)
    assert api.post(f"/companies/list?{query}", b"").error == (400, "parameter_invalid", message, field)


def test_pages_out_of_range_are_taken_as_the_nearest(api: Api):
    pages = [api.get(f"/companies?page={page}&per_page={size}").json["pages"] for page, size in ((0, 0), (-5, 10**30), (10**30, 1))]
    assert [(each["page"], each["per_page"], each["next"] is None) for each in pages[2:]] == [(10_000_000, 1, True)]
    assert [(each["page"], each["per_page"]) for each in pages[:2]] == [(1, 1), (1, 150)]


def test_a_clock_that_once_ran_ahead_keeps_no_scroll_open(alone: Api):
    clock = alone.server.clock
    clock.freeze(2_000_000_000)
    assert alone.post("/companies", {"company_id": "acme"}).status == 200
    assert alone.get("/companies/scroll").status == 200
    clock.freeze(1_700_000_000)
    assert alone.get("/companies/scroll").status == 200
    assert alone.get("/companies/scroll").error[:2] == (400, "scroll_exists")


def test_a_scroll_walks_over_all_companies_and_is_the_only_one(alone: Api):
    made = [make(alone, company_id=f"{number}") for number in range(101)]
    first = alone.get("/companies/scroll").json
    assert list(first) == ["type", "data", "pages", "total_count", "scroll_param"]
    assert (first["type"], first["pages"], first["total_count"]) == ("list", None, None)
    assert alone.get("/companies/scroll").error[:2] == (400, "scroll_exists")
    param = first["scroll_param"]
    second = alone.get(f"/companies/scroll?scroll_param={param}", "Intercom-Version: 1.4").json
    assert (second["type"], second["scroll_param"]) == ("company.list", param)
    assert [*first["data"], *second["companies"]] == made
    assert alone.get(f"/companies/scroll?scroll_param={param}").json["data"] == []
    assert alone.get(f"/companies/scroll?scroll_param={param}").error[:2] == (404, "not_found")
    assert len(alone.get("/companies/scroll").json["data"]) == 100


def test_a_scroll_that_is_left_for_a_minute_is_over(alone: Api):
    make(alone)
    param = alone.get("/companies/scroll").json["scroll_param"]
    alone.server.clock.advance(SCROLL_S)
    assert alone.get(f"/companies/scroll?scroll_param={param}").error[:2] == (404, "not_found")
    assert alone.get("/companies/scroll").status == 200


def test_contacts_are_attached_to_companies_and_detached(alone: Api):
    contact, lead = alone.contact(), alone.contact(role="lead")
    company, other = make(alone), make(alone)
    path = f"/contacts/{contact['id']}/companies"
    assert alone.get(path).json == {
        "type": "list",
        "data": [],
        "companies": [],  # as generated clients read it
        "pages": {"type": "pages", "next": None, "page": 1, "per_page": 50, "total_pages": 1},
        "total_count": 0,
    }
    for _ in range(2):  # twice is as good as once
        attached = alone.post(path, {"id": company["id"]})
        assert (attached.status, attached.json) == (200, {**company, "user_count": 1})
    alone.post(f"/contacts/{lead['id']}/companies", {"id": company["id"]})
    alone.server.clock.advance(1)
    alone.post(path, {"id": other["id"]})
    body = alone.get(f"{path}?per_page=1").json
    assert (body["data"], body["companies"], body["total_count"]) == ([{**other, "user_count": 1}], [{**other, "user_count": 1}], 2)
    assert body["pages"]["next"] == f"http://wire.test{path}?page=2&per_page=1"
    assert alone.get(f"/contacts/{contact['id']}").json["companies"] == {
        "type": "list",
        "data": [{"type": "company", "id": each["id"], "url": f"/companies/{each['id']}"} for each in (other, company)],
        "url": path,
        "total_count": 2,
        "has_more": False,
    }
    detached = alone.delete(f"{path}/{company['id']}")
    assert (detached.status, detached.json) == (200, {**company, "user_count": 1})
    assert alone.delete(f"{path}/{company['id']}").error == NO_COMPANY
    assert [each["id"] for each in alone.get(path).json["data"]] == [other["id"]]


@pytest.mark.parametrize("body", [b"", b"null", {}, {"id": None}, {"id": ""}, {"company_id": "6"}])
def test_a_company_must_be_specified(api: Api, body: Any):
    contact = api.contact()
    error = (400, "parameter_not_found", "company not specified", "id")
    assert api.post(f"/contacts/{contact['id']}/companies", body).error == error


def test_an_unknown_company_and_an_unknown_contact_have_texts_of_their_own(api: Api):
    contact, company = api.contact(), make(api)
    for id in ("123", 123, UNKNOWN):
        assert api.post(f"/contacts/{contact['id']}/companies", {"id": id}).error == (404, "company_not_found", "Company Not Found", "id")
    assert api.delete(f"/contacts/{contact['id']}/companies/{UNKNOWN}").error == NO_COMPANY
    unknown = f"/contacts/{UNKNOWN}/companies"
    answers = [api.get(unknown), api.post(unknown, {"id": company["id"]}), api.delete(f"{unknown}/{company['id']}")]
    assert {answer.error[:3] for answer in answers} == {(404, "not_found", "User Not Found")}


def test_a_contact_is_of_at_most_a_thousand_companies(alone: Api):
    contact, company = of_companies(alone, 1000), make(alone)
    message = "Contact has reached the maximum of 1000 company associations"
    answer = alone.post(f"/contacts/{contact}/companies", {"id": company["id"]})
    assert answer.error == (400, "contact_company_limit_exceeded", message, "id")
    shown = alone.get(f"/contacts/{contact}").json["companies"]
    assert (len(shown["data"]), shown["total_count"], shown["has_more"]) == (10, 1000, True)


def test_the_contacts_of_a_company_are_listed_newest_first(alone: Api):
    company, contacts = make(alone), []
    for _ in range(3):
        contacts.append(alone.contact())
        alone.post(f"/contacts/{contacts[-1]['id']}/companies", {"id": company["id"]})
        alone.server.clock.advance(1)
    alone.contact()
    path = f"/companies/{company['id']}/contacts"
    first = alone.get(f"{path}?per_page=2").json
    second = alone.get(f"{path}?per_page=2&starting_after={first['pages']['next']['starting_after']}").json
    assert [each["id"] for each in (*first["data"], *second["data"])] == [each["id"] for each in reversed(contacts)]
    assert (first["total_count"], "next" in second["pages"]) == (3, False)
    alone.delete(f"/contacts/{contacts[0]['id']}")
    assert alone.get(path).json["total_count"] == 2
    assert alone.get(f"/companies/{company['id']}").json["user_count"] == 2
    assert alone.get(f"{path}?starting_after=x").error[:2] == (400, "parameter_invalid")
    assert alone.get(f"/companies/{company['id']}/segments").json == {"type": "list", "data": []}


def test_a_deleted_company_is_gone_and_its_contacts_stay(api: Api):
    contact, company = api.contact(), make(api)
    api.post(f"/contacts/{contact['id']}/companies", {"id": company["id"]})
    answer = api.delete(f"/companies/{company['id']}")
    assert (answer.status, answer.json) == (200, {"id": company["id"], "object": "company", "deleted": True})
    assert api.get(f"/companies/{company['id']}").error == NO_COMPANY
    assert api.get(f"/contacts/{contact['id']}").json["companies"]["total_count"] == 0
    assert make(api, company_id=company["company_id"])["id"] != company["id"]


def test_companies_are_there_after_a_restart(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact, company = api.contact(), make(api, company_id="a", custom_attributes={"tier": "gold"})
        api.post(f"/contacts/{contact['id']}/companies", {"id": company["id"]})
        param, token = api.get("/companies/scroll").json["scroll_param"], server.token
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server, token)
        assert api.get(f"/contacts/{contact['id']}/companies").json["data"] == [{**company, "user_count": 1}]
        assert api.get(f"/companies/scroll?scroll_param={param}").json["data"] == []
