"""Segments, and the lists of a contact that are always empty. The contract, 7."""

from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api

NOW = 1_734_537_394
NO_SEGMENT = (404, "not_found", "Resource Not Found", "segment_id")


def make(api: Api, name: str, *, members: list[Any] = [], person_type: str = "user") -> Any:  # noqa: B006 - only read
    """A segment with these contacts in it, as the wire shows it: whoever fills segments does it so."""
    directory = api.server.server.directory
    segment = directory.segments.create(1, name=name, person_type=person_type, now=NOW)
    directory.segments.join(segment, [directory.contacts.get(1, contact["id"]).number for contact in members], now=NOW)
    return {
        "type": "segment",
        "id": segment.id,
        "name": name,
        "created_at": NOW,
        "updated_at": NOW,
        "person_type": person_type,
    }


def test_segments_are_listed_alone_and_of_a_contact():
    with TrackrecordServer() as server:
        api = Api(server)
        assert api.get("/segments").json == {"type": "segment.list", "segments": []}
        user, lead = api.contact(), api.contact(role="lead")
        active, leads = make(api, "Active", members=[user, lead]), make(api, "Leads", members=[lead], person_type="contact")
        assert api.get("/segments").json == {"type": "segment.list", "segments": [active, leads]}
        assert api.get("/segments", "Intercom-Version: 1.0").json == {"type": "segment.list", "segments": [active, leads]}
        assert api.get(f"/segments/{leads['id']}").json == leads
        of = [api.get(f"/contacts/{contact['id']}/segments").json for contact in (user, lead)]
        assert of == [{"type": "list", "data": [active]}, {"type": "list", "data": [active, leads]}]


def test_the_count_of_a_segment_is_of_live_contacts():
    with TrackrecordServer() as server:
        api = Api(server)
        contacts = [api.contact() for _ in range(3)]
        active, empty = make(api, "Active", members=contacts), make(api, "Empty")
        assert api.delete(f"/contacts/{contacts[0]['id']}").status == 200
        expected = {"type": "segment.list", "segments": [{**active, "count": 2}, {**empty, "count": 0}]}
        assert [api.get(f"/segments?include_count={yes}").json for yes in ("true", "1", "TRUE")] == [expected] * 3
        assert api.get("/segments?include_count=false").json["segments"] == [active, empty]
        assert api.get("/segments?include_count=maybe").error == (
            400,
            "parameter_invalid",
            "include_count must be true or false, got 'maybe'",
            "include_count",
        )


def test_who_leaves_a_segment_is_in_it_no_more(api: Api):
    contact = api.contact()
    shown = make(api, "For a while", members=[contact])
    segments = api.server.server.directory.segments
    segment, number = segments.get(1, shown["id"]), api.server.server.directory.contacts.get(1, contact["id"]).number
    segments.join(segment, [number], now=NOW + 1)
    assert segments.members(segment) == [number]
    segments.leave(segment, [number])
    assert segments.members(segment) == []
    assert api.get(f"/contacts/{contact['id']}/segments").json["data"] == []


@pytest.mark.parametrize("id", ["000000000000000000000000", "1", "%00", "x" * 3000])
def test_an_unknown_segment_is_not_found(api: Api, id: str):
    assert api.get(f"/segments/{id}").error == NO_SEGMENT


@pytest.mark.parametrize("path", ["segments", "notes", "subscriptions", "companies", "tags"])
def test_the_lists_of_an_unknown_contact_are_not_found(api: Api, path: str):
    answer = api.get(f"/contacts/000000000000000000000000/{path}")
    assert answer.error[:3] == (404, "not_found", "User Not Found")


def test_a_contact_has_no_notes_and_no_subscriptions(api: Api):
    contact = api.contact()
    pages = {"type": "pages", "next": None, "page": 1, "per_page": 50, "total_pages": 1}
    assert api.get(f"/contacts/{contact['id']}/notes").json == {"type": "list", "data": [], "total_count": 0, "pages": pages}
    assert api.get(f"/contacts/{contact['id']}/subscriptions").json == {"type": "list", "data": []}


@pytest.mark.parametrize("target", ["/counts", "/conversations", "/messages", "/teams", "/subscriptions", "/notes/1"])
def test_what_is_no_part_of_events_and_contacts_is_not_found(api: Api, target: str):
    assert api.get(target).error[:3] == (404, "not_found", "Resource Not Found")


def test_segments_are_there_after_a_restart(tmp_path: Any):
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server)
        contact = api.contact()
        segment, token = make(api, "Kept", members=[contact]), server.token
    with TrackrecordServer(data=str(tmp_path)) as server:
        api = Api(server, token)
        assert api.get("/segments?include_count=true").json["segments"] == [{**segment, "count": 1}]
        assert api.get(f"/contacts/{contact['id']}/segments").json["data"] == [segment]
