"""What Trackrecord has beside Intercom's paths: the catalogue, queries, deletions with their audits; and what must be refused anywhere."""

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import rule

from . import values
from .base import Base, people, positions
from .compare import entry, exported, item, unordered, without_id
from .people import Person, Refusal
from .record import Event, clean
from .refusals import OF_A_CONTACT, OF_NOBODY
from .wire import same

QUERIES = "/-/api/events/search"
DELETIONS = "/-/api/events/delete"
fields = st.sampled_from(["event_name", "created_at", "intercom_user_id", "email", "metadata.n"])

CHOSEN = {
    "chosen": st.lists(fields, min_size=1, max_size=2, unique=True),
    "who": people,
    "name": values.event_names,
    "negated": st.booleans(),
    "either": st.booleans(),
}


class OwnRules(Base):
    @rule(
        pick=st.sampled_from(range(6)),
        name=values.event_names,
        new=st.none() | values.new_names,
        archived=st.none() | st.booleans(),
        said=st.none() | values.texts,
    )
    def change_name(self, pick: int, name: str, new: str | None, archived: bool | None, said: str | None) -> None:
        """Rename, describe, archive or bring back a name, mostly one that is there, under what it is called or was."""
        if pick and self.record.names:
            chosen = self.record.names[pick % len(self.record.names)]
            name = sorted({chosen.shown, *chosen.aliases})[-1]
        target = f"/-/api/event-names/{quote(name, safe='')}"
        sent = {key: value for key, value in (("name", new), ("archived", archived), ("description", said)) if value is not None}
        known = self.record.known(name)
        if known is None:
            return self.api.refused(Refusal(404, "not_found", "name", "Event name not found"), "PUT", target, sent)
        if new is not None and not self.record.rename(known, new):
            return self.api.refused(Refusal(409, "conflict", "name"), "PUT", target, sent)
        known.archived = known.archived if archived is None else archived
        known.description = said or known.description
        body = self.api.ask("PUT", target, sent)
        expected = next(each for each in self.record.catalogue() if each["name"] == known.shown)
        return same(unordered(expected), unordered(entry(body)), f"{name} after {sent}")

    # Queries and what is deleted by them.

    def _condition(self, field: str, who: Person, name: str, negated: bool) -> dict[str, Any]:
        value = {"event_name": name, "created_at": 100, "intercom_user_id": who.id, "email": who.email or "nobody@example.org"}
        operator = {"created_at": "<="}.get(field, "!=" if negated else "=")
        return {"field": field, "operator": operator, "value": value.get(field, 1)}

    def _holds(self, condition: dict[str, Any], event: Event) -> bool:
        field, value = condition["field"], condition["value"]
        if field == "created_at":
            return event.created_at <= value
        if field == "event_name":
            found = clean(value).casefold() in {event.name.folded, *event.name.aliases}
        elif field == "intercom_user_id":
            found = event.person in [each.final() for each in self.people.all if each.id == value]
        elif field == "email":
            found = (event.person.email or "").casefold() == value.casefold()
        else:
            found = any(key.casefold() == "n" and type(n) in (int, float) and n == value for key, n in event.metadata.values.items())
        return found == (condition["operator"] == "=")

    def _query(self, chosen: list[str], who: Person, name: str, negated: bool, either: bool) -> tuple[dict[str, Any], list[Event]]:
        """A query, and the events it must find: newest first, and of one second what came last."""
        conditions = [self._condition(field, who, name, negated) for field in chosen]
        holds = any if either else all
        wanted = [each for each in self.record.events.values() if holds(self._holds(condition, each) for condition in conditions)]
        wanted.sort(key=lambda each: (each.created_at, each.position), reverse=True)
        return {"query": {"operator": "OR" if either else "AND", "value": conditions}}, wanted

    @rule(**CHOSEN, per_page=values.per_page)
    def query(self, chosen: list[str], who: Person, name: str, negated: bool, either: bool, per_page: int) -> None:
        query, wanted = self._query(chosen, who, name, negated, either)
        found = self.api.found(QUERIES, query, per_page)
        same([item(each) for each in wanted], [without_id(each) for each in found], f"what {query} finds")
        same([each.position for each in wanted], [each["position"] for each in found], f"the positions of what {query} finds")

    @rule(**CHOSEN, dry_run=st.sampled_from([True, True, False]))
    def delete_by_query(self, chosen: list[str], who: Person, name: str, negated: bool, either: bool, dry_run: bool) -> None:
        query, wanted = self._query(chosen, who, name, negated, either)
        body = self.api.ask("POST", DELETIONS, query | {"dry_run": dry_run})
        same(
            (dry_run, len(wanted), "next" in body["pages"]), (body["dry_run"], body["count"], False), f"the deletion of what {query} finds"
        )
        if dry_run or not wanted:
            return same(None, body["audit"], "the audit of a deletion that was none")
        for event in wanted:
            self.record.remove(event.position)
        return self._audited(body, len(wanted))

    @rule(position=positions)
    def delete_event(self, position: int) -> None:
        target = f"/-/api/events/{position}"
        if position not in self.record.events:
            return self.api.refused(Refusal(404, "not_found", "position", "Event not found"), "DELETE", target)
        body = self.api.ask("DELETE", target)
        self.record.remove(position)
        self._audited(body, 1)
        return self.comparison.receipt(position)

    def _audited(self, body: dict[str, Any], count: int) -> None:
        """The newest audit is that of this deletion, and it is complete."""
        newest = self.api.ask("GET", "/-/api/audits?per_page=1")["data"][0]
        same((body["audit"]["id"], "delete_events", count), (newest["id"], newest["action"], newest["count"]), "the audit of a deletion")
        assert newest["completed_at"] is not None, newest

    @rule(name=values.event_names, since=st.sampled_from([100, 101]), who=st.none() | people)
    def export(self, name: str, since: int, who: Person | None) -> None:
        """A part of the events, in the order they were kept."""
        known = self.record.known(name)
        if known is None or (who is not None and not who.live):
            return
        whose = "" if who is None else f"&intercom_user_id={who.id}"
        found = self.comparison.lines(f"/-/api/export/events?name={quote(name)}&since={since}{whose}")
        wanted = [
            exported(each)
            for each in sorted(self.record.events.values(), key=lambda each: each.position)
            if each.name is known and each.created_at >= since and who in (None, each.person)
        ]
        same(unordered(wanted), unordered(found), f"the export of {name} since {since} of {who}")

    # What is wrong.

    @rule(which=st.sampled_from(OF_NOBODY))
    def ask_wrongly(self, which: tuple[str, str, Any, Refusal]) -> None:
        method, target, body, refusal = which
        self.api.refused(refusal, method, target, body)

    @rule(who=people, which=st.sampled_from(OF_A_CONTACT))
    def ask_wrongly_about(self, who: Person, which: tuple[str, str, Any, Refusal]) -> None:
        """Of a contact that is there, so that nothing else is wrong."""
        method, target, body, refusal = which
        if who.live:
            self.api.refused(refusal, method, target.format(id=who.id), {"id": who.id, **body} if method == "POST" else body)
