"""`trackrecord messenger`: what pages may do in a workspace, and what proves who somebody is."""

import sys
import time
from typing import Annotated, Any

import typer

from . import options, output
from .tokens import directory_of

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Which pages may deliver, and what proves who somebody is. A running server follows within a second or so.",
)

DAY_S = 86_400


@app.command()
def show(data: options.Data = None, workspace: options.InWorkspace = None, as_json: options.AsJson = False) -> None:
    """Show the origins, the identity secrets by their first characters, and what scripts gave up."""
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        gate = directory.messenger.gate(chosen.id)
        assert gate is not None  # noqa: S101 - it was just found
        secrets = directory.messenger.secrets(chosen.number)
        dropped = directory.messenger.dropped(chosen.number)
    shown: dict[str, Any] = {
        "workspace": chosen.id,
        "origins": sorted(gate.origins),
        "identity_enforced": chosen.identity_enforced,
        "secrets": [{"id": each.id, "begins": _hint(each.secret), "created_at": each.created_at} for each in secrets],
        "given_up": [{"day": output.moment(day * DAY_S)[:10], "reason": reason, "count": count} for day, reason, count in dropped],
    }
    if as_json:
        output.json(shown)
        return
    print(f"Workspace {chosen.id}")
    print(f"Pages that may deliver: {', '.join(shown['origins']) or 'all; name yours with trackrecord messenger allow ORIGIN'}")
    print(f"Identities must be proved: {'yes' if chosen.identity_enforced else 'no; trackrecord messenger enforce on'}")
    for each in shown["secrets"]:
        print(f"Identity secret {each['id']}: {each['begins']}…, made {output.moment(each['created_at'])} UTC")
    for each in shown["given_up"]:
        print(f"Given up by scripts on {each['day']}: {each['count']:,} ({each['reason']})")


@app.command()
def allow(
    origin: Annotated[str, typer.Argument(help="Scheme, host and port of the pages, such as https://app.example.com.")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Let pages of an origin deliver. From the first one on no others may."""
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        added = directory.messenger.add_origin(chosen.number, origin)
    print(f"Pages of {added} may deliver to {chosen.id}.")


@app.command()
def forbid(
    origin: Annotated[str, typer.Argument(help="An origin that was allowed.")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Take an origin off the list. Without the last one all pages may deliver again."""
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        removed = directory.messenger.remove_origin(chosen.number, origin)
        gate = directory.messenger.gate(chosen.id)
    rest = "" if gate is not None and gate.origins else " It was the last: now pages of every origin may."
    print(f"Pages of {removed} may not deliver to {chosen.id} any more.{rest}")


@app.command()
def secret(
    data: options.Data = None,
    workspace: options.InWorkspace = None,
    given: Annotated[
        str | None,
        typer.Option("--secret", help="Use this one in place of a new one; - reads it from stdin.", metavar="SECRET", show_default=False),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Make an identity secret and print it. The one before it stays valid beside it, and older ones do not.

    Your own server signs with it who somebody is: user_hash or intercom_user_jwt.
    """
    wanted = sys.stdin.readline().strip() if given == "-" else given
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        made = directory.messenger.add_secret(chosen.number, now=int(time.time()), secret=wanted)
        valid = directory.messenger.secrets(chosen.number)
    if as_json:
        output.json({"id": made.id, "secret": made.secret, "valid": [each.id for each in valid]})
        return
    print(made.secret)
    if sys.stdout.isatty() and len(valid) > 1:
        older = ", ".join(str(each.id) for each in valid if each.id != made.id)
        print(f"Valid besides: {older}. Once your server signs with the new one: trackrecord messenger retire {older}", file=sys.stderr)


@app.command()
def retire(
    id: Annotated[int, typer.Argument(help="The secret's id, as messenger show shows it.")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Have an identity secret prove nothing any more."""
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        directory.messenger.retire_secret(chosen.number, id, now=int(time.time()))
    print(f"Identity secret {id} proves nothing any more.")


@app.command()
def enforce(
    state: Annotated[str, typer.Argument(help="on or off.", metavar="on|off")],
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Have browsers prove who somebody is, or believe what they say."""
    from ..settings import NO, YES
    from . import UsageWrong

    if state.lower() not in YES + NO:
        raise UsageWrong(f"enforce wants on or off, got {state[:20]!r}")
    with directory_of(data) as directory:
        chosen = options.chosen(directory, workspace)
        directory.messenger.enforce(chosen.number, state.lower() in YES)
    print(f"Identities in {chosen.id} {'must be proved' if state.lower() in YES else 'are believed as they are said'} from now on.")


def _hint(secret: str) -> str:
    return secret[: min(4, len(secret) // 4)]
