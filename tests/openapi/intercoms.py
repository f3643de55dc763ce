"""Calls that bring about every answer of Intercom's description, and where that description is wrong."""

from typing import Any, NamedTuple

from wire.world import WHEN

NOBODY = "000000000000000000000000"


class Case(NamedTuple):
    """How an answer is brought about: the operation as Intercom writes it, the status and the name of its example, and the call.

    `first` is what must have been called before. What stands in braces is filled from wire.world.
    """

    call: str
    status: int
    example: str
    target: str
    body: Any = None
    first: tuple[tuple[str, str, Any], ...] = ()


def _tagged(contact: str, tag: str) -> str:
    return f"/contacts/{contact}/tags/{tag}"


EVENT = {"event_name": "placed-order", "created_at": WHEN, "id": "{contact_id}"}
SENT = ("POST", "/events", EVENT)
TO_TAG = ("POST", "/contacts/{contact_id}/tags", {"id": "{tag_id}"})
SEGMENT = ("GET", "/segments/{segment_id}", None)
TO_LEAD = ("POST", "/contacts", {"role": "lead"})


def _attribute(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "model": "contact", "data_type": "string", **more}


def _made(name: str, **more: Any) -> tuple[tuple[str, str, Any], ...]:
    """The data attribute was made before."""
    return (("POST", "/data_attributes", _attribute(name, **more)),)


BY_EMAIL = {"field": "email", "operator": "=", "value": "{email}"}
NEW_ONE = {"external_id": "a-new-user", "email": "new@example.com", "phone": "+14155552671", "avatar": "https://example.com/a.png",
           "custom_attributes": {"plan": "pro", "seats": 3, "paid": True}, "owner_id": 1, "signed_up_at": 1571069751}  # fmt: skip

CASES = (
    Case("GET /me", 200, "Successful response", "/me"),
    Case("GET /admins", 200, "Successful response", "/admins"),
    Case("GET /admins/{admin_id}", 200, "Admin found", "/admins/{admin_id}"),
    Case("GET /admins/{admin_id}", 404, "Admin not found", "/admins/999"),
    # Contacts
    Case("POST /contacts", 200, "successful", "/contacts", NEW_ONE),
    Case("GET /contacts", 200, "successful", "/contacts?per_page=50", first=(TO_TAG, TO_LEAD)),
    Case("GET /contacts/{contact_id}", 200, "successful", "/contacts/{contact_id}", first=(TO_TAG,)),
    Case("PUT /contacts/{contact_id}", 200, "successful", "/contacts/{contact_id}", {"custom_attributes": {"paid": True, "plan": None}}),
    Case("PUT /contacts/{contact_id}", 200, "update a contact with an association to a custom object instance", "/contacts/{contact_id}",
         {"name": "joe bloggs", "phone": None}),
    Case("DELETE /contacts/{contact_id}", 200, "", "/contacts/{contact_id}"),
    Case("GET /contacts/find_by_external_id/{external_id}", 200, "successful", "/contacts/find_by_external_id/{external_id}"),
    Case("POST /contacts/merge", 200, "successful", "/contacts/merge", {"from": "{lead_id}", "into": "{contact_id}"}),
    Case("POST /contacts/search", 200, "successful", "/contacts/search", {"query": BY_EMAIL}),
    Case("POST /contacts/search", 200, "nothing found", "/contacts/search", {"query": {**BY_EMAIL, "value": "nobody"}}),
    Case("POST /contacts/{contact_id}/archive", 200, "", "/contacts/{contact_id}/archive"),
    Case("POST /contacts/{contact_id}/unarchive", 200, "", "/contacts/{archived_id}/unarchive"),
    Case("POST /contacts/{contact_id}/block", 200, "", "/contacts/{contact_id}/block"),
    Case("GET /contacts/{contact_id}/segments", 200, "successful", "/contacts/{contact_id}/segments"),
    Case("GET /contacts/{contact_id}/segments", 404, "Contact not found", f"/contacts/{NOBODY}/segments"),
    Case("GET /contacts/{contact_id}/tags", 200, "successful", "/contacts/{contact_id}/tags", first=(TO_TAG,)),
    Case("GET /contacts/{contact_id}/tags", 404, "Contact not found", f"/contacts/{NOBODY}/tags"),
    Case("POST /contacts/{contact_id}/tags", 200, "successful", "/contacts/{contact_id}/tags", {"id": "{tag_id}"}),
    Case("POST /contacts/{contact_id}/tags", 404, "Contact not found", f"/contacts/{NOBODY}/tags", {"id": "{tag_id}"}),
    Case("POST /contacts/{contact_id}/tags", 404, "Tag not found", "/contacts/{contact_id}/tags", {"id": "999999"}),
    Case("DELETE /contacts/{contact_id}/tags/{tag_id}", 200, "successful", _tagged("{contact_id}", "{applied_tag_id}")),
    Case("DELETE /contacts/{contact_id}/tags/{tag_id}", 404, "Contact not found", _tagged(NOBODY, "{tag_id}")),
    Case("DELETE /contacts/{contact_id}/tags/{tag_id}", 404, "Tag not found", _tagged("{contact_id}", "999999")),
    # Data attributes
    Case("GET /data_attributes", 200, "Successful response", "/data_attributes?include_archived=true", first=_made("Listed")),
    Case("POST /data_attributes", 200, "Successful", "/data_attributes", _attribute("A new one")),
    Case("POST /data_attributes", 200, "with options", "/data_attributes", _attribute(
        "One of two", data_type="options", options=[{"value": "a"}, {"value": "b"}])),
    Case("POST /data_attributes", 400, "Same name already exists", "/data_attributes", _attribute("The One Ring"),
         first=_made("The One Ring", model="company")),
    Case("POST /data_attributes", 400, "Attribute already exists", "/data_attributes", _attribute("The Two Rings", model="company"),
         first=_made("The Two Rings", model="company")),
    Case("POST /data_attributes", 400, "Invalid name", "/data_attributes", _attribute("!nv@l!d n@me")),
    Case("POST /data_attributes", 400, "Invalid Data Type", "/data_attributes", _attribute("Of no type", data_type="mithril")),
    Case("POST /data_attributes", 400, "Too few options for list", "/data_attributes", _attribute("Of no model", model="conversation")),
    Case("PUT /data_attributes/{data_attribute_id}", 200, "Successful", "/data_attributes/{attribute_id}",
         {"archived": False, "description": "Just a plain old ring"}),
    Case("PUT /data_attributes/{data_attribute_id}", 400, "Too few options in list", "/data_attributes/{attribute_id}", {"options": "x"}),
    Case("PUT /data_attributes/{data_attribute_id}", 404, "Attribute Not Found", "/data_attributes/999999", {"archived": True}),
    Case("PUT /data_attributes/{data_attribute_id}", 422, "Has Dependant Object", "/data_attributes/{attribute_id}", {"archived": True},
         first=(SEGMENT,)),
    # Events
    Case("POST /events", 202, "", "/events", EVENT),
    Case("GET /events", 200, "Successful response", "/events?type=user&summary=true&user_id={external_id}", first=(SENT,)),
    Case("GET /events", 200, "a list", "/events?type=user&user_id={external_id}", first=(SENT,)),
    Case("GET /events", 200, "of a lead", "/events?type=user&summary=true&intercom_user_id={lead_id}"),
    Case("POST /events/summaries", 200, "", "/events/summaries", {
        "user_id": "{external_id}", "event_summaries": {"event_name": "invited", "count": 1, "first": WHEN, "last": WHEN}}),
    Case("GET /jobs/status/{job_id}", 200, "job status retrieved", "/jobs/status/{job_id}"),
    Case("GET /jobs/status/{job_id}", 404, "Job not found", "/jobs/status/none"),
    # Segments
    Case("GET /segments", 200, "Successful response", "/segments?include_count=true", first=(SEGMENT,)),
    Case("GET /segments/{segment_id}", 200, "Successful response", "/segments/{segment_id}"),
    Case("GET /segments/{segment_id}", 404, "Segment not found", f"/segments/{NOBODY}"),
    # Tags
    Case("GET /tags", 200, "successful", "/tags", first=(TO_TAG,)),
    Case("POST /tags", 200, "Action successful", "/tags", {"name": "a tag", "users": [{"id": "{contact_id}"}]}),
    Case("POST /tags", 400, "Invalid parameters", "/tags", {}),
    Case("POST /tags", 404, "Company not found", "/tags", {"name": "a tag", "companies": [{"company_id": "123"}]}),
    Case("POST /tags", 404, "User  not found", "/tags", {"name": "a tag", "users": [{"id": "123"}]}),
    Case("GET /tags/{tag_id}", 200, "Tag found", "/tags/{tag_id}"),
    Case("GET /tags/{tag_id}", 404, "Tag not found", "/tags/999999"),
    Case("DELETE /tags/{tag_id}", 200, "", "/tags/{tag_id}"),
    Case("DELETE /tags/{tag_id}", 400, "Tag has dependent objects", "/tags/{tag_id}", first=(SEGMENT,)),
    Case("DELETE /tags/{tag_id}", 404, "Resource not found", "/tags/999999"),
    # Visitors
    Case("GET /visitors", 200, "successful", "/visitors?user_id={visitor_user_id}"),
    Case("GET /visitors", 404, "Visitor not found", "/visitors?user_id=nobody"),
    Case("PUT /visitors", 200, "successful", "/visitors", {
        "user_id": "{visitor_user_id}", "name": "Gareth Bale", "custom_attributes": {"plan": "free"}}),
    Case("PUT /visitors", 404, "visitor Not Found", "/visitors", {"user_id": "nobody", "name": "Christian Fail"}),
    Case("POST /visitors/convert", 200, "successful", "/visitors/convert", {
        "type": "user", "visitor": {"user_id": "{visitor_user_id}"}, "user": {"email": "new-user@example.com"}}),
)  # fmt: skip

# Where the description is wrong: the operation, the example, and the places of the answer that are not as it says, with the reason.
NO_EMAIL = "a lead may have none, and then it is null (the contract, 4.2)"
NO_TEXT = "the text an admin gave an event name, null where nobody did (2.3)"
EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("GET /contacts", "successful"): {"data/*/email": NO_EMAIL, "data/*/email_domain": NO_EMAIL},
    ("GET /events", "Successful response"): {"events/*/description": NO_TEXT},
    ("GET /events", "of a lead"): {"events/*/description": NO_TEXT},
    ("GET /events", "a list"): {"type": "a list has its own type: the description has the schema of a summary for both (2.2)"},
}
