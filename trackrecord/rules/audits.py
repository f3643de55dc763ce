"""The record of what was deleted by whom. Values only."""

from typing import Any

import msgspec

# What an audit can be of.
ACTIONS = {
    "delete_events": "events were deleted, one by its position or all that a query found",
    "delete_user": "a user delete request was taken: the contact and its events are erased",
}


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One deletion. Times are whole Unix seconds."""

    id: int
    workspace: int
    at: int  # when it was begun
    token: int | None  # whose it was; None for one that no token asked for
    token_name: str | None  # as it is called now; of an account in the dashboard, its address
    action: str  # one of ACTIONS
    subject: dict[str, Any]  # what was to go
    count: int  # how many were found, before they went
    completed_at: int | None = None  # None where the server ended before it was done
