"""The people who run a workspace, in every version. The contract, 7 and 12."""

from typing import Any

import pytest

from .client import Api

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


@pytest.mark.parametrize(
    ("version", "listed", "alone"),
    [
        ("1.0", {}, {}),
        ("2.13", {}, {}),
        ("2.14", {}, {"away_status_reason_id": None}),
        ("2.15", {}, {"away_status_reason_id": None}),
        ("2.16", {"role": None}, {"away_status_reason_id": None, "role": None}),
        ("Preview", {"role": None}, {"away_status_reason_id": None, "role": None}),
    ],
)
def test_admins_are_shown_in_the_form_of_the_version(api: Api, version: str, listed: Any, alone: Any):
    header = f"Intercom-Version: {version}"
    assert api.get("/admins?display_avatar=true", header).json == {"type": "admin.list", "admins": [{**ADMIN, **listed}]}
    assert api.get("/admins/1", header).json == {**ADMIN, **alone}


@pytest.mark.parametrize("id", ["2", "0", "-1", "x", "99999999999999999999999", "%D9%A1"])
def test_an_unknown_admin_is_not_found(api: Api, id: str):
    assert api.get(f"/admins/{id}").error == (404, "admin_not_found", "Admin not found", "admin_id")


def test_me_is_the_first_admin_with_the_workspace_a_token_opens(api: Api):
    body = api.get("/me").json
    app = {
        "type": "app",
        "id_code": "trackrecord",
        "name": "trackrecord",
        "created_at": body["app"]["created_at"],
        "secure": False,
        "identity_verification": False,
        "timezone": "UTC",
        "region": "US",
    }
    expected = {
        "type": "admin",
        "id": "1",
        "email": "admin@localhost",
        "name": "Administrator",
        "email_verified": True,
        "app": app,
        "avatar": {"type": "avatar", "image_url": None},
        "has_inbox_seat": True,
    }
    assert [*body.items(), *body["app"].items()] == [*expected.items(), *app.items()]
