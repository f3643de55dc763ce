"""The builder: conditions in rows, whose address holds them, and how many contacts they mean while one builds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ...errors import RequestError
from ...http.call import Answer
from ...rules.search import CUSTOM
from ..contacts.fields import OFFERED, Choice, kind_of
from ..contacts.form import without
from ..contacts.listing import INPUTS
from ..reports.names import first_names
from ..visit import Visit
from . import form
from .form import Built, Form, Row

Segment = Mapping[str, Any]


class Offer(NamedTuple):
    """What the rows can be made of. `attributes` are the workspace's own, as the API lists them; tags by their ids."""

    attributes: Sequence[Mapping[str, Any]]
    tags: Mapping[str, str]
    names: Sequence[str]  # of events, the first
    names_total: int

    @property
    def types(self) -> dict[str, str]:
        return {each["name"]: each["data_type"] for each in self.attributes}

    @property
    def fields(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """In groups: of each field its name and its words."""
        own = [(f"{CUSTOM}{each['name']}", each["label"] + (" (archived)" if each["archived"] else "")) for each in self.attributes]
        groups = [
            ("Events", list(form.EVENTS.items())),
            ("Contact", [each for each in OFFERED.items() if each[0] not in ("segment_id", "role")]),
            ("Attributes", own),
        ]
        return [group for group in groups if group[1]]


class Condition(NamedTuple):
    """One row, as the page shows it."""

    row: Row
    choices: Sequence[Choice]
    takes: str  # as Choice has it
    typed: str  # how the value is typed: choose, date, number or text
    options: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    error: str | None


async def offered(visit: Visit) -> Offer:
    listed = (await visit.api.get("/data_attributes", {"model": "contact", "include_archived": "true"})).data["data"]
    tags = {each["id"]: each["name"] for each in (await visit.api.get("/tags")).data["data"]}
    names, total = await first_names(visit)
    return Offer([each for each in listed if each["custom"]], tags, names, total)


async def new(visit: Visit) -> Answer:
    """GET segments/new. `add` and `drop` are the buttons that add an empty row and take one away."""
    return await _page(visit, _changed(visit.asked.query), None)


async def edit(visit: Visit) -> Answer:
    """GET segments/{segment_id}/edit: as new, beginning with what the segment is."""
    segment = await _segment(visit)
    sent = visit.asked.query
    held = _changed(sent) if sent else await _held(visit, segment)
    return await _page(visit, held, segment)


async def post(visit: Visit) -> Answer:
    """POST segments/new and segments/{segment_id}/edit: save it; or, without JavaScript, the button that only shows what changed."""
    segment = await _segment(visit) if "segment_id" in visit.path else None
    if visit.field("do") != "save":
        return visit.go(_address(visit, _changed(visit.form), segment))
    held = form.read(visit.form)
    offer = await offered(visit)
    built = form.build(held, offer.types, visit.timezone)
    if built.unfinished:
        return await _page(visit, held, segment, lacking=True, status=400)
    body = {"name": held.name, "query": built.query, "person_type": held.person_type}
    try:
        saved = await (visit.api.post("/-/api/segments", body) if segment is None else visit.api.put(_path(segment), body))
    except RequestError as error:
        if error.status not in (400, 422):
            raise
        return await _page(visit, held, segment, wrong=error, status=error.status)
    done = "made" if segment is None else "changed"
    return visit.go(visit.url(f"segments/{saved.data['id']}"), f"{saved.data['name']} is {done}")


async def _segment(visit: Visit) -> Segment:
    found: Segment = (await visit.api.get(f"/-/api/segments/{quote(visit.path['segment_id'], safe='')}")).data
    return found


def _path(segment: Segment) -> str:
    return f"/-/api/segments/{segment['id']}"


async def _held(visit: Visit, segment: Segment) -> Form:
    """A segment in the form."""
    types = (await offered(visit)).types
    said = form.said_in_rows(segment["query"], types, visit.timezone)
    held = Form(segment["name"], segment["person_type"])
    if said is None:
        from ...wire.json import encode

        return held._replace(query=encode(segment["query"]).decode())
    return held._replace(any=said[0], rows=said[1])


def _changed(sent: Sequence[tuple[str, str]]) -> Form:
    """The form that was sent, after the button that was pressed."""
    held = form.read(sent)
    pressed = dict(sent)
    held = held._replace(rows=without(held.rows, pressed.get("drop", "")))
    fields = {"event": "event.count", "contact": "email"}
    if (field := fields.get(pressed.get("add", ""))) is not None and len(held.rows) < form.ROWS_MAX:
        held = held._replace(rows=(*held.rows, Row(field, "")))
    return held


async def _page(
    visit: Visit, held: Form, segment: Segment | None, *, wrong: RequestError | None = None, lacking: bool = False, status: int = 200
) -> Answer:
    offer = await offered(visit)
    built = form.build(held, offer.types, visit.timezone)
    found, error = None, wrong
    if error is None:
        try:
            found = await visit.api.post("/-/api/segments/preview", {"query": built.query, "person_type": held.person_type})
        except RequestError as refused:
            if refused.status != 400:
                raise
            error = refused
    at_fault = built.row_of(error.field or "") if error is not None else None
    return visit.html(
        "segments/build.html",
        status=status if error is None or wrong is not None else error.status,
        headers=((b"hx-push-url", _address(visit, held, segment).encode()),),
        segment=segment,
        form=held,
        address=_bare(visit, segment),
        conditions=[_condition(row, offer, _error(number, built, at_fault, error, lacking)) for number, row in enumerate(held.rows)],
        offer=offer,
        windows=form.WINDOWS,
        rows_max=form.ROWS_MAX,
        error=error,
        wrong=None if error is None else _said(error),
        at_fault=at_fault,
        reply=found,
        unfinished=built.unfinished,
    )


def _error(number: int, built: Built, at_fault: int | None, error: RequestError | None, lacking: bool) -> str | None:
    if error is not None and number == at_fault:
        return _said(error)
    return "Fill this in, or remove the condition" if lacking and number in built.unfinished else None


def _said(error: RequestError) -> str:
    """What is wrong, with the part of the condition and not its place in the API's query: the page shows the place."""
    place = error.field or ""
    part = place.rpartition(".")[2].replace("_", " ") if place.startswith("query.") else "this" if place == "query" else place
    words = error.message.replace(f"{place} ", f"{'this' if part == 'value' else part} ", 1)
    return words[:1].upper() + words[1:]


def _condition(row: Row, offer: Offer, error: str | None) -> Condition:
    how = form.chosen(row, offer.types)
    kind = kind_of(row.field, offer.types)
    options = {f"{CUSTOM}{each['name']}": each.get("options") or () for each in offer.attributes}
    given = [("user", "User"), ("lead", "Lead")] if kind == "role" else list(offer.tags.items()) if kind == "tag" else []
    typed = {"ago": "number", "date": "date"}.get(how.takes, "number") if row.of_event else INPUTS.get(kind, "text")
    fields = offer.fields
    if row.field not in {name for _, group in fields for name, _ in group}:
        fields = [*fields, ("Others", [(row.field, row.field)])]  # what an address asks for is always among them
    return Condition(
        row=row._replace(word=how.word),
        choices=form.choices(row.field, offer.types),
        takes=how.takes,
        typed="text" if how.takes == "list" else typed,
        options=given or [(each, each) for each in options.get(row.field, ())],
        fields=fields,
        error=error,
    )


def _bare(visit: Visit, segment: Segment | None) -> str:
    return visit.url("segments/new" if segment is None else f"segments/{segment['id']}/edit")


def _address(visit: Visit, held: Form, segment: Segment | None) -> str:
    pairs = form.address(held)
    return _bare(visit, segment) + (f"?{urlencode(pairs, errors='replace')}" if pairs else "")
