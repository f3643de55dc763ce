"""What a browser's script delivers: judged item by item, kept in one piece, answered once it is on stable storage."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..directory.messenger import Gate
from ..errors import NotFound, OriginRefused, ParameterInvalid, RequestError, TrackrecordError, Unavailable, Unprocessable
from ..ingest import Services, move_events
from ..many import name_numbers
from ..rules import messenger as rules
from ..rules.contacts import address
from ..rules.events import Accepted, accept
from ..rules.records import Record
from ..rules.values import number_or_text
from ..wire import messenger as wire
from ..wire.messenger import SentDelivery, SentItem, SentPerson
from .caps import Caps
from .identity import Identity, NotProved, Proof, verified
from .people import Merged, People, Settled

log = logging.getLogger("trackrecord.messenger")

TRUSTED_FOR_S = 1.0  # how long a workspace's origins and secrets are believed before the directory is asked again
GATES_MAX = 10_000
DROPPED_MAX = 10_000  # items that one delivery can say were given up: ten full queues
KEPT, REFUSED, HELD = "kept", "refused", "held"
NAMES_CODE = "422"  # of a name past the limit. Source: the contract, 2.1 "120 active names"

# What robots that keep to manners call themselves.
_BOT = re.compile(r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|headlesschrome|phantomjs|lighthouse|pingdom|preview", re.IGNORECASE)


class _Outcome(NamedTuple):
    outcome: str
    code: str | None = None
    message: str | None = None


class _Waiting(NamedTuple):
    """An event that is accepted, and by whom."""

    place: int
    item: SentItem
    contact: int
    accepted: Accepted


class Deliveries:
    """Every item is kept, refused or held, and answered as that; or nothing is answered but that all may come again."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._people = People(services.directory, services.profile)
        self._caps = Caps(per_visitor=settings.messenger_visitor_per_minute, per_address=settings.messenger_address_per_minute)
        self._bots = settings.messenger_bots == "keep"
        self._gates: dict[str, tuple[Gate, float]] = {}
        self._warned: set[int] = set()

    async def take(self, app_id: str, body: bytes, *, origin: str | None, agent: str, address: str) -> wire.DeliveryAnswer:
        """Raises NotFound for an unknown workspace, OriginRefused, RateLimitExceeded, Unavailable, and what wire.parse does."""
        gate = await self._gate(app_id, origin)
        sent, now = wire.parse(body), self._services.now()
        self._check(sent)
        counts: dict[str, int] = {}
        for item in sent.items:
            visitor = sent.people[item.who].visitor
            counts[visitor] = counts.get(visitor, 0) + 1
        self._caps.count(counts, address, now=now)
        if not self._bots and _BOT.search(agent):
            refused = _Outcome(REFUSED, "bot", "this server keeps nothing of robots")
            return _answer(now, sent, [refused] * len(sent.items), [None] * len(sent.people))
        settled = await self._settle(gate, sent, now=now)
        outcomes = await self._keep(gate, sent, settled, now=now)
        await self._note_dropped(gate, sent.dropped)
        return _answer(now, sent, outcomes, settled)

    async def _gate(self, app_id: str, origin: str | None) -> Gate:
        known = self._gates.get(app_id)
        gate = known[0] if known is not None and known[1] > time.monotonic() else None
        if gate is None:
            gate = await self._services.at_gate(self._services.directory.messenger.gate, app_id)
            if gate is None:
                raise NotFound("Workspace Not Found", field="app_id", cause=f"there is no workspace {app_id[:80]!r}")
            if len(self._gates) >= GATES_MAX:
                self._gates.clear()
            self._gates[app_id] = (gate, time.monotonic() + TRUSTED_FOR_S)
        if gate.origins and (origin is None or origin.lower() not in gate.origins):
            raise OriginRefused(origin)
        if not gate.origins and gate.workspace.number not in self._warned:
            self._warned.add(gate.workspace.number)
            log.warning("pages of every origin may deliver to the workspace %s; name yours: trackrecord messenger allow ORIGIN", app_id)
        return gate

    def _check(self, sent: SentDelivery) -> None:
        """What makes a whole delivery unreadable. Raises ParameterInvalid."""
        for name, items, most in (("items", len(sent.items), rules.ITEMS_MAX), ("people", len(sent.people), rules.PEOPLE_MAX)):
            if items > most:
                raise ParameterInvalid(f"{name} must have at most {most} items, got {items}", field=name)
        for person in sent.people:
            rules.visitor(person.visitor)
        for item in sent.items:
            rules.item_id(item.id)
            if not 0 <= item.who < len(sent.people):
                raise ParameterInvalid(f"items.who must be a place in people, got {item.who}", field="items.who")
            if item.kind not in ("event", "ping"):
                raise ParameterInvalid(f"items.kind must be event or ping, got {item.kind[:40]!r}", field="items.kind")

    async def _note_dropped(self, gate: Gate, dropped: Mapping[str, int] | None) -> None:
        counts = {reason: min(dropped[reason], DROPPED_MAX) for reason in rules.DROPPED if dropped and dropped.get(reason, 0) > 0}
        if counts:
            log.info("a browser gave up items of the workspace %s: %s", gate.workspace.id, counts)
            await self._services.in_thread(
                self._services.directory.messenger.note_dropped, gate.workspace.number, counts, now=int(self._services.now())
            )

    # People.

    async def _settle(self, gate: Gate, sent: SentDelivery, *, now: float) -> list[Settled | _Outcome | None]:
        """Who each of the people is, once their pings are done; None for who has no items."""
        pings: dict[int, dict[str, Any]] = {}
        whose: set[int] = set()
        for item in sent.items:
            whose.add(item.who)
            if item.kind == "ping":
                pings[item.who] = pings.get(item.who, {}) | (item.data or {})
        merged: Merged = []
        try:
            settled = await self._services.in_thread(self._settle_all, gate, sent.people, sorted(whose), pings, now, merged)
        finally:  # whatever became of the rest, the events of who was merged follow
            for source, target in merged:
                await move_events(self._services, gate.workspace.number, source, target)
        return [settled.get(place) for place in range(len(sent.people))]

    def _settle_all(
        self,
        gate: Gate,
        people: Sequence[SentPerson],
        whose: Sequence[int],
        pings: Mapping[int, Mapping[str, Any]],
        now: float,
        merged: Merged,
    ) -> dict[int, Settled | _Outcome]:
        found: dict[int, Settled | _Outcome] = {}
        for place in whose:
            person, enforced = people[place], gate.workspace.identity_enforced
            try:
                identity, faults = _identity(person, gate, now=now)
                settled = self._people.settle(
                    gate.workspace.number, identity, person.visitor, pings.get(place), enforced=enforced, now=int(now), merged=merged
                )
                found[place] = settled._replace(left_out=(*faults, *settled.left_out))
            except NotProved as error:
                found[place] = _Outcome(HELD if error.held else REFUSED, error.code, error.message)
            except Unavailable:
                raise
            except TrackrecordError as error:
                found[place] = _Outcome(REFUSED, error.code, error.message)
        return found

    # Events.

    async def _keep(self, gate: Gate, sent: SentDelivery, settled: Sequence[Settled | _Outcome | None], *, now: float) -> list[_Outcome]:
        """What becomes of each item. Raises Unavailable, with no event kept."""
        services, workspace = self._services, gate.workspace
        seconds = await self._seconds(workspace.number, sent, settled, now=now)
        outcomes: list[_Outcome] = []
        waiting: list[_Waiting] = []
        for place, item in enumerate(sent.items):
            who = settled[item.who]
            if not isinstance(who, Settled):
                outcomes.append(who or _Outcome(REFUSED))
                continue
            if item.kind == "ping":
                outcomes.append(_Outcome(KEPT, None, f"not taken over: {'; '.join(who.left_out)}" if who.left_out else None))
                continue
            try:
                second = seconds[item.id]
                if rules.too_old(second, now_ms=int(now * 1000)):
                    raise ParameterInvalid("this event is too old to be delivered", field="items.time")
                accepted = accept(item.name, second, item.metadata, now=int(now), profile=services.profile)
                waiting.append(_Waiting(place, item, who.contact.number, accepted))
                outcomes.append(_Outcome(KEPT))
            except TrackrecordError as error:
                outcomes.append(_Outcome(REFUSED, error.code, error.message))
        written: dict[str, str] = {}  # by what a name folds to, how the first of them is written
        for each in waiting:
            written.setdefault(each.accepted.folded, each.accepted.name)
        names = await name_numbers(services, workspace, written, now=int(now))
        records: list[Record] = []
        for each in waiting:
            name = names[each.accepted.folded]
            if isinstance(name, TrackrecordError):
                outcomes[each.place] = _named(name, services.profile.event_names_max)
                continue
            event = services.ingest.event(workspace, each.contact, name, each.accepted, int(now * 1000))
            records.append(msgspec.structs.replace(event, distinct=each.item.id))
        if records:
            await services.ingest.append(records)
        return outcomes

    async def _seconds(
        self, workspace: int, sent: SentDelivery, settled: Sequence[Settled | _Outcome | None], *, now: float
    ) -> dict[str, int]:
        """When each event of somebody who is settled happened, in Unix seconds, by its id; the same at every try."""
        seconds: dict[str, int] = {}
        unsure: dict[str, int] = {}
        for item in sent.items:
            if item.kind == "event" and isinstance(settled[item.who], Settled):
                second, for_ever = rules.second_of(item.time, at=item.at, sent_at=sent.sent_at, now_ms=int(now * 1000))
                (seconds if for_ever else unsure)[item.id] = second
        if unsure:
            noted = await self._services.in_thread(self._services.directory.messenger.moments, workspace, unsure, now=int(now))
            seconds |= noted
        return seconds


def _identity(person: SentPerson, gate: Gate, *, now: float) -> tuple[Identity, list[str]]:
    """Who it is, and what was said that nobody can be called: with that alone somebody is a visitor, and loses nothing."""
    faults: list[str] = []

    def usable(reader: Callable[[object, str], str | None], value: object, field: str) -> str | None:
        try:
            return reader(value, field)
        except RequestError as error:
            faults.append(error.message)
            return None

    user_id = usable(number_or_text, person.user_id, "user_id")
    proof = Proof(user_id, usable(address, person.email, "email"), person.user_hash, person.jwt)
    return verified(proof, gate.secrets, enforced=gate.workspace.identity_enforced, now=now), faults


def _named(error: TrackrecordError, limit: int) -> _Outcome:
    if isinstance(error, Unprocessable):
        return _Outcome(REFUSED, NAMES_CODE, f"Cannot have more than {limit} active event names")
    return _Outcome(REFUSED, error.code, error.message)


def _answer(
    now: float, sent: SentDelivery, outcomes: Sequence[_Outcome], settled: Sequence[Settled | _Outcome | None]
) -> wire.DeliveryAnswer:
    results = [
        wire.Result(id=item.id, outcome=each.outcome, code=each.code, message=each.message)
        for item, each in zip(sent.items, outcomes, strict=True)
    ]
    people = [wire.Person(type=each.contact.role if isinstance(each, Settled) else None) for each in settled]
    return wire.DeliveryAnswer(now=int(now * 1000), results=results, people=people)
