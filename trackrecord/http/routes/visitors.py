"""Routes of visitors."""

from ...wire import contacts as wire_contacts
from ...wire import visitors as wire
from ..api import visitors
from .route import CLASH, V1_LAST, Param, Route

VISITOR_ID = (Param("visitor_id", "the visitor's id", place="path", required=True),)
NO_VISITOR = {404: "no such visitor, or none any more"}

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/visitors",
        visitors.find_visitor,
        "Get a visitor",
        "Visitors",
        need="read_contacts",
        response=wire.VisitorBody,
        params=(
            Param("user_id", "the id that the script in the browser made for the visitor"),
            Param("id", "the visitor's own id, in place of user_id"),
        ),
        errors=NO_VISITOR,
    ),
    Route(
        "PUT",
        "/visitors",
        visitors.update_named_visitor,
        "Update a visitor's name and custom attributes",
        "Visitors",
        need="write_contacts",
        request=wire.SentVisitor,
        response=wire.VisitorBody,
        errors=NO_VISITOR,
    ),
    Route(
        "POST",
        "/visitors/convert",
        visitors.convert_visitor,
        "Make a lead or user of a visitor, or merge it into one",
        "Visitors",
        need="write_contacts",
        request=wire.SentVisitorConversion,
        response=wire_contacts.ContactBody,
        errors={
            **CLASH,
            404: "no such visitor, or user.id names nobody",
            409: "identifiers lead to different contacts, or to one that is archived",
        },
    ),
    Route(
        "GET",
        "/visitors/{visitor_id}",
        visitors.get_visitor,
        "Get a visitor",
        "Visitors",
        need="read_contacts",
        response=wire.VisitorBody,
        params=VISITOR_ID,
        errors=NO_VISITOR,
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "PUT",
        "/visitors/{visitor_id}",
        visitors.update_visitor,
        "Update a visitor's name and custom attributes",
        "Visitors",
        need="write_contacts",
        request=wire.SentVisitor,
        response=wire.VisitorBody,
        params=VISITOR_ID,
        errors=NO_VISITOR,
        last=V1_LAST,
        unversioned=True,
    ),
    Route(
        "DELETE",
        "/visitors/{visitor_id}",
        visitors.delete_visitor,
        "Delete a visitor and erase its events, for good",
        "Visitors",
        need="write_contacts",
        response=wire.DeletedVisitor,
        params=VISITOR_ID,
        errors=NO_VISITOR,
        last=V1_LAST,
        unversioned=True,
    ),
)
