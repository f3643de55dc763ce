"""A mixed load: senders that own people of their own, do what clients do, and tell the oracle every request and answer."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from .oracle import NOTHING, Key, Oracle, Person
from .server import DEADLINE_S, GONE, Client

EPOCH = 1_600_000_000  # created_at of the first event
NAMES = 5  # that all senders use; new ones come on top
COPIES_A_SENDER = 10_000_000
FAVOURITE_ONE_IN = 3  # of a sender's events so many go to one person, who becomes heavy
REFUSED_PAUSE_S = 0.02
BULK_MOST = 25
LISTED_MOST = 140  # events of a contact that are compared in passing: one page

Answer = tuple[int, dict[str, str], Any]

# How often a sender does what, in parts of their sum. Each names a method of Sender.
EVENTS_ONLY = {"event": 60, "repeat": 10, "late_repeat": 8, "twins": 4, "bulk": 5, "new_name": 3, "to_nobody": 2, "read_back": 4}
MIXED = EVENTS_ONLY | {
    "new_contact": 3, "lead": 3, "event_of_lead": 8, "merge": 2, "event_of_merged": 3, "delete_event": 4, "delete_contact": 1,
}  # fmt: skip


class Sender:
    """One client with one connection, and a second one for twins."""

    def __init__(self, number: int, oracle: Oracle, rng: random.Random, does: dict[str, int]) -> None:
        self._number = number
        self._oracle = oracle
        self._rng = rng
        self._does = does
        self._copies = number * COPIES_A_SENDER
        self._made = 0
        self._names = [f"event-{n}" for n in range(NAMES)]
        self._sent: dict[int, list[Key]] = {}  # keys by person, to send again
        self._second = 0
        self._people: list[Person] = []
        self._client: Client
        self._other: Client

    def run(self, url: str, stop: threading.Event) -> None:
        """Do things until told to stop, or until the server goes away."""
        with ExitStack() as stack:
            self._client = stack.enter_context(Client(url))
            self._other = stack.enter_context(Client(url))
            try:
                while not self._people and not stop.is_set():
                    self.new_contact()
                what, weights = list(self._does), list(self._does.values())
                while not stop.is_set():
                    (name,) = self._rng.choices(what, weights)
                    getattr(self, name)()
            except GONE:
                return
            except Exception as error:
                self._oracle.found("answers", f"a sender could not make sense of an answer: {error!r}")

    # Events.

    def event(self) -> None:
        person = self._somebody()
        self._submit(person, self._new_key(person))

    def repeat(self) -> None:
        person = self._somebody()
        key = self._new_key(person)
        self._submit(person, key)
        self._submit(person, key)

    def late_repeat(self) -> None:
        person = self._somebody()
        if sent := self._sent.get(id(person)):
            self._submit(person, self._rng.choice(sent))

    def new_name(self) -> None:
        self._made += 1
        person = self._somebody()
        key = Key(f"event-of-{self._number}-{self._made}", self._new_key(person).created_at)
        self._submit(person, key)
        if self._rng.random() < 0.2:
            self._names.append(key.name)

    def twins(self) -> None:
        """Two copies of one event at the same moment, on two connections."""
        person = self._somebody()
        key = self._new_key(person)
        clients = (self._client, self._other)
        copies = (self._copy(), self._copy())
        answers: list[Answer | None] = []
        sent = 0
        for client, copy in zip(clients, copies, strict=True):
            try:
                client.send("POST", "/events", _body(person, key, copy))
                sent += 1
            except GONE:
                break
        for client in clients[:sent]:
            try:
                answers.append(client.answer())
            except GONE:
                answers.append(None)
        before = person.may(key)
        taken = [copy for copy, answer in zip(copies, answers, strict=False) if answer is not None and answer[0] == 202]
        unsure = [copy for copy, answer in zip(copies, answers, strict=False) if answer is None] + list(copies[sent : sent + 1])
        self._oracle.count(unanswered=len(unsure))
        self._oracle.lost.update(unsure)
        person.touched = True
        # Nobody knows which came first.
        person.events[key] = {standing or copy for standing in before for copy in (*taken, *unsure)} or before
        if not taken:
            person.events[key] |= before
        for copy, answer in zip(copies, answers, strict=False):
            if answer is not None:
                self._judge(copy, answer)
        if unsure:
            raise ConnectionError("the server went away")

    def to_nobody(self) -> None:
        copy = self._copy()
        body = {"user_id": f"nobody-{copy}", "event_name": self._names[0], "created_at": EPOCH, "metadata": {"n": copy}}
        status, _, answer = self._client.ask("POST", "/events", body)
        if status not in (404, 503):
            self._oracle.found("answers", f"an event of nobody was answered {status} {answer}")

    def bulk(self) -> None:
        """Several events of several people in one body, some of them twice, some of nobody."""
        items: list[tuple[Person | None, Key, int]] = []
        for _ in range(self._rng.randint(1, BULK_MOST)):
            person = self._somebody()
            key = self._new_key(person)
            items.append((person, key, self._copy()))
            if self._rng.random() < 0.2:
                items.append((person, key, self._copy()))
            if self._rng.random() < 0.1:
                items.append((None, key, self._copy()))
        body = {"items": [{"method": "post", "data_type": "event", "data": _body(person, key, copy)} for person, key, copy in items]}
        try:
            status, headers, job = self._client.ask("POST", "/bulk/events", body)
        except GONE:
            self._oracle.count(unanswered=1)
            self._oracle.lost.update(copy for _, _, copy in items)
            for person, key, copy in items:
                if person is not None:
                    person.unanswered(key, copy)
            raise
        if status != 202:
            # The events are kept before the job is noted, and where that fails the answer is 503 as well.
            for person, key, copy in items:
                if person is not None:
                    person.unanswered(key, copy)
            self._honest(status, headers, job)
            return
        self._oracle.count(acknowledged=sum(person is not None for person, _, _ in items))
        before = [set() if person is None else person.may(key) for person, key, _ in items]
        for person, key, copy in items:
            if person is not None:
                person.acknowledged(key, copy)
        if self._rng.random() < 0.3:
            self._outcomes(job["id"], items, before)

    def _outcomes(self, job: str, items: list[tuple[Person | None, Key, int]], before: list[set[int]]) -> None:
        """What the server says became of each item must be what the oracle thinks possible."""
        told: list[dict[str, Any]] = []
        after = ""
        while len(told) < len(items):
            status, headers, answer = self._client.ask("GET", f"/-/api/jobs/{job}?per_page=50{after}")
            if status == 404 and self._oracle.clock_jumps:
                return
            if status != 200:
                self._honest(status, headers, answer)
                return
            told += answer["data"]
            if "next" not in answer["pages"]:
                break
            after = f"&starting_after={answer['pages']['next']['starting_after']}"
        seen: set[tuple[int, Key]] = set()
        for (person, key, copy), may, item in zip(items, before, told, strict=True):
            if person is None:
                expected = {"refused"}
            else:
                first = (id(person), key) not in seen
                expected = {"stored" if standing == NOTHING else "duplicate" for standing in may} if first else {"duplicate"}
                seen.add((id(person), key))
            if item["outcome"] not in expected:
                self._oracle.found("answers", f"item {copy} of {job} is told to be {item['outcome']}, may be {sorted(expected)}")

    # People.

    def new_contact(self) -> None:
        self._made += 1
        person = Person(f"user-{self._number}-{self._made}")
        try:
            status, headers, answer = self._client.ask("POST", "/contacts", {"external_id": person.external_id})
        except GONE:
            self._oracle.count(unanswered=1)
            person.unsure = "made"
            self._oracle.add(person)
            raise
        if status == 200:
            person.id, person.here = answer["id"], True
            self._people.append(self._oracle.add(person))
        elif self._honest(status, headers, answer):
            person.unsure = "made"
            self._oracle.add(person)

    def lead(self) -> None:
        status, headers, answer = self._client.ask("POST", "/contacts", {"role": "lead"})
        if status == 200:
            self._people.append(self._oracle.add(Person(None, answer["id"])))
        else:
            self._honest(status, headers, answer)

    def event_of_lead(self) -> None:
        if leads := [person for person in self._people if person.here and person.external_id is None]:
            lead = self._rng.choice(leads)
            user = self._somebody()
            sent = self._sent.get(id(user), [])
            self._submit(lead, self._rng.choice(sent) if sent and self._rng.random() < 0.3 else self._new_key(lead))

    def merge(self) -> None:
        leads = [person for person in self._people if person.here and person.external_id is None]
        if not leads or self._oracle.disk_fails:  # what is sent after the answer would come before the merge
            return self.lead()
        lead, user = self._rng.choice(leads), self._somebody()
        self._people.remove(lead)
        try:
            status, headers, answer = self._client.ask("POST", "/contacts/merge", {"from": lead.id, "into": user.id})
        except GONE:
            self._oracle.count(unanswered=1)
            self._doubt(lead, "merged", user)
            raise
        if status == 200:
            user.take(lead)
        elif self._honest(status, headers, answer):
            self._doubt(lead, "merged", user)
        return None

    def event_of_merged(self) -> None:
        if users := [person for person in self._people if person.here and person.also]:
            user = self._rng.choice(users)
            self._submit(user, self._new_key(user), {"id": self._rng.choice(user.also)})

    def delete_contact(self) -> None:
        users = [person for person in self._people[1:] if person.here]  # the first is the heavy one, mostly left alone
        if not users or len(self._people) < 4:
            return self.new_contact()
        person = self._rng.choice(users) if self._rng.random() < 0.97 else self._people[0]
        self._people.remove(person)
        try:
            status, headers, answer = self._client.ask("DELETE", f"/contacts/{person.id}")
        except GONE:
            self._oracle.count(unanswered=1)
            self._doubt(person, "deleted")
            raise
        if status == 200:
            person.end()
        elif self._honest(status, headers, answer):
            self._doubt(person, "deleted")
        return None

    def delete_event(self) -> None:
        person = self._somebody()
        for key in self._rng.sample(self._sent.get(id(person), [])[-200:], min(3, len(self._sent.get(id(person), [])[-200:]))):
            may = person.may(key)
            position = self._oracle.position.get(next(iter(may))) if len(may) == 1 else None
            if position is None:
                continue
            try:
                status, headers, answer = self._client.ask("DELETE", f"/-/api/events/{position}")
            except GONE:
                self._oracle.count(unanswered=1)
                person.removed(key, surely=False)
                raise
            if status == 200:
                person.removed(key, surely=True)
            elif status == 404:
                self._oracle.found("missing", f"{person.who} {key}: there is nothing to delete at position {position}, should be {may}")
            elif self._honest(status, headers, answer):
                person.removed(key, surely=False)
            return

    # Reading.

    def read_back(self) -> None:
        """What was answered before is in the answer to a question asked now."""
        person = self._somebody()
        status, headers, page = self._client.ask("GET", f"/events?type=user&{person.who}&per_page=150")
        if status != 200:
            self._honest(status, headers, page)
            return
        if len(person.events) > LISTED_MOST:
            return
        seen = seen_in(page["events"])
        for key, may in person.events.items():
            copies = seen.get(key, [])
            if not copies and NOTHING not in may:
                self._oracle.found("missing", f"{person.who} {key}: not in a list asked for after the 202")
            elif len(copies) > 1:
                self._oracle.found("twice", f"{person.who} {key}: copies {copies} in a list")

    # What these share.

    def _submit(self, person: Person, key: Key, named: dict[str, Any] | None = None) -> None:
        copy = self._copy()
        try:
            answer = self._client.ask("POST", "/events", _body(person, key, copy, named))
        except GONE:
            self._oracle.count(unanswered=1)
            self._oracle.lost.add(copy)
            person.unanswered(key, copy)
            raise
        if self._judge(copy, answer):
            person.acknowledged(key, copy)

    def _judge(self, copy: int, answer: Answer) -> bool:
        """Whether an event was answered 202, with its position noted."""
        status, headers, body = answer
        if status == 202:
            self._oracle.told(copy, int(headers["trackrecord-receipt"]))
            return True
        self._oracle.refused.add(copy)
        self._honest(status, headers, body)
        return False

    def _honest(self, status: int, headers: dict[str, str], body: Any) -> bool:
        """A refusal says 503, why, and when to come again; anything else is no answer to what senders do."""
        self._oracle.count(refusals=1)
        time.sleep(REFUSED_PAUSE_S)
        if status == 503 and body["type"] == "error.list" and int(headers.get("retry-after", 0)) >= 1:
            return True
        self._oracle.found("answers", f"answered {status} {headers} {body}")
        return False

    def _doubt(self, person: Person, what: str, into: Person | None = None) -> None:
        person.here, person.unsure, person.into = False, what, into

    def _somebody(self) -> Person:
        """A user that is here; made, where there is none."""
        while not (users := [person for person in self._people if person.here and person.external_id is not None]):
            self.new_contact()
        return users[0] if self._rng.randrange(FAVOURITE_ONE_IN) == 0 else self._rng.choice(users)

    def _new_key(self, person: Person) -> Key:
        self._second += self._rng.randint(0, 1)
        key = Key(self._rng.choice(self._names), EPOCH + self._second)
        self._sent.setdefault(id(person), []).append(key)
        return key

    def _copy(self) -> int:
        self._copies += 1
        return self._copies

    def settled(self) -> None:
        """After a judge: people nobody was sure of are here again, or are not."""
        known = set(map(id, self._people))
        mine = f"user-{self._number}-"
        for person in self._oracle.here():
            if id(person) not in known and person.external_id is not None and person.external_id.startswith(mine):
                self._people.append(person)
        self._people = [person for person in self._people if person.here]


def _body(person: Person | None, key: Key, copy: int, named: dict[str, Any] | None = None) -> dict[str, Any]:
    if named is None:
        if person is None:
            named = {"user_id": f"nobody-{copy}"}
        else:
            named = {"id": person.id} if person.external_id is None else {"user_id": person.external_id}
    return named | {"event_name": key.name, "created_at": key.created_at, "metadata": {"n": copy, "note": "x" * (copy % 60)}}


def seen_in(events: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> dict[Key, list[int]]:
    """Copies by key, of events as lists and exports show them."""
    seen: dict[Key, list[int]] = {}
    for event in events:
        seen.setdefault(Key(event["event_name"], event["created_at"]), []).append(event["metadata"]["n"])
    return seen


class Load:
    """Several senders at once. Lasts over restarts of the server."""

    def __init__(self, oracle: Oracle, rng: random.Random, *, connections: int, does: dict[str, int] = MIXED) -> None:
        self.oracle = oracle
        self._senders = [Sender(number, oracle, random.Random(rng.random()), does) for number in range(connections)]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, url: str) -> None:
        self._stop.clear()
        for sender in self._senders:
            sender.settled()
        self._threads = [threading.Thread(target=sender.run, args=(url, self._stop), daemon=True) for sender in self._senders]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def for_events(self, events: int, *, within_s: float = DEADLINE_S) -> None:
        """Return once so many more are acknowledged, when the senders have ended, or when the time is over."""
        wanted = self.oracle.acknowledged + events
        self.while_(lambda: self.oracle.acknowledged < wanted, within_s=within_s)

    def while_(self, holds: Callable[[], bool], *, within_s: float = DEADLINE_S) -> None:
        deadline = time.monotonic() + within_s
        while holds() and self.running and time.monotonic() < deadline:
            time.sleep(0.005)

    def stop(self) -> None:
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait for the senders to end by themselves, because the server went away."""
        for thread in self._threads:
            thread.join(2 * DEADLINE_S)
        if self.running:
            raise TimeoutError("a sender waits for an answer that does not come")
        self._threads = []


def recount(seen: dict[Key, list[int]]) -> Counter[str]:
    """How many events stand under each name."""
    return Counter(key.name for key, copies in seen.items() for _ in copies)


def resend(url: str, oracle: Oracle, events: list[tuple[Person, Key, int]]) -> None:
    """Send copies again that were sent before, as a client would whose server was put back to an earlier day."""
    with Client(url) as client:
        for person, key, copy in events:
            status, headers, answer = client.ask("POST", "/events", _body(person, key, copy))
            if status != 202:
                oracle.found("answers", f"an event sent again was answered {status} {answer}")
                return
            oracle.told(copy, int(headers["trackrecord-receipt"]))
            person.acknowledged(key, copy)
