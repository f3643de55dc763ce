"""Bounded caches in front of the directory, for the way of an event. They never answer for a contact that has changed.

Reading is a dictionary look-up from any thread; what writes a contact drops its entries before its caller hears of it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from ..errors import Conflict, TrackrecordError
from ..rules.contacts import Contact, fold_email
from ..rules.directory import EventName
from ..rules.identity import Identifier, nobody, only

Key = tuple[int, str, str]
CONTACTS_MAX = 10_000  # whole contacts kept in memory, for reads
NAMES_MAX = 100_000  # names kept in memory; past it they are looked up


class Contacts(Protocol):
    on_change: list[Callable[[Contact | None, Contact | None], None]]

    def find_many(self, workspace: int, kind: str, values: Iterable[str]) -> Mapping[str, Sequence[int]]: ...

    def by_numbers(self, workspace: int, numbers: Iterable[int]) -> dict[int, Contact]: ...


class Names(Protocol):
    def resolve(self, workspace: int, folded: str, name: str, *, now: int, limit: int) -> EventName: ...

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, EventName]: ...


def folded(identifier: Identifier) -> str:
    """An address is the same in every case; other identifiers are not."""
    return fold_email(identifier.value) if identifier.kind == "email" else identifier.value


class IdentityCache:
    """From an identifier to the number of the one live contact it names. What names nobody is not kept.

    With `anonymous`, a user_id that is no user's is tried as an anonymous id, and kept as what was asked.
    """

    def __init__(self, contacts: Contacts, *, entries: int, anonymous: bool) -> None:
        self._contacts = contacts
        self._entries = entries
        self._anonymous = anonymous
        self._numbers: dict[Key, int] = {}
        self._keys: dict[int, tuple[Key, ...]] = {}
        self._known: dict[int, Contact] = {}
        self._changes = 0
        self._lock = threading.Lock()
        contacts.on_change.append(self.changed)

    def cached(self, workspace: int, identifier: Identifier) -> int | None:
        return self._numbers.get((workspace, identifier[0], folded(identifier)))

    def resolve(self, workspace: int, tried: Sequence[Identifier]) -> int:
        """The contact that the first of these names which names anybody. Raises ContactNotFound, or Conflict."""
        found = self.resolve_many([(workspace, tried)])[0]
        if isinstance(found, TrackrecordError):
            raise found
        return found

    def resolve_many(self, asked: Sequence[tuple[int, Sequence[Identifier]]]) -> list[int | TrackrecordError]:
        """As resolve, for each of (workspace, identifiers to try): one look-up in the directory a kind, not one a contact."""
        before = self._changes
        answers: list[int | TrackrecordError] = [0] * len(asked)
        # What is to be tried next for each: (kind to look up, the identifier it stands for), the next one last.
        left = {number: self._steps(tried) for number, (_, tried) in enumerate(asked)}
        while left:
            wanted: dict[tuple[int, str], dict[str, list[int]]] = {}
            for number in list(left):
                if not left[number]:
                    answers[number] = nobody(asked[number][1])
                    del left[number]
                    continue
                kind, identifier = left[number][-1]
                known = self.cached(asked[number][0], identifier)
                if known is not None:
                    answers[number] = known
                    del left[number]
                else:
                    wanted.setdefault((asked[number][0], kind), {}).setdefault(identifier.value, []).append(number)
            for (workspace, kind), values in wanted.items():
                for value, found in self._contacts.find_many(workspace, kind, values).items():
                    for number in values[value]:
                        _, identifier = left[number].pop()
                        try:
                            contact = only(found if kind == "email" else found[:1])
                        except Conflict as error:
                            answers[number] = error
                            del left[number]
                            continue
                        if contact is not None:
                            answers[number] = contact
                            del left[number]
                            self._remember(before, (workspace, identifier.kind, folded(identifier)), contact)
        return answers

    def _steps(self, tried: Sequence[Identifier]) -> list[tuple[str, Identifier]]:
        """What to look up for these, the first one last. An anonymous id is remembered as the user_id it was asked for as."""
        steps = []
        for identifier in tried:
            steps.append((identifier.kind, identifier))
            if identifier.kind == "user_id" and self._anonymous:
                steps.append(("anonymous_id", identifier))
        return steps[::-1]

    def _remember(self, changes: int, key: Key, number: int) -> None:
        with self._lock:
            # A contact changed while we looked: what was found may be old, so it is used once and not kept.
            if self._changes == changes and self._entries:
                self._keep(key, number)

    def contact(self, workspace: int, tried: Sequence[Identifier]) -> Contact:
        """As resolve, with all that is known of the contact. Raises ContactNotFound, or Conflict."""
        before = self._changes
        number = self.resolve(workspace, tried)
        contact = self._known.get(number)
        if contact is None:
            contact = self._contacts.by_numbers(workspace, [number]).get(number)
            if contact is not None and contact.merged_into is not None:  # merged away between the two looks
                contact = self._contacts.by_numbers(workspace, [contact.merged_into]).get(contact.merged_into)
            if contact is None or not contact.live:
                raise nobody(tried)
            with self._lock:
                if self._changes == before and self._entries:
                    while len(self._known) >= min(self._entries, CONTACTS_MAX):
                        del self._known[next(iter(self._known))]
                    self._known[number] = contact
        return contact

    def forget(self, number: int) -> None:
        with self._lock:
            self._changes += 1
            self._known.pop(number, None)
            for key in self._keys.pop(number, ()):
                self._numbers.pop(key, None)

    def changed(self, before: Contact | None, after: Contact | None) -> None:
        """A contact was written: drop what it answered to, and what its new identifiers may answer from now on."""
        for contact in (before, after):
            if contact is None:
                continue
            self.forget(contact.number)
            named = (("user_id", contact.external_id), ("user_id", contact.anonymous_id), ("email", contact.email))
            for kind, value in named:
                if value is not None:
                    self._drop((contact.workspace, kind, folded(Identifier(kind, value))))

    def _keep(self, key: Key, number: int) -> None:
        if key in self._numbers:
            return
        while len(self._numbers) >= self._entries:
            oldest = next(iter(self._numbers))
            self._unlink(oldest, self._numbers.pop(oldest))
        self._numbers[key] = number
        self._keys[number] = (*self._keys.get(number, ()), key)

    def _drop(self, key: Key) -> None:
        with self._lock:
            number = self._numbers.pop(key, None)
            if number is not None:
                self._unlink(key, number)

    def _unlink(self, key: Key, number: int) -> None:
        left = tuple(each for each in self._keys.get(number, ()) if each != key)
        if left:
            self._keys[number] = left
        else:
            self._keys.pop(number, None)


class NameCache:
    """Event names by what was sent and by number. Names are few and are never removed: what leads to one leads to it for ever,
    but how it is shown and described may change.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._by_folded: dict[tuple[int, str], int] = {}
        self._by_number: dict[int, EventName] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def cached(self, workspace: int, folded: str) -> int | None:
        return self._by_folded.get((workspace, folded))

    def resolve(self, workspace: int, folded: str, name: str, *, now: int, limit: int) -> EventName:
        """The name's entry, made if it is new. Raises Unprocessable past `limit` active names (0: no limit)."""
        return self.keep(self._names.resolve(workspace, folded, name, now=now, limit=limit), folded)

    def keep(self, entry: EventName, folded: str) -> EventName:
        """Remember that `folded` leads to this name, now or since before it was renamed."""
        with self._lock:
            if len(self._by_folded) < NAMES_MAX:
                self._by_folded[(entry.workspace, folded)] = entry.number
        return entry

    def changed(self, entry: EventName) -> None:
        """A name was written: whoever asks for it from now on sees it so."""
        with self._lock:
            self._changes += 1
            self._by_number.pop(entry.number, None)

    def by_numbers(self, numbers: Sequence[int]) -> dict[int, EventName]:
        found = {number: entry for number in set(numbers) if (entry := self._by_number.get(number)) is not None}
        missing = [number for number in set(numbers) if number not in found]
        if missing:
            before = self._changes
            looked_up = self._names.by_numbers(missing)
            with self._lock:
                # A name changed while we looked: what was found may be old, so it is used once and not kept.
                if self._changes == before and len(self._by_number) < NAMES_MAX:
                    self._by_number |= looked_up
            found |= looked_up
        return found
