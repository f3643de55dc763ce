"""Routes of exports."""

from ...exports import MEDIA
from ..api import exports
from .route import Param, Route

_FORMAT = Param("format", "ndjson, one JSON object a line, or csv; ndjson without it", among=tuple(MEDIA))
_TIMES = (
    Param("since", "only with created_at from then on: Unix seconds or ISO 8601"),
    Param("until", "only with created_at before then"),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/export/events",
        exports.export_events,
        "Export events as a stream, in the order they were kept, as an import takes them in",
        "Export",
        need="read_events",
        response=bytes,
        media=tuple(MEDIA.values()),
        params=(
            _FORMAT,
            Param("name", "only events of this name; may be repeated", many=True),
            *_TIMES,
            Param("intercom_user_id", "only this contact's"),
            Param("user_id", "only this contact's"),
            Param("email", "only this contact's"),
        ),
        errors={404: "no such contact", 409: "several users share the e-mail address"},
    ),
    Route(
        "GET",
        "/-/api/export/contacts",
        exports.export_contacts,
        "Export contacts as a stream, with the ids that their events carry",
        "Export",
        need="read_contacts",
        response=bytes,
        media=tuple(MEDIA.values()),
        params=(
            _FORMAT,
            *_TIMES,
            Param("segment_id", "only those in this segment"),
            Param("query", "only those that this query of a contact search finds, in JSON"),
        ),
        errors={404: "no such segment"},
    ),
)
