"""What the clients are shown, whole, and which clients are here."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

NODE = Path(__file__).parent / "node"
NODE_CLIENTS = ("intercom-client-2", "intercom-client-4", "intercom-client-6", "intercom-client-7")
PYTHON_3 = Path(__file__).parents[2] / ".venv" / "python-3"  # beside python-intercom 5, whose module has the same name

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not all((NODE / "node_modules" / name).is_dir() for name in NODE_CLIENTS),
    reason="Node or its clients are not installed: make node-clients, or npm ci in tests/clients/node",
)
needs_python_3 = pytest.mark.skipif(
    not (PYTHON_3 / "intercom").is_dir(), reason="python-intercom 3 is not installed: make .venv/python-3.stamp"
)

TIMEOUT_S = 60


def seen_by(server: TrackrecordServer, *command: str | Path, **environment: str) -> dict[str, Any]:
    """What a scenario in a process of its own printed. It must end well and complain of nothing."""
    known = {"TRACKRECORD_URL": server.url, "TRACKRECORD_TOKEN": server.token, "NOW": str(NOW), "NODE_NO_WARNINGS": "1"}
    environment = {**os.environ, **known, **environment}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert (ran.stderr, ran.returncode) == ("", 0)
    seen: dict[str, Any] = json.loads(ran.stdout)
    return seen


NOW = 1_700_000_000  # 2023-11-14T22:13:20Z, where the clock of the tests here stands

ADMIN = {
    "type": "admin",
    "id": "1",
    "name": "Administrator",
    "email": "admin@localhost",
    "away_mode_enabled": False,
    "away_mode_reassign": False,
    "has_inbox_seat": True,
    "team_ids": [],
}

UNKNOWN_YET = (
    "phone avatar owner_id signed_up_at last_seen_at last_replied_at last_contacted_at last_email_opened_at last_email_clicked_at "
    "language_override browser browser_version browser_language os android_app_name android_app_version android_device "
    "android_os_version android_sdk_version android_last_seen_at ios_app_name ios_app_version ios_device ios_os_version "
    "ios_sdk_version ios_last_seen_at utm_campaign utm_content utm_medium utm_source utm_term referrer enabled_push_messaging"
)


def whole_contact(id: str, **known: Any) -> dict[str, Any]:
    """A contact with every key of the contract's section 4.2; what is not `known` is as it is in a new one."""

    def empty(path: str) -> dict[str, Any]:
        return {"type": "list", "data": [], "url": f"/contacts/{id}/{path}", "total_count": 0, "has_more": False}

    return {
        **dict.fromkeys(UNKNOWN_YET.split()),
        "type": "contact",
        "id": id,
        "workspace_id": "trackrecord",
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": False,
        "marked_email_as_spam": False,
        "unsubscribed_from_emails": False,
        "created_at": NOW,
        "updated_at": NOW,
        "location": {"type": "location", **dict.fromkeys(("country", "region", "city", "country_code", "continent_code"))},
        "custom_attributes": {},
        "tags": empty("tags"),
        "notes": empty("notes"),
        "companies": empty("companies"),
        "opted_out_subscription_types": empty("subscriptions"),
        "opted_in_subscription_types": empty("subscriptions"),
        **known,
    }
