"""Where lenient and strict differ: one table, and nowhere else.

Lenient is for real use: it takes what it can make sense of. Strict behaves as the original does, so that an integration
test fails here where production would. Source: the contract, section 14 and "The strict profile".
"""

import msgspec

from ..errors import SettingInvalid
from .versions import Version, has


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One column of PROFILES. Zero means no limit wherever a number stands."""

    name: str
    metadata_keys_max: int
    event_names_max: int
    listing_days: int
    rate_limit_per_minute: int
    rate_limit_workspace_per_minute: int
    created_at_ahead_s: int
    undeclared_attributes: bool
    created_at_required: bool
    created_at_loose: bool
    nested_metadata: bool
    first_identifier_decides: bool
    anonymous_user_id: bool
    submit_by_intercom_user_id: bool
    list_query_exact: bool
    visitor_by_id: bool
    lead_of_nobody: bool
    email_unique_always: bool
    newer_versions: bool
    padded_versions: bool


PROFILES_TABLE = (
    # field                      lenient  strict   meaning
    ("metadata_keys_max", 10, 10, "metadata keys kept of one event, in the order sent"),
    ("event_names_max", 0, 120, "active event names in a workspace"),
    ("listing_days", 0, 90, "age in days past which an event is counted but not listed"),
    ("rate_limit_per_minute", 0, 10_000, "calls a minute and token, in shares of ten seconds; past a share 429"),
    ("rate_limit_workspace_per_minute", 0, 25_000, "the same of all tokens of a workspace together"),
    ("created_at_ahead_s", 86_400, 86_400, "seconds a sender's clock may run ahead of ours"),
    ("undeclared_attributes", True, False, "a custom attribute nobody declared is created by its first use"),
    ("created_at_required", False, True, "an event must carry created_at; else it happened when it arrived"),
    ("created_at_loose", True, False, "created_at may be milliseconds or ISO 8601 as well as seconds"),
    ("nested_metadata", True, False, "objects and arrays in metadata are kept as they are"),
    ("first_identifier_decides", False, True, "of several identifiers the first alone is tried; else the first that resolves"),
    ("anonymous_user_id", True, False, "a user_id that is no user's may be a lead's anonymous id"),
    ("submit_by_intercom_user_id", True, False, "POST /events takes intercom_user_id in place of id, and so do bulk and summaries"),
    ("list_query_exact", False, True, "GET /events wants type and exactly one identifier"),
    ("visitor_by_id", True, False, "GET /visitors takes id in place of user_id"),
    ("lead_of_nobody", True, False, "POST /visitors/convert may leave out user where type is lead"),
    ("email_unique_always", False, True, "a user's email must be new even when an external_id is sent"),
    ("newer_versions", True, False, "an Intercom-Version above the newest known is served as the newest"),
    ("padded_versions", True, False, "zeros before a number of an Intercom-Version count for nothing"),
)

PROFILES = {
    name: msgspec.convert({"name": name, **{row[0]: row[column] for row in PROFILES_TABLE}}, Profile)
    for column, name in ((1, "lenient"), (2, "strict"))
}


def profile_named(name: str) -> Profile:
    """Raises SettingInvalid for a name that is not in PROFILES."""
    try:
        return PROFILES[name]
    except KeyError:
        raise SettingInvalid(f"profile must be one of {', '.join(PROFILES)}, got {name!r}", field="profile") from None


def under(profile: Profile, version: Version) -> Profile:
    """The profile as a caller of this version meets it: before 2.0 a custom attribute's first use declared it on Intercom too.

    Source: the contract, 4.3 and 12.
    """
    if profile.undeclared_attributes or has(version, "attributes_declared"):
        return profile
    return msgspec.structs.replace(profile, undeclared_attributes=True)
