"""intercom-client 7 and, with Basic authentication, 4: a whole scenario each, unmodified, run by Node and compared whole."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from client_shapes import ADMIN, NOW, whole_contact

from trackrecord.testing import TrackrecordServer

NODE = Path(__file__).parent / "node"
TIMEOUT_S = 60


def seen_by(script: str, server: TrackrecordServer) -> dict[str, Any]:
    """What a scenario observed. Skips where Node or the clients are not there."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: on Debian and Ubuntu, apt-get install nodejs npm")
    if not (NODE / "node_modules" / script.rpartition(".")[0].replace("client", "intercom-client")).is_dir():
        pytest.skip("the Node clients are not installed: make node-clients, or npm ci in tests/clients/node")
    environment = {**os.environ, "TRACKRECORD_URL": server.url, "TRACKRECORD_TOKEN": server.token, "NOW": str(NOW)}
    ran = subprocess.run([node, NODE / script], env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


def counted(name: str, first: str, last: str, count: int = 1) -> dict[str, Any]:
    return {"name": name, "first": first, "last": last, "count": count, "description": None}


def at(second: int) -> str:
    return f"2023-11-14T22:11:{second}.000Z"


UNAUTHORIZED = {"code": "unauthorized", "message": "Access Token Invalid"}
NOBODY = {"code": "not_found", "message": "User Not Found"}
NO_ADMIN = {"code": "admin_not_found", "message": "Admin not found"}
AMBIGUOUS = {"code": "conflict", "message": "Multiple existing users match this email address - must be more specific using user_id"}
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
    return {"code": "conflict", "message": f"A contact matching those details already exists with id={ada}"}


def expected_of_both(seen: dict[str, Any]) -> dict[str, Any]:
    """What both clients see of the same story, given the ids that this run made."""
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
    }


def test_node_client_7_does_everything_an_integration_does(server: TrackrecordServer) -> None:
    seen = seen_by("client-7.mjs", server)

    def refused(status: int, error: dict[str, Any], kind: str = "IntercomError") -> dict[str, Any]:
        return {
            "class": kind,
            "typed": True,
            "status": status,
            "type": "error.list",
            "errors": [error],
            "requestIdIsTheHeaders": True,
        }

    expected = expected_of_both(seen)
    expected["summary"]["events"] = [*SUMMARY, counted("one", "2020-09-13T12:26:40.000Z", at(40), 6)]
    assert seen == {
        **expected,
        "foundByExternalId": expected["ada"],
        "contactsIterated": 5,
        "accepted": {"data": None, "status": 202, "version": "2.14"},
        "unstable": [name for page in PAGES for name in page],
        "baseline": None,
        "refused": {
            "badToken": refused(401, UNAUTHORIZED, "UnauthorizedError"),
            "badTokenList": refused(401, UNAUTHORIZED, "UnauthorizedError"),
            "noUser": refused(404, NOBODY),
            "noContact": refused(404, NOBODY),
            "noAdmin": refused(404, NO_ADMIN, "NotFoundError"),
            "taken": refused(409, taken(seen["ada"]["id"])),
            "ambiguous": refused(409, AMBIGUOUS),
            "fromTheFuture": refused(422, FUTURE),
            "nobodysSummary": refused(400, WHOSE),
            "deleted": refused(404, NOBODY),
        },
        "unauthorizedIsTyped": True,
        "notFoundIsTyped": True,
    }


def test_node_client_4_signs_in_with_basic_and_follows_next_pages_verbatim(server: TrackrecordServer) -> None:
    seen = seen_by("client-4.cjs", server)

    def refused(status: int, error: dict[str, Any]) -> dict[str, Any]:
        return {
            "message": error["message"],
            "status": status,
            "type": "error.list",
            "errors": [error],
            "requestIdIsTheHeaders": True,
        }

    expected = expected_of_both(seen)
    expected["summary"]["events"] = [*SUMMARY, counted("one", at(40), at(40))]
    assert seen == {
        **expected,
        "accepted": "",
        "ping": {"type": "admin.list", "admins": [ADMIN]},
        "admin": {**ADMIN, "away_status_reason_id": None},
        "refused": {
            "badToken": refused(401, UNAUTHORIZED),
            "badTokenPing": refused(401, UNAUTHORIZED),
            "noUser": refused(404, NOBODY),
            "noContact": refused(404, NOBODY),
            "noAdmin": refused(404, NO_ADMIN),
            "taken": refused(409, taken(seen["ada"]["id"])),
            "ambiguous": refused(409, AMBIGUOUS),
            "fromTheFuture": refused(422, FUTURE),
            "deleted": refused(404, NOBODY),
        },
    }
