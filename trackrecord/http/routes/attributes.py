"""Routes of data attributes."""

from ...wire import attributes as wire
from ..api import attributes
from .route import V2, Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/data_attributes",
        attributes.list_attributes,
        "List data attributes, the standard ones first",
        "Data attributes",
        need="read_contacts",
        response=wire.AttributeList | wire.OldAttributeList,
        params=(
            Param("model", "contact or company; both without it"),
            Param("include_archived", "true to list archived ones too", "boolean"),
        ),
        errors={422: "from version 2.16 on: there are no data attributes of conversations"},
    ),
    Route(
        "POST",
        "/data_attributes",
        attributes.create_attribute,
        "Declare a data attribute",
        "Data attributes",
        need="write_contacts",
        request=wire.SentAttribute,
        response=wire.AttributeBody,
        first=V2,
    ),
    Route(
        "PUT",
        "/data_attributes/{data_attribute_id}",
        attributes.update_attribute,
        "Change or archive a data attribute",
        "Data attributes",
        need="write_contacts",
        request=wire.SentAttributeChanges,
        response=wire.AttributeBody,
        params=(Param("data_attribute_id", "the attribute's id, a number", "integer", "path", True),),
        errors={404: "no such data attribute", 422: "a segment asks for it"},
        first=V2,
    ),
)
