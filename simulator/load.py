"""What clients send: records drawn by the schedule's generator, from so few contacts, names and seconds that they often meet."""

import random

import msgspec

from trackrecord.rules.records import Baseline, Erasure, Event, Merge, Record, Removal

WORKSPACE = 1
NAMES = (1, 2, 3)
CONTACTS_AT_ONCE = 5
DAY_S = 86_400
# As rules/metadata.py has them: what is kept, the kinds of its values, what was dropped.
METADATA = (
    (b"", "", b""),
    (b'{"plan":"pro"}', "s", b""),
    (b'{"price":12,"plan":"team"}', "ns", b'[["eleventh","limit"]]'),
    (b'{"note":"' + b"long " * 60 + b'"}', "s", b""),
    (b'{"note":"' + b"very long " * 600 + b'"}', "s", b""),
)
METADATA_WEIGHTS = (30, 30, 20, 8, 1)


class Load:
    """`sent` is all that was ever sent, whatever became of it: much is sent again."""

    def __init__(self, rng: random.Random) -> None:
        self.sent: list[Event] = []
        self.contacts = [1, 2, 3]
        self._rng = rng
        self._last = 3
        self._seconds = rng.choice((3, 20, 200))  # from which events are; the fewer, the more duplicates
        # How often an erasure, a merge, a removal, a baseline and a copy come, where an event comes ten times.
        self._weights = [10, *(rng.choice((0, 0.3, 1)) for _ in range(3)), rng.choice((0, 1, 3)), rng.choice((0, 2, 6))]
        self._makes = (self._event, self._erasure, self._merge, self._removal, self._baseline, self._copy)

    def batch(self, now_ms: int, head: int) -> list[Record]:
        """The records of one group commit, to stand behind position `head`."""
        rng = self._rng
        count = rng.choice((1, 1, 1, 2, 3, 5, 8, 30))
        return [make(now_ms, head) for make in rng.choices(self._makes, self._weights, k=count)]

    def _someone(self) -> int:
        if len(self.contacts) < CONTACTS_AT_ONCE and self._rng.random() < 0.1:
            self._last += 1
            self.contacts.append(self._last)
        return self._rng.choice(self.contacts)

    def _event(self, now_ms: int, head: int) -> Event:
        rng = self._rng
        metadata, kinds, dropped = rng.choices(METADATA, METADATA_WEIGHTS)[0]
        second = rng.randrange(self._seconds) * (DAY_S // 2) - DAY_S
        distinct = rng.choice(("", "", "", "a", "b"))
        event = Event(WORKSPACE, self._someone(), rng.choice(NAMES), second, now_ms, metadata, kinds, dropped, distinct)
        self.sent.append(event)
        return event

    def _copy(self, now_ms: int, head: int) -> Event:
        """Sent again, with other metadata: which of two stands must be seen."""
        if not self.sent:
            return self._event(now_ms, head)
        rng = self._rng
        event = rng.choice(self.sent[-8:] if rng.random() < 0.5 else self.sent)
        metadata, kinds, dropped = rng.choices(METADATA, METADATA_WEIGHTS)[0]
        return msgspec.structs.replace(event, received_at_ms=now_ms, metadata=metadata, kinds=kinds, dropped=dropped)

    def _erasure(self, now_ms: int, head: int) -> Erasure:
        contact = self._someone()
        self._leaves(contact)
        return Erasure(WORKSPACE, contact, now_ms)

    def _merge(self, now_ms: int, head: int) -> Merge:
        source, target = self._someone(), self._someone()
        self._leaves(source)
        return Merge(WORKSPACE, source, target, now_ms)

    def _removal(self, now_ms: int, head: int) -> Removal:
        """Of recent events mostly. Some positions hold none."""
        least = max(1, head - self._rng.choice((3, 20, 10_000)))
        positions = {self._rng.randint(least, max(least, head)) for _ in range(self._rng.choice((1, 1, 2, 6)))}
        return Removal(WORKSPACE, tuple(sorted(positions)), now_ms)

    def _baseline(self, now_ms: int, head: int) -> Baseline:
        rng = self._rng
        first, last = rng.choice(((None, None), (0, DAY_S), (-DAY_S, 3 * DAY_S)))
        return Baseline(WORKSPACE, self._someone(), rng.choice(NAMES), now_ms, rng.randrange(5), first, last)

    def _leaves(self, contact: int) -> None:
        """Mostly nothing more comes from there; sometimes it does, late."""
        if self._rng.random() < 0.7 and len(self.contacts) > 1:
            self.contacts.remove(contact)
