"""intercom-client 7, 6 and, with Basic authentication, 4: a whole scenario each, unmodified, run by Node and compared whole."""

from typing import Any

import pytest
from client_shapes import ADMIN, NODE, NOW, needs_node, seen_by, whole_contact

from trackrecord.testing import TrackrecordServer

pytestmark = needs_node


def counted(name: str, first: str, last: str, count: int = 1) -> dict[str, Any]:
    return {"name": name, "first": first, "last": last, "count": count, "description": None}


def at(second: int) -> str:
    return f"2023-11-14T22:11:{second}.000Z"


SEVERAL = "Multiple existing users match this email address - must be more specific using user_id"


def nobody(field: str) -> dict[str, Any]:
    return {"code": "not_found", "message": "User Not Found", "field": field}


UNAUTHORIZED = {"code": "unauthorized", "message": "Access Token Invalid", "field": "Authorization"}
NO_ADMIN = {"code": "admin_not_found", "message": "Admin not found", "field": "admin_id"}
NO_TAG = {"code": "not_found", "message": "Resource Not Found", "field": "tag_id"}
NO_JOB = {"code": "job_not_found", "message": "Job Not Found", "field": "job_id"}
AMBIGUOUS = {"code": "conflict", "message": SEVERAL, "field": "email"}
BAD_SEARCH = {"code": "invalid_field", "message": "shoe is not a valid search field", "field": "query.field"}
FUTURE = {"code": "data_invalid", "message": "created_at can't be in the future", "field": "created_at"}
WHOSE = {"code": "parameter_not_found", "message": "an event must say whose it is: id, user_id or email", "field": "user_id"}
PAGES = [["seven", "six", "five"], ["four", "three", "two"], ["one"]]
EMAILS = ["0@example.com", "1@example.com", "2@example.com", "ada@example.com", "lead@example.com"]
ORDER = {"order_date": 1392036272, "price": {"amount": 2999, "currency": "usd"}, "paid": True}
SUMMARY = [
    counted("seven", at(45), at(45)),
    counted("six", at(44), at(44)),
    counted("four", at(43), at(43)),
    counted("five", at(43), at(43)),
    counted("three", at(42), at(42)),
    counted("two", at(41), at(41)),
]


def taken(ada: str) -> dict[str, Any]:
    return {"code": "conflict", "message": f"A contact matching those details already exists with id={ada}", "field": "external_id"}


def expected_of_all(seen: dict[str, Any]) -> dict[str, Any]:
    """What all clients see of the same story, given the ids that this run made."""
    ada, lead, leads_user_id = seen["ada"]["id"], seen["lead"]["id"], seen["ofLead"][0]["user_id"]
    contact = whole_contact(ada, role="user", external_id="ada", email="ada@example.com", email_domain="example.com", name="Ada")
    event = {"type": "event", "user_id": "ada", "email": "ada@example.com", "intercom_user_id": ada, "event_name": "seven"}
    of_lead = {"type": "event", "user_id": leads_user_id, "email": "lead@example.com", "intercom_user_id": lead}
    return {
        "ada": contact,
        "found": contact,
        "lead": {"id": lead, "role": "lead", "external_id": None, "email": "lead@example.com"},
        "updated": {"name": "Ada L.", "email": "ada@example.com", "custom_attributes": {"plan": "pro", "seats": 3}},
        "contactPages": [2, 2, 1],
        "contactEmails": EMAILS,
        "newest": [{**event, "created_at": NOW - 95, "metadata": ORDER}],
        "pages": PAGES,
        "listType": "event.list",
        "lastPagesKeys": ["since"],
        "ofLead": [{**of_lead, "created_at": NOW, "event_name": "read-article", "metadata": {}}],
        "summary": {"type": "event.summary", "email": "ada@example.com", "intercom_user_id": ada, "user_id": "ada"},
        "me": {"type": "admin", "id": "1", "app": "trackrecord", "region": "US"},
        "admins": {"type": "admin.list", "admins": [ADMIN]},
        "deleted": {"type": "contact", "id": ada, "external_id": "ada", "deleted": True},
        "searched": [["ada"], 1],
        "searchedPages": [["0@example.com"], ["1@example.com"]],
        "searchedByAttribute": ["ada"],
        "tag": {"type": "tag", "name": "Blue", "sameAgain": True},
        "tagged": {"type": "tag", "id": True, "name": "Blue", "applied_at": NOW, "applied_by": {"type": "admin", "id": "1"}},
        "tagsOfAda": ["Blue"],
        "tagsOnAda": [True],
        "searchedByTag": ["ada"],
        "tags": ["Blue"],
        "untagged": "Blue",
        "tagsLeft": [],
        "attribute": {"name": "Shoe size", "full_name": "custom_attributes.Shoe size", "data_type": "integer", "custom": True},
        "attributeChanged": "EU",
        "attributes": ["Shoe size", "plan", "seats"],
        "segments": {"type": "segment.list", "segments": []},
        "segmentsOfAda": [],
        "companiesOfAda": [],
        "archived": {"type": "contact", "id": ada, "external_id": "ada", "archived": True},
        "unarchived": {"type": "contact", "id": ada, "external_id": "ada", "archived": False},
        "merged": {"id": True, "role": "user", "email": "ada@example.com"},
        "afterMerge": ["read-article", *(name for page in PAGES for name in page)],
    }


@pytest.mark.parametrize(("script", "version"), [("client-7.mjs", "2.14"), ("client-6.mjs", "2.11")])
def test_the_generated_node_clients_do_everything_an_integration_does(server: TrackrecordServer, script: str, version: str) -> None:
    seen = seen_by(server, "node", NODE / script)

    def refused(status: int, error: dict[str, Any], kind: str = "IntercomError") -> dict[str, Any]:
        return {
            "class": kind,
            "typed": True,
            "status": status,
            "type": "error.list",
            "errors": [error],
            "requestIdIsTheHeaders": True,
        }

    expected = expected_of_all(seen)
    expected["summary"]["events"] = [*SUMMARY, counted("one", "2020-09-13T12:26:40.000Z", at(40), 6)]
    if version == "2.11":
        for shown in ("ada", "found"):
            expected[shown] = {**expected[shown], "formatted_phone": None}
    since_7 = {"foundByExternalId": expected["ada"]} if version == "2.14" else {}
    refused_since_7 = {"noJob": refused(404, NO_JOB, "NotFoundError")} if version == "2.14" else {}
    assert seen == {
        **expected,
        **since_7,
        "contactsIterated": 5,
        "accepted": {"data": None, "status": 202, "version": version},
        "unstable": [name for page in PAGES for name in page],
        "baseline": None,
        "tagFound": "Blue",
        "tagDeleted": None,
        "refused": {
            **refused_since_7,
            "badToken": refused(401, UNAUTHORIZED, "UnauthorizedError"),
            "badTokenList": refused(401, UNAUTHORIZED, "UnauthorizedError"),
            "noUser": refused(404, nobody("user_id")),
            "noContact": refused(404, nobody("contact_id")),
            "noAdmin": refused(404, NO_ADMIN, "NotFoundError"),
            "taken": refused(409, taken(seen["ada"]["id"])),
            "ambiguous": refused(409, AMBIGUOUS),
            "fromTheFuture": refused(422, FUTURE),
            "nobodysSummary": refused(400, WHOSE),
            "deleted": refused(404, nobody("user_id")),
            "whileArchived": refused(404, nobody("user_id")),
            "merged": refused(404, nobody("contact_id")),
            "badSearch": refused(400, BAD_SEARCH),
            "noTag": refused(404, NO_TAG, "NotFoundError"),
        },
        "unauthorizedIsTyped": True,
        "notFoundIsTyped": True,
    }


def test_node_client_4_signs_in_with_basic_and_follows_next_pages_verbatim(server: TrackrecordServer) -> None:
    seen = seen_by(server, "node", NODE / "client-4.cjs")

    def refused(status: int, error: dict[str, Any]) -> dict[str, Any]:
        return {
            "message": error["message"],
            "status": status,
            "type": "error.list",
            "errors": [error],
            "requestIdIsTheHeaders": True,
        }

    expected = expected_of_all(seen)
    expected["summary"]["events"] = [*SUMMARY, counted("one", at(40), at(40))]
    assert seen == {
        **expected,
        "accepted": "",
        "tagDeleted": "",
        "ping": {"type": "admin.list", "admins": [ADMIN]},
        "admin": {**ADMIN, "away_status_reason_id": None},
        "refused": {
            "badToken": refused(401, UNAUTHORIZED),
            "badTokenPing": refused(401, UNAUTHORIZED),
            "noUser": refused(404, nobody("user_id")),
            "noContact": refused(404, nobody("contact_id")),
            "noAdmin": refused(404, NO_ADMIN),
            "taken": refused(409, taken(seen["ada"]["id"])),
            "ambiguous": refused(409, AMBIGUOUS),
            "fromTheFuture": refused(422, FUTURE),
            "deleted": refused(404, nobody("user_id")),
            "whileArchived": refused(404, nobody("user_id")),
            "merged": refused(404, nobody("contact_id")),
            "badSearch": refused(400, BAD_SEARCH),
        },
    }
