"""What clients do with contacts: each rule asks the model first, then the server, and holds the answer against it."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, rule

from . import values
from .base import Base, people
from .compare import LATER, OLD, contact, shown
from .people import Person, Refusal, no_user
from .wire import same

WRONG_ROLES = "Merging can only be performed on a lead into a user"

# What hiding answers, and what it leaves; and where it is refused for what somebody is, though known.
HIDDEN = {"archive": ("archived", True, "archived"), "unarchive": ("archived", False, "live"), "block": ("blocked", True, "blocked")}
NOT_HIDDEN = {
    ("merged", "unarchive"): Refusal(400, "bad_request", "contact_id", "User has been merged and is not restorable."),
    ("blocked", "unarchive"): Refusal(403, "not_restorable", "contact_id"),
    ("blocked", "archive"): no_user("contact_id"),
}


class ContactRules(Base):
    @rule(target=people, sent=values.new_users | values.new_leads)
    def make_contact(self, sent: dict[str, Any]) -> Person | MultipleResults[Person]:
        if refusal := self.people.refuse_new(sent):
            self.api.refused(refusal, "POST", "/contacts", sent)
            return multiple()
        return self.made(sent, self.api.ask("POST", "/contacts", sent))

    def made(self, sent: dict[str, Any], body: dict[str, Any]) -> Person:
        """A contact that is new to the model. The anonymous id is shown by API 1.x, and of leads alone."""
        is_lead = body["role"] == "lead"
        anonymous_id = self.api.ask("GET", f"/contacts/{body['id']}", version=OLD)["user_id"] if is_lead else ""
        assert self.people.by_id(body["id"]) is None, f"{body['id']} was given before"
        person = self.people.make(sent, body, anonymous_id)
        contact(person, body, "a new contact")
        return person

    @rule(who=people, sent=values.changes)
    def change_contact(self, who: Person, sent: dict[str, Any]) -> None:
        self.changed(who, "PUT", f"/contacts/{who.id}", sent)

    def changed(self, who: Person, method: str, target: str, sent: dict[str, Any]) -> None:
        refusal = None if who.live else no_user("contact_id")
        if refusal := refusal or self.people.refuse_change(who, sent):
            return self.api.refused(refusal, method, target, sent)
        return self.took(who, sent, self.api.ask(method, target, sent))

    def took(self, who: Person, sent: dict[str, Any], body: dict[str, Any]) -> None:
        """What a change left. Where it changed something, updated_at does not go back, else it stays."""
        if self.people.change(who, sent):
            assert body["updated_at"] >= who.updated_at, body
            who.updated_at = body["updated_at"]
        contact(who, body, f"{who} after a change")

    @initialize(target=people, user=values.new_users, lead=values.new_leads)
    def begin(self, user: dict[str, Any], lead: dict[str, Any]) -> MultipleResults[Person]:
        """A user and a lead, so that most rules have somebody from the first step on."""
        asked = [user | {"role": "user"}, lead]
        return multiple(*(self.made(sent, self.api.ask("POST", "/contacts", sent)) for sent in asked))

    @rule(target=people, sent=values.changes, who=st.none() | people)
    def change_or_make(self, sent: dict[str, Any], who: Person | None) -> Person | MultipleResults[Person]:
        """PUT /-/api/contacts."""
        target, said = "/-/api/contacts", sent if who is None else sent | {"id": who.id}
        meant = self.people.meant_by_upsert(said)
        refusal = meant if isinstance(meant, Refusal) else self.people.refuse_change(meant, sent) if meant else self.people.refuse_new(sent)
        if refusal is not None:
            self.api.refused(refusal, "PUT", target, said)
            return multiple()
        body = self.api.ask("PUT", target, said)
        same(("contact.upsert", meant is None), (body["type"], body["created"]), f"what {said} did")
        if not isinstance(meant, Person):
            return self.made(sent, body["contact"])
        self.took(meant, sent, body["contact"])
        return multiple()

    @rule(lead=people, user=people, skip=st.booleans(), later=st.booleans(), at_random=st.sampled_from(range(3)))
    def merge(self, lead: Person, user: Person, skip: bool, later: bool, at_random: int) -> None:
        """Whoever it may be, or, mostly, a lead into a user."""
        if at_random:
            lead, user = self.live(lead, "lead"), self.live(user, "user")
        version = LATER if later else None
        sent = {"from": lead.id, "into": user.id} | ({"skip_duplicate_validation": True} if skip else {})
        if refusal := self._refuse_merge(lead, user, skip or not later, later):
            return self.api.refused(refusal, "POST", "/contacts/merge", sent, version=version)
        body = self.api.ask("POST", "/contacts/merge", sent, version=version)
        self.people.merge(lead, user)
        self.record.merge(lead, user)
        user.updated_at = max(user.updated_at, body["updated_at"])
        return contact(user, body, f"{user} after a merge")

    def _refuse_merge(self, lead: Person, user: Person, all_may: bool, later: bool) -> Refusal | None:
        for who, field in ((lead, "from"), (user, "into")):
            if not who.live:
                gone = later and who.state == "merged" and who.final().live
                return Refusal(410, "contact_merged", field) if gone else no_user(field)
        if lead is user:
            return Refusal(400, "invalid_merge", "into")
        if (lead.role, user.role) != ("lead", "user"):
            return Refusal(400, "invalid_merge", "from" if lead.role != "lead" else "into", WRONG_ROLES)
        alike = any(first and first == second for first, second in zip(_of_a_person(lead), _of_a_person(user), strict=True))
        return None if all_may or alike else Refusal(400, "invalid_merge", "skip_duplicate_validation")

    @rule(who=people, what=st.sampled_from(["archive", "archive", "unarchive", "unarchive", "block"]), rarely=st.sampled_from(range(3)))
    def hide(self, who: Person, what: str, rarely: int) -> None:
        """Archive and unarchive; and now and then block, from which nobody comes back."""
        if what == "block" and rarely:
            return
        target, refusal = f"/contacts/{who.id}/{what}", self._refuse_to_hide(who, what)
        if refusal is not None:
            self.api.refused(refusal, "POST", target)
            return
        key, value, who.state = HIDDEN[what]
        same({"type": "contact", "id": who.id, "external_id": who.external_id, key: value}, self.api.ask("POST", target), what)

    def _refuse_to_hide(self, who: Person, what: str) -> Refusal | None:
        if (who.state, what) in NOT_HIDDEN:
            return NOT_HIDDEN[who.state, what]
        return None if who.there else no_user("contact_id")

    @rule(who=people, by_request=st.booleans(), rarely=st.sampled_from(range(3)))
    def delete(self, who: Person, by_request: bool, rarely: int) -> None:
        """By its path, or as API 1.x has it."""
        if rarely:
            return None
        asked: tuple[str, str, Any] = ("DELETE", f"/contacts/{who.id}", None)
        if by_request:
            asked = ("POST", "/user_delete_requests", {"intercom_user_id": who.id})
        if not who.there:
            return self.api.refused(no_user("intercom_user_id" if by_request else "contact_id"), *asked)
        body = self.api.ask(*asked)
        if by_request:
            same(["id"], list(body), "a user delete request")
        else:
            same({"type": "contact", "id": who.id, "external_id": who.external_id, "deleted": True}, body, "a deletion")
        self.record.erase(who)
        return self.people.delete(who)

    # Search.

    @rule(
        field=st.sampled_from(["email", "external_id", "name", "custom_attributes.plan"]),
        operator=st.sampled_from(["=", "!="]),
        pick=st.integers(0, 9),
        role=st.none() | st.sampled_from(["user", "lead"]),
        per_page=values.per_page,
    )
    def search(self, field: str, operator: str, pick: int, role: str | None, per_page: int) -> None:
        """By one field, and by role besides; the value is one that somebody has, or null."""
        having = [value for each in self.people.all if (value := _value(each, field)) is not None]
        if field.startswith("custom") and not having:
            return  # nobody has used the attribute yet, so it may not be there
        value = having[pick % len(having)] if having and pick < 8 else None
        query = {"field": field, "operator": operator, "value": value}
        if role is not None:
            query = {"operator": "AND", "value": [query, {"field": "role", "operator": "=", "value": role}]}
        wanted = [
            each.id
            for each in self.people.listed()
            if role in (None, each.role) and (_folded(field, _value(each, field)) == _folded(field, value)) == (operator == "=")
        ]
        found = self.api.found("/contacts/search", {"query": query}, per_page)
        same(wanted, [each["id"] for each in found], f"the search for {query}")


def _of_a_person(who: Person) -> tuple[str, str]:
    """Address and phone as they are compared."""
    return (who.email or "").casefold(), (who.phone or "").replace(" ", "")


def _value(who: Person, field: str) -> Any:
    return who.attributes.get("plan") if field.startswith("custom") else shown(who)[field]


def _folded(field: str, value: Any) -> Any:
    return value if value is None or field == "external_id" else value.casefold()
