"""Routes of the JavaScript API. What may be read and sent from pages of every origin is marked as such."""

from ...wire import messenger as wire
from ..api import messenger
from .route import Param, Route

APP_ID = (Param("app_id", "the workspace's id", place="path", required=True),)
NOTHING_THERE = {404: "not a path of this kind"}
NO_SCRIPT = {503: "the script was not built with the package"}

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/widget/{app_id}",
        messenger.get_widget,
        "The script that pages load",
        "Messenger",
        response=bytes,
        media=("text/javascript",),
        params=APP_ID,
        errors={**NOTHING_THERE, **NO_SCRIPT},
        open=True,
        pages=True,
    ),
    Route(
        "GET",
        "/messenger/static/{name}",
        messenger.get_static,
        "The script under a name that changes with it, and its source map",
        "Messenger",
        response=bytes,
        media=("text/javascript", "application/json"),
        params=(Param("name", "the file's name, with the hash of what is in it", place="path", required=True),),
        errors={404: "no such file", **NO_SCRIPT},
        open=True,
        pages=True,
    ),
    Route(
        "POST",
        "/messenger/{app_id}/deliveries",
        messenger.deliver,
        "Deliver what the script has gathered",
        "Messenger",
        request=wire.SentDelivery,
        response=wire.DeliveryAnswer,
        params=APP_ID,
        errors={403: "pages of this origin may not deliver here", 404: "no such workspace", 429: "too much of one visitor or address"},
        open=True,
        pages=True,
    ),
    Route(
        "OPTIONS",
        "/messenger/{app_id}/deliveries",
        messenger.preflight,
        "Whether a page may deliver, as browsers ask",
        "Messenger",
        status=204,
        params=APP_ID,
        errors=NOTHING_THERE,
        open=True,
        pages=True,
    ),
)
