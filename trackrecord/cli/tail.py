"""`trackrecord tail`: events of a running server as they arrive, with what became of each."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import EXIT_INTERRUPTED, UsageWrong, output

if TYPE_CHECKING:
    from rich.text import Text

    from ..wire.live import Read

app = typer.Typer(add_completion=False)

HERE = "http://127.0.0.1:8080"
NAME_WIDTH, WHO_WIDTH = 24, 24  # columns at a terminal; what is longer takes more


@app.command()
def tail(
    url: Annotated[
        str | None,
        typer.Option(help=f"The server's address; without it TRACKRECORD_URL, else {HERE}.", metavar="URL", show_default=False),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="An access token of it; without it TRACKRECORD_TOKEN.", metavar="TOKEN", show_default=False)
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Only events of this name; may be repeated.", metavar="NAME", show_default=False)
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option("--contact", help="Only this contact's: its id, e-mail address or user id.", metavar="WHO", show_default=False),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help="Only what became this.", metavar="stored|duplicate|erased", show_default=False),
    ] = None,
    last: Annotated[int, typer.Option("--last", help="Begin with so many events from before.", min=0, max=1000)] = 10,
    since: Annotated[
        int | None, typer.Option("--since-position", help="Begin behind this position instead.", min=0, show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON, as the API has it.")] = False,
) -> None:
    """Show events as they arrive, until Ctrl-C. Times are UTC."""
    from ..wire.live import identifier_of
    from .following import follow

    url = (url or os.environ.get("TRACKRECORD_URL") or HERE).rstrip("/")
    token = token or os.environ.get("TRACKRECORD_TOKEN")
    if not url.startswith(("http://", "https://")):
        raise UsageWrong(f"--url must begin with http:// or https://, got {url!r}")
    if not token:
        raise UsageWrong("a running server wants an access token: give it with --token or TRACKRECORD_TOKEN")
    asked = [("event_name", each) for each in name or ()]
    asked += [(identifier_of(contact), contact)] if contact else []
    asked += [("outcome", outcome)] if outcome else []
    asked += [("last", str(last))] if since is None else [("after", str(since))]
    show = _json if as_json else _at_terminal if sys.stdout.isatty() else _in_pipe
    try:
        for message in follow(url, token, asked, tell=_tell):
            show(message)
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _tell(sentence: str) -> None:
    print(f"trackrecord: {sentence}", file=sys.stderr, flush=True)


def _json(message: "Read") -> None:
    import msgspec

    print(msgspec.json.encode(message.data).decode(), flush=True)


def _missed(count: int) -> str:
    return f"{output.counted(count, 'event')} at most passed unseen, faster than could be shown"


def _in_pipe(message: "Read") -> None:
    from . import shown

    if message.kind == "missed":
        _tell(_missed(message.data["count"]))
        return
    when, event, outcome = _parts(message.data)
    kept, letters = _metadata(event)
    cells = [when, outcome, output.safe(event.get("event_name", "")), output.safe(_who(event)), shown.plain(kept, letters)]
    print("  ".join(cells).rstrip(), flush=True)


def _at_terminal(message: "Read") -> None:
    """Colours say again what words say: without them nothing is lost."""
    from rich.text import Text

    from . import shown

    if message.kind == "missed":
        output.console().print(Text(_missed(message.data["count"]), style="yellow"), soft_wrap=True)
        return
    when, event, outcome = _parts(message.data)
    row = Text(when[11:], style="dim")
    row.append("  ")
    row.append_text(_padded(output.safe(event.get("event_name", "")) or "(erased)", NAME_WIDTH, "bold"))
    row.append_text(_padded(output.safe(_who(event)), WHO_WIDTH, "cyan"))
    kept, letters = _metadata(event)
    row.append_text(shown.rich(kept, letters))
    if outcome != "stored":
        row.append(f"  {outcome}", style="yellow")
    output.console().print(row, soft_wrap=True)


def _padded(text: str, width: int, style: str) -> "Text":
    from rich.text import Text

    cell = Text(text, style=style)
    cell.append(" " * max(2, width + 2 - cell.cell_len), style="not bold")
    return cell


def _parts(receipt: Any) -> tuple[str, Any, str]:
    """(when it arrived, the event that stands or an empty one, what became of it)."""
    outcome = receipt["outcome"]
    if "duplicate_of" in receipt:
        outcome += f" of {receipt['duplicate_of']['position']}"
    if dropped := receipt.get("keys_dropped"):
        outcome += f", without {', '.join(output.safe(each['key']) for each in dropped)}"
    event = receipt.get("event") or receipt.get("duplicate_of", {}).get("event") or {}
    return output.moment(receipt["received_at_ms"] // 1000), event, outcome


def _who(event: Any) -> str:
    return str(event.get("user_id") or event.get("email") or event.get("intercom_user_id") or "")


def _metadata(event: Any) -> tuple[bytes, str]:
    import msgspec

    from ..rules.metadata import letters_of

    kept = event.get("metadata", {})
    return msgspec.json.encode(kept), letters_of(kept)
