"""The builder's form: from what stands in an address to a segment's query, and back. Pure.

Each row is a condition, and sends every part of one, though most be empty, so that the parts of a row go together: `field` (of contact
search, or event.count, event.first, event.last), `op`, `value`, and for what was done `event`, `window`, `days`, `since` and `until`.
`match` is all or any of the rows. `query` is a query in the API's own words, where rows cannot say it; then it counts alone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from ...rules.search import FILTERS_MAX
from ...rules.segments import MEASURES, PERSON_TYPES
from ..contacts import form as contacts
from ..contacts.fields import Choice, choice, kind_of

ROWS_MAX = FILTERS_MAX
EVENTS = {"event.count": "How often it was done", "event.first": "When it was done first", "event.last": "When it was done last"}
WINDOWS = {"": "ever", "days": "in the last", "dates": "between dates"}

_TIMES = (
    Choice("from", "at least", ">="),
    Choice("to", "at most", "<="),
    Choice("is", "exactly", "="),
    Choice("over", "more than", ">"),
    Choice("under", "fewer than", "<"),
    Choice("never", "never", "=", "nothing", 0),
)
_WHEN = (
    Choice("within", "within the last", ">", "ago"),
    Choice("longer", "longer ago than", "<", "ago"),
    Choice("since", "on or after", ">=", "date"),
    Choice("before", "before", "<", "date"),
)
CHOICES = {"event.count": _TIMES, "event.first": _WHEN, "event.last": _WHEN}


class Row(NamedTuple):
    """One condition, as typed. Of a condition on the contact only the first three count."""

    field: str
    word: str  # of a Choice
    value: str = ""
    event: str = ""
    window: str = ""  # of WINDOWS
    days: str = ""
    since: str = ""  # a date, as the others typed
    until: str = ""

    @property
    def of_event(self) -> bool:
        return self.field in MEASURES


PARTS = dict(zip(Row._fields, ("field", "op", "value", "event", "window", "days", "since", "until"), strict=True))


class Form(NamedTuple):
    name: str = ""
    person_type: str = "user"
    any: bool = False  # of the rows; else all of them
    rows: tuple[Row, ...] = ()
    query: str = ""  # JSON


class Built(NamedTuple):
    """A query, which row stands at which place in it, and which rows still lack something."""

    query: Any
    places: dict[str, int]
    unfinished: tuple[int, ...]

    def row_of(self, place: str) -> int | None:
        """The row at fault in an error of the API; None where it is none of them."""
        return next((row for at, row in self.places.items() if place == at or place.startswith((f"{at}.", f"{at}["))), None)


def read(sent: Sequence[tuple[str, str]]) -> Form:
    """The form that an address holds, or what was submitted."""
    given: dict[str, list[str]] = {}
    for name, value in sent:
        given.setdefault(name, []).append(value.strip() if name != "value" else value)
    last = {name: values[-1].strip() for name, values in given.items()}
    rows = []
    for index in range(min(len(given.get("field", ())), ROWS_MAX)):
        parts = {part: values[index] for part, name in PARTS.items() if index < len(values := given.get(name, []))}
        if parts.get("field"):
            rows.append(Row(**{"word": "", **parts}))
    person_type = last.get("person_type", "")
    held = Form(last.get("name", ""), person_type if person_type in PERSON_TYPES else "user")
    if last.get("query"):
        return held._replace(query=last["query"])
    return held._replace(any=len(rows) > 1 and last.get("match") == "any", rows=tuple(rows))


def address(form: Form) -> list[tuple[str, str]]:
    """The parameters that hold a form; what stands anyway is left out."""
    params = [("name", form.name)] if form.name else []
    if form.person_type != "user":
        params.append(("person_type", form.person_type))
    if form.query:
        return [*params, ("query", form.query)]
    if len(form.rows) > 1 and form.any:
        params.append(("match", "any"))
    return params + [(PARTS[part], value) for row in form.rows for part, value in row._asdict().items()]


def choices(field: str, types: Mapping[str, str]) -> Sequence[Choice]:
    """The operators of a field."""
    from ..contacts.fields import CHOICES as OF_CONTACTS

    return CHOICES.get(field) or OF_CONTACTS[kind_of(field, types)]


def chosen(row: Row, types: Mapping[str, str]) -> Choice:
    """The operator a row has; the first of its field for a word that it does not have, as when another field was chosen."""
    if row.field not in CHOICES:
        return choice(kind_of(row.field, types), row.word)
    return next((each for each in CHOICES[row.field] if each.word == row.word), CHOICES[row.field][0])


def build(form: Form, types: Mapping[str, str], zone: ZoneInfo) -> Built:
    """The query that the rows make; everybody where there is none. Rows that lack something are passed over, and told."""
    if form.query:
        try:
            return Built(msgspec.json.decode(form.query), {}, ())
        except (msgspec.MsgspecError, RecursionError):
            return Built(form.query, {}, ())  # which the API says what is wrong with
    conditions = [_condition(row, types, zone) for row in form.rows]
    unfinished = tuple(index for index, each in enumerate(conditions) if each is None)
    there = [(index, each) for index, each in enumerate(conditions) if each is not None]
    if not there:
        return Built(contacts.EVERYBODY, {}, unfinished)
    if len(there) == 1:
        return Built(there[0][1], {"query": there[0][0]}, unfinished)
    query = {"operator": "OR" if form.any else "AND", "value": [each for _, each in there]}
    return Built(query, {f"query.value[{place}]": index for place, (index, _) in enumerate(there)}, unfinished)


def _condition(row: Row, types: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any] | None:
    """A row as the API has it; None while something is still to come."""
    if not row.of_event:
        alone = contacts.Form(rows=(contacts.Row(row.field, row.word, row.value),))
        found = contacts.search(alone, types)
        return None if not found.places else found.query
    how = chosen(row, types)
    condition: dict[str, Any] = {"field": row.field, "event_name": row.event, "operator": how.operator}
    if how.takes == "nothing":
        condition["value"] = how.value
    else:
        condition["days_ago" if how.takes == "ago" else "value"] = _date(row.value, zone) if how.takes == "date" else _whole(row.value)
    if row.window == "days":
        condition["within_days"] = _whole(row.days)
    elif row.window == "dates":
        condition |= {key: _date(text, zone) for key, text in (("since", row.since), ("until", row.until)) if text.strip()}
    if "" in condition.values() or (row.window == "dates" and not (row.since.strip() or row.until.strip())):
        return None
    return condition


def _whole(text: str) -> int | str:
    """What is no whole number goes as it was typed, and the API says so."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def _date(text: str, zone: ZoneInfo) -> int | str:
    """The first second of a day, by the workspace's clock."""
    try:
        return int(datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        return text.strip()


# --- Back ----------------------------------------------------------------------------------------------------------------


def said_in_rows(query: Any, types: Mapping[str, str], zone: ZoneInfo) -> tuple[bool, tuple[Row, ...]] | None:
    """A query as rows, and whether any of them is to hold; None for one that rows cannot say."""
    if query == contacts.EVERYBODY:
        return False, ()
    group = isinstance(query, Mapping) and query.get("operator") in ("AND", "OR") and isinstance(query.get("value"), list)
    conditions = query["value"] if group else [query]
    rows = [_row(each, types, zone) for each in conditions]
    if not 1 <= len(rows) <= ROWS_MAX or None in rows:
        return None
    return group and query["operator"] == "OR", tuple(row for row in rows if row is not None)


def _row(sent: Any, types: Mapping[str, str], zone: ZoneInfo) -> Row | None:
    if not isinstance(sent, Mapping) or not isinstance(sent.get("field"), str):
        return None
    field = sent["field"]
    if field not in MEASURES:
        found = contacts.said_in_rows(sent, types) if sent != contacts.EVERYBODY else None
        return None if found is None or len(found[1]) != 1 else Row(*found[1][0])
    row = Row(field, "", event=str(sent.get("event_name", "")))
    if "within_days" in sent:
        row = row._replace(window="days", days=str(sent["within_days"]))
    elif "since" in sent or "until" in sent:
        row = row._replace(window="dates", since=_day(sent.get("since"), zone), until=_day(sent.get("until"), zone))
    for how in reversed(CHOICES[field]):
        value = {"nothing": "", "ago": str(sent.get("days_ago", "")), "date": _day(sent.get("value"), zone)}
        tried = row._replace(word=how.word, value=value.get(how.takes, str(sent.get("value", ""))))
        if _condition(tried, types, zone) == sent:
            return tried
    return None


def _day(seconds: Any, zone: ZoneInfo) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d}"
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


# --- In words ------------------------------------------------------------------------------------------------------------


def in_words(row: Row, types: Mapping[str, str], names: Mapping[str, str]) -> str:
    """A row as one would say it; `names` are those of tags, by their ids."""
    if not row.of_event:
        return contacts.in_words(contacts.Row(row.field, row.word, row.value), types, names)
    how = chosen(row, types)
    window = ""
    if row.window == "days":
        window = f" in the last {row.days} days" if row.days != "1" else " in the last day"
    elif row.window == "dates":
        window = (f" since {row.since}" if row.since else "") + (f" before {row.until}" if row.until else "")
    if row.field == "event.count":
        times = "" if how.takes == "nothing" else f" {row.value} {'time' if row.value == '1' else 'times'}"
        return f"did {row.event} {how.text}{times}{window}"
    said = {"within": f"within the last {row.value} days", "longer": f"longer ago than {row.value} days"}
    return f"did {row.event} {row.field.removeprefix('event.')}{window} {said.get(how.word, f'{how.text} {row.value}')}"
