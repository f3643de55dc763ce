"""What the clients are shown, whole."""

from typing import Any

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
