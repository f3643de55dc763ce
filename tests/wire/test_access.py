"""Who may do what: tokens, scopes, and workspaces that never see each other. The contract, 1.2 and 1.7."""

import base64
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from trackrecord.http.routes import ROUTES
from trackrecord.rules.directory import SCOPES
from trackrecord.testing import TrackrecordServer

from .client import Api, fresh, until

WHEN = 1_671_028_894
NO_TOKEN = (401, "unauthorized", "Access Token Invalid", None)
NO_USER = (404, "not_found", "User Not Found", None)


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


@pytest.mark.parametrize("route", [route for route in ROUTES if route.open], ids=lambda route: f"{route.method} {route.path}")
def test_what_is_open_needs_no_token_and_minds_no_bad_one(api: Api, route: Any):
    until(lambda: api.get("/-/health").status == 200)
    nobody = Api(api.server, None)
    answers = [nobody.get(route.path), nobody.get(route.path, "Authorization: Bearer unknown")]
    assert [answer.status for answer in answers] == [route.status] * 2


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
    ("POST", "/-/api/import/contacts", "", {"role": "lead"}, {"write_contacts"}),
    ("POST", "/-/api/import/events", "", {"event_name": "clicked", "id": "{contact_id}"}, {"write_events"}),
    ("GET", "/me", "", None, set(SCOPES)),
    ("GET", "/admins", "", None, set(SCOPES)),
    ("GET", "/admins/{admin_id}", "", None, set(SCOPES)),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "enough"), CALLS, ids=[f"{method} {path}" for method, path, *_ in CALLS])
def test_a_call_needs_its_scope(api: Api, method: str, path: str, query: str, body: Any, enough: set[str]):
    for scope in SCOPES:
        contact = api.contact()
        position = api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).header("trackrecord-receipt") or ""
        text = json.dumps([path + query, body])
        for name, value in {
            "contact_id": contact["id"],
            "external_id:path": contact["external_id"],
            "position": position,
            "admin_id": "1",
        }.items():
            text = text.replace(f"{{{name}}}", value)
        target, sent = json.loads(text)
        answer = with_token(api, scope).send(method, target, body=sent)
        if scope in enough:
            assert (scope, answer.status) == (scope, 202 if (method, path) == ("POST", "/events") else 200)
        else:
            (need,) = {need for need in SCOPES if need in answer.error[2]}
            assert answer.error == (403, "token_unauthorized", f"this access token lacks the scope {need}", None)
            assert need in enough


def test_every_call_that_needs_a_token_stands_in_the_table_above():
    assert {(method, path) for method, path, *_ in CALLS} == {(route.method, route.path) for route in ROUTES if not route.open}


def test_a_token_without_the_scope_is_counted_and_learns_nothing(api: Api):
    reader = with_token(api, "read_contacts")
    answer = reader.post("/events", {"event_name": "clicked", "user_id": "nobody"})
    assert answer.error == (403, "token_unauthorized", "this access token lacks the scope write_events", None)
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
        revoked = (401, "token_revoked", "Access Token Revoked", None)
        assert holder.get("/me").error == revoked
        assert holder.submit(event_name="clicked", created_at=WHEN + 1, id=contact["id"]).error == revoked
        assert (api.get("/me").status, len(api.events(contact))) == (200, 1)


# --- two workspaces ------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/contacts/{id}", None),
        ("PUT", "/contacts/{id}", {"name": "theirs"}),
        ("DELETE", "/contacts/{id}", None),
        ("GET", "/contacts/find_by_external_id/{external_id}", None),
        ("GET", "/events?intercom_user_id={id}&type=user", None),
        ("GET", "/events?user_id={external_id}&type=user", None),
        ("GET", "/events?email={email}&type=user", None),
        ("GET", "/events?type=lead&user_id={external_id}", None),
        ("GET", "/events?intercom_user_id={id}&type=user&summary=true", None),
        ("POST", "/events", {"event_name": "theirs", "id": "{id}"}),
        ("POST", "/events", {"event_name": "theirs", "user_id": "{external_id}"}),
        ("POST", "/events", {"event_name": "theirs", "email": "{email}"}),
        ("POST", "/events/summaries", {"id": "{id}", "event_summaries": {"event_name": "theirs", "count": 1}}),
    ],
)
def test_a_contact_of_another_workspace_is_not_found(neighbours: Neighbours, method: str, target: str, body: Any):
    contact = neighbours.ours.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    assert neighbours.ours.submit(event_name="ours", created_at=WHEN, id=contact["id"]).status == 202
    before = (neighbours.ours.get(f"/contacts/{contact['id']}").json, neighbours.ours.summary(contact))
    text = json.dumps([target, body])
    for name in ("id", "external_id", "email"):
        text = text.replace(f"{{{name}}}", contact[name])
    filled, sent = json.loads(text)
    assert neighbours.theirs.send(method, filled, body=sent).error == NO_USER
    assert (neighbours.ours.get(f"/contacts/{contact['id']}").json, neighbours.ours.summary(contact)) == before


def test_a_receipt_and_an_admin_of_another_workspace_are_not_found(neighbours: Neighbours):
    contact = neighbours.ours.contact()
    answer = neighbours.ours.submit(event_name="ours", created_at=WHEN, id=contact["id"])
    assert neighbours.ours.receipt(answer)["outcome"] == "stored"
    position = answer.header("trackrecord-receipt")
    assert neighbours.theirs.get(f"/-/api/receipts/{position}").error == (404, "not_found", "Receipt not found", None)
    ours, theirs = (api.get("/me").json["id"] for api in neighbours)
    assert neighbours.theirs.get(f"/admins/{ours}").error == (404, "admin_not_found", "Admin not found", None)
    assert [api.get(f"/admins/{id}").status for api, id in zip(neighbours, (ours, theirs), strict=True)] == [200, 200]


def test_lists_hold_what_is_of_the_workspace_alone():
    with TrackrecordServer() as server:
        ours = Api(server)
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = with_token(ours, *SCOPES, workspace=second.number)
        found = {}
        for api, names in ((ours, ["a", "b"]), (theirs, ["c"])):
            for name in names:
                contact = api.contact(external_id=name)
                assert api.submit(event_name=f"done by {name}", created_at=WHEN, id=contact["id"]).status == 202
        for api, number in ((ours, 1), (theirs, second.number)):
            body = api.get("/contacts").json
            named = {each.number: each.name for each in server.server.directory.names.all(number)}
            totals = server.call(server.server.reads.ask, lambda store, number=number: store.name_totals(number))
            found[number] = (
                {contact["external_id"] for contact in body["data"]},
                body["total_count"],
                {named[total.name] for total in totals},
                [admin["id"] for admin in api.get("/admins").json["admins"]],
            )
    assert found == {
        1: ({"a", "b"}, 2, {"done by a", "done by b"}, ["1"]),
        second.number: ({"c"}, 1, {"done by c"}, ["2"]),
    }


def test_contacts_of_two_workspaces_do_not_clash(neighbours: Neighbours):
    same = {"external_id": fresh("user-"), "email": f"{fresh('joe')}@example.com"}
    assert [api.post("/contacts", same).status for api in neighbours] == [200, 200]
    assert [api.post("/contacts", same).status for api in neighbours] == [409, 409]
