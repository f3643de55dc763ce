"""Short stories of several calls, for what would rarely come together by chance."""

from typing import Any

from hypothesis.stateful import MultipleResults, multiple, rule

from . import values
from .base import people, positions
from .event_rules import EventRules
from .old_rules import OldRules
from .own_rules import OwnRules
from .people import Person


class Stories(OldRules, EventRules, OwnRules):
    @rule(target=people, user=people, fields=values.new_leads, event=values.events, row=values.baselines, both=values.mostly)
    def sign_up(self, user: Person, fields: dict[str, Any], event: dict[str, Any], row: dict[str, Any], both: bool) -> Person:
        """A lead with a past is merged into a user, who may have done the same in the same second."""
        user = self.live(user, "user")
        lead = self.make_contact(fields)
        assert isinstance(lead, Person)
        twice = self.submit(lead, ["id"], [event, event]).values
        self.summarise(lead, ["id"], [row], alone=True)
        if both:
            self.submit(user, ["id"], [event])
        self.merge(lead, user, skip=True, later=False, at_random=0)
        for who in (lead, user):
            self.comparison.person(who, 2)
        for position in twice:
            self.comparison.receipt(position)
        return lead

    @rule(target=positions, who=people, event=values.events, by_query=values.either)
    def regret(self, who: Person, event: dict[str, Any], by_query: bool) -> MultipleResults[int]:
        """Of two events of one name the one that was sent twice is deleted, and then sent once more."""
        who = self.live(who)
        if not who.live:
            return multiple()
        sent = event | {"created_at": 100}
        twice = self.submit(who, ["id"], [sent, sent, sent | {"created_at": 101}]).values
        standing = self.record.copies[twice[1]]
        if by_query:
            self.delete_by_query(["created_at", "intercom_user_id"], who, "", negated=False, either=False, dry_run=False)
        else:
            self.delete_event(standing)
        self.comparison.totals()
        for position in (standing, *twice):
            self.comparison.receipt(position)
        return multiple(*twice, *self.submit(who, ["id"], [sent]).values)
