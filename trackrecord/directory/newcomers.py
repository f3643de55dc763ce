"""Contacts that events make: for servers whose setting says that an event may name somebody nobody knows yet."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ..errors import Conflict, ContactNotFound, TrackrecordError
from ..rules import values
from ..rules.contacts import Contact, Draft, draft
from ..rules.identity import Identifier, Newcomer
from ..rules.profiles import Profile
from .identity import IdentityCache, folded


class Asked(NamedTuple):
    """Whose an event is, as far as it says; `newcomer` is None where nobody may be made for it."""

    workspace: int
    tried: Sequence[Identifier]
    newcomer: Newcomer | None = None


class Contacts(Protocol):
    def create_many(self, workspace: int, drafts: Sequence[Draft], *, now: int, profile: Profile) -> list[Contact | TrackrecordError]: ...


class Newcomers:
    """Makes users for events that name nobody. Events that come at the same time make one contact of one name."""

    def __init__(self, contacts: Contacts, identities: IdentityCache, *, now: Callable[[], float], profile: Profile) -> None:
        self._contacts = contacts
        self._identities = identities
        self._now = now
        self._profile = profile
        self._turn = threading.Lock()

    def make(self, asked: Sequence[Asked]) -> list[int | TrackrecordError]:
        """The contact of each, in their order: found, if it has come to be meanwhile, or made. Every one has a newcomer.

        Stands as ContactNotFound for who was archived or blocked, as such a one is not made again; as Conflict where the address
        is another user's; and as ParameterInvalid or TypeMismatch for an identifier that no contact can have.
        """
        with self._turn:  # so that of two events with one address but different user ids the second finds what the first made
            answers = self._identities.resolve_many([(each.workspace, each.tried) for each in asked])
            left = [place for place, answer in enumerate(answers) if isinstance(answer, ContactNotFound)]
            for workspace in {asked[place].workspace for place in left}:
                self._make(workspace, [place for place in left if asked[place].workspace == workspace], asked, answers)
        return answers

    def _make(self, workspace: int, places: Sequence[int], asked: Sequence[Asked], answers: list[int | TrackrecordError]) -> None:
        drafts: list[Draft] = []
        meant: dict[int, int] = {}  # by its place in `asked`, which of the drafts it is
        names: dict[tuple[str, str], int] = {}  # what a draft will answer to
        for place in places:
            known = [names[key] for identifier in asked[place].tried if (key := (identifier.kind, folded(identifier))) in names]
            if known:
                meant[place] = known[0]
                continue
            try:
                made = _draft(asked[place].newcomer)
            except TrackrecordError as error:
                answers[place] = error
                continue
            meant[place] = len(drafts)
            for kind, value in (("user_id", made.external_id), ("email", made.email)):
                if value is not None:
                    names.setdefault((kind, folded(Identifier(kind, value))), len(drafts))
            drafts.append(made)
        outcomes = self._contacts.create_many(workspace, drafts, now=int(self._now()), profile=self._profile) if drafts else []
        for place, which in meant.items():
            outcome = outcomes[which]
            answers[place] = outcome.number if isinstance(outcome, Contact) else self._refused(asked[place], drafts[which], outcome)

    def _refused(self, asked: Asked, draft: Draft, error: TrackrecordError) -> int | TrackrecordError:
        """Why there is none: somebody else made it just now, or it is archived or blocked, or the address belongs to another."""
        found = self._identities.resolve_many([(asked.workspace, asked.tried)])[0]
        if not isinstance(found, ContactNotFound) or not isinstance(error, Conflict) or draft.email is None:
            return found
        others = self._identities.resolve_many([(asked.workspace, [Identifier("email", draft.email)])])[0]
        return found if isinstance(others, ContactNotFound) else error


def _draft(newcomer: Newcomer | None) -> Draft:
    """Raises ParameterInvalid or TypeMismatch by the names that an event has for it."""
    if newcomer is None:
        raise ContactNotFound
    external_id = values.number_or_text(newcomer.user_id, "user_id")
    return draft({"role": "user", "external_id": external_id, "email": newcomer.email})
