"""What clients do with tags, as docs/api/tags.md says it."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from . import values
from .base import Base, people
from .people import Person, Refusal, no_user
from .wire import same

NO_TAG = Refusal(404, "not_found", "tag_id", "Resource Not Found")


class TagRules(Base):
    def _tag(self, name: str) -> str:
        """The id of a tag, made if it is new; names in another case are the same."""
        body = self.api.ask("POST", "/tags", {"name": name})
        id = self.tags.setdefault(name.casefold(), body["id"])
        same(id, body["id"], f"the tag {name}")
        return id

    @rule(who=people, name=values.tag_names, what=st.sampled_from(["put on", "put on", "take off", "delete"]))
    def tag(self, who: Person, name: str, what: str) -> None:
        """Put a tag on somebody, take it off, or delete it, which takes it off all that had it."""
        id = self._tag(name)
        target = f"/contacts/{who.id}/tags"
        asked = {"put on": ("POST", target, {"id": id}), "take off": ("DELETE", f"{target}/{id}"), "delete": ("DELETE", f"/tags/{id}")}[
            what
        ]
        refusal = None if who.live or what == "delete" else no_user("contact_id")
        if refusal is None and what == "take off" and id not in who.tags:
            refusal = NO_TAG
        if refusal is not None:
            return self.api.refused(refusal, *asked)
        self.api.ask(*asked)
        if what == "delete":
            del self.tags[name.casefold()]
        for each in self.people.all if what == "delete" else [who]:
            each.tags = each.tags | {id} if what == "put on" else each.tags - {id}
        if who.live:
            found = self.api.ask("GET", f"{target}")["data"]
            same(sorted(who.tags), sorted(each["id"] for each in found), f"the tags of {who}")
        return None

    @rule(name=values.tag_names, operator=st.sampled_from(["=", "!="]), per_page=values.per_page)
    def search_by_tag(self, name: str, operator: str, per_page: int) -> None:
        id = self._tag(name)
        found = self.api.found("/contacts/search", {"query": {"field": "tag_id", "operator": operator, "value": id}}, per_page)
        wanted = [each.id for each in self.people.listed() if (id in each.tags) == (operator == "=")]
        same(wanted, [each["id"] for each in found], f"who has the tag {name}, or {operator} not")
