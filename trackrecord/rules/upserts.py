"""Changing a contact or making it, whichever it takes: our own, as Intercom's API only does one or the other. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from ..errors import ParameterNotFound
from .contacts import Changes, Draft, changes, draft
from .matching import Named
from .values import text


class Upsert(NamedTuple):
    """What somebody wants a contact to be, every value checked."""

    named: Named  # what it is found by
    role: str | None  # None where none was sent
    changes: Changes  # of the contact that is found
    draft: Draft | None  # what is made where none is; None where only an id was sent, which is ours to give


def upsert(sent: Mapping[str, object]) -> Upsert:
    """Check what was sent: the fields of a contact, and `id`.

    Raises ParameterNotFound unless one of id, external_id and email is given, and what `changes` and `draft` raise.
    """
    wanted = changes(sent)
    named = Named(text(sent.get("id") or None, "id"), wanted.external_id or None, wanted.email or None)
    if not any(named):
        raise ParameterNotFound("say which contact it is: id, external_id or email", field="external_id")
    made = None if named.external_id is None and named.email is None else draft(sent)
    return Upsert(named, wanted.role or None, wanted, made)
