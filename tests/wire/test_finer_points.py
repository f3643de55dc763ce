"""Behaviours that are easily broken unnoticed: each of these failed to be noticed once, when it was broken on purpose."""

import json
import re
from urllib.parse import quote

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, Connection, fresh, request

WHEN = 1_671_028_894
NOT_FOUND = (404, "not_found", "User Not Found", "user_id")


def test_with_type_lead_a_user_id_means_a_lead_and_no_user(api: Api):
    user = api.contact()
    assert api.get(f"/events?type=lead&user_id={user['external_id']}").error == NOT_FOUND


def test_in_strict_the_first_identifier_of_a_summary_alone_decides(api: Api, strict: Api):
    for each, answer in ((api, 200), (strict, 404)):
        user = each.contact(external_id=fresh("user-"))
        sent = {"id": "of-somebody-else", "user_id": user["external_id"]}
        assert each.post("/events/summaries", {**sent, "event_summaries": {"event_name": "x", "count": 1}}).status == answer


@pytest.mark.parametrize("target", ["/events", "/me"])
def test_who_has_no_token_hears_that_before_anything_else(api: Api, raw, server: TrackrecordServer, target: str):
    method = "POST" if target == "/events" else "GET"
    assert raw(server, request(method, target, "Intercom-Version: 0.0", body=b"{")).status == 401


def test_in_strict_the_last_page_is_the_last_that_may_be_listed():
    with TrackrecordServer(profile="strict") as server:
        server.clock.freeze(1_700_000_000)
        api = Api(server)
        contact = api.contact()
        for days in (1, 2, 100):
            created_at = 1_700_000_000 - days * 86_400
            assert api.submit(event_name="x", created_at=created_at, id=contact["id"]).status == 202
        page = api.get(f"/events?type=user&intercom_user_id={contact['id']}&per_page=2").json
        assert (len(page["events"]), set(page["pages"])) == (2, {"since"})


def test_an_address_that_becomes_ambiguous_is_so_in_every_spelling_at_once(api: Api):
    name = fresh("joe")
    first = api.contact(external_id=fresh("user-"), email=f"{name}@example.com")
    sent = {"event_name": "x", "created_at": WHEN, "email": f"{name.upper()}@EXAMPLE.com"}
    assert api.submit(**sent).status == 202
    api.contact(external_id=fresh("user-"), email=f"{name.capitalize()}@example.com")
    assert api.submit(**sent).status == 409
    assert len(api.events(first)) == 1


def test_a_leads_summary_carries_its_anonymous_id(api: Api):
    lead = api.contact(role="lead")
    api.submit(event_name="x", created_at=WHEN, id=lead["id"])
    listed = api.get(f"/events?type=user&intercom_user_id={lead['id']}").json["events"][0]["user_id"]
    assert api.get(f"/events?type=user&intercom_user_id={lead['id']}&summary=true").json["user_id"] == listed is not None


def test_a_filter_in_json_may_name_a_user_by_a_number(api: Api):
    number = int(fresh("")[-6:], 36) + 10**9
    api.contact(external_id=str(number))
    api.submit(event_name="x", created_at=WHEN, user_id=number)
    asked = quote(json.dumps({"user_id": number}))
    assert [event["event_name"] for event in api.get(f"/events?type=user&filter={asked}").json["events"]] == ["x"]


def test_a_filter_may_hold_several_pairs(api: Api):
    user = api.contact()
    api.submit(event_name="x", created_at=WHEN, id=user["id"])
    asked = quote(f"user_id={user['external_id']}&type=user")
    assert len(api.get(f"/events?filter={asked}").json["events"]) == 1


@pytest.mark.parametrize("host", ["track_record:8080", "a~b", "xn--bcher-kva.example", "[::1]:8080", "10.0.0.1"])
def test_a_page_is_followed_by_the_whole_address_that_was_given(api: Api, host: str):
    user = api.contact()
    for second in range(2):
        api.submit(event_name="x", created_at=WHEN + second, id=user["id"])
    with Connection(api.url) as connection:

        def get(target: str):
            sent = request("GET", target, token=api.token)
            connection.send(re.sub(rb"(?i)\r\nhost: [^\r]*", b"\r\nHost: " + host.encode(), sent))
            return connection.answer()

        following = get(f"/events?type=user&intercom_user_id={user['id']}&per_page=1").json["pages"]["next"]
        assert following.startswith(f"http://{host}/events?")
        assert [event["created_at"] for event in get(following).json["events"]] == [WHEN]


@pytest.mark.parametrize(
    ("target", "status"), [("http://other.example?x=1", 302), ("HTTPS://other.example", 302), ("http://h:99999/me", 200)]
)
def test_a_whole_address_is_served_by_its_path_alone(api: Api, target: str, status: int):
    assert api.get(target).status == status


def test_the_older_pair_of_app_id_and_key_is_a_workspace_and_its_token(api: Api, server: TrackrecordServer):
    import base64

    def me(pair: str):
        header = f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"
        with Connection(server.url) as connection:
            connection.send(request("GET", "/me", header))
            return connection.answer().status

    assert [me(f"trackrecord:{api.token}"), me(f"another:{api.token}"), me("trackrecord:wrong"), me(f"{api.token}:")] == [
        200,
        401,
        401,
        200,
    ]


@pytest.mark.parametrize(
    ("version", "body", "status"),
    [
        ("2.16", {"email_verified": True}, 400),
        ("2.16", {"email_verified": True, "email": "x@example.com"}, 200),
        ("2.14", {"email_verified": True}, 200),
    ],
)
def test_an_address_is_called_verified_only_beside_it(api: Api, version: str, body: dict, status: int):
    if "email" in body:
        body = {**body, "email": f"{fresh('joe')}@example.com"}
    assert api.post("/contacts", {"role": "user", "external_id": fresh("user-"), **body}, f"Intercom-Version: {version}").status == status


@pytest.mark.parametrize("value", [{"url": "u", "value": {"deep": [1]}}, {"amount": 1, "currency": "eur", "x": {"y": 1}}])
def test_in_strict_nothing_nests_inside_a_link_or_an_amount(strict: Api, value: dict):
    user = strict.contact()
    sent = {"event_name": "x", "created_at": WHEN, "id": user["id"], "metadata": {"a": value}}
    assert strict.post("/events", sent).error[:2] == (422, "data_invalid")
