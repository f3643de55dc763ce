"""Routes of users, as API 1.x had them. They answer whoever asks for no version, too: the clients that need them never do."""

from ...wire import users as wire
from ..api import users
from .route import NO_CONTACT, V1_LAST, Param, Route

ID = (Param("id", "the id that is ours", place="path", required=True),)
_NAMED = (Param("user_id", "the user's own user_id"), Param("email", "the address of exactly one user"))
SHARED = {409: "several users share the e-mail address"}
PAGES = (
    Param("page", "which page, from 1 on", "integer"),
    Param("per_page", "how many a page, 1 to 150; 50 without it", "integer"),
    Param("sort", "created_at, updated_at, signed_up_at or last_request_at"),
    Param("order", "asc or desc; desc without it"),
    Param("tag_id", "those with this tag alone"),
    Param("segment_id", "those in this segment alone"),
)
SCROLL = (Param("scroll_param", "that of the page before; none begins a scroll"),)
SAVED = {
    403: "the token lacks the scope, or the user was blocked",
    404: "no user has this id",
    409: "another user has what is sent, or several share the e-mail address",
}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/users",
        users.save_user,
        "Change a user, or make it",
        "Users (1.x)",
        need="write_contacts",
        request=wire.SubmittedUser,
        response=wire.UserBody,
        errors=SAVED,
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "GET",
        "/users",
        users.get_users,
        "List users; or get the one with a user_id or an email",
        "Users (1.x)",
        need="read_contacts",
        response=wire.UserList | wire.UserBody,
        params=(*_NAMED, *PAGES),
        errors={**NO_CONTACT, **SHARED},
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "GET",
        "/users/scroll",
        users.scroll_users,
        "Walk over all users, a hundred at a time",
        "Users (1.x)",
        need="read_contacts",
        response=wire.UserScroll,
        params=SCROLL,
        errors={404: "no such scroll, or it has expired"},
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "GET",
        "/users/{id}",
        users.get_user,
        "Get a user",
        "Users (1.x)",
        need="read_contacts",
        response=wire.UserBody,
        params=ID,
        errors=NO_CONTACT,
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "DELETE",
        "/users/{id}",
        users.archive_user,
        "Archive a user",
        "Users (1.x)",
        need="write_contacts",
        response=wire.UserBody,
        params=ID,
        errors=NO_CONTACT,
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "DELETE",
        "/users",
        users.archive_named_user,
        "Archive the user with a user_id or an email",
        "Users (1.x)",
        need="write_contacts",
        response=wire.UserBody,
        params=_NAMED,
        errors={**NO_CONTACT, **SHARED},
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "POST",
        "/user_delete_requests",
        users.request_deletion,
        "Delete a user and erase its events, for good",
        "Users (1.x)",
        need="write_contacts",
        request=wire.UserDeleteRequest,
        response=wire.UserDeleteAnswer,
        errors=NO_CONTACT,
        last=V1_LAST,
        unversioned=True,
    ),
)
