"""Requests as bytes and answers as bytes; and the handlers between them, on a real directory."""

import asyncio
import json
from types import SimpleNamespace

import msgspec
import pytest

from trackrecord.errors import AdminNotFound, ContactNotFound, ParameterInvalid, TypeMismatch
from trackrecord.http.api import admins as admin_handlers
from trackrecord.http.api import contacts as handlers
from trackrecord.rules.contacts import Changes, Contact, Draft
from trackrecord.rules.directory import Workspace
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.versions import Version
from trackrecord.wire import contacts as wire

NEWEST = Version("2.16", (2, 16))

ID = "6762f0cd1bb69f9f2193bb7c"
ACME = Workspace(number=1, id="abc123", name="Acme", created_at=10, timezone="Europe/Dublin", region="EU")
USER = Contact(
    number=1, id=ID, workspace=1, role="user", external_id="70", email="joe@bloggs.com", name="joe bloggs", created_at=5, updated_at=6
)
V2_14, V2_15, V2_16 = Version("2.14", (2, 14)), Version("2.15", (2, 15)), Version("2.16", (2, 16))
PREVIEW = Version("Preview", (999, 0))


def _shown(answer):
    return json.loads(msgspec.json.encode(answer))


def _empty_list(path):
    return {"type": "list", "data": [], "url": f"/contacts/{ID}/{path}", "total_count": 0, "has_more": False}


def test_a_contact_is_shown_with_every_key_in_the_order_of_the_reference():
    # The example of "Update a contact" in the API reference; email_domain is in its schema alone.
    expected = {
        "type": "contact",
        "id": ID,
        "workspace_id": "abc123",
        "external_id": "70",
        "role": "user",
        "email": "joe@bloggs.com",
        "email_domain": "bloggs.com",
        "phone": None,
        "name": "joe bloggs",
        "avatar": None,
        "owner_id": None,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": False,
        "created_at": 5,
        "updated_at": 6,
        "signed_up_at": None,
        "last_seen_at": None,
        "last_replied_at": None,
        "last_contacted_at": None,
        "last_email_opened_at": None,
        "last_email_clicked_at": None,
        "language_override": None,
        "browser": None,
        "browser_version": None,
        "browser_language": None,
        "os": None,
        "location": {"type": "location", "country": None, "region": None, "city": None, "country_code": None, "continent_code": None},
        "android_app_name": None,
        "android_app_version": None,
        "android_device": None,
        "android_os_version": None,
        "android_sdk_version": None,
        "android_last_seen_at": None,
        "ios_app_name": None,
        "ios_app_version": None,
        "ios_device": None,
        "ios_os_version": None,
        "ios_sdk_version": None,
        "ios_last_seen_at": None,
        "custom_attributes": {},
        "tags": _empty_list("tags"),
        "notes": _empty_list("notes"),
        "companies": _empty_list("companies"),
        "opted_out_subscription_types": _empty_list("subscriptions"),
        "opted_in_subscription_types": _empty_list("subscriptions"),
        "utm_campaign": None,
        "utm_content": None,
        "utm_medium": None,
        "utm_source": None,
        "utm_term": None,
        "referrer": None,
        "enabled_push_messaging": None,
    }
    shown = _shown(wire.item(USER, workspace=ACME, version=V2_14))
    assert shown == expected
    assert list(shown) == list(expected)


@pytest.mark.parametrize(("version", "owner"), [(V2_14, 5), (V2_15, 5), (V2_16, "5"), (PREVIEW, "5")])
def test_an_owner_is_a_number_before_2_16_and_a_string_from_it_on(version, owner):
    assert _shown(wire.item(msgspec.structs.replace(USER, owner_id=5), workspace=ACME, version=version))["owner_id"] == owner


def test_an_avatar_is_shown_as_an_object():
    contact = msgspec.structs.replace(USER, avatar="https://example.com/joe.png")
    shown = _shown(wire.item(contact, workspace=ACME, version=V2_14))
    assert shown["avatar"] == {"type": "avatar", "image_url": "https://example.com/joe.png"}


@pytest.mark.parametrize(
    ("page", "next_cursor", "total", "pages"),
    [
        (1, None, 0, {"type": "pages", "page": 1, "per_page": 2, "total_pages": 0}),
        (
            1,
            f"2-5-{ID}",
            3,
            {
                "type": "pages",
                "next": {"page": 2, "per_page": 2, "starting_after": f"2-5-{ID}"},
                "page": 1,
                "per_page": 2,
                "total_pages": 2,
            },
        ),
        (2, None, 3, {"type": "pages", "page": 2, "per_page": 2, "total_pages": 2}),
    ],
)
def test_a_page_says_which_it_is_and_the_last_has_no_next(page, next_cursor, total, pages):
    answer = wire.listing(
        [], workspace=ACME, version=V2_14, total_count=total, per_page=2, page=page, next_cursor=next_cursor, belongings={}
    )
    assert _shown(answer) == {"type": "list", "data": [], "total_count": total, "pages": pages}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], (10, None)),
        ([("per_page", "50"), ("page", "3"), ("starting_after", "x")], (50, "x")),
        ([("per_page", "0")], (1, None)),
        ([("per_page", "-5")], (1, None)),
        ([("per_page", "151")], (150, None)),
        ([("per_page", "9" * 5000)], (150, None)),
        ([("per_page", ""), ("starting_after", "")], (10, None)),
    ],
)
def test_a_page_size_out_of_range_is_taken_as_the_nearest_in_it(query, expected):
    assert wire.parse_page(query) == expected


def test_a_page_size_that_is_no_number_is_refused():
    with pytest.raises(ParameterInvalid) as caught:
        wire.parse_page([("per_page", "all")])
    assert caught.value.field == "per_page"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"email":"joe@bloggs.com"}', Draft(email="joe@bloggs.com")),
        (b'{"role":"lead","type":"contact","colour":{"deep":[1]}}', Draft(role="lead")),  # unknown keys are passed over
        (b'{"external_id":123,"custom_attributes":[]}', Draft(external_id="123")),
        (b'{"external_id":"\xc3\xa9","signed_up_at":"2022-12-14T14:41:34Z"}', Draft(external_id="é", signed_up_at=1671028894)),
        (b'{"role":"user","owner_id":"7","avatar":null}', Draft(owner_id=7)),
        (b'{"role":"user","id":"6762f0cd1bb69f9f2193bb7c","anonymous_id":"a1"}', Draft()),  # imports alone may choose these
    ],
)
def test_the_body_of_a_new_contact_is_read(body, expected):
    assert wire.parse_draft(body, version=NEWEST) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", Changes()),
        (b"{}", Changes()),
        (b'{"name":null,"email":""}', Changes(name=None, email=None)),
        (b'{"custom_attributes":{"plan":null}}', Changes(custom_attributes={"plan": None})),
    ],
)
def test_the_body_of_a_change_tells_null_from_absent(body, expected):
    assert wire.parse_changes(body, version=NEWEST) == expected


@pytest.mark.parametrize(
    ("body", "error", "field"),
    [
        (b"", ParameterInvalid, "body"),
        (b"{", ParameterInvalid, "body"),
        (b"[]", ParameterInvalid, "body"),
        (b'{"email":["joe@bloggs.com"]}', TypeMismatch, "email"),
        (b'{"role":"user","signed_up_at":true}', TypeMismatch, "signed_up_at"),
        (b'{"role":"user","custom_attributes":["x"]}', TypeMismatch, "custom_attributes"),
        (b'{"role":"user","custom_attributes":{"order":["21"]}}', TypeMismatch, "custom_attributes.order"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_by_field(body, error, field):
    with pytest.raises(error) as caught:
        wire.parse_draft(body, version=NEWEST)
    assert (type(caught.value), caught.value.field) == (error, field)


class Erasing:
    """What an ingest is asked to erase."""

    def __init__(self):
        self.erased = []

    async def erase(self, workspace, contact):
        self.erased.append((workspace, contact))


class Forgetting:
    """What a request log is asked to forget."""

    def __init__(self):
        self.forgotten = []

    def forget(self, workspace, texts):
        self.forgotten.append((workspace, texts))


@pytest.fixture
def call(directory, workspace):
    """Call a handler as the server does; returns what is sent, or raises what the server turns into an error body."""
    ingest = Erasing()
    requests = Forgetting()
    tenant = directory.workspaces.by_number(workspace)

    async def in_thread(function, *args, **kwargs):
        return await asyncio.to_thread(function, *args, **kwargs)

    async def in_background(workspace, function, *args, **kwargs):
        return await asyncio.to_thread(function, *args, **kwargs)

    async def ask(handler, *, body=b"", path=None, query=(), now=100, profile="lenient"):
        services = SimpleNamespace(directory=directory, ingest=ingest, requests=requests, in_thread=in_thread, in_background=in_background)
        request = SimpleNamespace(
            services=services,
            workspace=tenant,
            version=V2_14,
            profile=PROFILES[profile],
            now=lambda: now,
            path=path or {},
            query=query,
            body=body if isinstance(body, bytes) else msgspec.json.encode(body),
        )
        answer = await handler(request)
        return answer.status, _shown(answer.body)

    ask.ingest = ingest
    return ask


async def test_a_contact_lives_from_its_creation_to_its_end(call):
    status, made = await call(handlers.create_contact, body={"external_id": "a/b", "email": "joe@bloggs.com"})
    assert (status, made["external_id"], made["created_at"], made["workspace_id"]) == (200, "a/b", 100, "first")
    path = {"contact_id": made["id"]}
    assert await call(handlers.get_contact, path=path) == (200, made)
    assert await call(handlers.find_by_external_id, path={"external_id": "a/b"}) == (200, made)
    changed = {**made, "name": "Joe", "updated_at": 200}
    assert await call(handlers.update_contact, path=path, body={"name": "Joe"}, now=200) == (200, changed)
    page = {"type": "pages", "page": 1, "per_page": 10, "total_pages": 1}
    assert await call(handlers.list_contacts) == (200, {"type": "list", "data": [changed], "total_count": 1, "pages": page})
    gone = {"type": "contact", "id": made["id"], "external_id": "a/b", "deleted": True}
    assert await call(handlers.delete_contact, path=path, body=b"{}") == (200, gone)
    assert call.ingest.erased == [(1, [1])]
    with pytest.raises(ContactNotFound):
        await call(handlers.get_contact, path=path)


async def test_a_contact_nobody_has_is_not_erased_either(call):
    with pytest.raises(ContactNotFound):
        await call(handlers.delete_contact, path={"contact_id": ID})
    assert call.ingest.erased == []


async def test_following_the_cursors_shows_every_contact_once(call):
    for number in range(5):
        await call(handlers.create_contact, body={"external_id": str(number)}, now=100 + number)
    shown, query, numbers = [], [("per_page", "2")], []
    while True:
        _, page = await call(handlers.list_contacts, query=query)
        shown += [contact["external_id"] for contact in page["data"]]
        numbers.append((page["pages"]["page"], page["pages"]["total_pages"], page["total_count"]))
        if "next" not in page["pages"]:
            break
        query = [("per_page", "2"), ("starting_after", page["pages"]["next"]["starting_after"])]
    assert shown == ["4", "3", "2", "1", "0"]
    assert numbers == [(1, 3, 5), (2, 3, 5), (3, 3, 5)]


async def test_strict_refuses_an_attribute_that_lenient_declares(call):
    body = {"role": "user", "custom_attributes": {"plan": "pro"}}
    with pytest.raises(ParameterInvalid) as caught:
        await call(handlers.create_contact, body=body, profile="strict")
    assert (caught.value.message, caught.value.field) == ("Custom attribute 'plan' does not exist", "custom_attributes.plan")
    status, made = await call(handlers.create_contact, body=body, profile="lenient")
    assert (status, made["custom_attributes"]) == (200, {"plan": "pro"})


async def test_a_token_is_shown_its_workspace(call):
    assert await call(admin_handlers.get_me) == (
        200,
        {
            "type": "admin",
            "id": "1",
            "email": "admin@localhost",
            "name": "Administrator",
            "email_verified": True,
            "app": {
                "type": "app",
                "id_code": "first",
                "name": "First",
                "created_at": 10,
                "secure": False,
                "identity_verification": False,
                "timezone": "UTC",
                "region": "US",
            },
            "avatar": {"type": "avatar", "image_url": None},
            "has_inbox_seat": True,
        },
    )


async def test_admins_are_shown_in_a_list_and_alone(call):
    admin = {
        "type": "admin",
        "id": "1",
        "name": "Administrator",
        "email": "admin@localhost",
        "away_mode_enabled": False,
        "away_mode_reassign": False,
        "has_inbox_seat": True,
        "team_ids": [],
    }
    assert await call(admin_handlers.list_admins) == (200, {"type": "admin.list", "admins": [admin]})
    assert await call(admin_handlers.get_admin, path={"admin_id": "1"}) == (200, {**admin, "away_status_reason_id": None})
    with pytest.raises(AdminNotFound):
        await call(admin_handlers.get_admin, path={"admin_id": "2"})
