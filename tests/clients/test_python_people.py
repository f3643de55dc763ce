"""python-intercom 5, unmodified: searching people, and tagging, archiving, blocking, merging and converting them."""

from typing import Any

import pytest
from client_shapes import NOW
from intercom import (
    CreateDataAttributeRequestOne,
    CreateDataEventRequestWithId,
    CreateOrUpdateTagRequest,
    MultipleFilterSearchRequest,
    SingleFilterSearchRequest,
    StartingAfterPaging,
    UpdateVisitorRequestWithUserId,
    VisitorWithUserId,
)
from intercom.core.api_error import ApiError
from python_5 import make_ada, make_lead, names_of, refusal, said

from trackrecord.rules.contacts import Draft
from trackrecord.rules.profiles import profile_named
from trackrecord.testing import TrackrecordServer


def where(field: str, operator: str, value: Any) -> SingleFilterSearchRequest:
    return SingleFilterSearchRequest(field=field, operator=operator, value=value)


async def found_by(client: Any, query: Any, per_page: int = 50) -> list[list[str]]:
    """The addresses of the contacts a search finds, page by page.

    The cursor is copied by hand: this client's own pager of a search sends the first request again and again.
    """
    pages, cursor = [], None
    while True:
        page = await said(client.contacts.search(query=query, pagination=StartingAfterPaging(per_page=per_page, starting_after=cursor)))
        pages.append([contact.email for contact in page.items])
        if not page.has_next:
            return pages
        cursor = page.response.pages.next.starting_after


async def test_contacts_are_searched_by_field_group_attribute_and_tag(client: Any, server: TrackrecordServer) -> None:
    ada = await make_ada(client)
    await make_lead(client)
    server.clock.advance(1)
    await said(client.contacts.update(ada.id, custom_attributes={"plan": "pro"}))
    tag = await said(client.tags.create(request=CreateOrUpdateTagRequest(name="Blue")))
    await said(client.tags.tag_contact(ada.id, tag_id=tag.id))
    either = MultipleFilterSearchRequest(operator="OR", value=[where("role", "=", "lead"), where("email", "^", "ada@")])
    young = MultipleFilterSearchRequest(operator="AND", value=[where("created_at", ">", str(NOW - 864_000))])
    nested = MultipleFilterSearchRequest(operator="AND", value=[either, young])
    for query, addresses in (
        (where("email", "=", "ADA@example.com"), ["ada@example.com"]),
        (where("external_id", "IN", ["ada", "grace"]), ["ada@example.com"]),
        (where("custom_attributes.plan", "=", "pro"), ["ada@example.com"]),
        (where("tag_id", "=", tag.id), ["ada@example.com"]),
        (where("role", "=", "lead"), ["lead@example.com"]),
        (where("email", "=", "nobody@example.com"), []),
        (nested, ["ada@example.com", "lead@example.com"]),
    ):
        found = [each for page in await found_by(client, query) for each in page]
        assert sorted(found) == addresses
    one_a_page = await found_by(client, nested, per_page=1)
    assert sorted(one_a_page) == [["ada@example.com"], ["lead@example.com"]]


async def test_a_contact_is_tagged_and_untagged(client: Any) -> None:
    ada = await make_ada(client)
    tag = await said(client.tags.create(request=CreateOrUpdateTagRequest(name="Blue")))
    applied = await said(client.tags.tag_contact(ada.id, tag_id=tag.id))
    assert applied.dict() == {
        "type": "tag",
        "id": tag.id,
        "name": "Blue",
        "applied_at": NOW,
        "applied_by": {"type": "admin", "id": "1"},
    }
    assert [each.name for each in (await said(client.contacts.list_attached_tags(ada.id))).data] == ["Blue"]
    assert [each.id for each in (await said(client.contacts.find(ada.id))).tags.data] == [tag.id]
    assert (await said(client.tags.find(tag.id))).name == "Blue"
    await said(client.tags.untag_contact(ada.id, tag.id))
    assert (await said(client.contacts.list_attached_tags(ada.id))).data == []
    assert await said(client.tags.delete(tag.id)) is None
    assert (await said(client.tags.list())).data == []


async def test_a_data_attribute_is_made_listed_and_archived(client: Any) -> None:
    request = CreateDataAttributeRequestOne(name="Shoe size", model="contact", data_type="integer")
    made = await said(client.data_attributes.create(request=request))
    assert (made.name, made.full_name, made.data_type, made.custom) == ("Shoe size", "custom_attributes.Shoe size", "integer", True)
    await said(client.data_attributes.update(made.id, request={"archived": True}))
    for archived, names in ((True, ["Shoe size"]), (False, [])):
        listed = await said(client.data_attributes.list(model="contact", include_archived=archived))
        assert [each.name for each in listed.data if each.custom] == names
    assert (await said(client.segments.list())).segments == []


async def test_an_archived_contact_is_hidden_and_comes_back_and_a_blocked_one_does_not(client: Any) -> None:
    ada = await make_ada(client)
    event = CreateDataEventRequestWithId(id=ada.id, event_name="signed-up", created_at=NOW)
    await said(client.events.create(request=event))
    archived = await said(client.contacts.archive(ada.id))
    assert archived.dict() == {"type": "contact", "id": ada.id, "external_id": "ada", "archived": True}
    with pytest.raises(ApiError) as caught:
        await said(client.events.create(request=event))
    assert refusal(caught.value) == (404, [{"code": "not_found", "message": "User Not Found", "field": "id"}])
    with pytest.raises(ApiError) as caught:
        await make_ada(client)
    message = f"An archived contact matching those details already exists with id={ada.id}"
    assert refusal(caught.value) == (409, [{"code": "conflict", "message": message, "field": "external_id"}])
    assert (await said(client.contacts.unarchive(ada.id))).archived is False
    assert names_of(await said(client.events.list(type="user", user_id="ada"))) == ["signed-up"]
    assert (await said(client.contacts.block_contact(ada.id))).blocked is True
    with pytest.raises(ApiError) as caught:
        await make_ada(client)
    status, (error,) = refusal(caught.value)
    assert (status, error["code"]) == (403, "not_restorable")


async def test_a_lead_is_merged_into_a_user_with_its_events(client: Any) -> None:
    ada, lead = await make_ada(client), await make_lead(client)
    await said(client.events.create(request=CreateDataEventRequestWithId(id=lead.id, event_name="asked", created_at=NOW - 1)))
    merged = await said(client.contacts.merge_lead_in_user(lead_id=lead.id, contact_id=ada.id))
    assert (merged.id, merged.role, merged.email) == (ada.id, "user", "ada@example.com")
    await said(client.events.create(request=CreateDataEventRequestWithId(id=lead.id, event_name="asked again", created_at=NOW)))
    assert names_of(await said(client.events.list(type="user", user_id="ada"))) == ["asked again", "asked"]
    with pytest.raises(ApiError) as caught:
        await said(client.contacts.find(lead.id))
    assert refusal(caught.value) == (404, [{"code": "not_found", "message": "User Not Found", "field": "contact_id"}])


async def test_a_visitor_is_found_changed_and_becomes_a_user(client: Any, server: TrackrecordServer) -> None:
    made = server.server.directory.contacts.create(1, Draft(role="visitor"), now=NOW, profile=profile_named("lenient"))
    user_id = str(made.anonymous_id)
    await said(client.events.create(request=CreateDataEventRequestWithId(id=made.id, event_name="viewed", created_at=NOW)))
    visitor = await said(client.visitors.find(user_id=user_id))
    assert (visitor.type, visitor.id, visitor.user_id, visitor.anonymous) == ("visitor", made.id, user_id, True)
    changed = await said(client.visitors.update(request=UpdateVisitorRequestWithUserId(user_id=user_id, name="Gareth")))
    assert changed.name == "Gareth"
    contact = await said(
        client.visitors.merge_to_contact(type="user", user={"user_id": "gareth"}, visitor=VisitorWithUserId(user_id=user_id))
    )
    assert (contact.role, contact.external_id, contact.name) == ("user", "gareth", "Gareth")
    assert names_of(await said(client.events.list(type="user", user_id="gareth"))) == ["viewed"]
