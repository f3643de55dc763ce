"""The form above the list of contacts: from an address to a search of the API, and back. Pure.

Everything stands in the address: `q` is what was typed into the box, and `wide` that parts of names and addresses are looked for
even where somebody is called exactly so; each row of the form is a `field`, an `op` and a `value`;
`match` is all or any of the rows; `sort` a field, with a dash before it for descending. `query` is a search in the API's own words.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from ...rules.search import CUSTOM, FIELDS, FILTERS_MAX
from .fields import CHOICES, Choice, choice, kind_of, label

EVERYBODY = {"field": "id", "operator": "!=", "value": None}
ROWS_MAX = FILTERS_MAX - 1  # of a group; what was typed into the box is one more
SORT_DEFAULT = "-created_at"

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?")

Query = Sequence[tuple[str, str]]
R = TypeVar("R")


class Row(NamedTuple):
    """One condition, as typed. `value` is empty as long as nothing is."""

    field: str
    word: str  # of a Choice
    value: str = ""


class Form(NamedTuple):
    box: str = ""
    any: bool = False  # of the rows; else all of them
    rows: tuple[Row, ...] = ()
    sort: str = SORT_DEFAULT
    query: str = ""  # JSON, where rows cannot say it; then it counts alone
    wide: bool = False

    @property
    def begun(self) -> bool:
        """Whether anything stands in it, though it be a row that lacks its value."""
        return bool(self.box or self.query or self.rows)


class Search(NamedTuple):
    """The body of a contact search but for its pages; and which row stands at which place in it, as errors name places."""

    query: Any
    sort: dict[str, str]
    places: dict[str, int]

    def row_of(self, place: str) -> int | None:
        """The row at fault in an error of the API; None where it is none of them."""
        return next((row for at, row in self.places.items() if place == at or place.startswith((f"{at}.", f"{at}["))), None)


def read(query: Query, attributes: Mapping[str, str]) -> Form:
    """The form that an address holds; a `query` that rows can say becomes rows. `attributes` are the contacts', name to data type."""
    given: dict[str, list[str]] = {}
    for name, value in query:
        given.setdefault(name, []).append(value)
    last = {name: values[-1].strip() for name, values in given.items()}
    fields, words, values = (given.get(name, []) for name in ("field", "op", "value"))
    rows = []
    for index, field in enumerate(fields[:ROWS_MAX]):
        if field:
            word = choice(kind_of(field, attributes), words[index] if index < len(words) else "").word
            rows.append(Row(field, word, values[index] if index < len(values) else ""))
    form = Form(last.get("q", ""), last.get("match") == "any", tuple(rows), last.get("sort") or SORT_DEFAULT, wide="wide" in last)
    text = last.get("query", "")
    if not text:
        return form
    try:
        said = said_in_rows(msgspec.json.decode(text), attributes)
    except (msgspec.MsgspecError, RecursionError):
        said = None
    return form._replace(query=text, rows=(), any=False) if said is None else form._replace(any=said[0], rows=said[1])


def without(rows: tuple[R, ...], place: str) -> tuple[R, ...]:
    """The rows that are left when the one at a place goes; all of them, where no row is at it."""
    gone = int(place) if re.fullmatch("[0-9]{1,3}", place) else len(rows)
    return rows[:gone] + rows[gone + 1 :]


def address(form: Form) -> list[tuple[str, str]]:
    """The parameters that hold a form; what stands anyway is left out."""
    params = [("q", form.box)] if form.box else []
    if form.box and form.wide:
        params.append(("wide", "1"))
    if form.query:
        params.append(("query", form.query))
    elif len(form.rows) > 1 and form.any:
        params.append(("match", "any"))
    for row in form.rows:
        params += [("field", row.field), ("op", row.word), ("value", row.value)]
    return params + ([("sort", form.sort)] if form.sort != SORT_DEFAULT else [])


def search(form: Form, attributes: Mapping[str, str], *, exactly: bool = False) -> Search:
    """What the API is asked; `exactly` for whoever is called what is in the box, which takes no time however many contacts there are.

    Rows that still lack their value are passed over.
    """
    sort = {"field": form.sort.removeprefix("-"), "order": "descending" if form.sort.startswith("-") else "ascending"}
    if form.query:
        try:
            return Search(msgspec.json.decode(form.query), sort, {})
        except (msgspec.MsgspecError, RecursionError):
            return Search(form.query, sort, {})  # which the API says what is wrong with
    filters = [(index, each) for index, row in enumerate(form.rows) if (each := _filter(row, attributes)) is not None]
    members = [each for _, each in filters]
    typed = _typed(form.box, exactly=exactly)
    if form.any and typed is not None and len(members) > 1:
        query: Any = {"operator": "AND", "value": [typed, {"operator": "OR", "value": members}]}
        return Search(query, sort, {f"query.value[1].value[{at}]": row for at, (row, _) in enumerate(filters)})
    members = members if typed is None else [typed, *members]
    if not members:
        return Search(EVERYBODY, sort, {})
    if len(members) == 1:
        return Search(members[0], sort, {"query": filters[0][0]} if filters else {})
    first = len(members) - len(filters)
    query = {"operator": "OR" if form.any and typed is None else "AND", "value": members}
    return Search(query, sort, {f"query.value[{first + at}]": row for at, (row, _) in enumerate(filters)})


def _typed(text: str, *, exactly: bool) -> Any:
    """What the box looks for: whoever is called so, or has it in the e-mail address or the name."""
    if not text:
        return None
    how, fields = ("=", ("id", "external_id", "email")) if exactly else ("~", ("email", "name"))
    return {"operator": "OR", "value": [{"field": field, "operator": how, "value": text} for field in fields]}


def asks(row: Row, attributes: Mapping[str, str]) -> bool:
    """Whether a row has all it needs."""
    return _filter(row, attributes) is not None


def _filter(row: Row, attributes: Mapping[str, str]) -> dict[str, Any] | None:
    """A row as the API has it; None while its value is still to come."""
    kind = kind_of(row.field, attributes)
    how = choice(kind, row.word)
    if how.takes == "nothing":
        value: Any = how.value
    elif how.takes == "list":
        value = [_value(each, kind) for each in listed(row.value)]
    else:
        value = _value(row.value.strip(), kind)
    if value in ("", []):
        return None
    return {"field": row.field, "operator": how.operator, "value": value}


def _value(text: str, kind: str) -> str | int | float:
    """Numbers as numbers; what is none goes as it was typed, and the API says so."""
    if kind in ("integer", "float") and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "float" and _NUMBER.fullmatch(text):
        return float(text)
    return text


def listed(text: str) -> list[str]:
    """The values of a list: with commas between them, and quotation marks around those that have one inside."""
    try:
        return [each.strip() for each in next(csv.reader([text], skipinitialspace=True, strict=True), []) if each.strip()]
    except csv.Error:
        return [each.strip() for each in text.split(",") if each.strip()]


def _in_a_list(values: Iterable[Any]) -> str:
    return ", ".join('"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text for text in map(str, values))


# --- Back ----------------------------------------------------------------------------------------------------------------


def said_in_rows(query: Any, attributes: Mapping[str, str]) -> tuple[bool, tuple[Row, ...]] | None:
    """A query of the API as rows, and whether any of them is to hold; None for one that rows cannot say."""
    if query == EVERYBODY:
        return False, ()
    group = isinstance(query, Mapping) and query.get("operator") in ("AND", "OR") and isinstance(query.get("value"), list)
    filters = query["value"] if group else [query]
    rows = [_row(each, attributes) for each in filters]
    if not 1 <= len(rows) <= ROWS_MAX or None in rows:
        return None
    return group and query["operator"] == "OR", tuple(row for row in rows if row is not None)


def _row(sent: Any, attributes: Mapping[str, str]) -> Row | None:
    if not isinstance(sent, Mapping) or sent.keys() != {"field", "operator", "value"} or not isinstance(sent["field"], str):
        return None
    field = sent["field"]
    if field not in FIELDS and field.removeprefix(CUSTOM) not in attributes:
        return None
    for how in CHOICES[kind_of(field, attributes)]:
        row = Row(field, how.word, _typed_in(how, sent["value"]))
        if how.operator == sent["operator"] and _filter(row, attributes) == sent:
            return row
    return None


def _typed_in(how: Choice, value: Any) -> str:
    if how.takes == "nothing":
        return ""
    return _in_a_list(value) if isinstance(value, list) else str(value)


def in_words(row: Row, attributes: Mapping[str, str], names: Mapping[str, str]) -> str:
    """A row as one would say it; `names` are those of tags and segments, by their ids."""
    how = choice(kind_of(row.field, attributes), row.word)
    value = "" if how.takes == "nothing" else f" {names.get(row.value, row.value)}"
    if kind_of(row.field, attributes) in ("tag", "segment"):
        return f"{label(row.field)}{value} {how.text}"
    return f"{label(row.field)} {how.text}{value}"
