"""intercom-client 2 and python-intercom 3.1, unmodified: they speak API 1.x, and a whole scenario of each is compared whole.

Neither sends a version, so their server has 1.4 as its default.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client_shapes import ADMIN, NODE, NOW, PYTHON_3, needs_node, needs_python_3, seen_by

from trackrecord.testing import TrackrecordServer

SCENARIO = Path(__file__).parent / "python" / "scenario.py"
PAGES = [["seven", "six", "five"], ["four", "three", "two"], ["one"]]
SECONDS = {"seven": 45, "six": 44, "four": 43, "five": 43, "three": 42, "two": 41, "one": 40}
ORDER = {"order_date": 1392036272, "price": {"amount": 2999, "currency": "usd"}, "paid": True}
SEVERAL = "Multiple existing users match this email address - must be more specific using user_id"
NOBODY = {"code": "not_found", "message": "User Not Found", "field": "user_id"}


@pytest.fixture
def old_server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer(default_version="1.4") as running:
        running.clock.freeze(NOW)
        yield running


def whole_user(id: str, **known: Any) -> dict[str, Any]:
    """A user with every key of the contract's section 5; what is not `known` is as it is in a new one."""
    unknown = (
        "phone pseudonym last_request_at remote_created_at signed_up_at owner_id user_agent_data referrer "
        "utm_campaign utm_content utm_medium utm_source utm_term"
    )
    location = "city_name continent_code country_code country_name latitude longitude postal_code region_name timezone"
    return {
        **dict.fromkeys(unknown.split()),
        "type": "user",
        "id": id,
        "anonymous": False,
        "app_id": "trackrecord",
        "avatar": {"type": "avatar", "image_url": None},
        "companies": {"type": "company.list", "companies": []},
        "location_data": {"type": "location_data", **dict.fromkeys(location.split())},
        "created_at": NOW,
        "updated_at": NOW,
        "session_count": 0,
        "social_profiles": {"type": "social_profile.list", "social_profiles": []},
        "unsubscribed_from_emails": False,
        "marked_email_as_spam": False,
        "has_hard_bounced": False,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "custom_attributes": {},
        **known,
    }


def at(second: int) -> str:
    return f"2023-11-14T22:11:{second}.000Z"


@needs_node
def test_node_client_2_does_everything_an_integration_does(old_server: TrackrecordServer) -> None:
    seen = seen_by(old_server, "node", NODE / "client-2.cjs")
    ada = seen["ada"]["id"]

    def refused(status: int, error: dict[str, Any]) -> dict[str, Any]:
        return {"message": error["message"], "status": status, "errors": [error], "requestIdIsTheHeaders": True}

    event = {"type": "event", "user_id": "ada", "email": "ada@example.com", "intercom_user_id": ada, "event_name": "seven"}
    summary = [{"name": name, "first": at(second), "last": at(second), "count": 1, "description": None} for name, second in SECONDS.items()]
    (tag,) = seen["tags"]["tags"]
    assert seen == {
        "ada": whole_user(ada, user_id="ada", email="ada@example.com", name="Ada"),
        "found": [True, True, True],
        "updated": ["Ada", {"plan": "pro", "seats": 3}],
        "userPages": [2, 2],
        "users": ["ada", "user-0", "user-1", "user-2"],
        "total": 4,
        "scrolled": ["ada", "user-0", "user-1", "user-2"],
        "lead": ["contact", "lead@example.com", "string", True],
        "leadUpdated": "Lee",
        "leads": ["Lee"],
        "accepted": [202, None],
        "newest": [{**event, "created_at": NOW - 95, "metadata": ORDER}],
        "pages": PAGES,
        "summary": {
            "type": "event.summary",
            "email": "ada@example.com",
            "intercom_user_id": ada,
            "user_id": "ada",
            "events": summary,
        },
        "converted": "user-0",
        "ofConverted": ["read-article"],
        "job": ["api_bulk_job", [3], ["error", "self"]],
        "jobFound": "completed",
        "jobErrors": [["nobody", NOBODY]],
        "ofBulk": ["ordered-item", "ordered-item"],
        "people": [2, "bulk-1"],
        "tag": ["tag", "blue", ["ada", "user-1"]],
        "untagged": ["ada"],
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": tag["id"], "name": "blue"}]},
        "tagDeleted": 200,
        "segments": {"type": "segment.list", "segments": []},
        "admins": {"type": "admin.list", "admins": [ADMIN]},
        "ping": 200,
        "deletionRequested": ["id"],
        "refused": {
            "badToken": refused(401, {"code": "unauthorized", "message": "Access Token Invalid", "field": "Authorization"}),
            "noUser": refused(404, NOBODY),
            "noUsersEvent": refused(404, NOBODY),
            "ambiguous": refused(409, {"code": "conflict", "message": SEVERAL, "field": "email"}),
            "noJob": refused(404, {"code": "job_not_found", "message": "Job Not Found", "field": "job_id"}),
            "archived": refused(404, NOBODY),
            "deleted": refused(404, NOBODY),
        },
    }


def as_python_3_reads(user: dict[str, Any]) -> dict[str, Any]:
    """A user as its classes hold it: without types, which become classes; and lists without their envelope."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict) or "type" not in value:
            return value
        kind = value["type"]
        if kind.endswith(".list"):
            return [read(each) for each in next(each for key, each in value.items() if key != "type")]
        name = "".join(word.capitalize() for word in kind.split("_"))
        return {"class": name, **{key: read(each) for key, each in value.items() if key != "type"}}

    found: dict[str, Any] = read(user)
    return found


def unexpected(message: str, status: int) -> list[Any]:
    """How python-intercom 3 raises codes that it does not know."""
    told = f"The error of type 'None' is not recognized. It occurred with the message: {message} and http_code: '{status}'."
    return ["UnexpectedError", f"{told} Please contact Intercom with these details.", status]


@needs_python_3
def test_python_client_3_does_everything_an_integration_does(old_server: TrackrecordServer) -> None:
    seen = seen_by(old_server, sys.executable, SCENARIO, PYTHONPATH=str(PYTHON_3), PYTHONWARNINGS="ignore")
    nobody = ["ResourceNotFound", "User Not Found", 404]
    everyone = ["ada", "grace", "user-0", "user-1", "user-2"]
    new = whole_user(seen["ada"]["id"], user_id="ada", email="ada@example.com", name="Ada", custom_attributes={"plan": "free", "seats": 1})
    assert seen == {
        "ada": as_python_3_reads(new),
        "signed_up": NOW - 86_400,
        "found": [True, True, True],
        "saved": ["Ada L.", {"plan": "pro", "seats": 3}, "Ada L."],
        "users": everyone,
        "user pages": everyone,
        "scrolled": everyone,
        "lead": ["lead@example.com", "Lee", True],
        "lead saved": "Lea",
        "lead found": "Lea",
        "leads": [True],
        "accepted": None,
        "events": [name for page in PAGES for name in page],
        "newest": ["seven", NOW - 95, ORDER, True],
        "lead's events": ["read-article"],
        "summary": sorted([name, 1, at(second), at(second)] for name, second in SECONDS.items()),
        "converted": ["read-article"],
        "leads left": 0,
        "job": ["api_bulk_job", True, 2, NOW + 900],
        "job found": [True, "completed", [4, 1], ["error", "self"]],
        "job errors": [True, [["nobody", NOBODY, "post", "event"]]],
        "bulk events": [["ordered-item", {}], ["ordered-item", {"n": 2}], ["ordered-item", {"n": 1}]],
        "bulk users": ["completed", "bulk-1@example.com", "bulk-2@example.com"],
        "tag": ["blue", ["ada", "grace"]],
        "tags of ada": ["blue"],
        "untagged": ["ada"],
        "tags": ["blue"],
        "segments": [],
        "admins": ["Administrator"],
        "rate limit": ["limit", "remaining", "reset_at"],
        "refused": {
            "bad token": ["AuthenticationError", "Access Token Invalid", 401],
            "bad token, event": ["AuthenticationError", "Access Token Invalid", 401],
            "no user": nobody,
            "no user, event": nobody,
            "ambiguous": ["MultipleMatchingUsersError", SEVERAL, 409],
            "ambiguous, event": ["MultipleMatchingUsersError", SEVERAL, 409],
            "no name": ["BadRequestError", "event_name is required: what the contact did, such as invited-friend", 400],
            "no job": unexpected("Job Not Found", 404),
            "two scrolls": unexpected("scroll already exists for this workspace: go on with its scroll_param, or wait 60 s", 400),
        },
        "deleted": nobody,
    }
