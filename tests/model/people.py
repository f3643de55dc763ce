"""Who there is, as the contract and docs/api/contacts.md say it: a list of people, and no look into the program."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

AMBIGUOUS = "Multiple existing users match this email address - must be more specific using user_id"
CONTACT_FIELDS = ("external_id", "email", "phone", "name")
SUBMIT_ORDER = ("id", "intercom_user_id", "user_id", "email")


class Refusal(NamedTuple):
    """What must be answered: status, code, field at fault, and the text where the contract has one."""

    status: int
    code: str
    field: str
    message: str | None = None


def no_user(field: str) -> Refusal:
    return Refusal(404, "not_found", field, "User Not Found")


def fold(email: str | None) -> str:
    return (email or "").strip().casefold()


@dataclass(eq=False)
class Person:
    """`state` is live, archived, blocked, merged (then `into` says into whom) or deleted. Moments are the server's."""

    id: str
    role: str
    anonymous_id: str
    created_at: int
    updated_at: int
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    state: str = "live"
    into: "Person | None" = None

    def __repr__(self) -> str:
        return f"<{self.state} {self.role} {self.id}>"

    @property
    def live(self) -> bool:
        return self.state == "live"

    @property
    def there(self) -> bool:
        """Whether its identifiers are taken: archived and blocked people keep theirs."""
        return self.state in ("live", "archived", "blocked")

    @property
    def user_id(self) -> str | None:
        """What the wire of events calls user_id."""
        return self.external_id if self.role == "user" else self.anonymous_id

    def final(self) -> "Person":
        """Who it is after all merges."""
        return self if self.into is None else self.into.final()


def changed(person: Person, sent: dict[str, Any]) -> dict[str, Any]:
    """The fields a change would leave, by name; `attributes` united, without those that were emptied."""
    left = {name: getattr(person, name) for name in ("role", *CONTACT_FIELDS)}
    left |= {name: value for name, value in sent.items() if name in left}
    attributes = person.attributes | sent.get("custom_attributes", {})
    return left | {"attributes": {name: value for name, value in attributes.items() if value is not None}}


class People:
    def __init__(self) -> None:
        self.all: list[Person] = []

    # Who is meant.

    def listed(self) -> list[Person]:
        """Newest first, and of equals the greatest id."""
        return sorted((each for each in self.all if each.live), key=lambda each: (each.created_at, each.id), reverse=True)

    def by_id(self, id: str) -> Person | None:
        return next((each for each in self.all if each.id == id), None)

    def named(self, kind: str, value: str) -> list[Person]:
        """The live people an identifier of an event names. Ids and anonymous ids follow merges."""
        if kind in ("id", "intercom_user_id"):
            found = [each.final() for each in self.all if each.id == value]
        elif kind == "anonymous_id":
            found = [each.final() for each in self.all if each.anonymous_id == value]
        elif kind == "user_id":
            found = [each for each in self.all if each.live and each.role == "user" and each.external_id == value]
            found = found or self.named("anonymous_id", value)
        else:
            found = [each for each in self.all if each.live and each.role == "user" and each.email and fold(each.email) == fold(value)]
        return [each for each in found if each.live]

    def meant(self, sent: dict[str, Any], order: tuple[str, ...] = SUBMIT_ORDER) -> Person | Refusal:
        """Whose an event or a baseline is: the first identifier that leads to somebody."""
        tried = [(kind, str(sent[kind])) for kind in order if sent.get(kind)]
        if not tried:
            return Refusal(400, "parameter_not_found", "user_id")
        for kind, value in tried:
            found = self.named(kind, value)
            if len(found) > 1:
                return Refusal(409, "conflict", "email", AMBIGUOUS)
            if found:
                return found[0]
        return no_user(tried[0][0])

    # What is refused.

    def clash(self, external_id: str | None, email: str | None, but: Person | None = None) -> Refusal | None:
        """Who has what a user would claim: the live before the archived before the blocked."""
        there = [each for each in self.all if each.there and each.role == "user" and each is not but]
        found = [each for each in there if external_id is not None and each.external_id == external_id]
        found += [each for each in there if email is not None and fold(each.email) == fold(email) and each not in found]
        if not found:
            return None
        first = min(found, key=lambda each: (("live", "archived", "blocked").index(each.state), self.all.index(each)))
        at_fault = "external_id" if external_id is not None and first.external_id == external_id else "email"
        said = f"A contact matching those details already exists with id={first.id}"
        return Refusal(409, "conflict", at_fault, said) if first.live else self.hidden(first, at_fault)

    def hidden(self, person: Person, field: str) -> Refusal:
        """Why somebody who is archived or blocked cannot be made again."""
        if person.state == "blocked":
            return Refusal(403, "not_restorable", field)
        return Refusal(409, "conflict", field, f"An archived contact matching those details already exists with id={person.id}")

    def refuse_new(self, sent: dict[str, Any]) -> Refusal | None:
        if not any(sent.get(name) for name in ("email", "external_id", "role")):
            return Refusal(400, "parameter_not_found", "external_id")
        if sent.get("role") == "lead":
            return Refusal(422, "data_invalid", "external_id") if sent.get("external_id") else None
        external_id = sent.get("external_id")
        return self.clash(external_id, sent.get("email") if external_id is None else None)

    def refuse_change(self, person: Person, sent: dict[str, Any]) -> Refusal | None:
        """Only what is newly claimed can clash."""
        left = changed(person, sent)
        if person.role == "user" and left["role"] == "lead":
            return Refusal(422, "data_invalid", "role")
        if left["role"] == "lead":
            return Refusal(422, "data_invalid", "external_id") if left["external_id"] else None
        had = fold(person.email) if person.role == "user" and person.external_id is None else ""
        claims = fold(left["email"]) if left["external_id"] is None else ""
        return self.clash(
            left["external_id"] if left["external_id"] != person.external_id else None,
            claims if claims and claims != had else None,
            but=person,
        )

    # What is done.

    def make(self, sent: dict[str, Any], shown: dict[str, Any], anonymous_id: str) -> Person:
        """`shown` is the answer: of it the id and the moments are taken, and nothing else."""
        fields = {name: sent.get(name) for name in CONTACT_FIELDS}
        attributes = {name: value for name, value in sent.get("custom_attributes", {}).items() if value is not None}
        moments = {name: shown[name] for name in ("created_at", "updated_at")}
        person = Person(shown["id"], sent.get("role") or "user", anonymous_id, **moments, **fields, attributes=attributes)
        self.all.append(person)
        return person

    def change(self, person: Person, sent: dict[str, Any]) -> bool:
        """Whether anything is different now; else updated_at must stay."""
        left = changed(person, sent)
        differs = any(getattr(person, name) != value for name, value in left.items())
        for name, value in left.items():
            setattr(person, name, value)
        return differs

    def merge(self, lead: Person, user: Person) -> None:
        for name in ("email", "phone", "name"):
            if getattr(user, name) is None:
                setattr(user, name, getattr(lead, name))
                if name == "email" and self._shared(lead, user):
                    user.email = None
        user.attributes = lead.attributes | user.attributes
        user.tags |= lead.tags
        lead.state, lead.into = "merged", user

    def _shared(self, lead: Person, user: Person) -> bool:
        """Whether a third one, who is a user, has the lead's address."""
        others = (each for each in self.all if each.there and each.role == "user" and each is not user)
        return any(lead.email is not None and fold(each.email) == fold(lead.email) for each in others)

    def delete(self, person: Person) -> None:
        """With all who were merged into it."""
        for each in self.all:
            if each.final() is person and each is not person:
                each.state = "deleted"
        person.state = "deleted"

    def meant_by_upsert(self, sent: dict[str, Any]) -> Person | Refusal | None:
        """Whom PUT /-/api/contacts means: archived and blocked people too; None where a new one is to be made."""
        if not any(sent.get(name) for name in ("id", "external_id", "email")):
            return Refusal(400, "parameter_not_found", "external_id")
        external_id, email = sent.get("external_id"), fold(sent.get("email"))
        if external_id and sent.get("role") == "lead":
            return Refusal(422, "data_invalid", "external_id")
        by_id = [each.final() for each in self.all if each.id == sent.get("id") and each.final().there]
        by_external_id = [each for each in self.all if each.there and external_id is not None and each.external_id == external_id]
        sharing = [each for each in self.all if each.live and email and fold(each.email) == email]
        users = [each for each in sharing if each.role == "user"]
        sharing = users if users or sent.get("role") != "lead" else sharing
        sharing = [each for each in sharing if external_id is None or each.external_id in (None, external_id)]
        if by_id and by_external_id and by_id != by_external_id:
            return Refusal(409, "conflict", "external_id")
        chosen = next(iter(by_id + by_external_id), None)
        if chosen is None and len(sharing) > 1:
            return Refusal(409, "conflict", "email", AMBIGUOUS)
        if chosen is not None and sharing and chosen not in sharing:
            return Refusal(409, "conflict", "email")
        if chosen is not None and not chosen.live:
            return self.hidden(chosen, "id" if by_id else "external_id")
        if chosen is None and not sharing and not external_id and not email:
            return no_user("id")
        return chosen or next(iter(sharing), None)

    # API 1.x.

    def meant_by_save(self, sent: dict[str, Any]) -> Person | Refusal | None:
        """Whom POST /users means: archived and blocked users too; None where a new one is to be made."""
        users = [each for each in self.all if each.there and each.role == "user"]
        if "id" in sent:
            return next((each for each in users if each.id == sent["id"]), no_user("id"))
        if found := [each for each in users if "user_id" in sent and each.external_id == sent["user_id"]]:
            return found[0]
        sharing = [each for each in users if "email" in sent and fold(each.email) == fold(sent["email"])]
        if "user_id" in sent:
            sharing = [each for each in sharing if each.external_id is None]
        sharing = [each for each in sharing if each.live] or sharing[:1]
        return Refusal(409, "conflict", "email", AMBIGUOUS) if len(sharing) > 1 else next(iter(sharing), None)
