"""What an admin may do with one contact besides merging it: each is a page that says what will happen, and then the deed."""

from typing import NamedTuple
from urllib.parse import quote

from ...errors import NotFound, ParameterInvalid
from ...http.call import Answer
from ..visit import Visit
from .people import Contact, events_of, in_words, known, name_of, short, state_of


class Deed(NamedTuple):
    """`word` is the end of its address, of its template templates/contacts/<word>.html and of the API's path; `of` the states it is for."""

    word: str
    button: str
    said: str  # once it is done; {} stands for the contact's name, {events} for how many events it had
    of: frozenset[str | None]  # None is a live contact
    typed: bool = False  # whether the contact's name must be typed, as there is no way back


DEEDS = (
    Deed("archive", "Archive", "{} is archived: it is in no list, and its events are refused until it is unarchived", frozenset({None})),
    Deed("unarchive", "Unarchive", "{} is back, with all that it had", frozenset({"archived"})),
    Deed("block", "Block", "{} is blocked: it is hidden for good, and can only be deleted", frozenset({None, "archived"}), typed=True),
    Deed("delete", "Delete", "{} is deleted, with its {events}", frozenset({None, "archived", "blocked", "visitor"}), typed=True),
)
_BY_WORD = {deed.word: deed for deed in DEEDS}


def deeds_for(contact: Contact) -> list[Deed]:
    """What can be done with a contact as it is."""
    state = state_of(contact)
    return [deed for deed in DEEDS if (None if state is None else state.key) in deed.of]


async def ask(visit: Visit) -> Answer:
    """GET contacts/{contact_id}/<deed>."""
    contact = await known(visit)
    return await _page(visit, _deed(visit, contact), contact)


async def do(visit: Visit) -> Answer:
    """POST contacts/{contact_id}/<deed>: `typed` is the contact's name, where that is asked for."""
    contact = await known(visit)
    deed, called = _deed(visit, contact), name_of(contact)
    if deed.typed and _folded(visit.field("typed")) != _folded(called):
        wrong = ParameterInvalid(f"Type {called} as it stands here, to say that you mean it", field="typed")
        return await _page(visit, deed, contact, wrong)
    events = await _events(visit, deed, contact)
    path = f"/contacts/{quote(contact['id'])}"
    if deed.word == "delete":
        await visit.api.delete(f"/visitors/{quote(contact['id'])}" if contact["role"] == "visitor" else path)
    else:
        await visit.api.post(f"{path}/{deed.word}")
    address = visit.url("contacts" if deed.word == "delete" else f"contacts/{contact['id']}")
    return visit.go(address, deed.said.format(short(called), events=events))


def _deed(visit: Visit, contact: Contact) -> Deed:
    """Raises NotFound for one that cannot be done with the contact as it is."""
    deed = _BY_WORD[visit.asked.path["path"].rpartition("/")[2]]
    if deed not in deeds_for(contact):
        state = state_of(contact)
        raise NotFound(f"{name_of(contact)} is {state.pill.lower() if state else 'live'}, so this cannot be done now", field="path")
    return deed


async def _page(visit: Visit, deed: Deed, contact: Contact, error: ParameterInvalid | None = None) -> Answer:
    return visit.html(
        f"contacts/{deed.word}.html",
        status=200 if error is None else error.status,
        contact=contact,
        called=name_of(contact),
        deed=deed,
        events=await _events(visit, deed, contact),
        state=state_of(contact),
        back=visit.url(f"contacts/{contact['id']}"),
        error=error,
        typed=visit.field("typed"),
    )


async def _events(visit: Visit, deed: Deed, contact: Contact) -> str:
    """How many events the deed is about, in words; empty for one that leaves them alone."""
    return in_words(await events_of(visit, contact)) if "{events}" in deed.said else ""


def _folded(text: str) -> str:
    """As it is compared: blanks as one, as a page shows them so."""
    return " ".join(text.split())
