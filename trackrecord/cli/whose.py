"""Which contact is meant on the command line."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from . import output

if TYPE_CHECKING:
    from ..directory import Directory
    from ..rules.contacts import Contact
    from ..rules.directory import Workspace

Who = Annotated[
    str | None,
    typer.Argument(metavar="WHO", help="A contact's id, external id, anonymous id or email, tried in this order.", show_default=False),
]
ById = Annotated[str | None, typer.Option("--id", help="The contact's id.", show_default=False)]
ByUserId = Annotated[str | None, typer.Option("--user-id", help="The contact's external id, or a lead's anonymous id.", show_default=False)]
ByEmail = Annotated[str | None, typer.Option("--email", help="The address of exactly one user.", show_default=False)]

KINDS = {"id": "id", "user_id": "external id", "anonymous_id": "anonymous id", "email": "email"}  # tried in this order
SHOWN_MAX = 5  # of several users with one address


def contact(
    directory: "Directory",
    workspace: "Workspace",
    *,
    who: str | None = None,
    id: str | None = None,
    user_id: str | None = None,
    email: str | None = None,
) -> "Contact":
    """The contact that is named in one of these ways.

    Raises UsageWrong unless exactly one is given, and where several users have the address; NotFound when nobody answers to it.
    """
    from ..errors import NotFound
    from . import UsageWrong

    given = [
        (kinds, value)
        for kinds, value in ((tuple(KINDS), who), (("id",), id), (("user_id", "anonymous_id"), user_id), (("email",), email))
        if value is not None
    ]
    if len(given) != 1:
        raise UsageWrong("name one contact: by WHO, --id, --user-id or --email")
    kinds, value = given[0]
    for kind in kinds:
        found = directory.contacts.find(workspace.number, kind, value)
        if kind == "email" and len(found) > 1:
            raise UsageWrong(_several(directory, workspace, found, value))
        if found:
            return directory.contacts.by_numbers(workspace.number, found[:1])[found[0]]
    *others, last = (KINDS[kind] for kind in kinds)
    said = f"{', '.join(others)} or {last}" if others else last
    raise NotFound(f"workspace {workspace.id} has no contact with the {said} {value!r}; trackrecord export contacts prints them all")


def _several(directory: "Directory", workspace: "Workspace", numbers: Sequence[int], email: str) -> str:
    """What to say of several users with one address: how to name each of them."""
    there = directory.contacts.by_numbers(workspace.number, numbers[:SHOWN_MAX])
    ways = [
        f"--user-id {shlex.quote(output.safe(each.external_id))}" if each.external_id else f"--id {each.id}"
        for each in (there[number] for number in numbers[:SHOWN_MAX])
    ]
    more = f", and {len(numbers) - SHOWN_MAX} more" if len(numbers) > SHOWN_MAX else ""
    return f"{len(numbers)} users have the email {email!r}: choose one with {' or '.join(ways)}{more}"
