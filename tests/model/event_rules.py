"""What clients do with the events of contacts: submit, one by one and in bulk; list, follow and count them; bring counts along."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, rule

from . import values
from .base import Base, jobs, people, polls, positions
from .compare import item, without_id
from .people import Person, Refusal
from .wire import path_of, same

NAMELESS = Refusal(400, "parameter_not_found", "event_name")


class EventRules(Base):
    @rule(target=positions, who=people, by=values.named_by, events=st.lists(values.events, min_size=1, max_size=3))
    def submit(self, who: Person, by: list[str], events: list[dict[str, Any]]) -> MultipleResults[int]:
        kept = []
        for event in events:
            sent = event | self.named(who, by)
            meant = self.people.meant(sent)
            if isinstance(meant, Refusal):
                self.api.refused(meant, "POST", "/events", sent)
            else:
                kept.append(self._kept(meant, sent, self.accepted(sent)))
        return multiple(*kept)

    def _kept(self, who: Person, sent: dict[str, Any], position: int) -> int:
        """The moment an event arrived is the server's to say; all else of its receipt the model knows."""
        received_at_ms = self.api.ask("GET", f"/-/api/receipts/{position}")["received_at_ms"]
        newest = max(self.record.received, default=0)
        assert position > newest, f"position {position} came after {newest}"
        self.record.submit(who, sent, position, received_at_ms)
        self.comparison.receipt(position)
        return position

    @rule(target=positions, who=people, event=values.events)
    def submit_again(self, who: Person, event: dict[str, Any]) -> MultipleResults[int]:
        """Two copies in turn, the second with other metadata and another writing of the name: the first stands."""
        who = self.live(who)
        if not who.live or event.get("created_at") is None:
            return multiple()
        sent = event | {"id": who.id}
        first = self._kept(who, sent, self.accepted(sent))
        copy = sent | {"event_name": sent["event_name"].swapcase(), "metadata": {"copy": True}}
        position = self._kept(who, copy, self.accepted(copy))
        same("duplicate", self.record.outcome(position), "what the model makes of a copy")
        return multiple(first, position)

    @rule(
        target=jobs,
        items=st.lists(st.tuples(people, values.named_by, values.events), min_size=1, max_size=5),
        spoil=st.none() | st.integers(0, 4),
        job=st.none() | jobs,
        path=st.sampled_from(["/bulk/events", "/jobs/events"]),
        busy=st.booleans(),
    )
    def bulk(self, items: list[Any], spoil: int | None, job: str | None, path: str, busy: bool) -> str | MultipleResults[str]:
        """Some events in one body, one of them without a name; each is judged as if it came alone. Busy is one contact in one second."""
        if busy:
            who, by, first = items[0]
            items = [(who, by, event | {"created_at": first.get("created_at", 100)}) for _, _, event in items]
        data = [event | self.named(who, by) for who, by, event in items]
        if spoil is not None and spoil < len(data):
            data[spoil] = data[spoil] | {"event_name": ""}
        expected = [NAMELESS if not each["event_name"] and self._names_anybody(each) else self.people.meant(each) for each in data]
        body = {"items": [{"method": "post", "data_type": "event", "data": each} for each in data]}
        answer = self.api.ask("POST", path, body | ({"job": {"id": job}} if job else {}), status=202)
        same("completed", answer["state"], "the state of a job")
        same(len(data), answer["tasks"][-1]["item_count"], "how many items a task has")
        self._judge(answer["id"], answer["tasks"][-1]["id"], data, expected)
        for who in {each for each in expected if isinstance(each, Person)}:
            self.comparison.timeline(who, f"intercom_user_id={who.id}", 1)
        if job is None:
            return str(answer["id"])
        same(job, answer["id"], "the job that was added to")
        return multiple()

    def _names_anybody(self, sent: dict[str, Any]) -> bool:
        return any(sent.get(kind) for kind in ("id", "intercom_user_id", "user_id", "email"))

    def _judge(self, job: str, task: str, data: list[Any], expected: list[Person | Refusal]) -> None:
        outcomes = [each for each in self.api.listed(f"/-/api/jobs/{job}?per_page=3") if each["task_id"] == task]
        refused, kept = [], []
        for number, (sent, who, found) in enumerate(zip(data, expected, outcomes, strict=True)):
            what = f"item {number} of {data}"
            if isinstance(who, Refusal):
                error = found["error"]
                same(("refused", who.code, who.field), (found["outcome"], error["code"], error["field"]), what)
                refused.append((f"{task}-{number}", who.code, sent))
                continue
            assert "receipt" in found, f"{what} must be kept, and is {found}"
            moment = self.api.ask("GET", f"/-/api/receipts/{found['receipt']}")["received_at_ms"]
            same(self.record.submit(who, sent, found["receipt"], moment), found["outcome"], what)
            kept.append(found["receipt"])
        for receipt in kept:  # now that the model knows all, as a later item may be a copy of an earlier one
            self.comparison.receipt(receipt)
        feed = self.api.ask("GET", f"/jobs/{job}/error?per_page=150")
        told = [(each["id"], each["error"]["code"], each["data"]) for each in feed["items"] if each["id"].startswith(f"{task}-")]
        same(refused, told, f"the refused items of {data}")

    @rule(who=people, by=values.named_by, rows=st.lists(values.baselines, min_size=1, max_size=2), alone=st.booleans())
    def summarise(self, who: Person, by: list[str], rows: list[dict[str, Any]], alone: bool) -> None:
        """POST /events/summaries, with one object or a list."""
        sent = {"event_summaries": rows[0] if alone else rows, **self.named(who, by)}
        meant = self.people.meant(sent)
        if isinstance(meant, Refusal):
            return self.api.refused(meant, "POST", "/events/summaries", sent)
        same(None, self.api.ask("POST", "/events/summaries", sent), "the body of an answer to baselines")
        self.record.summarise(meant, rows[:1] if alone else rows)
        return self.comparison.timeline(meant, f"intercom_user_id={meant.id}", 150)

    @rule(who=people, per_page=values.per_page, before=st.none() | st.integers(0, 3), since=st.none() | st.integers(0, 3))
    def list_between(self, who: Person, per_page: int, before: int | None, since: int | None) -> None:
        """From one event's cursor to another's, page by page; each page's addresses say what the contract says."""
        who = self.live(who)
        if not who.live:
            return
        timeline = self.record.timeline(who)
        cursors = [self.record.cursor(each) for each in timeline] or [0]
        bounds = {name: cursors[at % len(cursors)] for name, at in (("before", before), ("since", since)) if at is not None}
        query = "".join(f"&{name}={cursor}" for name, cursor in bounds.items())
        wanted = [
            each for each in timeline if bounds.get("since", 0) <= self.record.cursor(each) and self._below(each, bounds.get("before"))
        ]
        pages = list(self.api.event_pages(f"/events?type=user&intercom_user_id={who.id}&per_page={per_page}{query}"))
        found = [without_id(event) for page in pages for event in page["events"]]
        same([item(each) for each in wanted], found, f"the events of {who} with {bounds} by {per_page}")
        whose, left = f"intercom_user_id={who.id}&type=user", wanted
        for page in pages:
            shown, left = left[:per_page], left[per_page:]
            after = self.record.cursor(shown[0]) + 1 if shown else bounds.get("since")
            address = f"/events?{whose}&since={after}" if after is not None else None
            same(address, path_of(page["pages"].get("since")), "where what is newer will be")
            since_too = f"&since={bounds['since']}" if "since" in bounds else ""
            address = f"/events?per_page={per_page}&before={self.record.cursor(shown[-1])}&{whose}{since_too}" if left else None
            same(address, path_of(page["pages"].get("next")), "where the next page is")

    def _below(self, event: Any, before: int | None) -> bool:
        return before is None or self.record.cursor(event) < before

    @rule(target=polls, who=people)
    def follow(self, who: Person) -> tuple[Person, str, int] | MultipleResults[tuple[Person, str, int]]:
        """Keep the address under which a contact's next events will be."""
        who = self.live(who)
        if not self.record.timeline(who) or not who.live:
            return multiple()
        page = self.api.ask("GET", f"/events?type=user&intercom_user_id={who.id}&per_page=1")
        return who, str(path_of(page["pages"]["since"])), self.record.cursor(self.record.timeline(who)[0]) + 1

    @rule(poll=polls)
    def ask_for_newer(self, poll: tuple[Person, str, int]) -> None:
        who, target, since = poll
        if not who.live:
            return
        newer = [each for each in self.record.timeline(who) if self.record.cursor(each) >= since]
        found = [event for page in self.api.event_pages(target) for event in page["events"]]
        same([item(each) for each in newer], [without_id(each) for each in found], f"what {who} did since {since}")
