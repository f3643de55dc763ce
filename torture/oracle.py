"""What the record may hold, from requests and answers alone. Knows nothing of the server's inside.

Of each event (a contact, a name, a second) the oracle keeps the set of copies of which one may stand, by number, and NOTHING where
there may be none. An answer narrows the set, a request without an answer widens it, and what was seen once must be seen again.
"""

import threading
from collections.abc import Iterator
from typing import NamedTuple

NOTHING = 0  # copies are numbered from 1

# What can be found, and how it is told. The first three are the promise.
KINDS = {
    "missing": "acknowledged but missing",
    "twice": "kept twice",
    "refused": "kept but refused",
    "undone": "deleted but there",
    "changed": "other than the first copy",
    "sums": "sums unlike a recount",
    "cursors": "cursor ahead of its work",
    "answers": "wrong answer",
}


class Finding(NamedTuple):
    kind: str
    text: str


class Key(NamedTuple):
    """What makes two events of one contact one."""

    name: str
    created_at: int


class Person:
    """A contact and what may stand under it. One sender alone speaks of it, one request after the other."""

    def __init__(self, external_id: str | None, id: str | None = None) -> None:
        self.external_id = external_id  # None for a lead
        self.id = id  # None while nobody told
        self.here = id is not None  # else it is gone, or nobody knows: see `unsure`
        self.unsure: str | None = None  # what was asked for and not answered: made, deleted or merged
        self.into: Person | None = None  # whom a merge was asked for into
        self.also: list[str] = []  # ids of leads that were merged into it
        self.events: dict[Key, set[int]] = {}
        self.touched = True  # since it was last compared alone

    @property
    def who(self) -> str:
        """The part of a query that names it."""
        return f"intercom_user_id={self.id}"

    def may(self, key: Key) -> set[int]:
        return self.events.get(key, {NOTHING})

    def acknowledged(self, key: Key, copy: int) -> None:
        """Copy `copy` was answered 202: it stands, or what stood before."""
        self.events[key] = {standing or copy for standing in self.may(key)}
        self.touched = True

    def unanswered(self, key: Key, copy: int) -> None:
        self.events[key] = self.may(key) | {standing or copy for standing in self.may(key)}
        self.touched = True

    def removed(self, key: Key, *, surely: bool) -> None:
        self.events[key] = {NOTHING} if surely else self.may(key) | {NOTHING}
        self.touched = True

    def take(self, lead: "Person") -> None:
        """A lead was merged into this one: of two copies of one event, this one's stands."""
        for key, theirs in lead.events.items():
            self.events[key] = {mine or other for mine in self.may(key) for other in theirs}
        if lead.id is not None:
            self.also.append(lead.id)
        lead.end()
        self.touched = True

    def end(self) -> None:
        self.here, self.unsure, self.events = False, None, {}


class Oracle:
    """All people of one data directory, and what was told about each position. Safe for several senders."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.refused: set[int] = set()  # copies answered with another status than 202, and not sent again
        self.lost: set[int] = set()  # copies whose answer never came
        self.position: dict[int, int] = {}  # of a copy, as its 202 told
        self.findings: list[Finding] = []
        self.acknowledged = 0
        self.unanswered = 0
        self.refusals = 0
        self.disk_fails = False  # then deletions and merges may reach the journal a little after their answer
        self.clock_jumps = False  # then a job may be past its time a moment after it was made
        self._at: dict[int, int] = {}  # which copy a position was told for
        self._lock = threading.Lock()

    def found(self, kind: str, text: str) -> None:
        with self._lock:
            self.findings.append(Finding(kind, text))

    def count(self, *, acknowledged: int = 0, unanswered: int = 0, refusals: int = 0) -> None:
        with self._lock:
            self.acknowledged += acknowledged
            self.unanswered += unanswered
            self.refusals += refusals

    def kept_without_a_word(self, lost: set[int]) -> list[int]:
        """After a judgement: those of these copies that stand."""
        return sorted(copy for person in self.here() for copies in person.events.values() for copy in copies & lost)

    def add(self, person: Person) -> Person:
        with self._lock:
            self.people.append(person)
        return person

    def here(self) -> Iterator[Person]:
        return (person for person in self.people if person.here)

    def told(self, copy: int, position: int) -> None:
        """A 202 named a position. None is ever given twice."""
        with self._lock:
            self.acknowledged += 1
            other = self._at.setdefault(position, copy)
            self.position[copy] = position
        if other != copy:
            self.found("answers", f"position {position} was given to copy {other} and to copy {copy}")

    def forget_positions(self) -> None:
        """After an older record was put back, which goes on from where it was."""
        self._at.clear()
        self.position.clear()

    def back_to_some_past(self) -> None:
        """An older record was put back: of each event the copy that stood, or nothing yet."""
        self.forget_positions()
        for person in self.here():
            person.touched = True
            for key in person.events:
                person.removed(key, surely=False)

    def compare(self, person: Person, seen: dict[Key, list[int]]) -> None:
        """Judge what stands under a person, and believe it from then on where there was doubt."""
        for key in person.events.keys() | seen.keys():
            copies, may = seen.get(key, []), person.may(key)
            if len(copies) > 1:
                self.found("twice", f"{person.who} {key}: copies {copies}")
            for copy in copies or [NOTHING]:
                if copy not in may:
                    self.found(self._kind(copy, may), f"{person.who} {key}: found {copy or 'nothing'}, may be {sorted(may)}")
            person.events[key] = set(copies[:1]) or {NOTHING}

    def _kind(self, copy: int, may: set[int]) -> str:
        if copy == NOTHING:
            return "missing"
        if copy in self.refused:
            return "refused"
        return "undone" if may == {NOTHING} else "changed"
