"""What clients of API 1.x do with users and leads, as docs/api/users.md says it."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, rule

from . import values
from .base import people
from .compare import OLD, contact
from .contact_rules import ContactRules
from .people import Person, Refusal, no_user
from .wire import same

NAMED = ("id", "user_id", "email")
USER_EXISTS = "User already exists."
bulk_items = st.lists(st.tuples(st.sampled_from(["post", "post", "delete"]), values.saved), min_size=1, max_size=4)


def as_contact(sent: dict[str, Any]) -> dict[str, Any]:
    """The fields of a user in the words of a contact."""
    return {"external_id" if name == "user_id" else name: value for name, value in sent.items() if name != "id"}


def as_old(refusal: Refusal, within: str = "") -> Refusal:
    """A clash as API 1.x says it."""
    field = within + ("user_id" if refusal.field == "external_id" else refusal.field)
    if refusal.status == 409 and "archived" not in (refusal.message or ""):
        return Refusal(409, "unique_user_constraint", field, USER_EXISTS)
    return refusal._replace(field=field)


class OldRules(ContactRules):
    @rule(target=people, sent=values.saved, who=st.none() | people)
    def save_user(self, sent: dict[str, Any], who: Person | None) -> Person | MultipleResults[Person]:
        """POST /users: change whoever is meant, bring back who is archived, or make one."""
        said = sent if who is None else sent | {"id": who.id}
        meant = self._meant(said)
        if isinstance(meant, Refusal):
            self.api.refused(meant, "POST", "/users", said)
            return multiple()
        body = self.api.ask("POST", "/users", said)
        if meant is None:
            return self.made(as_contact(said), self.api.ask("GET", f"/contacts/{body['id']}"))
        meant.state = "live"
        self.took(meant, as_contact(said), body)
        return multiple()

    def _meant(self, said: dict[str, Any]) -> Person | Refusal | None:
        """Who is to be changed, None for a new one, or why neither can be."""
        if not any(name in said for name in NAMED):
            return Refusal(400, "parameter_not_found", "user_id")
        meant = self.people.meant_by_save(said)
        if isinstance(meant, Refusal):
            return meant
        if meant is not None and meant.state == "blocked":
            return self._blocked(meant, said)
        fields = as_contact(said)
        refusal = self.people.refuse_new(fields) if meant is None else self.people.refuse_change(meant, fields)
        return as_old(refusal) if refusal else meant

    def _blocked(self, who: Person, said: dict[str, Any]) -> Refusal:
        field = "id" if "id" in said else "user_id" if said.get("user_id", "") == who.external_id else "email"
        return Refusal(403, "not_restorable", field)

    @rule(who=people)
    def archive_user(self, who: Person) -> None:
        if not (who.live and who.role == "user"):
            return self.api.refused(no_user("id"), "DELETE", f"/users/{who.id}")
        body = self.api.ask("DELETE", f"/users/{who.id}")
        contact(who, body, f"{who} archived by API 1.x")
        who.state = "archived"
        return None

    @rule(target=people, items=bulk_items)
    def bulk_users(self, items: list[tuple[str, dict[str, Any]]]) -> MultipleResults[Person]:
        """Users of one body are saved in turn, so that a later item sees what an earlier one did."""
        outcomes, made = [], []
        for method, said in items:
            meant = self._meant_to_go(said) if method == "delete" else self._meant(said)
            outcomes.append(meant.code if isinstance(meant, Refusal) else "stored")
            if isinstance(meant, Refusal):
                continue
            if meant is None:
                meant = self.people.make(as_contact(said), {"id": "", "created_at": 0, "updated_at": 0}, "")
                made.append(meant)
            elif method == "post":
                meant.updated_at = -1 if self.people.change(meant, as_contact(said)) else meant.updated_at
            meant.state = "archived" if method == "delete" else "live"
        body = {"items": [{"method": method, "data": said} for method, said in items]}
        job = self.api.ask("POST", "/bulk/users", body, status=202)
        told = self.api.listed(f"/-/api/jobs/{job['id']}?per_page=2")
        same(
            outcomes,
            [each["error"]["code"] if each["outcome"] == "refused" else each["outcome"] for each in told],
            f"what became of {body}",
        )
        self._learn()
        return multiple(*made)

    def _meant_to_go(self, said: dict[str, Any]) -> Person | Refusal:
        """Whom a delete of a bulk body hides."""
        if not any(name in said for name in NAMED):
            return Refusal(400, "parameter_not_found", "user_id")
        meant = self.people.meant_by_save(said)
        if isinstance(meant, Refusal):
            return meant
        return meant if meant is not None and meant.live else no_user("user_id" if "user_id" in said else "email")

    def _learn(self) -> None:
        """The ids of who was made in bulk, which its answer does not tell, and the moments of who was changed."""
        bodies = self.api.listed("/contacts?per_page=150") + self.api.listed("/-/api/contacts/archived?per_page=150")
        known = {each.id for each in self.people.all if each.id}
        for body in bodies:
            who = self.people.by_id(body["id"]) or self._nameless(body)
            assert who is not None, f"nobody was to be made like {body}"
            if who.id not in known:
                who.id, who.created_at, who.updated_at = body["id"], body["created_at"], body["updated_at"]
            if who.updated_at == -1:
                who.updated_at = body["updated_at"]
            contact(who, body, f"{who} after a bulk")
        assert all(each.id for each in self.people.all), "who was made in bulk is in no list"

    def _nameless(self, body: dict[str, Any]) -> Person | None:
        alike = (each for each in self.people.all if not each.id and (each.external_id, each.email) == (body["external_id"], body["email"]))
        return next(alike, None)

    # Leads.

    @rule(target=people, sent=values.old_leads, who=st.none() | people, by=st.sampled_from(["id", "user_id"]))
    def save_lead(self, sent: dict[str, Any], who: Person | None, by: str) -> Person | MultipleResults[Person]:
        """POST /contacts of API 1.x: a new lead each time, or the one that is named."""
        if who is None:
            body = self.api.ask("POST", "/contacts", sent, version=OLD)
            return self.made(sent | {"role": "lead"}, self.api.ask("GET", f"/contacts/{body['id']}"))
        if by == "user_id" and not (who.there and who.role == "lead"):
            return multiple()  # what becomes of the anonymous id of one that is no lead any more is not written
        said = sent | {by: who.id if by == "id" else who.anonymous_id}
        if not (who.there and who.role == "lead"):
            self.api.refused(no_user("id"), "POST", "/contacts", said, version=OLD)
        elif who.state == "blocked":
            self.api.refused(Refusal(403, "not_restorable", by), "POST", "/contacts", said, version=OLD)
        else:
            body = self.api.ask("POST", "/contacts", said, version=OLD)
            who.state = "live"
            self.took(who, sent, body)
        return multiple()

    @rule(lead=people, by=st.sampled_from(["id", "user_id"]), user=values.saved)
    def convert(self, lead: Person, by: str, user: dict[str, Any]) -> None:
        """A lead becomes a user, or is merged into the user who is there already."""
        if lead.role == "user" and by == "user_id":
            return None
        sent = {"contact": {by: lead.id if by == "id" else lead.anonymous_id}, "user": user}
        meant = self._staying(lead, by, user)
        if isinstance(meant, Refusal):
            return self.api.refused(meant, "POST", "/contacts/convert", sent, version=OLD)
        body = self.api.ask("POST", "/contacts/convert", sent, version=OLD)
        if meant is lead:
            return self.took(lead, as_contact(user) | {"role": "user"}, body)
        self.people.change(meant, as_contact(user))
        self.people.merge(lead, meant)
        self.record.merge(lead, meant)
        meant.updated_at = body["updated_at"]
        return contact(meant, body, f"{meant} after a conversion")

    def _staying(self, lead: Person, by: str, user: dict[str, Any]) -> Person | Refusal:
        """Who is there after the conversion, or why there is none."""
        if not any(name in user for name in NAMED):
            return Refusal(400, "parameter_not_found", "user.user_id")
        if not (lead.live and lead.role == "lead"):
            return no_user(f"contact.{by}")
        meant = self.people.meant_by_save(user)
        if isinstance(meant, Refusal):
            return meant._replace(field=f"user.{meant.field}")
        fields = as_contact(user)
        if meant is None:
            refusal = self.people.refuse_change(lead, fields | {"role": "user"})
        elif meant.state == "blocked":
            refusal = self._blocked(meant, user)
        elif meant.state == "archived":
            refusal = self.people.hidden(meant, "external_id" if user.get("user_id", "") == meant.external_id else "email")
        else:
            refusal = self.people.refuse_change(meant, fields)
        return as_old(refusal, "user.") if refusal else meant or lead
