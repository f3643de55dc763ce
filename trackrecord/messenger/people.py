"""Who a browser's calls are about: the contact, made or merged where that takes it. Everything here blocks."""

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from ..directory import Directory
from ..errors import Conflict, ContactMerged, NotFound, RequestError, UniqueUserConstraint
from ..rules.contacts import Changes, Contact, Draft, came_by, changes
from ..rules.messenger import FAULTS_MAX, Told, closed, told
from ..rules.profiles import Profile
from ..rules.users import wanted
from ..rules.visitors import Called, Conversion
from .identity import Identity, NotProved

TRIES = 4  # to settle who somebody is while other tabs of the browser say the same
SEEN_EVERY_S = 60  # how old last_seen_at may be before a ping writes it anew


class Settled(NamedTuple):
    """The contact, and what was not taken over of what was said, and why."""

    contact: Contact
    left_out: tuple[str, ...] = ()


Merged = list[tuple[Contact, Contact]]  # (who was merged away, as it was; into whom)


class People:
    def __init__(self, directory: Directory, profile: Profile) -> None:
        self._directory = directory
        self._profile = profile

    def settle(
        self,
        workspace: int,
        identity: Identity,
        visitor: str,
        said: Mapping[str, Any] | None,
        *,
        enforced: bool,
        now: int,
        merged: Merged,
    ) -> Settled:
        """Who calls with this identity and this anonymous id are about, at `now` (whole Unix seconds).

        `said` is what a ping says of the person; None for events alone. Whoever is merged away is added to `merged`, also where this
        raises after it: their events have to follow. Raises NotProved for an anonymous id that has become a user's where that must be
        proved, Conflict for an address of several, NotRestorable for who is blocked, and what else the directory raises.
        """
        tries_left = TRIES
        while True:
            tries_left -= 1
            try:
                if identity.user_id is None and identity.email is None:
                    return self._visitor(workspace, visitor, said, enforced=enforced, now=now)
                return self._user(workspace, identity, visitor, said, now=now, merged=merged)
            except (NotFound, ContactMerged, Conflict, UniqueUserConstraint):
                if not tries_left:
                    raise  # it is so, and nobody was just faster

    # Users.

    def _user(
        self, workspace: int, identity: Identity, visitor: str, said: Mapping[str, Any] | None, *, now: int, merged: Merged
    ) -> Settled:
        sure = identity if identity.sure else identity._replace(email=None)
        user = self._known(workspace, sure)
        if said is None and user is not None:
            return Settled(user)
        anonymous = self._anonymous(workspace, visitor)
        if user is None and anonymous is not None and anonymous.role != "user":
            # Not where one that is archived is meant: saving brings it back, and then the two are merged.
            with contextlib.suppress(Conflict, UniqueUserConstraint):
                user, anonymous = self._become(workspace, anonymous, sure, now=now, merged=merged), None
        user, left_out = self._save(workspace, identity, user, told(said or {}, identity.claims), came_by(said), now=now)
        if anonymous is not None and anonymous.role != "user" and anonymous.number != user.number:
            into = Identity(user.external_id, user.email if user.external_id is None else None)
            user = self._become(workspace, anonymous, into, now=now, merged=merged)
        return Settled(user, left_out)

    def _known(self, workspace: int, identity: Identity) -> Contact | None:
        """The live user: by user_id alone where there is one. Raises Conflict for an address of several, or that is not quite the same."""
        kind, value = ("user_id", identity.user_id) if identity.user_id is not None else ("email", identity.email or "")
        numbers = self._directory.contacts.find(workspace, kind, value)
        if len(numbers) > 1:
            raise Conflict("Several users have this email address: identify this one by user_id", field="email")
        user = self._directory.contacts.by_numbers(workspace, numbers).get(numbers[0]) if numbers else None
        if user is not None and kind == "email" and (user.email or "").lower() != value.lower():
            raise Conflict("A user has nearly this email address: identify this one by user_id", field="email")
        return user

    def _become(self, workspace: int, anonymous: Contact, identity: Identity, *, now: int, merged: Merged) -> Contact:
        """Make a user of a visitor or lead, or merge it into the one that is there: who it is now."""
        if anonymous.role == "visitor":
            conversion = Conversion(Called(id=anonymous.id), "user", Called(user_id=identity.user_id, email=identity.email))
            after, gone = self._directory.visitors.convert(workspace, conversion, now=now, profile=self._profile)
        else:
            lead, user = wanted({"id": anonymous.id}, role="lead", now=now), wanted(identity._asdict(), role="user", now=now)
            after, gone = self._directory.users.convert(workspace, lead, user, now=now, profile=self._profile)
        if gone is not None:
            merged.append((gone, after))
        return after

    def _save(
        self, workspace: int, identity: Identity, user: Contact | None, said: Told, led_by: dict[str, str] | None, *, now: int
    ) -> tuple[Contact, tuple[str, ...]]:
        """Take over what is said, but for what cannot be: that is left out, one by one, and all of it where it is too much."""
        fields, attributes, companies, email = dict(said.fields), dict(said.attributes), list(said.companies), identity.email
        left_out = self._close(workspace, attributes, companies)
        if not identity.sure and email is not None:
            if user is None:
                user = self._saved(workspace, {"user_id": identity.user_id}, None, now=now)
            if any(number != user.number for number in self._directory.contacts.find(workspace, "email", email)):
                left_out.append("the email is another user's, and was not proved")
                email = None
        if user is None or user.last_seen_at is None or user.last_seen_at <= now - SEEN_EVERY_S:
            fields["last_request_at"] = now
        fresh = led_by if user is None or user.came_by is None else None
        for faults_left in reversed(range(FAULTS_MAX)):
            if user is not None and not (fields or attributes or companies or fresh) and email in (None, user.email):
                return user, tuple(left_out)  # nothing to write
            sent = {**fields, "user_id": identity.user_id, "custom_attributes": attributes, "companies": companies}
            try:
                return self._saved(workspace, sent if email is None else {**sent, "email": email}, fresh, now=now), tuple(left_out)
            except RequestError as error:
                if error.field == "email" and identity.user_id is not None and email is not None:
                    email = None
                elif not _leave_out(error.field or "", fields, attributes, companies):
                    raise
                left_out.append(error.message)
                if not faults_left:
                    break
        named = {"user_id": identity.user_id, **({} if email is None else {"email": email})}
        return self._saved(workspace, named, fresh, now=now), (*left_out, "so nothing that was said was taken over")

    def _saved(self, workspace: int, sent: Mapping[str, Any], led_by: dict[str, str] | None, *, now: int) -> Contact:
        meant = wanted(sent, role="user", now=now)
        meant = meant._replace(changes=_first_seen(meant.changes, led_by))
        return self._directory.users.save(workspace, meant, now=now, profile=self._profile)

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
        left_out = self._close(workspace, attributes, [])
        sent: dict[str, Any] = {"name": said["name"]} if isinstance(said.get("name"), str) and said["name"] else {}
        if found.last_seen_at is None or found.last_seen_at <= now - SEEN_EVERY_S:
            sent["last_seen_at"] = now
        led_by = came_by(said) if found.came_by is None else None
        for _ in range(FAULTS_MAX):
            if not (sent or attributes or led_by):
                return Settled(found, tuple(left_out))
            try:
                meant = _first_seen(changes({**sent, "custom_attributes": attributes}), led_by)
                return Settled(self._change(workspace, found, meant, now=now), tuple(left_out))
            except RequestError as error:
                if not _leave_out(error.field or "", sent, attributes, []):
                    raise
                left_out.append(error.message)
        return Settled(found, (*left_out, "so nothing that was said was taken over"))

    def _change(self, workspace: int, found: Contact, meant: Changes, *, now: int) -> Contact:
        if found.role == "visitor":
            return self._directory.visitors.update(workspace, Called(id=found.id), meant, now=now, profile=self._profile)
        return self._directory.contacts.update(workspace, found.id, meant, now=now, profile=self._profile)

    def _made(self, workspace: int, visitor: str, *, now: int) -> Contact:
        """A new visitor; or who another of this browser's tabs made just now; or who was archived, and is back."""
        try:
            draft = Draft(role="visitor", anonymous_id=visitor, last_seen_at=now)
            return self._directory.contacts.create(workspace, draft, now=now, profile=self._profile)
        except Conflict:
            found = self._anonymous(workspace, visitor) or self._restored(workspace, visitor)
            if found is None:
                raise
            return found

    def _restored(self, workspace: int, visitor: str) -> Contact | None:
        numbers = self._directory.called(workspace, {"user_id": [visitor]}).get(("user_id", visitor), frozenset())
        for contact in self._directory.contacts.by_numbers(workspace, numbers).values():
            if contact.anonymous_id == visitor and contact.archived_at is not None and contact.blocked_at is None:
                return self._directory.archiving.unarchive(workspace, contact.id)
        return None

    def _anonymous(self, workspace: int, visitor: str) -> Contact | None:
        """Who has an anonymous id, or had it before it was merged; live alone."""
        numbers = self._directory.contacts.find(workspace, "anonymous_id", visitor)
        return self._directory.contacts.by_numbers(workspace, numbers).get(numbers[0]) if numbers else None

    def _close(self, workspace: int, attributes: dict[str, Any], companies: list[Any]) -> list[str]:
        """Take out what pages may not write, and say so."""
        names: set[str] = set()
        of_companies = [each["custom_attributes"] for each in companies if "custom_attributes" in each]
        for model, some in (("contact", [attributes]), ("company", of_companies)):
            wanted = {name for each in some for name in each}
            known = self._directory.attributes.named(workspace, wanted, model=model) if wanted else {}
            for each in some:
                for name in closed(each, known):
                    del each[name]
                    names.add(name)
        return [f"the attribute {name} is not messenger_writable" for name in sorted(names)]


def _first_seen(meant: Changes, led_by: dict[str, str] | None) -> Changes:
    return meant if led_by is None else msgspec.structs.replace(meant, came_by=led_by)


def _can_be_read(company: Mapping[str, Any]) -> bool:
    try:
        wanted({"user_id": "anybody", "companies": [company]}, role="user", now=0)
    except RequestError:
        return False
    return True


def _leave_out(field: str, fields: dict[str, Any], attributes: dict[str, Any], companies: list[Any]) -> bool:
    """Take the value at fault out; whether it was found."""
    name = field.removeprefix("custom_attributes.")
    if name != field and name in attributes:
        del attributes[name]
    elif field in fields:
        del fields[field]
    elif field.startswith("companies") and companies:
        good = [each for each in companies if _can_be_read(each)]
        companies[:] = good if len(good) < len(companies) else []
    else:
        return False
    return True
