"""The whole record of one workspace against the model: every list, timeline, summary, total, receipt and export."""

import json
from typing import Any
from urllib.parse import quote

from .people import AMBIGUOUS, People, Person, Refusal, no_user
from .record import Event, Record
from .wire import Api, same

OLD = "1.4"  # the version in which contacts are leads
COPIES_SHOWN = 50
LATER = "2.16"  # the version in which whoever was merged away is 410
MERGED = "This contact has been merged. See the 'Link' header for the canonical contact."


def shown(person: Person) -> dict[str, Any]:
    """A contact as API 2.14 shows it, as far as the model knows it."""
    return {
        "type": "contact",
        "id": person.id,
        "external_id": person.external_id,
        "role": person.role,
        "email": person.email,
        "phone": person.phone,
        "name": person.name,
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "custom_attributes": dict(sorted(person.attributes.items())),
        "tags": sorted(person.tags),
    }


def shown_in_1_x(person: Person) -> dict[str, Any]:
    """A user or a lead as API 1.x shows it."""
    common = {key: value for key, value in shown(person).items() if key not in ("type", "external_id", "role")}
    lead = person.role == "lead"
    return {"type": "contact" if lead else "user", "user_id": person.user_id, "anonymous": lead, **common}


def told(body: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Of a contact, a user or a lead as the server shows it, what the model knows, in the model's form."""
    tags = body["tags"].get("data", body["tags"].get("tags"))
    body = body | {"custom_attributes": dict(sorted(body["custom_attributes"].items())), "tags": sorted(each["id"] for each in tags)}
    return {key: body.get(key, "absent") for key in like}


def contact(person: Person, body: dict[str, Any], what: str) -> None:
    like = shown(person) if "role" in body else shown_in_1_x(person)
    same(like, told(body, like), what)


def item(event: Event) -> dict[str, Any]:
    """An event as lists show it, but for its own id."""
    person = event.person
    return {
        "type": "event",
        "created_at": event.created_at,
        "event_name": event.name.shown,
        "user_id": person.user_id,
        "email": person.email,
        "intercom_user_id": person.id,
        "metadata": event.metadata.values,
    }


def exported(event: Event) -> dict[str, Any]:
    """An event as an export has it: an address stands only where it names the contact to whoever brings the event back."""
    whole = item(event)
    del whole["type"]
    return whole if event.person.role == "user" and event.person.live else whole | {"email": None}


def without_id(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in ("id", "position")}


def entry(found: dict[str, Any]) -> dict[str, Any]:
    """One name of the catalogue in the model's form."""
    metadata = {each["key"]: {kind["kind"]: kind["count"] for kind in each["kinds"]} for each in found["metadata"]}
    assert all(each["count"] == sum(kind["count"] for kind in each["kinds"]) for each in found["metadata"]), found
    plain = {key: found[key] for key in ("name", "aliases", "description")}
    numbers = {key: found[key] for key in ("first_seen_at", "last_seen_at", "count", "duplicates", "keys_dropped")}
    return {**plain, "archived": found["archived_at"] is not None, **numbers, "metadata": metadata}


def unordered(value: Any) -> Any:
    """The same with the keys of its objects in one order, for what has none."""
    return json.loads(json.dumps(value, sort_keys=True))


class Comparison:
    def __init__(self, api: Api, people: People, record: Record) -> None:
        self._api, self._people, self._record = api, people, record

    def totals(self) -> None:
        """What is cheap enough to be asked after every step: the catalogue with all its sums."""
        found = [entry(each) for each in self._api.listed("/-/api/event-names?per_page=150&include_archived=true")]
        same(unordered(self._record.catalogue()), unordered(found), "the catalogue")

    def everything(self, per_page: int) -> None:
        self.totals()
        self._lists(per_page)
        for person in self._people.all:
            self.person(person, per_page)
        for position in self._record.received:
            self.receipt(position)
        self._exports()

    def _lists(self, per_page: int) -> None:
        found = self._api.listed(f"/contacts?per_page={per_page}")
        listed = self._people.listed()
        same([each.id for each in listed], [each["id"] for each in found], "the list of contacts")
        for person, body in zip(listed, found, strict=True):
            contact(person, body, f"{person} in the list")
        hidden = self._api.listed(f"/-/api/contacts/archived?per_page={per_page}")
        states = {each.id: each.state for each in self._people.all if each.state in ("archived", "blocked")}
        named = {each["id"]: "archived" if each["blocked_at"] is None else "blocked" for each in hidden}
        same(sorted(states.items()), sorted(named.items()), "the list of who is hidden")
        for role in ("user", "lead"):
            query = {"query": {"field": "role", "operator": "=", "value": role}}
            same([each.id for each in listed if each.role == role], [each["id"] for each in self._search(query, per_page)], f"every {role}")
        users = [each for each in listed if each.role == "user"]
        page = self._api.ask("GET", "/users?per_page=150")
        same(([each.id for each in users], len(users)), ([each["id"] for each in page["users"]], page["total_count"]), "the users of 1.x")
        for person, body in zip(users, page["users"], strict=True):
            contact(person, body, f"{person} among the users of 1.x")
        leads = self._api.ask("GET", "/contacts?per_page=150", version=OLD)["contacts"]
        same([each.id for each in listed if each.role == "lead"], [each["id"] for each in leads], "the leads of 1.x")

    def _search(self, query: dict[str, Any], per_page: int) -> list[dict[str, Any]]:
        return self._api.found("/contacts/search", query, per_page)

    def person(self, person: Person, per_page: int) -> None:
        """One contact: itself, its timeline and its summary, by every way that leads to it; or that it is gone."""
        target, final = f"/contacts/{person.id}", person.final()
        self.timeline(person, f"intercom_user_id={person.id}", per_page)
        if person.live:
            contact(person, self._api.ask("GET", target), f"{person} by its id")
            if person.role == "user" and person.external_id is not None:
                contact(person, self._api.ask("GET", f"/contacts/find_by_external_id/{quote(person.external_id, safe='')}"), f"{person}")
                self.timeline(person, f"user_id={quote(person.external_id, safe='')}", per_page)
            if person.role == "user":
                self._of_a_user(person, per_page)
            else:
                self.timeline(person, f"user_id={person.anonymous_id}", per_page)
            return
        self._api.refused(no_user("contact_id"), "GET", target)
        if person.state == "merged" and final.live:
            answer = self._api.send("GET", target, version=LATER)
            same((410, "contact_merged", MERGED), answer.error[:3], f"{person} in 2.16")
            same(f'</contacts/{final.id}>; rel="canonical"', answer.header("link"), f"where {person} went")

    def _of_a_user(self, person: Person, per_page: int) -> None:
        """By an address, which must be its alone; and who was merged into it."""
        if person.email is not None:
            who = f"email={quote(person.email, safe='')}"
            if len(self._people.named("email", person.email)) == 1:
                self.timeline(person, who, per_page)
            else:
                self._api.refused(Refusal(409, "conflict", "email", AMBIGUOUS), "GET", f"/events?type=user&{who}")
        history = self._api.ask("GET", f"/contacts/{person.id}/merge_history", version=LATER)
        merged = sorted(each.id for each in self._people.all if each.state == "merged" and each.final() is person)
        same(merged, sorted(each["source_contact_id"] for each in history["data"]), f"who was merged into {person}")

    def timeline(self, person: Person, who: str, per_page: int) -> None:
        final = person.final()
        if not final.live:
            refusal = no_user(who.partition("=")[0])
            self._api.refused(refusal, "GET", f"/events?type=user&{who}")
            return self._api.refused(refusal, "GET", f"/events?type=user&{who}&summary=true")
        found = self._api.events(f"type=user&{who}&per_page={per_page}")
        same([item(each) for each in self._record.timeline(final)], [without_id(each) for each in found], f"the events of {final} by {who}")
        same(len(found), len({each["id"] for each in found}), f"ids among the events of {final}")
        summary = {"type": "event.summary", "email": final.email, "intercom_user_id": final.id, "user_id": final.user_id}
        answer = self._api.ask("GET", f"/events?type=user&{who}&summary=true")
        return same({**summary, "events": self._record.summary(final)}, answer, f"the summary of {final} by {who}")

    def receipt(self, position: int) -> None:
        record, what = self._record, f"the receipt of {position}"
        found = self._api.ask("GET", f"/-/api/receipts/{position}")
        known = {"type": "receipt", "position": position, "outcome": record.outcome(position), "received_at_ms": record.received[position]}
        same(known, {key: found.get(key) for key in known}, what)
        copies = sorted(copy for copy, standing in record.copies.items() if standing == position)
        extra = {"stored": {"event", *(["copies"] if copies else [])}, "duplicate": {"duplicate_of"}, "erased": set()}[known["outcome"]]
        same(sorted({*known, *extra}), sorted(found.keys() - {"keys_dropped"}), f"what {what} has")
        event = record.events.get(record.copies.get(position, position))
        if position in record.copies:
            first = found["duplicate_of"]
            standing = {"position": event.position, "received_at_ms": event.received_at_ms, "event": item(event)}
            same(standing, first | {"event": without_id(first["event"])}, what)
        elif event is not None:
            same(item(event), without_id(found["event"]), what)
            dropped = [(each["key"], each["reason"]) for each in found.get("keys_dropped", [])]
            same(event.metadata.dropped, dropped, what)
            told = found.get("copies", {"total_count": 0, "data": []})
            data = [{"position": each, "received_at_ms": record.received[each]} for each in copies[:COPIES_SHOWN]]
            same({"total_count": len(copies), "data": data}, told, f"the copies that {what} names")

    def _exports(self) -> None:
        lines = self.lines("/-/api/export/events")
        events = sorted(self._record.events.values(), key=lambda each: each.position)
        same([unordered(exported(each)) for each in events], [unordered(each) for each in lines], "the export of events")
        people = self.lines("/-/api/export/contacts")
        same(sorted(each.id for each in self._people.listed()), sorted(each["id"] for each in people), "the export of contacts")

    def lines(self, target: str) -> list[dict[str, Any]]:
        answer = self._api.send("GET", target)
        same(200, answer.status, f"status of {target}")
        return [json.loads(line) for line in answer.body.splitlines()]
