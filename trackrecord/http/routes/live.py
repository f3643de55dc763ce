"""Routes of what is arriving now."""

from ...wire.live import LAST_MAX, OUTCOMES
from ..api import live
from .route import Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/live",
        live.get_live,
        "Follow events as they arrive, with what became of each, as server-sent events",
        "Live",
        need=live.NEED,
        response=bytes,
        media=("text/event-stream",),
        params=(
            Param("event_name", "only events of this name, which nobody need have used yet; may be repeated", many=True),
            Param("contact_id", "only this contact's"),
            Param("user_id", "only this contact's"),
            Param("email", "only this contact's"),
            Param("outcome", f"only what became {', '.join(OUTCOMES[:-1])} or {OUTCOMES[-1]}", among=OUTCOMES),
            Param("after", "begin behind this position, as the header Last-Event-ID has it too", kind="integer"),
            Param("last", f"begin with so many events from before now, {LAST_MAX:,} at most", kind="integer"),
            Param("follow", "false: end with what is there already", kind="boolean"),
        ),
        errors={404: "no such contact", 409: "several users share the e-mail address"},
    ),
)
