"""Routes of admins."""

from ...wire import admins as wire_admins
from ..api import admins
from .route import Param, Route

ROUTES: tuple[Route, ...] = (
    Route("GET", "/me", admins.get_me, "Who the access token belongs to", "Admins", response=wire_admins.Me),
    Route("GET", "/admins", admins.list_admins, "List the workspace's admins", "Admins", response=wire_admins.AdminList),
    Route(
        "GET",
        "/admins/{admin_id}",
        admins.get_admin,
        "Get an admin",
        "Admins",
        response=wire_admins.AdminBody,
        params=(Param("admin_id", "a decimal string", place="path", required=True),),
        errors={404: "no such admin"},
    ),
)
