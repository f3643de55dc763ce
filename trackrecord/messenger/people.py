"""Who a browser's calls are about: the contact, made or merged where that takes it. Everything here blocks."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ..directory import Directory
from ..errors import Conflict, ContactMerged, NotFound, ParameterInvalid, RequestError, UniqueUserConstraint
from ..rules.contacts import Changes, Contact, Draft, came_by, changes
from ..rules.messenger import FAULTS_MAX, Told, closed, told
from ..rules.profiles import Profile
from ..rules.users import wanted
from ..rules.visitors import Called, Conversion
from .identity import Identity, NotProved

TRIES = 4  # to settle who somebody is while other tabs of the browser say the same
SEEN_EVERY_S = 60  # how old last_seen_at may be before a ping writes it anew


class Settled(NamedTuple):
    """The contact; who was merged into it, as they were, so that their events follow; and what was not taken over, and why."""

    contact: Contact
    merged: tuple[Contact, ...] = ()
    left_out: tuple[str, ...] = ()


class People:
    def __init__(self, directory: Directory, profile: Profile) -> None:
        self._directory = directory
        self._profile = profile

    def settle(
        self, workspace: int, identity: Identity, visitor: str, said: Mapping[str, Any] | None, *, enforced: bool, now: int
    ) -> Settled:
        """Who calls with this identity and this anonymous id are about, at `now` (whole Unix seconds).

        `said` is what a ping says of the person; None for events alone, which change nobody. Raises NotProved for an anonymous id
        that has become a user's where that must be proved, Conflict for an address of several, NotRestorable for who is blocked,
        and what else the directory raises.
        """
        for tries_left in reversed(range(TRIES)):
            try:
                if identity.user_id is None and identity.email is None:
                    return self._visitor(workspace, visitor, said, enforced=enforced, now=now)
                return self._user(workspace, identity, visitor, said, now=now)
            except (NotFound, ContactMerged, Conflict, UniqueUserConstraint):
                if not tries_left:
                    raise  # it is so, and nobody was just faster
        raise AssertionError  # pragma: no cover

    # Users.

    def _user(self, workspace: int, identity: Identity, visitor: str, said: Mapping[str, Any] | None, *, now: int) -> Settled:
        user = self._known(workspace, identity)
        if said is None and user is not None:
            return Settled(user)
        merged: tuple[Contact, ...] = ()
        anonymous = self._anonymous(workspace, visitor)
        if user is None and anonymous is not None and anonymous.role != "user":
            user, merged = self._become(workspace, anonymous, identity, now=now)
            anonymous = None
        try:
            user, left_out = self._save(workspace, identity, user, told(said or {}, identity.claims), came_by(said), now=now)
        except RequestError as error:
            if user is None or not merged:
                raise
            left_out = (error.message,)  # the merge stands, and events have to follow it
        if anonymous is not None and anonymous.role != "user" and anonymous.number != user.number:
            user, merged = self._become(workspace, anonymous, Identity(user.external_id, user.email), now=now)
        return Settled(user, merged, left_out)

    def _known(self, workspace: int, identity: Identity) -> Contact | None:
        """The live user: by user_id alone where there is one. Raises Conflict for an address of several."""
        kind, value = ("user_id", identity.user_id) if identity.user_id is not None else ("email", identity.email or "")
        numbers = self._directory.contacts.find(workspace, kind, value or "")
        if len(numbers) > 1:
            raise Conflict("Several users have this email address: identify this one by user_id", field="email")
        return self._directory.contacts.by_numbers(workspace, numbers).get(numbers[0]) if numbers else None

    def _become(self, workspace: int, anonymous: Contact, identity: Identity, *, now: int) -> tuple[Contact, tuple[Contact, ...]]:
        """Make a user of a visitor or lead, or merge it into the one that is there: who it is now, and who was merged away."""
        if anonymous.role == "visitor":
            conversion = Conversion(Called(id=anonymous.id), "user", Called(user_id=identity.user_id, email=identity.email))
            converted = self._directory.visitors.convert(workspace, conversion, now=now, profile=self._profile)
            return converted.contact, () if converted.merged is None else (converted.merged,)
        lead, user = wanted({"id": anonymous.id}, role="lead", now=now), wanted(identity._asdict(), role="user", now=now)
        after, gone = self._directory.users.convert(workspace, lead, user, now=now, profile=self._profile)
        return after, () if gone is None else (gone,)

    def _save(
        self, workspace: int, identity: Identity, user: Contact | None, said: Told, led_by: dict[str, str] | None, *, now: int
    ) -> tuple[Contact, tuple[str, ...]]:
        """Take over what is said, but for what cannot be: that is left out, one by one."""
        fields, attributes, companies = dict(said.fields), dict(said.attributes), list(said.companies)
        left_out = self._close(workspace, attributes)
        if user is None or user.last_seen_at is None or user.last_seen_at <= now - SEEN_EVERY_S:
            fields["last_request_at"] = now
        fresh = led_by is not None and (user is None or user.came_by is None)
        for _ in range(FAULTS_MAX):
            if user is not None and not (fields or attributes or companies or fresh) and identity.email in (None, user.email):
                return user, tuple(left_out)  # nothing to write
            sent = {**fields, "user_id": identity.user_id, "custom_attributes": attributes, "companies": companies}
            if identity.email is not None:
                sent["email"] = identity.email
            try:
                meant = wanted(sent, role="user", now=now)
                meant = meant._replace(changes=_first_seen(meant.changes, led_by if fresh else None))
                saved = self._directory.users.save(workspace, meant, now=now, profile=self._profile)
                return saved, tuple(left_out)
            except RequestError as error:
                if not _leave_out(error.field or "", fields, attributes, companies):
                    raise
                left_out.append(error.message)
        raise ParameterInvalid("too much of what was said of this person cannot be used", field="data")

    # Visitors and leads.

    def _visitor(self, workspace: int, visitor: str, said: Mapping[str, Any] | None, *, enforced: bool, now: int) -> Settled:
        found = self._anonymous(workspace, visitor)
        if found is None:
            found = self._made(workspace, visitor, now=now)
        if found.role == "user":
            if enforced:
                text = "this browser has become a user's: boot with that user and its user_hash or intercom_user_jwt"
                raise NotProved("identity_required", text, held=True)
            return Settled(found)
        if said is None:
            return Settled(found)
        attributes = told(said).attributes
        left_out = self._close(workspace, attributes)
        sent: dict[str, Any] = {"name": said["name"]} if isinstance(said.get("name"), str) and said["name"] else {}
        if found.last_seen_at is None or found.last_seen_at <= now - SEEN_EVERY_S:
            sent["last_seen_at"] = now
        led_by = came_by(said) if found.came_by is None else None
        for _ in range(FAULTS_MAX):
            if not (sent or attributes or led_by):
                return Settled(found, (), tuple(left_out))
            try:
                meant = _first_seen(changes({**sent, "custom_attributes": attributes}), led_by)
                return Settled(self._change(workspace, found, meant, now=now), (), tuple(left_out))
            except RequestError as error:
                if not _leave_out(error.field or "", sent, attributes, []):
                    raise
                left_out.append(error.message)
        raise ParameterInvalid("too much of what was said of this person cannot be used", field="data")

    def _change(self, workspace: int, found: Contact, meant: Changes, *, now: int) -> Contact:
        if found.role == "visitor":
            return self._directory.visitors.update(workspace, Called(id=found.id), meant, now=now, profile=self._profile)
        return self._directory.contacts.update(workspace, found.id, meant, now=now, profile=self._profile)

    def _made(self, workspace: int, visitor: str, *, now: int) -> Contact:
        """A new visitor; or who another of this browser's tabs made just now."""
        try:
            draft = Draft(role="visitor", anonymous_id=visitor, last_seen_at=now)
            return self._directory.contacts.create(workspace, draft, now=now, profile=self._profile)
        except Conflict:
            found = self._anonymous(workspace, visitor)
            if found is None:
                raise
            return found

    def _anonymous(self, workspace: int, visitor: str) -> Contact | None:
        """Who has an anonymous id, or had it before it was merged; live alone."""
        numbers = self._directory.contacts.find(workspace, "anonymous_id", visitor)
        return self._directory.contacts.by_numbers(workspace, numbers).get(numbers[0]) if numbers else None

    def _close(self, workspace: int, attributes: dict[str, Any]) -> list[str]:
        """Take out what pages may not write, and say so."""
        if not attributes:
            return []
        known = {each.name: each for each in self._directory.attributes.list(workspace)}
        names = closed(attributes, known)
        for name in names:
            del attributes[name]
        return [f"the attribute {name} is not messenger_writable" for name in names]


def _first_seen(meant: Changes, led_by: dict[str, str] | None) -> Changes:
    return meant if led_by is None else msgspec.structs.replace(meant, came_by=led_by)


def _leave_out(field: str, fields: dict[str, Any], attributes: dict[str, Any], companies: list[Any]) -> bool:
    """Take the value at fault out; whether it was found."""
    name = field.removeprefix("custom_attributes.")
    if name != field and name in attributes:
        del attributes[name]
    elif field in fields:
        del fields[field]
    elif field.startswith("companies") and companies:
        companies.clear()
    else:
        return False
    return True
