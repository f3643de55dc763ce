"""POST /events: what it takes, whom it means, what it keeps, and what makes two events one. The contract, 2.1."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trackrecord.rules.metadata import KINDS
from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, fresh, request

NOW = 1_700_000_000
WHEN = 1_671_028_894
SEVERAL = (409, "conflict", "Multiple existing users match this email address - must be more specific using user_id", "email")


def nobody(field: str) -> tuple[Any, ...]:
    """The answer for a contact that is not there, by the parameter that named it."""
    return (404, "not_found", "User Not Found", field)


def stored(api: Api, contact: Any) -> list[Any]:
    """The events of a contact as the store has them, newest first."""
    number = api.server.server.directory.contacts.get(1, contact["id"]).number
    page = api.server.call(api.server.server.reads.ask, lambda store: store.page(number, limit=100))
    return [each.event for each in page.events]


def test_an_event_is_answered_202_with_zero_bytes_and_these_headers(api: Api):
    contact = api.contact()
    body = json.dumps({"event_name": "placed-order", "created_at": WHEN, "id": contact["id"]}).encode()
    with Connection(api.url) as connection:
        connection.send(request("POST", "/events", "Content-Type: application/json", "Accept-Encoding: gzip", body=body, token=api.token))
        lines = connection.until(b"\r\n\r\n").decode().split("\r\n")
        connection.end()
        rest = connection.closed()
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert (lines[0], rest) == ("HTTP/1.1 202 Accepted", b"")
    assert set(headers) == {
        "date",
        "x-request-id",
        "intercom-version",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "content-length",
        "trackrecord-receipt",
    }
    assert (headers["content-length"], headers["intercom-version"]) == ("0", "2.14")


def test_an_event_is_listed_as_it_was_sent(api: Api):
    contact = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    metadata = {
        "order_date": 1392036272,
        "stripe_invoice": "inv_3434343434",
        "order_number": {"value": "3434-3434", "url": "https://example.org/orders/3434-3434"},
        "price": {"currency": "usd", "amount": 2999},
    }
    assert api.submit(event_name="placed-order", created_at=WHEN, user_id=contact["external_id"], metadata=metadata).status == 202
    (event,) = api.events(contact)
    assert len(event.pop("id")) == 36
    assert event == {
        "type": "event",
        "created_at": WHEN,
        "event_name": "placed-order",
        "user_id": contact["external_id"],
        "email": contact["email"],
        "intercom_user_id": contact["id"],
        "metadata": metadata,
    }


def test_what_a_client_adds_to_an_event_is_passed_over(api: Api):
    contact = api.contact()
    added = {"type": "event", "updated_at": 1, "user": {"a": [1]}, "items": []}
    assert api.submit(event_name="placed-order", created_at=WHEN, id=contact["id"], **added).status == 202
    assert [event["metadata"] for event in api.events(contact)] == [{}]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", "application/vnd.api+json", ""])
def test_any_content_type_but_a_form_is_read_as_json(api: Api, kind: str):
    contact = api.contact()
    assert api.post("/events", {"event_name": "x", "id": contact["id"]}, f"Content-Type: {kind}").status == 202


# --- created_at ----------------------------------------------------------------------------------------------------------

REQUIRED = (400, "parameter_not_found", f"created_at is required: whole Unix seconds, such as {NOW}", "created_at")
FUTURE = (422, "data_invalid", "created_at can't be in the future", "created_at")
ANCIENT = (422, "data_invalid", "created_at can't be before 1970", "created_at")


def no_moment(got: Any) -> tuple[Any, ...]:
    return (400, "type_mismatch", f"created_at must be whole Unix seconds, such as {NOW}, got {got!r}", "created_at")


def milliseconds(got: int) -> tuple[Any, ...]:
    return (422, "data_invalid", f"created_at must be whole Unix seconds, got {got} (milliseconds?)", "created_at")


# What is sent, and what lenient and strict make of it: the moment kept, or the refusal.
MOMENTS = [
    (WHEN, WHEN, WHEN),
    (0, 0, 0),
    (WHEN + 0.999, WHEN, WHEN),
    (str(WHEN), WHEN, WHEN),
    (f" {WHEN} ", WHEN, WHEN),
    (NOW + 86_400, NOW + 86_400, NOW + 86_400),
    (NOW + 86_401, FUTURE, FUTURE),
    (-1, ANCIENT, ANCIENT),
    ("-1", ANCIENT, ANCIENT),
    ("soon", no_moment("soon"), no_moment("soon")),
    (None, NOW, REQUIRED),
    ("", NOW, REQUIRED),
    (WHEN * 1000 + 123, WHEN, milliseconds(WHEN * 1000 + 123)),
    (str(WHEN * 1000 + 123), WHEN, milliseconds(WHEN * 1000 + 123)),
    (99_999_999_999, FUTURE, FUTURE),
    (100_000_000_000, 100_000_000, milliseconds(100_000_000_000)),
    ("2022-12-14T14:41:34Z", WHEN, no_moment("2022-12-14T14:41:34Z")),
    ("2022-12-14T14:41:34.999Z", WHEN, no_moment("2022-12-14T14:41:34.999Z")),
    ("2022-12-14T16:41:34+02:00", WHEN, no_moment("2022-12-14T16:41:34+02:00")),
    ("2022-12-14 14:41:34", WHEN, no_moment("2022-12-14 14:41:34")),
    ("2022-12-14", 1_670_976_000, no_moment("2022-12-14")),
]


@pytest.fixture(scope="module")
def profiles() -> Iterator[dict[str, Api]]:
    """A lenient and a strict server whose clocks stand at NOW."""
    with TrackrecordServer() as lenient, TrackrecordServer(profile="strict") as strict:
        for server in (lenient, strict):
            server.clock.freeze(NOW)
        yield {"lenient": Api(lenient), "strict": Api(strict)}


@pytest.mark.parametrize("profile", ["lenient", "strict"])
@pytest.mark.parametrize(("sent", "lenient", "strict"), MOMENTS)
def test_created_at_is_read_by_the_rules_of_the_profile(profiles: dict[str, Api], profile: str, sent: Any, lenient: Any, strict: Any):
    api, expected = profiles[profile], lenient if profile == "lenient" else strict
    contact = api.contact()
    answer = api.submit(event_name="clicked", id=contact["id"], created_at=sent)
    if isinstance(expected, tuple):
        assert (answer.error, stored(api, contact)) == (expected, [])
    else:
        assert answer.status == 202, answer
        assert [event.created_at for event in stored(api, contact)] == [expected]


def test_without_created_at_an_event_happened_when_it_arrived(profiles: dict[str, Api]):
    api = profiles["lenient"]
    contact = api.contact()
    assert api.submit(event_name="clicked", id=contact["id"]).status == 202
    assert [event["created_at"] for event in api.events(contact)] == [NOW]


# --- whose it is ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_known_by_id_user_id_email_and_intercom_user_id(api: Api):
    contact = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    named = [
        {"id": contact["id"]},
        {"intercom_user_id": contact["id"]},
        {"user_id": contact["external_id"]},
        {"email": contact["email"]},
        {"email": contact["email"].upper()},
        {"email": f" {contact['email']} "},
    ]
    answers = [api.submit(event_name="clicked", created_at=WHEN + number, **names).status for number, names in enumerate(named)]
    assert answers == [202] * len(named)
    assert len(api.events(contact)) == len(named)


def test_an_address_with_a_plus_is_another_address(api: Api):
    plain, tagged = f"{fresh('joe')}@example.com", f"{fresh('ann')}+news@example.com"
    contact, other = api.contact(email=tagged), api.contact(email=plain)
    assert api.submit(event_name="clicked", created_at=WHEN, email=tagged).status == 202
    assert api.submit(event_name="clicked", created_at=WHEN, email=tagged.replace("+news", "")).error == nobody("email")
    assert ([event["email"] for event in api.events(contact)], api.events(other)) == ([tagged], [])


def test_numbers_stand_for_their_decimal_form(api: Api):
    number = int(fresh("1000000000000000"))
    contact = api.contact(external_id=str(number))
    assert [api.submit(event_name="a", created_at=WHEN, user_id=number).status, api.submit(event_name="b", user_id=str(number)).status] == [
        202,
        202,
    ]
    assert len(api.events(contact)) == 2


def test_user_ids_are_exact(api: Api):
    contact = api.contact(external_id=fresh("User-"))
    for other in (contact["external_id"].lower(), contact["external_id"] + " ", " " + contact["external_id"]):
        assert api.submit(event_name="clicked", user_id=other).error == nobody("user_id")


def test_in_lenient_the_first_identifier_that_leads_to_someone_decides(api: Api):
    first, second, third = (api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com") for _ in range(3))
    sent = [
        ({"id": first["id"], "user_id": second["external_id"], "email": third["email"]}, first),
        ({"id": "theirs", "user_id": second["external_id"], "email": third["email"]}, second),
        ({"id": "theirs", "user_id": "nobody", "email": third["email"]}, third),
        ({"id": "theirs", "email": third["email"]}, third),  # as PostHog sends its own id
        ({"id": "theirs", "intercom_user_id": first["id"], "user_id": second["external_id"]}, first),
        ({"id": "", "user_id": "", "email": third["email"]}, third),
    ]
    for number, (names, _) in enumerate(sent):
        assert api.submit(event_name="clicked", created_at=WHEN + number, **names).status == 202
    found = {contact["id"]: sorted(event["created_at"] - WHEN for event in api.events(contact)) for contact in (first, second, third)}
    expected = {contact["id"]: [number for number, (_, whose) in enumerate(sent) if whose is contact] for contact in (first, second, third)}
    assert found == expected
    assert api.submit(event_name="clicked", id="theirs", user_id="nobody", email="nobody@example.com").error == nobody("id")


def test_in_strict_the_first_identifier_alone_decides(strict: Api):
    first, second = (strict.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com") for _ in range(2))
    assert strict.submit(event_name="clicked", created_at=WHEN, id=first["id"], user_id="nobody").status == 202
    assert strict.submit(event_name="clicked", created_at=WHEN, id="theirs", user_id=second["external_id"]).error == nobody("id")
    assert strict.submit(event_name="clicked", created_at=WHEN, user_id="nobody", email=second["email"]).error == nobody("user_id")
    assert (len(stored(strict, first)), stored(strict, second)) == (1, [])


def test_an_address_of_several_users_is_a_conflict_until_one_of_them_is_meant(api: Api):
    email = f"{fresh('joe')}@example.com"
    first, second = (api.contact(external_id=fresh("user-"), email=written) for written in (email, email.upper()))
    assert api.submit(event_name="clicked", created_at=WHEN, email=email).error == SEVERAL
    assert api.get(f"/events?email={email}&type=user").error == SEVERAL
    assert api.post("/events/summaries", {"email": email, "event_summaries": {"event_name": "a", "count": 1}}).error == SEVERAL
    assert api.submit(event_name="clicked", created_at=WHEN, email=email, user_id=second["external_id"]).status == 202
    assert (api.events(first), len(api.events(second))) == ([], 1)


def test_an_address_is_a_users_and_never_a_leads(api: Api):
    email = f"{fresh('joe')}@example.com"
    lead = api.contact(role="lead", email=email)
    assert api.submit(event_name="clicked", created_at=WHEN, email=email).error == nobody("email")
    user = api.contact(email=email)
    assert api.submit(event_name="clicked", created_at=WHEN, email=email).status == 202
    assert (api.events(lead), len(api.events(user))) == ([], 1)


def anonymous_id(api: Api, lead: Any) -> str:
    """What the script's getVisitorId gives for a lead; the API shows it on the lead's events."""
    assert api.submit(event_name="seen", created_at=int(api.server.clock()), id=lead["id"]).status == 202
    return str(api.events(lead)[0]["user_id"])


def test_in_lenient_a_user_id_that_is_no_users_may_be_a_leads_anonymous_id(api: Api):
    lead = api.contact(role="lead")
    anonymous = anonymous_id(api, lead)
    assert api.submit(event_name="clicked", created_at=WHEN, user_id=anonymous).status == 202
    assert [event["created_at"] for event in api.events(lead)][1:] == [WHEN]
    user = api.contact(external_id=anonymous)
    assert api.submit(event_name="clicked", created_at=WHEN + 1, user_id=anonymous).status == 202
    assert ([event["created_at"] for event in api.events(user)], len(api.events(lead))) == ([WHEN + 1], 2)


def test_in_strict_intercom_user_id_names_nobody_but_in_imports(strict: Api):
    contact = strict.contact()
    event = {"event_name": "clicked", "created_at": WHEN, "intercom_user_id": contact["id"]}
    nobody = (400, "parameter_not_found", "an event must say whose it is: id, user_id or email", "user_id")
    assert strict.post("/events", event).error == nobody
    summary = {"intercom_user_id": contact["id"], "event_summaries": {"event_name": "clicked", "count": 1}}
    assert strict.post("/events/summaries", summary).error == nobody
    job = strict.post("/bulk/events", {"items": [{"method": "post", "data": event}]}).json
    assert strict.get(f"/jobs/{job['id']}/error").json["items"][0]["error"]["code"] == "parameter_not_found"
    assert strict.post("/events", {**event, "user_id": contact["external_id"], "intercom_user_id": "passed over"}).status == 202
    assert strict.post("/-/api/import/events", json.dumps({**event, "created_at": WHEN - 1}).encode()).json["new"] == 1


def test_in_strict_a_lead_is_known_by_its_id_alone(strict: Api):
    lead = strict.contact(role="lead")
    anonymous = anonymous_id(strict, lead)
    assert strict.submit(event_name="clicked", created_at=WHEN, user_id=anonymous).error == nobody("user_id")


def test_a_contact_that_changes_its_address_is_known_by_the_new_one_at_once(api: Api):
    old, new = f"{fresh('joe')}@example.com", f"{fresh('joe')}@example.com"
    contact = api.contact(email=old)
    assert api.submit(event_name="clicked", created_at=WHEN, email=old).status == 202
    assert api.put(f"/contacts/{contact['id']}", {"email": new}).status == 200
    assert api.submit(event_name="clicked", created_at=WHEN + 1, email=old).error == nobody("email")
    assert api.submit(event_name="clicked", created_at=WHEN + 2, email=new).status == 202
    other = api.contact(email=old)
    assert api.submit(event_name="clicked", created_at=WHEN + 3, email=old).status == 202
    assert [[event["created_at"] - WHEN for event in api.events(each)] for each in (contact, other)] == [[2, 0], [3]]


def test_a_contact_that_is_deleted_is_nobody_at_once(api: Api):
    contact = api.contact(external_id=fresh("user-"), email=f"{fresh('joe')}@example.com")
    names = [{"id": contact["id"]}, {"user_id": contact["external_id"]}, {"email": contact["email"]}]
    assert [api.submit(event_name="clicked", created_at=WHEN, **name).status for name in names] == [202] * 3
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    refused = [api.submit(event_name="clicked", created_at=WHEN, **name).error for name in names]
    assert refused == [nobody(field) for field in ("id", "user_id", "email")]


def test_a_lead_that_becomes_a_user_keeps_its_events(api: Api):
    lead = api.contact(role="lead")
    assert api.submit(event_name="clicked", created_at=WHEN, id=lead["id"]).status == 202
    external_id = fresh("user-")
    assert api.put(f"/contacts/{lead['id']}", {"role": "user", "external_id": external_id}).status == 200
    assert api.submit(event_name="clicked", created_at=WHEN + 1, user_id=external_id).status == 202
    assert [(event["created_at"], event["user_id"]) for event in api.events(lead)] == [(WHEN + 1, external_id), (WHEN, external_id)]


# --- names ---------------------------------------------------------------------------------------------------------------


def test_names_that_differ_in_case_dots_and_dollars_are_one_name_as_first_written(api: Api):
    contact, name = api.contact(), fresh("Paid.Invoice$")
    shown = name.replace(".", "-").replace("$", "-")
    for number, written in enumerate((name, name.lower(), name.upper(), shown, name.replace(".", "$"))):
        assert api.submit(event_name=written, created_at=WHEN + number, id=contact["id"]).status == 202
    assert {event["event_name"] for event in api.events(contact)} == {shown}
    assert [(row["name"], row["count"]) for row in api.summary(contact)] == [(shown, 5)]


def test_dashes_blanks_and_underscores_tell_names_apart(api: Api):
    contact = api.contact()
    names = [fresh("a-b"), fresh("a b"), fresh("a_b"), fresh(" a-b "), fresh("größe"), fresh("🎉"), fresh("名前")]
    for name in names:
        assert api.submit(event_name=name, created_at=WHEN, id=contact["id"]).status == 202
    assert sorted(event["event_name"] for event in api.events(contact)) == sorted(names)


def test_a_name_may_have_255_characters(api: Api):
    contact, name = api.contact(), "ü" * 255
    assert api.submit(event_name=name, created_at=WHEN, id=contact["id"]).status == 202
    assert [event["event_name"] for event in api.events(contact)] == [name]


@pytest.mark.parametrize("profile", ["lenient", "strict"])
def test_a_text_of_any_length_is_kept_whole(api: Api, strict: Api, profile: str):
    chosen = {"lenient": api, "strict": strict}[profile]
    contact, text = chosen.contact(), "é" * 50_000
    moment = int(time.time())  # as strict lists the last 90 days
    assert chosen.submit(event_name="wrote", created_at=moment, id=contact["id"], metadata={"text": text}).status == 202
    assert [event["metadata"]["text"] for event in chosen.events(contact)] == [text]


def test_in_strict_a_workspace_has_120_names_and_is_refused_a_new_one():
    with TrackrecordServer(profile="strict") as server:
        api = Api(server)
        contact = api.contact()
        for number in range(120):
            assert api.submit(event_name=f"name {number}", created_at=WHEN, id=contact["id"]).status == 202
        refusal = (422, "unprocessable_entity", "Cannot have more than 120 active event names", "event_name")
        assert api.submit(event_name="one more", created_at=WHEN, id=contact["id"]).error == refusal
        sent = {"id": contact["id"], "event_summaries": {"event_name": "one more", "count": 1}}
        assert api.post("/events/summaries", sent).error == refusal
        assert api.submit(event_name="NAME 7", created_at=WHEN + 1, id=contact["id"]).status == 202
        assert len(server.server.directory.names.all(1)) == 120


# --- metadata ------------------------------------------------------------------------------------------------------------


def test_the_first_ten_keys_are_kept_in_the_order_sent(api: Api):
    contact = api.contact()
    sent = {key: number for number, key in enumerate("zyxwvutsrqpo")}
    answer = api.submit(event_name="clicked", created_at=WHEN, id=contact["id"], metadata=sent)
    assert [list(event["metadata"].items()) for event in api.events(contact)] == [list(sent.items())[:10]]
    dropped = api.receipt(answer)["keys_dropped"]
    meaning = "an event keeps the first keys in the order sent, up to the limit; this one came after them"
    assert dropped == [{"key": key, "reason": "past_limit", "meaning": meaning} for key in "po"]


def test_null_is_dropped_and_counts_as_a_key(api: Api):
    contact = api.contact()
    sent = {"nothing": None, **{f"key{number}": number for number in range(10)}}
    answer = api.submit(event_name="clicked", created_at=WHEN, id=contact["id"], metadata=sent)
    assert [event["metadata"] for event in api.events(contact)] == [{f"key{number}": number for number in range(9)}]
    dropped = [(each["key"], each["reason"]) for each in api.receipt(answer)["keys_dropped"]]
    assert dropped == [("nothing", "null_value"), ("key9", "past_limit")]


@pytest.mark.parametrize("sent", [None, [], "", {}])
def test_empty_metadata_is_none(api: Api, sent: Any):
    contact = api.contact()
    assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"], metadata=sent).status == 202
    assert [event["metadata"] for event in api.events(contact)] == [{}]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b'{"a":1,"b":2,"a":3}', b'{"a":3,"b":2}'),  # a key sent twice: the last value at the first place
        (b'{"Size":1,"b":2,"size":3}', b'{"Size":3,"b":2}'),
        (b'{"a.b":1,"c$d":2,"e\\u0000f":3,"g h":4,"i_j":5}', b'{"a-b":1,"c-d":2,"e-f":3,"g h":4,"i_j":5}'),
        (b'{"~`!@#%^&*\'{}|\\\\\\"":1}', b'{"---------------":1}'),
        (b'{"a.b":1,"a$b":2}', b'{"a-b":2}'),
        (b'{"n":12345678901234567890123,"f":0.1,"e":1e3,"z":-0.0}', b'{"n":12345678901234567890123,"f":0.1,"e":1000.0,"z":-0.0}'),
        (b'{"text":"\\u00fc\\ud83c\\udf89\\u0000<\\/script>"}', '{"text":"ü🎉\\u0000</script>"}'.encode()),
        (b'{"amount":{"amount":1999.9999999999998,"currency":"USD"}}', b'{"amount":{"amount":1999.9999999999998,"currency":"USD"}}'),
        (b'{"link":{"url":"https://a.b","value":"x","more":1}}', b'{"link":{"url":"https://a.b","value":"x","more":1}}'),
    ],
)
def test_metadata_comes_back_byte_for_byte_as_it_is_kept(api: Api, sent: bytes, kept: bytes):
    contact = api.contact()
    body = b'{"event_name":"clicked","created_at":1671028894,"id":"%s","metadata":%s}' % (contact["id"].encode(), sent)
    assert api.post("/events", body).status == 202
    listed = api.get(f"/events?intercom_user_id={contact['id']}&type=user").body
    assert listed.split(b'"metadata":')[1].split(b'}],"pages"')[0] == kept


def test_each_value_has_its_kind(api: Api):
    contact = api.contact()
    values = {
        "source": ("desktop", "string"),
        "load": (3.67, "number"),
        "status": (True, "boolean"),
        "contact_date": (1392036272, "date"),
        "other_date": ("tomorrow", "string"),
        "article": ("https://example.org/a.html", "link"),
        "shot": ("https://example.org/a.png", "image"),
        "order": ({"url": "https://example.org/1", "value": "1"}, "rich_link"),
        "price": ({"amount": 34999, "currency": "eur"}, "money"),
        "stripe_customer": ("cus_1", "stripe"),
    }
    sent = {key: value for key, (value, _) in values.items()}
    assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"], metadata=sent).status == 202
    (event,) = stored(api, contact)
    assert [KINDS[letter] for letter in event.kinds] == [kind for _, kind in values.values()]


@pytest.mark.parametrize("value", [{"b": 1}, {}, [], [1, "a", None], {"url": "https://a.b"}, {"amount": "1", "currency": "eur"}])
def test_nested_metadata_is_kept_in_lenient_and_refused_in_strict(api: Api, strict: Api, value: Any):
    contact, other = api.contact(), strict.contact()
    assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"], metadata={"a": value}).status == 202
    assert [event["metadata"] for event in api.events(contact)] == [{"a": value}]
    assert [KINDS[event.kinds] for event in stored(api, contact)] == ["nested"]
    refusal = (422, "data_invalid", "metadata.a must be a string, number, boolean, rich link or amount", "metadata.a")
    assert strict.submit(event_name="clicked", created_at=WHEN, id=other["id"], metadata={"a": value}).error == refusal


def test_strict_keeps_rich_links_and_amounts(strict: Api):
    contact = strict.contact()
    sent = {"order": {"url": "https://a.b", "value": "1"}, "price": {"amount": 1, "currency": "eur"}}
    assert strict.submit(event_name="clicked", created_at=int(strict.server.clock()), id=contact["id"], metadata=sent).status == 202
    assert [event["metadata"] for event in strict.events(contact)] == [sent]


# --- once ----------------------------------------------------------------------------------------------------------------


def test_an_event_sent_again_is_answered_202_and_the_first_copy_stands(api: Api):
    contact, name = api.contact(), fresh("Bought")
    first = api.submit(event_name=name, created_at=WHEN, id=contact["id"], metadata={"copy": 1})
    again = api.submit(event_name=name.upper(), created_at=str(WHEN), user_id=contact["external_id"], metadata={"copy": 2})
    assert (first.status, again.status, again.body, again.names) == (202, 202, b"", first.names)
    assert [(event["event_name"], event["metadata"]) for event in api.events(contact)] == [(name, {"copy": 1})]
    assert [row["count"] for row in api.summary(contact)] == [1]


@pytest.mark.parametrize("other", [{"created_at": WHEN + 1}, {"event_name": "other"}], ids=["another second", "another name"])
def test_what_differs_in_second_or_name_is_another_event(api: Api, other: dict[str, Any]):
    contact = api.contact()
    event = {"event_name": "bought", "created_at": WHEN, "id": contact["id"]}
    assert [api.submit(**event).status, api.submit(**{**event, **other}).status] == [202, 202]
    assert len(api.events(contact)) == 2


def test_of_fifty_copies_at_the_same_moment_one_is_kept(api: Api):
    contact = api.contact()

    def send(number: int) -> Answer:
        return api.submit(event_name="bought", created_at=WHEN, id=contact["id"], metadata={"copy": number})

    with ThreadPoolExecutor(50) as many:
        answers = list(many.map(send, range(50)))
    assert {answer.status for answer in answers} == {202}
    positions = sorted(int(answer.header("trackrecord-receipt") or 0) for answer in answers)
    assert positions == list(range(positions[0], positions[0] + 50))
    (event,) = api.events(contact)
    first = min(answers, key=lambda answer: int(answer.header("trackrecord-receipt") or 0))
    assert event["metadata"] == {"copy": answers.index(first)}
    outcomes = [api.receipt(answer)["outcome"] for answer in answers]
    assert (outcomes.count("stored"), outcomes.count("duplicate"), outcomes[answers.index(first)]) == (1, 49, "stored")


def test_an_event_is_kept_over_a_restart_and_is_still_the_first_copy(tmp_path: Path):
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        contact = api.contact(external_id="u1")
        first = api.submit(event_name="Bought", created_at=WHEN, id=contact["id"], metadata={"copy": 1})
        listed = api.events(contact)
    with TrackrecordServer(data=str(tmp_path), token="the-same-token") as server:
        api = Api(server)
        again = api.submit(event_name="bought", created_at=WHEN, user_id="u1", metadata={"copy": 2})
        assert api.events(contact) == listed
        assert [api.receipt(answer)["outcome"] for answer in (first, again)] == ["stored", "duplicate"]


@pytest.mark.parametrize(
    ("dedup", "kept"),
    [("strict", [{"a": 1}]), ("with-metadata", [{}, {"a": 2}, {"a": 1}]), ("off", [{}, {"a": 2}, {"a": 1}, {"a": 1}])],
)
def test_what_makes_two_events_one_can_be_set(dedup: str, kept: list[Any]):
    with TrackrecordServer(dedup=dedup) as server:
        api = Api(server)
        contact = api.contact()
        for metadata in ({"a": 1}, {"a": 1}, {"a": 2}, None):
            assert api.submit(event_name="bought", created_at=WHEN, id=contact["id"], metadata=metadata).status == 202
        assert [event["metadata"] for event in api.events(contact)] == kept
        assert [row["count"] for row in api.summary(contact)] == [len(kept)]


# --- at once -------------------------------------------------------------------------------------------------------------


def test_an_event_is_listed_and_counted_as_soon_as_it_is_answered(api: Api):
    contact = api.contact()
    with Connection(api.url) as connection:

        def ask(sent: bytes) -> Answer:
            connection.send(sent)
            return connection.answer()

        for number in range(1, 151):
            body = json.dumps({"event_name": "clicked", "created_at": WHEN + number, "id": contact["id"]}).encode()
            assert ask(request("POST", "/events", body=body, token=api.token)).status == 202
            target = f"/events?intercom_user_id={contact['id']}&type=user"
            if number % 2:
                assert ask(request("GET", f"{target}&per_page=1", token=api.token)).json["events"][0]["created_at"] == WHEN + number
            else:
                assert ask(request("GET", f"{target}&summary=true", token=api.token)).json["events"][0]["count"] == number


def test_many_at_once_each_read_what_they_wrote(api: Api):
    def write_and_read(number: int) -> list[int]:
        contact = api.contact()
        for step in range(5):
            assert api.submit(event_name="clicked", created_at=WHEN + step, id=contact["id"]).status == 202
        return [event["created_at"] - WHEN for event in api.events(contact)]

    with ThreadPoolExecutor(16) as many:
        assert list(many.map(write_and_read, range(32))) == [[4, 3, 2, 1, 0]] * 32


def test_an_event_leaves_its_contact_as_it_was(api: Api):
    contact = api.contact()
    assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
    assert api.get(f"/contacts/{contact['id']}").json == contact


def test_json_that_curl_calls_a_form_is_read_as_json(api: Api):
    contact = api.contact(external_id=fresh("user-"))
    sent = {"event_name": "sent-with-curl", "created_at": WHEN, "user_id": contact["external_id"]}
    with Connection(api.url) as connection:
        kind = "Content-Type: application/x-www-form-urlencoded"
        connection.send(request("POST", "/events", kind, body=json.dumps(sent).encode(), token=api.token))
        assert connection.answer().status == 202
    assert [event["event_name"] for event in api.events(contact)] == ["sent-with-curl"]
