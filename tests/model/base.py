"""What all rules share: the workspace, the model of it, and the things that rules hand on to each other."""

from typing import Any

from hypothesis.stateful import Bundle, RuleBasedStateMachine

from .compare import Comparison
from .people import People, Person
from .record import Record
from .wire import Api, Host

people = Bundle("people")  # everybody there ever was, also who was merged away or deleted
positions = Bundle("positions")  # receipts of events, also of copies and of what was erased
jobs = Bundle("jobs")
polls = Bundle("polls")  # addresses to follow a contact by: (whose, target, from which cursor on)


class Base(RuleBasedStateMachine):
    host: Host

    def __init__(self) -> None:
        super().__init__()
        self.api: Api = self.host.workspace()
        self.people = People()
        self.record = Record()
        self.tags: dict[str, str] = {}  # the id of each by its folded name
        self.comparison = Comparison(self.api, self.people, self.record)

    def named(self, who: Person, by: list[str]) -> dict[str, Any]:
        """Identifiers of an event that mean `who`, or nobody; what somebody has not is left out."""
        said: dict[str, Any] = {}
        for each in by:
            kind = each.removeprefix("wrong ")
            value = {"id": who.id, "intercom_user_id": who.id, "user_id": who.user_id, "email": who.email}[kind]
            if value is not None and each == kind:
                said[kind] = int(value) if kind == "user_id" and value == "1" else value
            elif each != kind:
                said.setdefault(kind, "nobody@example.org" if kind == "email" else "nobody")
        return said

    def live(self, who: Person, role: str | None = None) -> Person:
        """Who is meant; or where they are gone, or have another role, somebody else, where there is one."""
        fitting = [each for each in (who, *self.people.all) if each.live and role in (None, each.role)]
        return fitting[0] if fitting else who

    def accepted(self, sent: dict[str, Any]) -> int:
        """POST /events: 202 without a body, and a number for its receipt."""
        answer = self.api.send("POST", "/events", sent)
        assert (answer.status, answer.body) == (202, b""), f"{sent} was answered {answer}"
        position = answer.header("trackrecord-receipt")
        assert position is not None
        return int(position)
