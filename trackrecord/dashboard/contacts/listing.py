"""The list of contacts: the address says what is looked for, and the API's search finds it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

from ...errors import RequestError
from ...http.call import Answer
from ...rules.search import CUSTOM
from ...rules.segments import conditions
from ...wire.json import encode
from .. import tables
from ..api import Reply
from ..visit import Visit
from . import form
from .fields import CHOICES, OFFERED, Choice, choice, kind_of
from .form import Form, Row, Search
from .people import Contact, state_of

PER_PAGE = 50
COLUMNS = (  # of a download, before the workspace's attributes
    *("id", "external_id", "role", "email", "name", "phone", "created_at", "updated_at", "signed_up_at", "last_seen_at"),
    *("unsubscribed_from_emails", "language_override", "owner_id"),
)
HIDDEN_COLUMNS = ("id", "external_id", "role", "email", "name", "archived_at", "blocked_at")
# What a value is typed into, by the kind of field; others are text.
INPUTS = {"role": "choose", "tag": "choose", "segment": "choose", "date": "date", "integer": "number", "float": "number"}


class Asked(NamedTuple):
    """What an address asks for. `attributes` are the workspace's own of contacts, as the API lists them."""

    form: Form
    attributes: Sequence[dict[str, Any]]

    @property
    def types(self) -> dict[str, str]:
        return {each["name"]: each["data_type"] for each in self.attributes}


class Condition(NamedTuple):
    """One row of the form, as the page shows it."""

    row: Row
    choices: Sequence[Choice]
    takes: str  # as Choice has it
    typed: str  # how the value is typed: choose, date, number or text
    options: Sequence[tuple[str, str]]  # what there is to choose from: value and words
    error: str | None = None


async def list_contacts(visit: Visit) -> Answer:
    """GET contacts. `add` and `drop` are the buttons that add an empty row and take one away; `starting_after` is a page's cursor.

    With `format` csv the same as a file, and all of it.
    """
    asked = await _asked(visit)
    if visit.param("format") == "csv":
        return await _download(visit, asked)
    after, held = visit.param("starting_after") or None, asked.form
    contacts: Any = {"data": [], "total_count": None}
    error = call = following = None
    try:
        held, reply = await seek(visit, held, asked.types, per_page=PER_PAGE, after=after)
        contacts, call, following = reply.data, reply.call, reply.following
    except RequestError as refused:
        error = refused
    shown = {
        "contacts": contacts["data"],
        "more": following and _address(visit, held, starting_after=following),
    }
    if error is None and after and visit.partial:
        return visit.html("contacts/_rows.html", **shown)
    at_fault = None if error is None else form.search(held, asked.types).row_of(error.field or "")
    names = await _names(visit, asked.form)
    asks = bool(held.box or held.query) or any(form.asks(row, asked.types) for row in held.rows)
    return visit.html(
        "contacts/list.html",
        status=200 if error is None else error.status,
        headers=((b"hx-replace-url", _address(visit, asked.form).encode()),),
        form=asked.form,
        conditions=_conditions(asked, names, at_fault, error),
        fields=_offered(asked),
        error=error,
        wrong=_said(error) if error is not None else None,
        at_fault=at_fault,
        total=contacts["total_count"],
        call=call,
        lifts=_lifts(visit, asked, names) if contacts["total_count"] == 0 else (),
        exactly=bool(held.box) and not (held.wide or held.query),
        widely=_address(visit, held._replace(wide=True)),
        by=lambda sort: _address(visit, asked.form._replace(sort=sort)),
        everybody=visit.url("contacts"),
        asks=asks,
        segment=_as_segment(visit, asked) if asks and error is None else None,
        download=_address(visit, asked.form, format="csv"),
        rows_max=form.ROWS_MAX,
        **shown,
    )


async def list_archived(visit: Visit) -> Answer:
    """GET contacts/archived: those that are archived or blocked. With `format` csv the same as a file, and all of it."""
    if visit.param("format") == "csv":
        cells = partial(_fields, HIDDEN_COLUMNS)
        return tables.listed(visit, "/-/api/contacts/archived", HIDDEN_COLUMNS, cells, name="contacts-hidden")
    after = visit.param("starting_after") or None
    reply = await visit.api.get("/-/api/contacts/archived", {"per_page": PER_PAGE, "starting_after": after})
    following = reply.following
    shown: dict[str, Any] = {
        "contacts": [{**each, "merged_into": None} for each in reply.data["data"]],
        "more": following and visit.url("contacts/archived", starting_after=following),
        "state_of": state_of,
    }
    if after and visit.partial:
        return visit.html("contacts/_archived.html", **shown)
    return visit.html("contacts/archived.html", total=reply.data["total_count"], call=reply.call, **shown)


async def seek(visit: Visit, held: Form, types: Mapping[str, str], *, per_page: int, after: str | None = None) -> tuple[Form, Reply]:
    """What a form finds, and the form as it was asked: `wide` where nobody is called exactly what is in the box."""
    page: dict[str, Any] = {"per_page": per_page} | ({"starting_after": after} if after else {})

    async def ask(sought: Search) -> Reply:
        return await visit.api.post("/contacts/search", {"query": sought.query, "sort": sought.sort, "pagination": page})

    if held.box and not (held.wide or held.query):
        reply = await ask(form.search(held, types, exactly=True))
        if reply.data["total_count"]:
            return held, reply
        held = held._replace(wide=True)
    return held, await ask(form.search(held, types))


async def _download(visit: Visit, asked: Asked) -> Answer:
    """All that the search finds, in the order of an export."""
    _, found = await seek(visit, asked.form, asked.types, per_page=1)  # an error of the search is answered as one
    names = list(asked.types)
    columns = (*COLUMNS, *(f"{CUSTOM}{name}" for name in names))
    query = {"query": encode(found.call.body["query"]).decode()}
    return await tables.exported(visit, "contacts", query, columns, partial(_cells, names), name="contacts")


def _cells(names: Sequence[str], contact: Contact) -> list[Any]:
    return [*_fields(COLUMNS, contact), *(contact["custom_attributes"].get(name) for name in names)]


def _fields(columns: Sequence[str], contact: Contact) -> list[Any]:
    return [tables.moment(contact[name]) if name.endswith("_at") else contact[name] for name in columns]


# --- What the page shows of the form -------------------------------------------------------------------------------------


async def _asked(visit: Visit) -> Asked:
    listed = (await visit.api.get("/data_attributes", {"model": "contact", "include_archived": "true"})).data["data"]
    attributes = [each for each in listed if each["custom"]]
    held = form.read(visit.asked.query, {each["name"]: each["data_type"] for each in attributes})
    held = held._replace(rows=form.without(held.rows, visit.param("drop")))
    if visit.param("add") and len(held.rows) < form.ROWS_MAX:
        held = held._replace(rows=(*held.rows, Row("email", CHOICES["email"][0].word)))
    return Asked(held, attributes)


async def _names(visit: Visit, held: Form) -> dict[str, dict[str, str]]:
    """Tags and segments by their ids, where the form asks for any."""
    asked = {row.field for row in held.rows}
    found: dict[str, dict[str, str]] = {"tag_id": {}, "segment_id": {}}
    if "tag_id" in asked:
        found["tag_id"] = {each["id"]: each["name"] for each in (await visit.api.get("/tags")).data["data"]}
    if "segment_id" in asked:
        found["segment_id"] = {each["id"]: each["name"] for each in (await visit.api.get("/segments")).data["segments"]}
    return found


def _said(error: RequestError) -> str:
    """What is wrong, without the place in the API's query: the page shows the place."""
    return error.message.replace(f"{error.field} ", "this ", 1) if (error.field or "").startswith("query") else error.message


def _conditions(asked: Asked, names: Mapping[str, Mapping[str, str]], at_fault: int | None, error: RequestError | None) -> list[Condition]:
    options = {f"{CUSTOM}{each['name']}": each.get("options", ()) for each in asked.attributes}
    found = []
    for number, row in enumerate(asked.form.rows):
        kind = kind_of(row.field, asked.types)
        how = choice(kind, row.word)
        given = [("user", "User"), ("lead", "Lead")] if kind == "role" else [*names.get(row.field, {}).items()]
        given = given or [(each, each) for each in options.get(row.field, ())]
        found.append(
            Condition(
                row=row,
                choices=CHOICES[kind],
                takes=how.takes,
                typed="text" if how.takes == "list" else INPUTS.get(kind, "text"),
                options=given,
                error=_said(error) if error is not None and number == at_fault else None,
            )
        )
    return found


def _offered(asked: Asked) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a row can ask for, in groups: of each field its name and its words. What an address asks for is always among them."""
    own = [(f"{CUSTOM}{each['name']}", each["label"] + (" (archived)" if each["archived"] else "")) for each in asked.attributes]
    there = {*OFFERED, *(name for name, _ in own)}
    others = [(name, name) for name in dict.fromkeys(row.field for row in asked.form.rows) if name not in there]
    groups = [("Contact", list(OFFERED.items())), ("Attributes", own), ("Others", others)]
    return [group for group in groups if group[1]]


def _lifts(visit: Visit, asked: Asked, names: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Every part of what is asked, in words, with the address that asks for the rest alone."""
    held, known = asked.form, {id: name for each in names.values() for id, name in each.items()}
    found = [(f"“{held.box}” as a name, e-mail address or id", _address(visit, held._replace(box="")))] if held.box else []
    if held.query:
        found.append(("the search in the API's own words", _address(visit, held._replace(query=""))))
    for number, row in enumerate(held.rows):
        if not form.asks(row, asked.types):
            continue
        rest = held._replace(rows=held.rows[:number] + held.rows[number + 1 :])
        found.append((form.in_words(row, asked.types, known), _address(visit, rest)))
    return found


def _as_segment(visit: Visit, asked: Asked) -> str | None:
    """Where a segment of these contacts is made; None where it would be one of segments."""
    query = form.search(asked.form, asked.types).query
    if any(field == "segment_id" for field, _ in conditions(query)):
        return None
    return visit.url("segments/new", query=encode(query).decode())


def _address(visit: Visit, held: Form, **more: str) -> str:
    pairs = [*form.address(held), *more.items()]
    return visit.url("contacts") + (f"?{urlencode(pairs, errors='replace')}" if pairs else "")
