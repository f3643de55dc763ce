"""Merging a lead into a user: whom it is merged with is looked for, what will happen is shown, and then it is done."""

from typing import Any

from ...errors import NotFound
from ...http.call import Answer
from ..api import Reply
from ..visit import Visit
from .form import Form, Row
from .listing import seek
from .people import Contact, events_of, in_words, known, name_of, short, state_of

OTHERS_SHOWN = 20
# Of the API's field names, those that pages have other words for.
WORDS = {
    "email": "E-mail", "phone": "Phone", "name": "Name", "avatar": "Picture", "owner_id": "Owner id", "signed_up_at": "Signed up",
    "last_seen_at": "Last seen", "language_override": "Language", "unsubscribed_from_emails": "Unsubscribed from e-mails",
    "referrer": "Came from", "utm_source": "Source", "utm_medium": "Medium", "utm_campaign": "Campaign", "utm_term": "Term",
    "utm_content": "Content",
}  # fmt: skip


async def prepare(visit: Visit) -> Answer:
    """GET contacts/{contact_id}/merge?q=&with=: first whom to merge with, then what will happen. The address may name either of the two."""
    contact = await _live(visit)
    other = visit.param("with")
    if other:
        return await _preview(visit, contact, await _live(visit, other))
    wanted = "user" if contact["role"] == "lead" else "lead"
    typed = visit.param("q")
    found = await _others(visit, contact, wanted, typed)
    return visit.html(
        "contacts/merge_with.html",
        contact=contact,
        called=name_of(contact),
        wanted=wanted,
        typed=typed,
        found=found,
        back=visit.url(f"contacts/{contact['id']}"),
    )


async def merge(visit: Visit) -> Answer:
    """POST contacts/{contact_id}/merge: `with`."""
    lead, user = _pair(await _live(visit), await _live(visit, visit.field("with")))
    events = await events_of(visit, lead)
    await visit.api.post("/contacts/merge", {"from": lead["id"], "into": user["id"]})
    said = f"{short(name_of(lead))} is merged into {short(name_of(user))}, with {in_words(events)}"
    return visit.go(visit.url(f"contacts/{user['id']}"), said)


async def _live(visit: Visit, id: str | None = None) -> Contact:
    """Raises NotFound for one that cannot be merged: hidden, merged away already, or a visitor."""
    contact = await known(visit, id)
    state = state_of(contact)
    if state is not None:
        raise NotFound(f"{name_of(contact)} cannot be merged: it is {state.pill.lower()}", field="contact_id")
    return contact


def _pair(one: Contact, other: Contact) -> tuple[Contact, Contact]:
    """The lead and the user; two of a kind as they stand, for the API to refuse."""
    return (other, one) if (one["role"], other["role"]) == ("user", "lead") else (one, other)


async def _others(visit: Visit, contact: Contact, wanted: str, typed: str) -> list[Contact]:
    """Who of the other role is looked for; before anything is typed, who has the same address or phone number."""
    role = Row("role", "is", wanted)
    if typed:
        return _data((await seek(visit, Form(box=typed, rows=(role,)), {}, per_page=OTHERS_SHOWN))[1])
    same = [{"field": name, "operator": "=", "value": contact[name]} for name in ("email", "phone") if contact[name]]
    if not same:
        return []
    of_role = {"field": "role", "operator": "=", "value": wanted}
    query = {"operator": "AND", "value": [of_role, {"operator": "OR", "value": same}]}
    return _data(await visit.api.post("/contacts/search", {"query": query, "pagination": {"per_page": OTHERS_SHOWN}}))


def _data(reply: Reply) -> list[Contact]:
    found: list[Contact] = reply.data["data"]
    return found


async def _preview(visit: Visit, one: Contact, other: Contact) -> Answer:
    lead, user = _pair(one, other)
    preview = await visit.api.post("/-/api/contacts/merge/preview", {"from": lead["id"], "into": user["id"]})
    fields = [
        {**field, "words": WORDS.get(field["field"], field["field"].removeprefix("custom_attributes.")), "fate": _fate(field)}
        for field in preview.data["fields"]
    ]
    return visit.html(
        "contacts/merge.html",
        lead=lead,
        user=user,
        lead_called=name_of(lead),
        user_called=name_of(user),
        fields=fields,
        lead_events=await events_of(visit, lead),
        user_events=await events_of(visit, user),
        call=preview.call,
        back=visit.url(f"contacts/{one['id']}/merge"),
    )


def _fate(field: dict[str, Any]) -> str:
    """What becomes of the lead's value: taken over, the same as the user's, given up for the user's, or left, as another has it."""
    if field["from"] == field["into"]:
        return "same"
    if field["after"] == field["from"]:
        return "taken"
    return "left" if field["after"] is None else "given up"
