"""Contacts and events by the thousand: one way in for POST /-/api/import/… and for `trackrecord import`.

A line is one JSON object with the fields of the API. Each line has an outcome of its own: one that is refused keeps none of
the others out, and all that are kept share one write to the journal. Sending lines again changes nothing.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from .directory import Directory
from .errors import Conflict, ParameterInvalid, TrackrecordError, Unavailable
from .ingest import Services
from .many import TURN_ITEMS, Item, judge_events
from .rules import contacts as contact_rules
from .rules.contacts import Contact, Draft
from .rules.directory import Workspace
from .rules.records import Record
from .wire.events import SubmittedEvent
from .wire.json import encode, mismatch

LINES_MAX = 2_000  # lines of one request over HTTP
SETTLE_S = 60.0  # how long the store may take to reach lines that are kept already, before we say that we cannot count them
DISTINCT_MAX = 64  # characters of an event's `distinct`
IGNORED_MAX = 50  # names of fields we do not know that are told
NAME_SHOWN_MAX = 80  # characters of each
TEXT_SHOWN_MAX = 40  # bytes of a line that is no JSON

_BYTE = re.compile(r"JSON is malformed: (.*) \(byte ([0-9]+)\)")

T = TypeVar("T")


class Refused(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line that was not kept, and why. `line` counts from 1 within the lines given."""

    line: int
    code: str
    message: str
    field: str | None = None


class Taken(msgspec.Struct, tag_field="type", tag="import"):
    """What became of some lines; blank ones count nowhere. `ignored` names top-level fields that mean nothing to us."""

    new: int
    duplicate: int
    refused: list[Refused]
    ignored: list[str] = []


class ImportedEvent(SubmittedEvent):
    """The body of POST /events, and what an export adds. `distinct` is a further part of the event's key (rules/records.py)."""

    type: Any = None
    distinct: str | None = None


class Prepared(NamedTuple):
    """Lines that were read and judged, and nothing kept of them yet."""

    records: list[Record]
    refused: list[Refused]
    ignored: list[str]


class _ExactEvent(ImportedEvent, forbid_unknown_fields=True):
    """An event with no field that we do not know: the common case, which costs no second look at the names."""


_decode_exact = msgspec.json.Decoder(_ExactEvent).decode
_decode_event = msgspec.json.Decoder(ImportedEvent).decode
_decode_contact = msgspec.json.Decoder(dict[str, Any]).decode
_decode_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

EVENT_FIELDS = frozenset(ImportedEvent.__struct_fields__)
CONTACT_FIELDS = frozenset(row[0] for row in contact_rules.FIELDS + contact_rules.IMPORT_FIELDS) | {"type", "user_id"}


class _Ignored:
    """Collects the names of fields that we do not know."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._names: dict[str, None] = {}

    def see(self, sent: Mapping[str, object]) -> None:
        if not sent.keys() <= self._known and len(self._names) < IGNORED_MAX:
            self._names |= dict.fromkeys(name[:NAME_SHOWN_MAX] for name in sent if name not in self._known)

    def names(self) -> list[str]:
        return list(self._names)[:IGNORED_MAX]


def refusal(line: int, error: TrackrecordError) -> Refused:
    return Refused(line, error.code, error.message, error.field)


# --- Events --------------------------------------------------------------------------------------------------------------


async def take_events(services: Services, workspace: Workspace, lines: Sequence[bytes]) -> Taken:
    """Keep the events of some lines, each judged as POST /events would. Raises what keep_events raises."""
    return await keep_events(services, await prepare_events(services, workspace, lines))


async def prepare_events(services: Services, workspace: Workspace, lines: Sequence[bytes]) -> Prepared:
    """Read some lines, and find their contacts and names. A name that is new is made."""
    refused: list[Refused] = []
    items: list[Item] = []
    ignored = _Ignored(EVENT_FIELDS)
    for line, text in enumerate(lines, 1):
        if not line % TURN_ITEMS:
            await asyncio.sleep(0)
        if not text or text.isspace():
            continue
        try:
            sent = _event(text, ignored)
            items.append(Item(line, sent, _distinct(sent.distinct)))
        except TrackrecordError as error:
            refused.append(refusal(line, error))
    judged = await judge_events(services, workspace, items, imported=True)
    refused += [refusal(line, error) for line, error in judged.refused]
    refused.sort(key=lambda row: row.line)
    return Prepared(judged.records, refused, ignored.names())


async def keep_events(services: Services, prepared: Prepared) -> Taken:
    """Bring prepared events onto stable storage, next to each other and in their order, and tell new from duplicate.

    Raises Unavailable when none was kept; or when the store did not reach them within SETTLE_S, though all are kept.
    """
    duplicate = 0
    if prepared.records:
        first = await services.ingest.append(prepared.records)
        last = first + len(prepared.records) - 1
        until = time.monotonic() + SETTLE_S
        while True:
            try:
                duplicate = await services.reads.ask(lambda store: len(store.duplicates(first, last)))
                break
            except Unavailable:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.1)
    return Taken(len(prepared.records) - duplicate, duplicate, prepared.refused, prepared.ignored)


def _event(text: bytes, ignored: _Ignored) -> ImportedEvent:
    try:
        return _decode_exact(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        sent = _read(_decode_event, text)
    ignored.see(_decode_names(text))
    return sent


def _read(decode: Callable[[bytes], T], text: bytes) -> T:
    """Raises ParameterInvalid for what is no JSON object in UTF-8, and TypeMismatch by field."""
    try:
        return decode(text)
    except msgspec.ValidationError as error:
        found = mismatch(str(error))
        field = "line" if found.field == "body" else found.field
        raise type(found)(found.message.replace("the body must", "the line must"), field=field) from None
    except msgspec.DecodeError as error:
        raise ParameterInvalid(f"the line is not valid JSON: {_malformed(str(error), text)}", field="line") from None
    except UnicodeDecodeError:
        raise ParameterInvalid("the line is not valid UTF-8", field="line") from None
    except RecursionError:
        raise ParameterInvalid("the line nests too deep to read", field="line") from None


def _malformed(said: str, text: bytes) -> str:
    """What a decoder said, with the text it was said of in place of a number of bytes."""
    found = _BYTE.fullmatch(said)
    if found is None:
        return f"it ends too early, after {text.strip()[-TEXT_SHOWN_MAX:].decode('utf-8', 'replace')!r}"
    at = max(0, int(found[2]) - TEXT_SHOWN_MAX // 2)  # the decoder may have read on a little
    return f"{found[1]} near {text[at : at + TEXT_SHOWN_MAX].strip().decode('utf-8', 'replace')!r}"


def _distinct(value: str | None) -> str | None:
    if not value:
        return None
    if len(value) > DISTINCT_MAX or "\x00" in value:
        raise ParameterInvalid(f"distinct must have at most {DISTINCT_MAX} characters and no NUL", field="distinct")
    return value


# --- Contacts ------------------------------------------------------------------------------------------------------------


async def take_contacts(services: Services, workspace: Workspace, lines: Sequence[bytes]) -> Taken:
    """Make the contacts of some lines. One that is there already is a duplicate and stays as it is.

    `user_id` means external_id, and for a lead or visitor its anonymous id. Raises Unavailable with nothing kept.
    """
    refused: list[Refused] = []
    drafts: list[tuple[int, Draft]] = []
    ignored = _Ignored(CONTACT_FIELDS)
    for line, text in enumerate(lines, 1):
        if not line % TURN_ITEMS:
            await asyncio.sleep(0)
        if not text or text.isspace():
            continue
        try:
            sent = _read(_decode_contact, text)
            ignored.see(sent)
            if "event_name" in sent:
                raise ParameterInvalid("this line is an event: trackrecord import events takes it", field="event_name")
            drafts.append((line, _named(contact_rules.draft(_translated(sent), imported=True), workspace)))
        except TrackrecordError as error:
            refused.append(refusal(line, error))
    outcomes: list[Contact | TrackrecordError] = await services.in_thread(
        services.directory.contacts.create_many,
        workspace.number,
        [draft for _, draft in drafts],
        now=int(services.now()),
        profile=services.profile,
    )
    there = await services.in_thread(_there, services.directory, workspace.number, outcomes)
    new = duplicate = 0
    for (line, _), outcome in zip(drafts, outcomes, strict=True):
        if isinstance(outcome, Contact):
            new += 1
        elif isinstance(outcome, Conflict) and _other(outcome) in there:
            duplicate += 1
        else:
            refused.append(refusal(line, outcome))
    refused.sort(key=lambda row: row.line)
    return Taken(new, duplicate, refused, ignored.names())


def _translated(sent: dict[str, Any]) -> dict[str, Any]:
    """The line in the API's words for a contact that is made: `user_id` by its role, an avatar as its address."""
    user_id = sent.get("user_id")
    if user_id is not None:
        sent.setdefault("anonymous_id" if sent.get("role") in ("lead", "visitor") else "external_id", user_id)
    avatar = sent.get("avatar")
    if isinstance(avatar, dict):  # as contacts are shown
        sent["avatar"] = avatar.get("image_url")
    return sent


def _named(draft: Draft, workspace: Workspace) -> Draft:
    """Give an id to a contact that nothing names uniquely, made of what its line says, so that the line again is a duplicate."""
    if draft.id or draft.external_id or draft.anonymous_id or (draft.role == "user" and draft.email):
        return draft
    digest = hashlib.blake2b(encode((workspace.id, draft)), digest_size=12).hexdigest()
    return msgspec.structs.replace(draft, id=digest)


_OTHER = re.compile(r"id=([0-9a-f]{24})$")


def _other(conflict: Conflict) -> str | None:
    """The id of the contact that stood in the way; it is part of the message for ever (rules.contacts.clash)."""
    found = _OTHER.search(conflict.message)
    return found[1] if found else None


def _there(directory: Directory, workspace: int, outcomes: Iterable[object]) -> frozenset[str]:
    """The ids of those in the way that are live contacts of this workspace. An archived one is no place for events, nor is
    another workspace's."""
    others = {other for outcome in outcomes if isinstance(outcome, Conflict) and (other := _other(outcome)) is not None}
    return frozenset(id for id, numbers in directory.contacts.find_many(workspace, "id", others).items() if numbers)
