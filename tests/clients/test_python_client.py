"""python-intercom 5, unmodified: everything an integration does, by the synchronous client and by the asynchronous one."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from client_shapes import ADMIN, NOW, whole_contact
from intercom import (
    CreateContactRequestWithEmail,
    CreateContactRequestWithExternalId,
    CreateDataEventRequestWithEmail,
    CreateDataEventRequestWithId,
    CreateDataEventRequestWithUserId,
    CreateDataEventSummariesRequestEventSummaries,
)
from intercom.core.api_error import ApiError
from intercom.unstable.data_events import (
    LisDataEventsRequestFilterEmail,
    LisDataEventsRequestFilterIntercomUserId,
    LisDataEventsRequestFilterUserId,
)
from python_5 import make_ada, make_lead, names_of, pages_of, refusal, said

from trackrecord.testing import TrackrecordServer


def events_of(answer: Any) -> list[dict[str, Any]]:
    """The events of a list without their own ids, which differ from server to server."""
    events = [event.dict() for event in answer.events]
    ids = [event.pop("id") for event in events]
    assert len(set(ids)) == len(ids)
    return events


def cursor_in(url: str) -> dict[str, Any]:
    """What a user of this client copies from pages.next into the next call, as it has no paging of its own for events."""
    return {"before": parse_qs(urlsplit(url).query)["before"][0]}


async def test_a_user_and_a_lead_are_created_and_found_whole(client: Any) -> None:
    ada, lead = await make_ada(client), await make_lead(client)
    user = whole_contact(ada.id, role="user", external_id="ada", email="ada@example.com", email_domain="example.com", name="Ada")
    assert ada.dict() == user
    assert lead.dict() == whole_contact(
        lead.id, role="lead", external_id=None, email="lead@example.com", email_domain="example.com", name=None
    )
    assert (await said(client.contacts.find(ada.id))).dict() == user
    assert (await said(client.contacts.show_contact_by_external_id("ada"))).dict() == user


async def test_an_external_id_with_every_awkward_character_is_found(client: Any) -> None:
    for external_id in ("a b", "a/b", "a?b=c&d", "ä€", "a%2Fb", "a+b@c.de"):
        made = await said(client.contacts.create(request=CreateContactRequestWithExternalId(external_id=external_id)))
        quoted = "".join(f"%{byte:02X}" for byte in external_id.encode())  # this client puts ids into the path as they are
        assert (await said(client.contacts.show_contact_by_external_id(quoted))).id == made.id


async def test_an_update_changes_what_is_sent_and_nothing_else(client: Any, server: TrackrecordServer) -> None:
    ada = await make_ada(client)
    server.clock.advance(60)
    changed = await said(client.contacts.update(ada.id, name="Ada L.", custom_attributes={"plan": "pro", "seats": 3, "paid": True}))
    expected = whole_contact(
        ada.id,
        role="user",
        external_id="ada",
        email="ada@example.com",
        email_domain="example.com",
        name="Ada L.",
        custom_attributes={"plan": "pro", "seats": 3, "paid": True},
        updated_at=NOW + 60,
    )
    assert changed.dict() == expected
    assert (await said(client.contacts.find(ada.id))).dict() == expected


async def test_the_pager_walks_all_contacts_newest_first(client: Any, server: TrackrecordServer) -> None:
    made = []
    for number in range(5):
        made.append((await said(client.contacts.create(request=CreateContactRequestWithEmail(email=f"{number}@example.com")))).email)
        server.clock.advance(1)
    pager = await said(client.contacts.list(per_page=2))
    assert [[contact.email for contact in page] for page in await pages_of(pager)] == [made[4:2:-1], made[2:0:-1], made[:1]]
    assert (pager.response.type, pager.response.total_count, pager.response.pages.total_pages) == ("list", 5, 3)


async def test_a_deleted_contact_is_gone_with_its_events(client: Any) -> None:
    ada = await make_ada(client)
    event = CreateDataEventRequestWithUserId(user_id="ada", event_name="signed-up", created_at=NOW)
    await said(client.events.create(request=event))
    deleted = await said(client.contacts.delete(ada.id))
    assert deleted.dict() == {"type": "contact", "id": ada.id, "external_id": "ada", "deleted": True}
    for ask, field in (
        (lambda: client.contacts.find(ada.id), "contact_id"),
        (lambda: client.contacts.show_contact_by_external_id("ada"), "external_id"),
        (lambda: client.events.list(type="user", user_id="ada"), "user_id"),
        (lambda: client.events.list(type="user", intercom_user_id=ada.id), "intercom_user_id"),
        (lambda: client.events.create(request=event), "user_id"),
    ):
        with pytest.raises(ApiError) as caught:
            await said(ask())
        assert refusal(caught.value) == (404, [{"code": "not_found", "message": "User Not Found", "field": field}])
    again = await make_ada(client)
    assert events_of(await said(client.events.list(type="user", intercom_user_id=again.id))) == []


async def test_events_go_by_user_id_and_email_and_a_leads_by_its_id(client: Any) -> None:
    ada, lead = await make_ada(client), await make_lead(client)
    metadata = {
        "source": "desktop",
        "load": 3.67,
        "paid": True,
        "contact_date": 1392036272,
        "article": "https://example.org/ab1de.html",
        "order": {"url": "https://example.org/orders/3434", "value": "3434"},
        "price": {"amount": 34999, "currency": "eur"},
    }
    for request in (
        # The client's own class takes strings alone in metadata, so users pass a dict for more.
        {"user_id": "ada", "event_name": "placed-order", "created_at": NOW - 3, "metadata": metadata},
        CreateDataEventRequestWithEmail(email="ada@example.com", event_name="invited-friend", created_at=NOW - 2, metadata={"to": "Bob"}),
        CreateDataEventRequestWithId(id=ada.id, event_name="logged-out", created_at=NOW - 1),
        CreateDataEventRequestWithId(id=lead.id, event_name="read-article", created_at=NOW - 1),
    ):
        assert await said(client.events.create(request=request)) is None

    whose = {"type": "event", "user_id": "ada", "email": "ada@example.com", "intercom_user_id": ada.id}
    listed = await said(client.events.list(type="user", user_id="ada"))
    assert events_of(listed) == [
        {**whose, "created_at": NOW - 1, "event_name": "logged-out", "metadata": {}},
        {**whose, "created_at": NOW - 2, "event_name": "invited-friend", "metadata": {"to": "Bob"}},
        {**whose, "created_at": NOW - 3, "event_name": "placed-order", "metadata": metadata},
    ]
    assert listed.type == "event.list"
    assert listed.pages.keys() == {"since"}
    assert events_of(await said(client.events.list(type="user", email="ada@example.com"))) == events_of(listed)

    of_lead = await said(client.events.list(type="user", intercom_user_id=lead.id))
    assert [(event["event_name"], event["email"], event["intercom_user_id"]) for event in events_of(of_lead)] == [
        ("read-article", "lead@example.com", lead.id)
    ]


async def test_an_event_sent_again_is_accepted_and_kept_once(client: Any) -> None:
    await make_ada(client)
    for area in ("first", "second"):
        event = CreateDataEventRequestWithUserId(user_id="ada", event_name="placed-order", created_at=NOW, metadata={"copy": area})
        await said(client.events.create(request=event))
    assert [event["metadata"] for event in events_of(await said(client.events.list(type="user", user_id="ada")))] == [{"copy": "first"}]


SEVEN = (("one", 0), ("two", 1), ("three", 2), ("four", 3), ("five", 3), ("six", 4), ("seven", 5))  # two share a second


async def send_seven(client: Any, server: TrackrecordServer) -> None:
    await make_ada(client)
    for name, second in SEVEN:
        request = CreateDataEventRequestWithUserId(user_id="ada", event_name=name, created_at=NOW - 100 + second)
        await said(client.events.create(request=request))


async def test_three_pages_of_events_are_walked_by_copying_the_cursor(client: Any, server: TrackrecordServer) -> None:
    await send_seven(client, server)
    pages, options = [], {}
    while True:
        page = await said(client.events.list(type="user", user_id="ada", per_page=3, request_options=options or None))
        pages.append(names_of(page))
        if "next" not in page.pages:
            break
        assert page.pages["next"].startswith(f"{server.url}/events?per_page=3&before=")
        options = {"additional_query_parameters": cursor_in(page.pages["next"])}
    assert pages == [["seven", "six", "five"], ["four", "three", "two"], ["one"]]


@pytest.mark.parametrize(
    "whose",
    [
        LisDataEventsRequestFilterUserId(user_id="ada"),
        LisDataEventsRequestFilterEmail(email="ada@example.com"),
        LisDataEventsRequestFilterIntercomUserId(intercom_user_id="ID"),
    ],
    ids=lambda whose: next(iter(whose.dict())),
)
async def test_the_unstable_module_walks_three_pages_by_its_filter(client: Any, server: TrackrecordServer, whose: Any) -> None:
    await send_seven(client, server)
    if "intercom_user_id" in whose.dict():
        ada = await said(client.contacts.show_contact_by_external_id("ada"))
        whose = LisDataEventsRequestFilterIntercomUserId(intercom_user_id=ada.id)
    pages, extra = [], {"per_page": 3}
    while True:
        options = {"additional_query_parameters": extra}
        page = await said(client.unstable.data_events.lis_data_events(filter=whose, type="user", request_options=options))
        pages.append(names_of(page))
        if "next" not in page.pages:
            break
        extra = {"per_page": 3, **cursor_in(page.pages["next"])}
    assert pages == [["seven", "six", "five"], ["four", "three", "two"], ["one"]]


async def test_a_summary_counts_events_and_the_baseline_set_before_them(client: Any) -> None:
    ada = await make_ada(client)
    for second in (10, 20):
        event = CreateDataEventRequestWithUserId(user_id="ada", event_name="invited-friend", created_at=1671028894 + second)
        await said(client.events.create(request=event))
    await said(client.events.create(request=CreateDataEventRequestWithUserId(user_id="ada", event_name="logged-in", created_at=1671028895)))
    baseline = CreateDataEventSummariesRequestEventSummaries(event_name="invited-friend", count=5, first=1600000000, last=1671028894)
    for _ in range(2):  # the same call again changes nothing
        assert await said(client.events.summaries(user_id="ada", event_summaries=baseline)) is None

    expected = {
        "type": "event.summary",
        "email": "ada@example.com",
        "intercom_user_id": ada.id,
        "user_id": "ada",
        "events": [
            {
                "name": "invited-friend",
                "first": "2020-09-13T12:26:40.000Z",
                "last": "2022-12-14T14:41:54.000Z",
                "count": 7,
                "description": None,
            },
            {
                "name": "logged-in",
                "first": "2022-12-14T14:41:35.000Z",
                "last": "2022-12-14T14:41:35.000Z",
                "count": 1,
                "description": None,
            },
        ],
    }
    assert (await said(client.events.list(type="user", user_id="ada", summary=True))).dict() == expected
    unstable = client.unstable.data_events.lis_data_events(
        filter=LisDataEventsRequestFilterUserId(user_id="ada"), type="user", summary=True
    )
    assert (await said(unstable)).dict() == expected


async def test_the_token_is_checked_by_me_and_the_admins_are_listed(client: Any) -> None:
    me = await said(client.admins.identify())
    assert me.dict() == {
        "type": "admin",
        "id": "1",
        "email": "admin@localhost",
        "name": "Administrator",
        "email_verified": True,
        "app": {
            "type": "app",
            "id_code": "trackrecord",
            "name": "trackrecord",
            "created_at": me.app.created_at,
            "secure": False,
            "identity_verification": False,
            "timezone": "UTC",
            "region": "US",
        },
        "avatar": {"type": "avatar", "image_url": None},
        "has_inbox_seat": True,
    }
    assert (await said(client.admins.list())).dict() == {"type": "admin.list", "admins": [ADMIN]}
    assert (await said(client.admins.find(1))).dict() == {**ADMIN, "away_status_reason_id": None}
