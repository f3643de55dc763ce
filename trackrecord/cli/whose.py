"""Which contact is meant on the command line."""

from typing import TYPE_CHECKING, Annotated

import typer

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

KINDS = ("id", "user_id", "anonymous_id", "email")


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

    Raises UsageWrong unless exactly one is given, NotFound when nobody answers to it, and Conflict when several users do.
    """
    from ..errors import NotFound
    from ..rules.identity import only
    from . import UsageWrong

    given = [
        (kinds, value)
        for kinds, value in ((KINDS, who), (("id",), id), (("user_id", "anonymous_id"), user_id), (("email",), email))
        if value is not None
    ]
    if len(given) != 1:
        raise UsageWrong("name one contact: by WHO, --id, --user-id or --email")
    kinds, value = given[0]
    for kind in kinds:
        found = directory.contacts.find(workspace.number, kind, value)
        number = only(found[:1] if kind == "anonymous_id" else found)
        if number is not None:
            return directory.contacts.by_numbers(workspace.number, [number])[number]
    raise NotFound(f"workspace {workspace.id} has no contact {value!r}")
