"""Contacts over HTTP: create, get, update, delete, find and list. The contract, 4.1 to 4.4."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

NOW = 1_700_000_000
WHEN = 1_671_028_894


def nobody(field: str) -> tuple[Any, ...]:
    """The answer for a contact that is not there, by the parameter that named it."""
    return (404, "not_found", "User Not Found", field)


@pytest.fixture(scope="module")
def at_now() -> Iterator[Api]:
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        yield Api(server)


def belongings(contact: Any, path: str) -> dict[str, Any]:
    return {"type": "list", "data": [], "url": f"/contacts/{contact['id']}/{path}", "total_count": 0, "has_more": False}


def test_a_contact_is_shown_with_every_key_in_order(at_now: Api):
    contact = at_now.post(
        "/contacts",
        {
            "external_id": "25",
            "email": "Wash@Serenity.io",
            "phone": "+353871234567",
            "name": "Wash",
            "avatar": "https://example.org/wash.png",
            "signed_up_at": str(WHEN),
            "last_seen_at": "2022-12-14T14:41:34Z",
            "owner_id": 7,
            "unsubscribed_from_emails": True,
            "language_override": "en",
            "custom_attributes": {"plan": "pro", "seats": 3, "ratio": 0.5, "paid": True, "nothing": None},
            "unknown": {"a": 1},
        },
    ).json
    nowhere = {"type": "location", "country": None, "region": None, "city": None, "country_code": None, "continent_code": None}
    assert (len(contact["id"]), set(contact["id"]) <= set("0123456789abcdef")) == (24, True)
    expected = {
        "type": "contact",
        "id": contact["id"],
        "workspace_id": "trackrecord",
        "external_id": "25",
        "role": "user",
        "email": "Wash@Serenity.io",
        "email_domain": "Serenity.io",
        "phone": "+353871234567",
        "name": "Wash",
        "avatar": {"type": "avatar", "image_url": "https://example.org/wash.png"},
        "owner_id": 7,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": True,
        "created_at": NOW,
        "updated_at": NOW,
        "signed_up_at": WHEN,
        "last_seen_at": WHEN,
        "last_replied_at": None,
        "last_contacted_at": None,
        "last_email_opened_at": None,
        "last_email_clicked_at": None,
        "language_override": "en",
        **dict.fromkeys(("browser", "browser_version", "browser_language", "os")),
        "location": nowhere,
        **dict.fromkeys(f"android_{name}" for name in ("app_name", "app_version", "device", "os_version", "sdk_version", "last_seen_at")),
        **dict.fromkeys(f"ios_{name}" for name in ("app_name", "app_version", "device", "os_version", "sdk_version", "last_seen_at")),
        "custom_attributes": {"plan": "pro", "seats": 3, "ratio": 0.5, "paid": True},
        "tags": belongings(contact, "tags"),
        "notes": belongings(contact, "notes"),
        "companies": belongings(contact, "companies"),
        "opted_out_subscription_types": belongings(contact, "subscriptions"),
        "opted_in_subscription_types": belongings(contact, "subscriptions"),
        **dict.fromkeys(("utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term", "referrer")),
        "enabled_push_messaging": None,
    }
    assert list(contact.items()) == list(expected.items())
    same = [f"/contacts/{contact['id']}", "/contacts/find_by_external_id/25"]
    assert [at_now.get(target).json for target in same] == [contact] * 2


@pytest.mark.parametrize(
    ("sent", "role"),
    [
        ({"email": "{email}"}, "user"),
        ({"external_id": "{id}"}, "user"),
        ({"role": "user"}, "user"),
        ({"role": "lead"}, "lead"),
        ({"role": "lead", "email": "{email}"}, "lead"),
        ({"role": None, "email": "{email}"}, "user"),
    ],
)
def test_one_of_email_external_id_and_role_makes_a_contact(api: Api, sent: dict[str, str | None], role: str):
    names = {"{email}": f"{fresh('joe')}@example.com", "{id}": fresh("user-")}
    contact = api.contact(**{field: names.get(value or "", value) for field, value in sent.items()})
    assert (contact["role"], contact["signed_up_at"]) == (role, None)


@pytest.mark.parametrize(("version", "owner"), [("2.14", 7), ("2.15", 7), ("2.16", "7"), ("Preview", "7")])
def test_the_owner_is_a_number_up_to_2_15_and_a_string_from_2_16_on(api: Api, version: str, owner: Any):
    contact = api.contact(role="user", owner_id="7")
    assert api.get(f"/contacts/{contact['id']}", f"Intercom-Version: {version}").json["owner_id"] == owner


def test_a_change_changes_what_is_sent_and_nothing_else(at_now: Api):
    contact = at_now.contact(external_id=fresh("user-"), name="Zoe", phone="1", custom_attributes={"plan": "pro", "seats": 3})
    at_now.server.clock.freeze(NOW + 60)
    changed = at_now.put(f"/contacts/{contact['id']}", {"phone": None, "custom_attributes": {"seats": 4, "plan": None, "new": True}})
    at_now.server.clock.freeze(NOW)
    expected = {**contact, "phone": None, "custom_attributes": {"seats": 4, "new": True}, "updated_at": NOW + 60}
    assert (changed.status, changed.json, at_now.get(f"/contacts/{contact['id']}").json) == (200, expected, expected)


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_change_of_nothing_changes_nothing(api: Api, body: bytes):
    contact = api.contact()
    assert api.put(f"/contacts/{contact['id']}", body).json == contact


def test_a_contact_that_exists_is_a_conflict_that_names_it(api: Api):
    external_id, email = fresh("user-"), f"{fresh('joe')}@example.com"
    first, second = api.contact(external_id=external_id), api.contact(email=email)

    def taken(contact: Any) -> tuple[Any, ...]:
        field = "external_id" if contact is first else "email"
        return (409, "conflict", f"A contact matching those details already exists with id={contact['id']}", field)

    assert api.post("/contacts", {"external_id": external_id, "email": "other@example.com"}).error == taken(first)
    assert api.post("/contacts", {"email": email.upper()}).error == taken(second)
    assert api.put(f"/contacts/{second['id']}", {"external_id": external_id}).error == taken(first)
    assert [api.get(f"/contacts/{each['id']}").json for each in (first, second)] == [first, second]


def test_leads_may_share_an_address_and_in_lenient_so_may_users_with_ids_of_their_own(api: Api, strict: Api):
    email = f"{fresh('joe')}@example.com"
    for sent in ({"role": "lead", "email": email}, {"role": "lead", "email": email}, {"external_id": fresh("user-"), "email": email}):
        assert [api.post("/contacts", sent).status, strict.post("/contacts", sent).status] == [200, 200]
    another = {"external_id": fresh("user-"), "email": email}
    assert [api.post("/contacts", another).status, strict.post("/contacts", another).status] == [200, 409]


def test_an_undeclared_attribute_is_made_in_lenient_and_refused_in_strict(api: Api, strict: Api):
    sent = {"role": "user", "custom_attributes": {fresh("plan"): "pro"}}
    (name,) = sent["custom_attributes"]
    assert api.post("/contacts", sent).json["custom_attributes"] == {name: "pro"}
    refusal = (400, "parameter_invalid", f"Custom attribute '{name}' does not exist", f"custom_attributes.{name}")
    assert strict.post("/contacts", sent).error == refusal
    other = api.contact()
    mismatch = (400, "type_mismatch", f"custom_attributes.{name} must be a string, got a whole number", f"custom_attributes.{name}")
    assert api.put(f"/contacts/{other['id']}", {"custom_attributes": {name: 1}}).error == mismatch


@pytest.mark.parametrize("external_id", ["a b", "a/b", "a/", "/", "a%2Fb", "ü", "🎉", "a+b", "a?b#c", "..", "find_by_external_id"])
def test_a_user_is_found_by_any_external_id_that_is_encoded(api: Api, external_id: str):
    id = f"{fresh('x')}{external_id}"
    contact = api.contact(external_id=id)
    assert api.get(f"/contacts/find_by_external_id/{quote(id, safe='')}").json == contact
    assert api.get(f"/contacts/find_by_external_id/{quote(id + '/', safe='')}").error == nobody("external_id")


def test_leads_have_no_external_id_to_be_found_by(api: Api):
    lead = api.contact(role="lead")
    assert api.submit(event_name="seen", created_at=WHEN, id=lead["id"]).status == 202
    anonymous = api.events(lead)[0]["user_id"]
    assert api.get(f"/contacts/find_by_external_id/{anonymous}").error == nobody("external_id")


@pytest.mark.parametrize("body", [None, b"", b"{}", b"no JSON"])
def test_delete_takes_a_contact_with_its_events_summaries_and_totals(api: Api, body: bytes | None):
    contact, other, name = api.contact(), api.contact(), fresh("clicked ")
    for each in (contact, other):
        for number in range(3):
            assert api.submit(event_name=name, created_at=WHEN + number, id=each["id"]).status == 202
    assert api.post("/events/summaries", {"id": contact["id"], "event_summaries": {"event_name": name, "count": 5}}).status == 200

    def counted() -> list[int]:
        (entry,) = [each for each in api.server.server.directory.names.all(1) if each.name == name]
        totals = api.server.call(api.server.server.reads.ask, lambda store: store.name_totals(1))
        return [total.count for total in totals if total.name == entry.number]

    assert counted() == [6]
    answer = api.delete(f"/contacts/{contact['id']}", body=body)
    assert (answer.status, answer.body.decode()) == (
        200,
        f'{{"type":"contact","id":"{contact["id"]}","external_id":"{contact["external_id"]}","deleted":true}}',
    )
    assert (counted(), len(api.events(other)), [row["count"] for row in api.summary(other)]) == ([3], 3, [3])
    whose = f"intercom_user_id={contact['id']}&type=user"
    gone = [api.get(f"/contacts/{contact['id']}"), api.get(f"/events?{whose}"), api.get(f"/events?{whose}&summary=true")]
    gone += [api.delete(f"/contacts/{contact['id']}"), api.put(f"/contacts/{contact['id']}", {"name": "x"})]
    gone += [api.submit(event_name=name, created_at=WHEN, user_id=contact["external_id"])]
    fields = ["contact_id", "intercom_user_id", "intercom_user_id", "contact_id", "contact_id", "user_id"]
    assert [each.error for each in gone] == [nobody(field) for field in fields]


def test_who_comes_back_after_being_deleted_begins_anew(api: Api):
    contact = api.contact()
    event = {"event_name": "clicked", "created_at": WHEN, "user_id": contact["external_id"]}
    assert api.submit(**event).status == 202
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    again = api.contact(external_id=contact["external_id"])
    assert (again["id"] != contact["id"], api.events(again)) == (True, [])
    assert api.submit(**event).status == 202
    assert [row["count"] for row in api.summary(again)] == [1]


# --- lists ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd() -> Iterator[tuple[Api, list[str]]]:
    """A server with 25 contacts, made two in each second, and their ids in the order of the list."""
    with TrackrecordServer() as server:
        api, made = Api(server), []
        for number in range(25):
            server.clock.freeze(NOW + number // 2)
            contact = api.contact(external_id=f"u{number}")
            made.append((contact["created_at"], contact["id"]))
        yield api, [id for _, id in sorted(made, reverse=True)]


def test_contacts_are_listed_newest_first_in_pages_of_ten(crowd: tuple[Api, list[str]]):
    api, ids = crowd
    pages, cursor = [], ""
    while cursor is not None:
        body = api.get(f"/contacts{cursor and '?starting_after='}{cursor}").json
        assert list(body) == ["type", "data", "total_count", "pages"]
        pages.append(([contact["id"] for contact in body["data"]], body["type"], body["total_count"], body["pages"]))
        cursor = body["pages"].get("next", {}).get("starting_after")
    cursors = [page[3].get("next", {}).get("starting_after") for page in pages]
    assert all(set(cursor) <= set("0123456789abcdef-") for cursor in cursors[:2])
    assert pages == [
        (
            ids[start : start + 10],
            "list",
            25,
            {
                "type": "pages",
                **({"next": {"page": number + 1, "per_page": 10, "starting_after": cursors[number - 1]}} if number < 3 else {}),
                "page": number,
                "per_page": 10,
                "total_pages": 3,
            },
        )
        for number, start in ((1, 0), (2, 10), (3, 20))
    ]


@pytest.mark.parametrize(("asked", "shown"), [("25", 25), ("24", 24), ("0", 1), ("-1", 1), ("151", 25), ("9" * 30, 25), ("", 10)])
def test_a_page_of_contacts_has_1_to_150(crowd: tuple[Api, list[str]], asked: str, shown: int):
    api, ids = crowd
    body = api.get(f"/contacts?per_page={asked}").json
    assert ([contact["id"] for contact in body["data"]], "next" in body["pages"]) == (ids[:shown], shown < 25)


def test_an_empty_workspace_lists_nothing():
    with TrackrecordServer() as server:
        assert Api(server).get("/contacts").body == (
            b'{"type":"list","data":[],"total_count":0,"pages":{"type":"pages","page":1,"per_page":10,"total_pages":0}}'
        )


def test_an_owner_and_a_picture_are_kept_as_they_were_sent(api: Api):
    contact = api.contact(external_id=fresh("user-"), owner_id=999_999, avatar="no address")
    assert (contact["owner_id"], contact["avatar"]) == (999_999, {"type": "avatar", "image_url": "no address"})
