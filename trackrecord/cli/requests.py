"""`trackrecord requests`: why requests were refused."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options, output

if TYPE_CHECKING:
    from ..rules.requests import Entry

app = typer.Typer(add_completion=False)


@app.command()
def requests(
    request_id: Annotated[
        str | None, typer.Argument(metavar="REQUEST_ID", help="The request_id of an error, to be told all about it.", show_default=False)
    ] = None,
    status: Annotated[str | None, typer.Option(help="Such as 404, or 4xx for all from 400 to 499.", show_default=False)] = None,
    code: Annotated[str | None, typer.Option(help="The code of the error, such as parameter_invalid.", show_default=False)] = None,
    path: Annotated[str | None, typer.Option(help="How the path begins, such as /events.", show_default=False)] = None,
    text: Annotated[str | None, typer.Option(help="A part of the path, the message or the cause.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(help="A day or moment, UTC: answered then or later.", metavar="WHEN", show_default=False)
    ] = None,
    until: Annotated[str | None, typer.Option(help="The same: answered then or earlier.", metavar="WHEN", show_default=False)] = None,
    limit: Annotated[int, typer.Option(help="How many requests at most.", min=1, max=10_000)] = 20,
    data: options.Data = None,
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", help="The workspace's id; all of them without it.", metavar="ID", show_default=False),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Search the log of refused requests, newest first. A server may run meanwhile. Times are UTC.

    Those that came without a good token belong to no workspace, and are found here alone. Exits with 1 when REQUEST_ID is not there.
    """
    from .. import requestlog
    from ..engines import REQUESTS_FILE
    from ..rules.requests import Wanted
    from ..wire.requests import statuses
    from .tokens import directory_of

    file = options.existing_data(data) / REQUESTS_FILE
    number = None
    if workspace is not None:
        with directory_of(data) as directory:
            number = options.chosen(directory, workspace).number
    wanted = Wanted(request_id, statuses(status), code, path, _moment(since, "since"), _moment(until, "until", last=True), text)
    found = requestlog.search(file, wanted, limit=limit, workspace=number)
    entries = [entry for _, entry in found.entries]
    if as_json:
        output.json([entry._asdict() for entry in entries])
    elif request_id is not None:
        for entry in entries:
            _tell(entry)
    else:
        _list(entries)
        _summary(len(entries), found.total, requestlog.dropped(file))
    if request_id is not None and not entries:
        from ..errors import NotFound

        raise NotFound(f"{file} has no request {output.safe(request_id)[:100]}: it went well, is too old, or was answered elsewhere")


def _moment(text: str | None, name: str, *, last: bool = False) -> int | None:
    """Whole Unix seconds of a day or moment, UTC; of a day its first second, or its last. Raises UsageWrong."""
    from . import UsageWrong

    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageWrong(f"--{name} wants a day or moment such as 2026-01-31 or 2026-01-31T12:00:00, got {text!r}") from None
    seconds = int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp())
    return seconds + 86_399 if last and len(text) == len("2026-01-31") else seconds


def _list(entries: "list[Entry]") -> None:
    """In a pipe a line each; at a terminal two, as one would be wider than most are."""
    rows: Sequence[tuple[str, ...]] = [
        (
            output.moment(entry.at_ms // 1000),
            entry.request_id,
            str(entry.status),
            output.safe(f"{entry.method} {entry.path}"),
            output.safe(_last_line(entry.cause) or entry.message or ""),
        )
        for entry in entries
    ]
    columns: tuple[str, ...] = ("when (UTC)", "request", "status", "asked for", "why")
    if sys.stdout.isatty():
        columns = ("when (UTC), request", "status", "asked for, why")
        rows = [(f"{when}\n{request}", status, f"{asked}\n{why}") for when, request, status, asked, why in rows]
    output.table(columns, rows, right=frozenset({"status"}))


def _last_line(cause: str | None) -> str | None:
    """A traceback says in its last line what happened."""
    return cause.strip().rpartition("\n")[2] if cause else None


def _summary(shown: int, total: int, dropped: int) -> None:
    if sys.stdout.isatty():
        print(f"\n{shown:,} of {output.counted(total, 'request')}")
    if dropped:
        print(f"{output.counted(dropped, 'request')} could not be kept: they came faster than they could be written", file=sys.stderr)


def _tell(entry: "Entry") -> None:
    rows: list[tuple[str, Any]] = [("when (UTC)", output.moment(entry.at_ms // 1000))]
    for name, value in entry._asdict().items():
        if value is not None and name not in ("at_ms", "cause", "duration_us"):
            rows.append((name, output.safe(str(value))))
    if entry.duration_us is not None:
        rows.append(("took", f"{entry.duration_us / 1000:.1f} ms"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")
    if entry.cause is not None:
        lines = entry.cause.rstrip().split("\n")
        print(f"{'cause':{width}}  {output.safe(lines[0])}", *map(output.safe, lines[1:]), sep="\n")
