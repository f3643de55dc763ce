"""Who may do what: tokens, scopes, and workspaces that never see each other. The contract, 1.2 and 1.7."""

import base64
import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from trackrecord.http.routes import ROUTES
from trackrecord.rules.directory import SCOPES
from trackrecord.testing import TrackrecordServer

from .client import Api, fresh, until

WHEN = 1_671_028_894
LATER = itertools.count(4_000_000_000, 61)  # Unix seconds: later than any scroll that other tests begin by the real clock
READ, WRITE = {"read_contacts", "write_contacts"}, {"write_contacts"}
NO_TOKEN = (401, "unauthorized", "Access Token Invalid", "Authorization")


def with_token(api: Api, *scopes: str, workspace: int = 1) -> Api:
    """The same server with a new token that has these scopes."""
    return Api(api.server, api.server.server.directory.tokens.create(workspace, fresh("token "), scopes, now=0)[1])


def basic(text: str) -> str:
    return f"Authorization: Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER   {}  "])
def test_a_token_comes_as_bearer_in_any_case(api: Api, form: str):
    assert Api(api.server, None).get("/me", f"Authorization: {form.format(api.token)}").status == 200


@pytest.mark.parametrize("scheme", ["Basic", "basic"])
def test_a_token_comes_as_the_user_name_of_basic_with_an_empty_password(api: Api, scheme: str):
    nobody = Api(api.server, None)
    header = basic(f"{api.token}:").replace("Basic", scheme)
    contact = api.contact()
    answers = [nobody.get("/me", header), nobody.post("/events", {"event_name": "clicked", "id": contact["id"]}, header)]
    assert [answer.status for answer in answers] == [200, 202]


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.open], ids=lambda route: f"{route.method} {route.path}")
def test_without_a_token_every_path_of_the_api_answers_the_same(api: Api, route: Any):
    nobody, target = Api(api.server, None), route.path.replace("{", "").replace("}", "")
    assert nobody.send(route.method, target, body={}).error == NO_TOKEN
    assert nobody.send(route.method, target, "Authorization: Bearer unknown", body={}).error == NO_TOKEN


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.open and not route.pages], ids=lambda route: f"{route.method} {route.path}"
)
def test_what_is_open_needs_no_token_and_minds_no_bad_one(api: Api, route: Any):
    until(lambda: api.get("/-/health").status == 200)
    nobody = Api(api.server, None)
    answers = [nobody.get(route.path), nobody.get(route.path, "Authorization: Bearer unknown")]
    assert [answer.status for answer in answers] == [route.status] * 2


NOBODY = {"field": "name", "operator": "=", "value": "Nobody at all"}

# What each call needs: its route, the query, a body, and the scopes of which one suffices.
CALLS = [
    ("POST", "/events", "", {"event_name": "clicked", "id": "{contact_id}"}, {"write_events"}),
    ("GET", "/events", "?intercom_user_id={contact_id}&type=user", None, {"read_events", "write_events"}),
    ("POST", "/events/summaries", "", {"id": "{contact_id}", "event_summaries": []}, {"write_events"}),
    ("GET", "/-/api/receipts/{position}", "", None, {"read_events", "write_events"}),
    ("POST", "/contacts", "", {"role": "lead"}, {"write_contacts"}),
    ("GET", "/contacts", "", None, {"read_contacts", "write_contacts"}),
    ("GET", "/contacts/{contact_id}", "", None, {"read_contacts", "write_contacts"}),
    ("PUT", "/contacts/{contact_id}", "", {}, {"write_contacts"}),
    ("DELETE", "/contacts/{contact_id}", "", None, {"write_contacts"}),
    ("GET", "/contacts/find_by_external_id/{external_id:path}", "", None, {"read_contacts", "write_contacts"}),
    ("POST", "/contacts/search", "", {"query": {"field": "id", "operator": "=", "value": "x"}}, {"read_contacts", "write_contacts"}),
    ("GET", "/-/api/event-names", "", None, {"read_events", "write_events"}),
    ("GET", "/-/api/event-names/{name:path}", "", None, {"read_events", "write_events"}),
    ("PUT", "/-/api/event-names/{name:path}", "", {}, {"write_events"}),
    ("POST", "/-/api/events/search", "", {}, {"read_events", "write_events"}),
    ("DELETE", "/-/api/events/{position}", "", None, {"delete_events"}),
    ("POST", "/-/api/events/delete", "", {"query": {"field": "event_name", "operator": "=", "value": "never"}}, {"delete_events"}),
    ("GET", "/-/api/audits", "", None, {"delete_events"}),
    ("GET", "/-/api/requests", "", None, {"read_requests"}),
    ("GET", "/-/api/live", "?follow=false", None, {"read_events", "write_events"}),
    ("GET", "/-/api/export/events", "?user_id={external_id:path}", None, {"read_events", "write_events"}),
    ("GET", "/-/api/reports/trend", "", None, {"read_events", "write_events"}),
    ("GET", "/-/api/reports/funnel", "?step={name:path}&step={name:path}", None, {"read_events", "write_events"}),
    ("GET", "/-/api/reports/retention", "?first_event={name:path}", None, {"read_events", "write_events"}),
    ("GET", "/-/api/reports/top-contacts", "?event_name={name:path}", None, set()),  # needs read_contacts too: test_rankings.py
    ("GET", "/-/api/reports/breakdown", "?event_name={name:path}&key=k", None, {"read_events", "write_events"}),
    ("GET", "/-/api/export/contacts", "", None, {"read_contacts", "write_contacts"}),
    ("POST", "/contacts/merge", "", {"from": "{lead_id}", "into": "{contact_id}"}, {"write_contacts"}),
    ("GET", "/contacts/{contact_id}/merge_history", "", None, {"read_contacts", "write_contacts"}),
    ("POST", "/contacts/{contact_id}/archive", "", None, {"write_contacts"}),
    ("POST", "/contacts/{contact_id}/unarchive", "", None, {"write_contacts"}),
    ("POST", "/contacts/{contact_id}/block", "", None, {"write_contacts"}),
    ("GET", "/visitors", "?id={visitor_id}", None, {"read_contacts", "write_contacts"}),
    ("PUT", "/visitors", "", {"id": "{visitor_id}"}, {"write_contacts"}),
    ("POST", "/visitors/convert", "", {"type": "lead", "visitor": {"id": "{visitor_id}"}}, {"write_contacts"}),
    ("GET", "/visitors/{visitor_id}", "", None, {"read_contacts", "write_contacts"}),
    ("PUT", "/visitors/{visitor_id}", "", {}, {"write_contacts"}),
    ("DELETE", "/visitors/{visitor_id}", "", None, {"write_contacts"}),
    ("PUT", "/-/api/contacts", "", {"id": "{contact_id}"}, {"write_contacts"}),
    ("GET", "/-/api/contacts/archived", "", None, {"read_contacts", "write_contacts"}),
    ("GET", "/-/api/contacts/{contact_id}", "", None, {"read_contacts", "write_contacts"}),
    ("POST", "/-/api/contacts/merge/preview", "", {"from": "{lead_id}", "into": "{contact_id}"}, {"read_contacts", "write_contacts"}),
    ("POST", "/-/api/import/contacts", "", {"role": "lead"}, {"write_contacts"}),
    ("POST", "/-/api/import/events", "", {"event_name": "clicked", "id": "{contact_id}"}, {"write_events"}),
    ("GET", "/tags", "", None, {"read_tags", "write_tags"}),
    ("POST", "/tags", "", {"name": "{new}"}, {"write_tags"}),
    ("GET", "/tags/{tag_id}", "", None, {"read_tags", "write_tags"}),
    ("DELETE", "/tags/{tag_id}", "", None, {"write_tags"}),
    ("GET", "/contacts/{contact_id}/tags", "", None, {"read_tags", "write_tags"}),
    ("POST", "/contacts/{contact_id}/tags", "", {"id": "{tag_id}"}, {"write_tags"}),
    ("DELETE", "/contacts/{contact_id}/tags/{tag_id}", "", None, {"write_tags"}),
    ("GET", "/data_attributes", "", None, READ),
    ("POST", "/data_attributes", "", {"name": "{new}", "model": "contact", "data_type": "string"}, WRITE),
    ("PUT", "/data_attributes/{data_attribute_id}", "", {"archived": True}, WRITE),
    ("GET", "/segments", "", None, READ),
    ("GET", "/segments/{segment_id}", "", None, READ),
    ("GET", "/contacts/{contact_id}/segments", "", None, READ),
    ("POST", "/-/api/segments", "", {"name": "x", "query": NOBODY}, WRITE),
    ("POST", "/-/api/segments/preview", "", {"query": NOBODY}, READ),
    ("GET", "/-/api/segments/sizes", "", None, READ),
    ("GET", "/-/api/segments/{segment_id}", "", None, READ),
    ("PUT", "/-/api/segments/{segment_id}", "", {"name": "y"}, WRITE),
    ("DELETE", "/-/api/segments/{segment_id}", "", None, WRITE),
    ("GET", "/-/api/segments/{segment_id}/sizes", "", None, READ),
    ("GET", "/-/api/segments/{segment_id}/explain", "?contact_id={contact_id}", None, READ),
    ("GET", "/contacts/{contact_id}/notes", "", None, READ),
    ("GET", "/contacts/{contact_id}/subscriptions", "", None, READ),
    ("POST", "/companies", "", {"company_id": "{new}"}, WRITE),
    ("GET", "/companies", "", None, READ),
    ("POST", "/companies/list", "", {}, READ),
    ("GET", "/companies/scroll", "?scroll_param={company_scroll}", None, READ),
    ("GET", "/companies/{company_id}", "", None, READ),
    ("PUT", "/companies/{company_id}", "", {}, WRITE),
    ("DELETE", "/companies/{company_id}", "", None, WRITE),
    ("GET", "/companies/{company_id}/contacts", "", None, READ),
    ("GET", "/companies/{company_id}/segments", "", None, READ),
    ("GET", "/contacts/{contact_id}/companies", "", None, READ),
    ("POST", "/contacts/{contact_id}/companies", "", {"id": "{company_id}"}, WRITE),
    ("DELETE", "/contacts/{contact_id}/companies/{company_id}", "", None, WRITE),
    ("POST", "/users", "", {"user_id": "{new}"}, WRITE),
    ("GET", "/users", "", None, READ),
    ("GET", "/users/scroll", "?scroll_param={user_scroll}", None, READ),
    ("GET", "/users/{id}", "", None, READ),
    ("DELETE", "/users/{id}", "", None, WRITE),
    ("DELETE", "/users", "?user_id={external_id:path}", None, WRITE),
    ("POST", "/user_delete_requests", "", {"intercom_user_id": "{contact_id}"}, WRITE),
    ("PUT", "/contacts", "", {"id": "{lead_id}"}, WRITE),
    ("GET", "/contacts/scroll", "?scroll_param={lead_scroll}", None, READ),
    ("POST", "/contacts/convert", "", {"contact": {"id": "{lead_id}"}, "user": {"user_id": "{new}"}}, WRITE),
    ("POST", "/bulk/events", "", {"items": [5]}, {"write_events"}),
    ("POST", "/jobs/events", "", {"items": [5]}, {"write_events"}),
    ("POST", "/bulk/users", "", {"items": [5]}, WRITE),
    ("GET", "/jobs/{job_id}", "", None, {"read_events", "write_events"}),
    ("GET", "/jobs/{job_id}/error", "", None, {"read_events", "write_events"}),
    ("GET", "/jobs/status/{job_id}", "", None, {"read_events", "write_events"}),
    ("GET", "/-/api/jobs/{job_id}", "", None, {"read_events", "write_events"}),
    ("GET", "/me", "", None, set(SCOPES)),
    ("GET", "/admins", "", None, set(SCOPES)),
    ("GET", "/admins/{admin_id}", "", None, set(SCOPES)),
]


def visitor(api: Api) -> str:
    id = secrets.token_hex(12)
    assert api.post("/-/api/import/contacts", {"id": id, "role": "visitor"}).json["new"] == 1
    return id


def tag_of(api: Api, contact: Any) -> str:
    return str(api.post("/tags", {"name": fresh("tag "), "users": [{"id": contact["id"]}]}).json["id"])


def company_of(api: Api, contact: Any) -> str:
    company = api.post("/companies", {"company_id": fresh("co-")}).json
    assert api.post(f"/contacts/{contact['id']}/companies", {"id": company["id"]}).status == 200
    return str(company["id"])


def attribute(api: Api) -> str:
    return str(api.post("/data_attributes", {"name": fresh("attribute "), "model": "contact", "data_type": "string"}).json["id"])


# What stands in for a name in braces, made anew for each call.
MADE: dict[str, Callable[[Api, Any], str]] = {
    "contact_id": lambda api, contact: contact["id"],
    "id": lambda api, contact: contact["id"],
    "external_id:path": lambda api, contact: contact["external_id"],
    "position": lambda api, contact: api.submit(event_name="c", created_at=WHEN, id=contact["id"]).header("trackrecord-receipt") or "",
    "admin_id": lambda api, contact: "1",
    "name:path": lambda api, contact: "c" if api.submit(event_name="c", created_at=WHEN, id=contact["id"]).status == 202 else "",
    "lead_id": lambda api, contact: api.contact(role="lead")["id"],
    "visitor_id": lambda api, contact: visitor(api),
    "tag_id": tag_of,
    "company_id": company_of,
    "segment_id": lambda api, contact: api.server.server.directory.segments.create(1, name="S", person_type="user", query=NOBODY, now=0).id,
    "data_attribute_id": lambda api, contact: attribute(api),
    "new": lambda api, contact: fresh("new "),
    "job_id": lambda api, contact: api.post("/bulk/events", {"items": [5]}).json["id"],
    # whatever scroll was begun before is over by then
    "user_scroll": lambda api, contact: api.server.server.directory.scrolls.begin(1, "user", now=next(LATER)),
    "lead_scroll": lambda api, contact: api.server.server.directory.scrolls.begin(1, "lead", now=next(LATER)),
    "company_scroll": lambda api, contact: api.server.server.directory.scrolls.begin(1, "companies", now=next(LATER)),
}


@pytest.mark.parametrize(("method", "path", "query", "body", "enough"), CALLS, ids=[f"{method} {path}" for method, path, *_ in CALLS])
def test_a_call_needs_its_scope(api: Api, method: str, path: str, query: str, body: Any, enough: set[str]):
    route = next(route for route in ROUTES if (route.method, route.path) == (method, path))
    later = route.first is not None and route.first > (2, 14)  # than the version of who asks for none
    earlier = route.last is not None and not route.unversioned
    asked = route.first if later else route.last if earlier else None
    headers = ["Intercom-Version: {}.{}".format(*asked)] if asked else []
    for scope in SCOPES:
        contact = api.contact()
        text = json.dumps([path + query, body])
        for name, make in MADE.items():
            if f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", make(api, contact))
        target, sent = json.loads(text)
        answer = with_token(api, scope).send(method, target, *headers, body=sent)
        if scope in enough:
            assert (scope, answer.status) == (scope, route.status)
        else:
            (need,) = {need for need in SCOPES if need in answer.error[2]}
            assert answer.error == (403, "token_unauthorized", f"this access token lacks the scope {need}", "Authorization")

            assert need in enough or not enough  # that is, one alone is not


def test_every_call_that_needs_a_token_stands_in_the_table_above():
    assert {(method, path) for method, path, *_ in CALLS} == {(route.method, route.path) for route in ROUTES if not route.open}


def test_a_token_without_the_scope_is_counted_and_learns_nothing(api: Api):
    reader = with_token(api, "read_contacts")
    answer = reader.post("/events", {"event_name": "clicked", "user_id": "nobody"})
    assert answer.error == (403, "token_unauthorized", "this access token lacks the scope write_events", "Authorization")
    assert answer.header("x-ratelimit-remaining") is not None


def test_a_revoked_token_opens_nothing_within_a_second():
    with TrackrecordServer() as server:
        api = Api(server)
        tokens = server.server.directory.tokens
        token, secret = tokens.create(1, "to be revoked", frozenset(SCOPES), now=0)
        holder, contact = Api(server, secret), api.contact()
        assert holder.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
        tokens.revoke(1, token.id, now=1)
        until(lambda: holder.get("/me").status == 401)
        revoked = (401, "token_revoked", "Access Token Revoked", "Authorization")
        assert holder.get("/me").error == revoked
        assert holder.submit(event_name="clicked", created_at=WHEN + 1, id=contact["id"]).error == revoked
        assert (api.get("/me").status, len(api.events(contact))) == (200, 1)


# --- two workspaces (test_isolation.py has the rest) ---------------------------------------------------------------------


class Neighbours(NamedTuple):
    """Two workspaces of one server, each with a client of its own."""

    ours: Api
    theirs: Api


@pytest.fixture(scope="module")
def neighbours() -> Iterator[Neighbours]:
    with TrackrecordServer() as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0, admin_name="Ann", admin_email="ann@example.com")
        yield Neighbours(ours, with_token(ours, *SCOPES, workspace=second.number))


def test_the_same_identifiers_mean_another_contact_in_another_workspace(neighbours: Neighbours):
    both = {"external_id": fresh("user-"), "email": f"{fresh('joe')}@example.com"}
    contacts = [api.contact(**both) for api in neighbours]
    assert contacts[0]["id"] != contacts[1]["id"]
    assert [contact["workspace_id"] for contact in contacts] == ["trackrecord", "second"]
    for number, names in enumerate(({"user_id": both["external_id"]}, {"email": both["email"]})):
        assert neighbours.ours.submit(event_name="Clicked", created_at=WHEN + number, **names).status == 202
    assert neighbours.theirs.submit(event_name="clicked", created_at=WHEN, user_id=both["external_id"]).status == 202
    listed = [
        [(event["event_name"], event["created_at"]) for event in api.get(f"/events?user_id={both['external_id']}").json["events"]]
        for api in neighbours
    ]
    # The same second and name: neither a duplicate, nor written as the neighbour first wrote it.
    assert listed == [[("Clicked", WHEN + 1), ("Clicked", WHEN)], [("clicked", WHEN)]]


def test_contacts_of_two_workspaces_do_not_clash(neighbours: Neighbours):
    same = {"external_id": fresh("user-"), "email": f"{fresh('joe')}@example.com"}
    assert [api.post("/contacts", same).status for api in neighbours] == [200, 200]
    assert [api.post("/contacts", same).status for api in neighbours] == [409, 409]
